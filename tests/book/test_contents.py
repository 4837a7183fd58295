"""The contents beside a page: folded by part, the lab beside its page, the page that is read in sight."""

import sys

import pytest
import yaml
from book_sources import ROOT
from bs4 import BeautifulSoup

sys.path.insert(0, str(ROOT / "book" / "_ext"))
from built_pages import PAGES, soup
from sepbook_contents import fold

PARTS = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))["parts"]
for part in PARTS:  # what stands below a page is a page too
    part["chapters"] = [page for chapter in part["chapters"] for page in (chapter, *chapter.get("sections", ()))]
THEME = """
<p aria-level="2" class="caption" role="heading"><span class="caption-text">Start</span></p>
<ul class="nav"><li class="toctree-l1"><a class="reference internal" href="../first.html">First</a></li>
<li class="toctree-l1"><a class="reference internal" href="../../notebooks/first.html">Lab: first</a></li></ul>
<p aria-level="2" class="caption" role="heading"><span class="caption-text">Data</span></p>
<ul class="nav"><li class="toctree-l1"><a class="reference internal" href="{page}">Songs</a></li>
<li class="toctree-l1"><a class="reference internal" href="{lab}">Lab: your songs</a></li>
<li class="toctree-l1"><a class="reference internal" href="recap.html">Recap</a></li></ul>
"""


def folded(pagename, page="songs.html", lab="../../notebooks/data/songs.html"):
    """Return the folds as ``[(title, is open, [(page, lab)])]``."""
    markup = THEME.format(page=page, lab=lab)
    markup = markup.replace('class="reference internal" href="#"', 'class="current reference internal" href="#"')
    return BeautifulSoup(fold(markup, pagename), "html.parser")


def told(contents):
    """Return what the folds hold: ``{part: [links of each entry]}``."""
    return {
        part.summary.text: [[a.text for a in entry.select("a")] for entry in part.select("li")]
        for part in contents.select("details")
    }


def test_labs_stand_beside_their_pages():
    assert told(folded("book/data/recap")) == {"Start": [["First", "lab"]], "Data": [["Songs", "lab"], ["Recap"]]}
    assert [a["aria-label"] for a in folded("book/data/recap").select(".sepbook-lab-link")] == [
        "Lab: first",
        "Lab: your songs",
    ]


@pytest.mark.parametrize(
    ("pagename", "links", "words"),
    [
        ("book/data/songs", {"page": "#"}, "Songs"),
        ("notebooks/data/songs", {"page": "../../book/data/songs.html", "lab": "#"}, "lab"),
    ],
)
def test_the_part_that_is_read_is_open_and_what_is_read_is_named(pagename, links, words):
    contents = folded(pagename, **links)
    assert [part.summary.text for part in contents.select("details[open]")] == ["Data"]
    assert [a.text for a in contents.select("[aria-current=page]")] == [words]


def test_the_first_part_is_open_where_no_part_is_read():
    assert [part.summary.text for part in folded("search").select("details[open]")] == ["Start"]


# --- the built book ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAGES)
def test_contents_of_a_page(built, name):
    """Every part is a fold, every page is reached, and each lab that follows its page stands beside it."""
    contents = soup(name).select_one("nav[aria-label=Main]")
    folds = contents.select("details.sepbook-part")
    assert [part.summary.text for part in folds] == [part["caption"] for part in PARTS]
    here = name.removesuffix(".html")
    read = [part["caption"] for part in PARTS if any(chapter["file"] == here for chapter in part["chapters"])]
    assert [part.summary.text for part in folds if part.has_attr("open")] == (read or [PARTS[0]["caption"]])
    assert len(contents.select("[aria-current=page]")) == len(read)
    files = [chapter["file"] for part in PARTS for chapter in part["chapters"]]
    assert len(contents.select("details a")) == len(files)
    labs = [file for file in files if file.startswith("notebooks/")]
    beside = [file for file in labs if files[files.index(file) - 1] == file.replace("notebooks/", "book/")]
    assert len(contents.select(".sepbook-lab-link")) == len(beside)
