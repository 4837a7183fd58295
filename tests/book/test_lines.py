"""Long lines of shown code and of what it prints are broken, wherever they stand, and their text stays as it is."""

import pytest
import sepbook_lines as lines
from built_pages import PAGES, soup

SHORT, LONG = "y = 1", "    value = function(" + "argument, " * 9 + ")"


def block(text, kind="highlight-ipython3 notranslate"):
    """Return a block as Sphinx writes it, once its long lines are broken."""
    return lines.BLOCK.sub(lines.broken, f'<div class="{kind}"><div class="highlight"><pre>{text}</pre></div></div>')


def test_a_long_line_becomes_a_box_and_keeps_its_text():
    found = block(f"<span></span><b>{SHORT}</b>\n{LONG}\n{SHORT}")
    assert found.count("sepbook-long") == 1
    assert f'<span class="sepbook-long" style="--further: 8ch">{LONG}</span>\n' in found
    assert lines.plain(found) == f"{SHORT}\n{LONG}\n{SHORT}"


@pytest.mark.parametrize("text", ["x" * 88, "<span class='a-long-name'>" + "x" * 80 + "</span>", "&lt;" * 88, "│" * 99])
def test_what_fits_and_what_is_drawn_is_left_alone(text):
    assert "sepbook-long" not in block(text)


@pytest.mark.parametrize(
    ("text", "further"),
    [
        ("  hint      The axes look swapped", 12),
        ("name: what it is", 4),
        ("a: " + "b" * 60 + "   c", 4),
        ("        deep", 12),
        (" " * 60 + "deeper", 48),
    ],
)
def test_the_rest_of_a_printed_line_begins_below_its_second_column(text, further):
    assert lines.hanging(text, printed=True) == further


def test_a_run_of_blanks_in_code_is_no_column():
    assert lines.hanging("load()     # as it is", printed=False) == 4


@pytest.mark.parametrize("name", PAGES)
def test_no_block_of_a_page_has_a_longer_line(built, name):
    """Only drawings do, and only in the reference: on a page they fit."""
    for pre in soup(name).select("article div.highlight > pre"):
        left = [e.get_text() for e in pre.select(".sepbook-long")]
        rest = [line for line in pre.get_text().split("\n") if len(line) > lines.WIDEST and line not in left]
        assert not rest or (name == "book/appendix/api.html" and lines.DRAWN.search(pre.get_text())), rest
