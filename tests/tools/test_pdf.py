"""The book as PDF: each part a file, the whole with an outline, folds open, everything on paper."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml

from tools import pdf

SITE = {
    "book/index": ("Start &#8212; sepbook", "<p>The first page.</p>"),
    "book/one/fold": ("A &amp; B", "<details><summary>Why?</summary><p>Because of the fold.</p></details>"),
    "book/two/long": ("Long", "".join(f"<p>Line {number}</p>" for number in range(150))),
}
PARTS = [pdf.Part("Part one", ("book/index", "book/one/fold")), pdf.Part("Part two", ("book/two/long",))]


@pytest.fixture
def site(tmp_path, chromium_path, monkeypatch):
    monkeypatch.setenv("SEPBOOK_CHROMIUM", chromium_path)
    unfold = (
        "addEventListener('beforeprint', () => document.querySelectorAll('details').forEach((d) => (d.open = true)))"
    )
    for name, (title, body) in SITE.items():
        path = tmp_path / "html" / f"{name}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"<!doctype html><title>{title}</title><body>{body}<script>{unfold}</script>", encoding="utf-8")
    return tmp_path


def written(parts, folder):
    """Print in a thread of its own: in this one the browser of other tests may be at work, and two do not fit."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(pdf.write, parts, folder / "html", folder / "pdf").result()


def titles(outline):
    """Return the outline as nested lists of titles."""
    return [titles(entry) if isinstance(entry, list) else entry.title for entry in outline]


def test_the_contents_become_parts():
    toc = yaml.safe_load((pdf.ROOT / "_toc.yml").read_text(encoding="utf-8"))
    found = pdf.parts(toc)
    assert found[0].pages[0] == toc["root"] and [part.caption for part in found] == [p["caption"] for p in toc["parts"]]
    assert "book/classroom/week_03" in {page for part in found for page in part.pages}, "pages below pages too"
    assert len({part.file for part in found}) == len(found) and found[3].file == "building_blocks.pdf"


@pytest.mark.slow
def test_parts_and_the_whole_are_printed(site):
    from pypdf import PdfReader

    files = written(PARTS, site)
    assert [file.name for file in files] == ["part_one.pdf", "part_two.pdf", "sepbook.pdf"]
    one, two, whole = (PdfReader(file) for file in files)
    assert len(one.pages) == 2 and len(two.pages) > 2 and len(whole.pages) == len(one.pages) + len(two.pages)
    assert "Because of the fold." in one.pages[1].extract_text(), "folds are open on paper"
    assert "Line 149" in two.pages[-1].extract_text(), "to the last line"
    assert titles(whole.outline) == ["Part one", ["Start", "A & B"], "Part two", ["Long"]]
    assert [whole.get_destination_page_number(entry) for entry in whole.outline[1]] == [0, 1]


@pytest.mark.slow
def test_a_page_that_is_not_there_is_named(site):
    with pytest.raises(RuntimeError, match="book/none.html answers 404: is the book built"):
        written([pdf.Part("Part", ("book/none",))], site)


def test_a_part_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setattr(pdf.sys, "argv", ["pdf", "Nowhere"])
    with pytest.raises(SystemExit, match="no part Nowhere; there are: Start"):
        pdf.main()
