"""What the search page knows: the page that teaches each word of the glossary."""

import json
import sys

from book_sources import ROOT
from test_glossary import TERMS
from test_glossary import TEXT as GLOSSARY

sys.path.insert(0, str(ROOT / "book" / "_ext"))
from built_pages import HTML, soup
from sepbook_search import taught


def test_every_word_of_the_glossary_has_its_page():
    words = taught(GLOSSARY)
    assert [word for word, *_ in words] == TERMS
    assert not [page for _, page, _ in words if not (ROOT / f"{page}.md").is_file()]


def test_words_that_share_an_entry_share_its_page():
    entries = "STFT\nshort-time transform\n  A row. [A](../a/b.md#part)\n\nleft out\n  No link."
    text = f"```{{glossary}}\n:sorted:\n\n{entries}\n```\n"
    assert taught(text) == [["STFT", "book/a/b", "#part"], ["short-time transform", "book/a/b", "#part"]]
    assert taught("no glossary") == []


def test_the_search_page_is_given_them(built):
    held = json.loads(soup("search.html").select_one("#sepbook-teaches").text)
    assert held == taught(GLOSSARY)
    anchors = {page: {e["id"] for e in soup(f"{page}.html").select("[id]")} for _, page, _ in held}
    assert not [(page, anchor) for _, page, anchor in held if anchor and anchor[1:] not in anchors[page]]
    assert (HTML / "_static" / "sepbook_search.js").is_file()
