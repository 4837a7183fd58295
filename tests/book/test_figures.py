"""Figures: each has a number and a caption that says what is drawn; nobody types them."""

import ast
import re
import sys
from collections import Counter

import pytest
from book_sources import ROOT, pages, text_of
from built_pages import PAGES, soup

sys.path.insert(0, str(ROOT / "book" / "_ext"))
import sepbook_figures as figures
from docutils import nodes

from sepbook.plots.style import WIDTH

TWO = '<div class="sepbook-figure"><img class="only-light" alt="{0}"><img class="only-dark" alt="{0}"></div>'


@pytest.mark.parametrize(
    ("alt", "said"),
    [
        ("Bars of the mean gain. binary 13.0 dB, ratio 12.9 dB, best 14.9 dB, true 12 dB.", "Bars of the mean gain."),
        ("Validation over the steps: from 2.0 dB at step 250 to 3.7 dB at step 2500.", "Validation over the steps."),
        ("Two curves. The first falls. The second rises until the very end of it. More.",
         "Two curves. The first falls. The second rises until the very end of it."),
        ("Bars of the improvement in dB. everything: 5.2; no skip: 5.9.", "Bars of the improvement in dB."),
        ("The gain over its power p. p = 0.25: 7.5 dB.", "The gain over its power p."),
        ("Left: both fall together for ten steps.", "Left: both fall together for ten steps."),
    ],
)  # fmt: skip
def test_the_caption_is_the_beginning_of_the_description(alt, said):
    assert figures.caption(alt) == said


def test_figures_of_a_page_are_counted_and_other_outputs_are_not():
    texts = [TWO.format("A map of a &lt;loss&gt; over two weights, dark where it is low."), "<table></table>",
             TWO.format("Two curves over time that never meet anywhere.")]  # fmt: skip
    page = nodes.container("", *(nodes.raw("", text, format="html") for text in texts))
    figures.number(None, page, "page")
    first, table, second = (node.astext() for node in page.findall(nodes.raw))
    assert table == "<table></table>"
    assert "<span>Figure 1.</span> A map of a &lt;loss&gt; over two weights, dark" in first
    assert first.count("<img") == 2 and first.count("alt=") == 2, "the description stays"
    assert 'id="figure-2"' in second and "Figure 2.</span> Two curves" in second


def test_no_picture_stands_beside_its_caption():
    """The theme hides a caption that follows a picture of the other colour scheme."""
    text = figures.numbered(TWO.format("Two curves over time that never meet anywhere."), 1)
    assert "</div><figcaption>" in text


@pytest.mark.parametrize("name", PAGES)
def test_every_figure_of_the_book_has_a_number_and_a_caption(name):
    page = soup(name)
    found = page.select(".sepbook-figure")
    said = [figure.select_one("figcaption").get_text(" ", strip=True) for figure in found]
    assert [words.split(".")[0] for words in said] == [f"Figure {n}" for n in range(1, len(said) + 1)]
    assert all(25 < len(words) < 320 for words in said), said


CELL = re.compile(r"^```\{code-cell\}[^\n]*\n(.*?)\n```", re.M | re.S)
NAMELESS = re.compile(r"((Left|Right|Above|Below|Top|Bottom)[,:] |Bars\b|(Two|Three|Four|Five|Six|Ten) \w+\.)")
LEAST = 8  # words of a caption


def beginning(node):
    """Return the text that an expression begins with, as far as it stands in the source; x for what is computed."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "x" for part in node.values)
    if isinstance(node, ast.BinOp):
        return beginning(node.left) + beginning(node.right)
    if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "join" and isinstance(node.args[0], ast.List):
        return " ".join(map(beginning, node.args[0].elts))
    return ""


def described():
    """Yield (page, caption) of the figures whose description begins in the source of a page."""
    for name in pages():
        for cell in CELL.findall(text_of(name)):
            code = "\n".join(line for line in cell.split("\n") if not line.startswith(":"))
            for call in ast.walk(ast.parse(code)):
                if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "show":
                    text = next((beginning(key.value) for key in call.keywords if key.arg == "alt"), "")
                    if text.strip():
                        yield name, figures.caption(text)


def test_a_caption_names_what_is_drawn():
    """Which quantity of what; not how many panels there are, and not what lies on the left of them."""
    found = list(described())
    assert len(found) > 120
    short = [said for said in found if len(said[1].split()) < LEAST]
    nameless = [said for said in found if NAMELESS.match(said[1])]
    assert not short and not nameless, (short, nameless)


@pytest.mark.parametrize("said", ["Left, validation over the steps.", "Two curves. The one swings.", "Bars in dB."])
def test_captions_that_name_nothing_are_found(said):
    assert NAMELESS.match(said)


def test_no_two_figures_of_the_book_have_one_caption():
    twice = {said: n for said, n in Counter(said for _, said in described()).items() if n > 1}
    assert not twice, twice


@pytest.mark.parametrize("name", PAGES)
def test_no_figure_is_wider_than_the_common_width(name):
    widths = [int(image["width"]) for image in soup(name).select(".sepbook-figure img")]
    assert all(width <= round(100 * WIDTH) for width in widths), widths


def test_no_page_asks_for_a_wider_figure():
    asked = [(name, float(width)) for name in pages() for width in re.findall(r"figsize=\(([\d.]+),", text_of(name))]
    assert len(asked) > 40
    assert not [found for found in asked if found[1] > WIDTH], asked
