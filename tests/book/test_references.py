"""Every work is complete, and cited on a page or marked for one that is to come."""

import re
import tomllib

import pytest
from book_sources import ROOT, pages, text_of
from pybtex.database import parse_file

BIB = parse_file(ROOT / "book" / "references.bib").entries
LATER = tomllib.loads((ROOT / "tests" / "house.toml").read_text(encoding="utf-8"))["references"]["later"]

# What the chapters of the book rest on: none of these may be lost.
NEEDED = """
jansson2017singing spleeter2020 slizovskaia2020conditioned petermann2020deep meseguer2019conditioned kadandale2020multi
jansson2019joint hung2020multitask stoller2018jointly luo2017deep luo2018tasnet luo2019conv defossez2019music
defossez2019demucs stoller2018wave oord2016wavenet lluis2019end dumoulin2016guide ioffe2015batch ulyanov2016instance
wu2018group weninger2014discriminatively hershey2016deep wang2018alternative chen2017deep samuel2020meta
stoter2019openunmix yu2017permutation kolbaek2017multitalker perez2018film liu2019end defossez2020real erdogan2015phase
"""
FIELDS = {
    "article": {"title", "journal", "year"},
    "inproceedings": {"title", "booktitle", "year"},
    "incollection": {"title", "booktitle", "year", "pages", "publisher"},
    "book": {"title", "year", "publisher"},
    "misc": {"title", "year"},
}


def cited():
    """Return {key: the pages that cite it}."""
    found = {}
    for page in pages():
        for keys in re.findall(r"(?<!`)\{cite(?::\w+)?\}`([^`]+)`", text_of(page)):
            for key in re.split(r"[,\s]+", keys.strip()):
                found.setdefault(key, set()).add(page.removeprefix("book/").removesuffix(".md"))
    return found


CITED = cited()


@pytest.mark.parametrize("key", NEEDED.split())
def test_work_that_the_book_rests_on_is_there(key):
    assert key in BIB


@pytest.mark.parametrize("key", BIB)
def test_work_is_cited_or_marked(key):
    assert key in CITED or key in LATER, "cite it on a page, or say in tests/house.toml which page will"


@pytest.mark.parametrize("key", LATER)
def test_mark_names_a_work_and_a_page_that_is_still_to_cite_it(key):
    assert key in BIB, "no such work in book/references.bib"
    page = LATER[key]
    if (ROOT / f"book/{page}.md").exists():
        assert page in CITED.get(key, ()), f"book/{page}.md has arrived: cite {key} there"
        pytest.fail(f"book/{page}.md cites {key}: take its mark out of tests/house.toml")


def test_every_citation_has_a_work():
    assert not {key: where for key, where in CITED.items() if key not in BIB}


@pytest.mark.parametrize("key", BIB)
def test_work_says_who_what_where_and_when(key):
    entry = BIB[key]
    fields = entry.fields
    assert FIELDS[entry.type] <= set(fields)
    assert entry.persons["author"] and fields["year"].isdigit()
    assert "others" not in {str(p).lower() for p in entry.persons["author"]}, "name all authors"
    assert {"doi", "note", "howpublished", "pages", "address", "publisher"} & set(fields), "where is it to be found?"
    assert re.fullmatch(r"\d+(--\d+)?", fields.get("pages", "1")), "pages are 12--34"
    assert re.fullmatch(r"10\.\d{4,}/\S+", fields.get("doi", "10.1000/x")), "a DOI has no https:// before it"
    if "arXiv" in fields.get("note", ""):
        assert re.match(r"arXiv:\d{4}\.\d{4,5}\b", fields["note"])


@pytest.mark.parametrize("key", BIB)
def test_key_tells_the_year(key):
    """The year of publication, or that of the preprint if its number is noted."""
    fields = BIB[key].fields
    assert re.search(r"\d{4}", key)[0] in {fields["year"], *re.findall(r"\((\d{4})\)", fields.get("note", ""))}
