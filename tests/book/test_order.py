"""Nothing is used before it is taught: `[order]` of tests/house.toml against contents, core path and prose."""

import re
import tomllib

import pytest
import yaml
from book_sources import ROOT, sentences

ORDER = tomllib.loads((ROOT / "tests" / "house.toml").read_text(encoding="utf-8"))["order"]
WORDS, PAGES = ORDER["words"], ORDER["pages"]
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
PATH = [name for entry in CONFIG["sphinx"]["config"]["sepbook_core_path"] for name in entry]
HOME = {concept: page for page, line in PAGES.items() for concept in line.get("introduces", ())}
OFTEN = 3  # so often in a page's prose, and it is no mere mention


def contents():
    """Return the pages that teach, in the order of the contents."""
    parts = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))["parts"]
    files = [chapter["file"] for part in parts for chapter in part["chapters"]]
    names = [file.removeprefix("book/") for file in files if file.startswith("book/")]
    return [name for name in names if not name.startswith(("appendix/", "classroom/"))]


CONTENTS = contents()


def text(page):
    return (ROOT / "book" / f"{page}.md").read_text(encoding="utf-8")


def used(page, words):
    return len(re.findall(words, " ".join(sentences(text(page)))))


def too_early(pages):
    """Return (page, concept) for what a page needs and none before it in this order has introduced."""
    known, missing = set(), []
    for page in pages:
        line = PAGES[page]
        known |= set(line.get("introduces", ()))
        missing += [(page, concept) for concept in line.get("needs", ()) if concept not in known]
    return missing


def test_each_page_has_a_line_and_each_concept_one_home():
    assert list(PAGES) == CONTENTS
    listed = [concept for line in PAGES.values() for concept in line.get("introduces", ())]
    assert sorted(listed) == sorted(WORDS)


def test_contents_teach_before_they_use():
    assert too_early(CONTENTS) == []


def test_the_core_path_alone_teaches_before_it_uses():
    assert too_early(PATH) == []


def test_a_wrong_order_is_found():
    assert ("architectures/unet", "convolution") in too_early([p for p in PATH if p != "building_blocks/convolution"])
    assert too_early(PATH[::-1])


@pytest.mark.parametrize("page", CONTENTS)
def test_what_a_page_uses_often_is_in_its_line(page):
    line = PAGES[page]
    listed = {concept for kind in ("introduces", "needs", "ahead") for concept in line.get(kind, ())}
    assert [c for c, words in WORDS.items() if c not in listed and used(page, words) >= OFTEN] == []
    assert [c for c in line.get("introduces", ()) if not re.search(WORDS[c], text(page))] == []


@pytest.mark.parametrize("page", [page for page, line in PAGES.items() if "ahead" in line])
def test_a_page_that_points_ahead_has_the_link(page):
    for concept in PAGES[page]["ahead"]:
        assert HOME[concept].rpartition("/")[2] + ".md" in text(page), f"{page} uses {concept}: link {HOME[concept]}"
