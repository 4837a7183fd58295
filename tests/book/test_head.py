"""What a page says of itself: description, address, social card, foot; and the files beside the pages."""

import re
import subprocess
import sys
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
import yaml
from book_sources import ROOT
from bs4 import BeautifulSoup
from docutils import nodes

sys.path.insert(0, str(ROOT / "book" / "_ext"))
import sepbook_head as head
from built_pages import HTML, PAGES, soup

BASE = head.site(yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"])


def section(*paragraphs):
    """Return a section with a title, a head in a box and some paragraphs."""
    box = nodes.admonition("", nodes.paragraph(text="What is said in a box is said of the page, and not by it: " * 2))
    return nodes.document("", "", "", nodes.section("", nodes.title(text="T"), box, *paragraphs))


def test_the_site_follows_from_the_repository():
    assert head.site("https://github.com/Some-One/Book/") == "https://some-one.github.io/Book/"


def test_description_is_the_first_text_of_the_page_itself():
    said = "A mask keeps a part of each bin, so that the rest of the song is gone. A second sentence."
    assert head.description(section(nodes.paragraph(text="Too short."), nodes.paragraph(text=said))) == said
    assert head.description(section()) == head.description(None) == head.GENERAL


def test_description_speaks_no_tex():
    formula = nodes.paragraph(
        "", "", nodes.Text("The mask "), nodes.math("", r"M = \frac{a}{b}"), nodes.Text(" is real" * 9)
    )
    assert head.description(section(formula)).startswith("The mask M = ab is real")


@pytest.mark.parametrize(
    "words", ["word " * 100, "Short first sentence here. " + "word " * 99, "a" * 400, "One sentence of text. " * 40]
)
def test_a_description_has_its_length_and_ends_well(words):
    said = head.shortened(words.strip())
    assert len(said) <= head.LONGEST and (said.endswith((" …", ".")) or len(said) <= head.LONGEST)
    assert said.removesuffix(" …") in words


def test_days_are_those_of_the_last_commit(tmp_path):
    def git(*command, **environment):
        identity = ("-c", "user.name=a", "-c", "user.email=a@b.c")
        subprocess.run(
            ["git", *identity, *command], cwd=tmp_path, check=True, capture_output=True, env=environment or None
        )

    git("init", "-q")
    (tmp_path / "book").mkdir()
    for number, name in enumerate(["a.md", "b.md", "a.md"], 1):
        (tmp_path / "book" / name).write_text(str(number))
        git("add", "-A")
        day = f"2026-0{number}-01T12:00:00Z"
        git("commit", "-q", "-m", "A change", GIT_AUTHOR_DATE=day, GIT_COMMITTER_DATE=day, PATH="/usr/bin:/bin")
    assert head.dates(tmp_path) == {"book/a.md": "2026-03-01", "book/b.md": "2026-02-01"}
    assert head.readable("2026-03-01") == "1 March 2026"


def test_a_book_without_history_has_no_days(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert head.dates(tmp_path / "nowhere") == head.dates(tmp_path) == {}


def test_citation_names_authors_version_and_year():
    cff = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    entry = head.citation("Masks", "book/foundations/masks", f"{BASE}x.html", "2026-03-01", ROOT)
    assert entry.startswith("@incollection{sepbook:foundations/masks,") and entry.count("{") == entry.count("}")
    for part in (cff["authors"][0]["name"], cff["version"], "{2026}", "{{Masks}}", f"{BASE}x.html"):
        assert part in entry


def test_the_card_is_drawn_as_large_as_it_says(tmp_path):
    from PIL import Image

    head.draw_card(tmp_path / "card.png")
    assert Image.open(tmp_path / "card.png").size == (1200, 630)
    assert (tmp_path / "card.png").stat().st_size < 300_000


# --- the built book ------------------------------------------------------------------------------------------------


def content(page, key):
    """Return what a meta tag says."""
    [tag] = page.select(f'meta[name="{key}"], meta[property="{key}"]')
    return tag["content"]


@pytest.mark.parametrize("name", PAGES)
def test_page_says_what_it_is(built, name):
    page = soup(name)
    said, title = content(page, "description"), content(page, "og:title")
    assert 40 <= len(said) <= head.LONGEST and not re.search(r"[\\{}$<>]", said)
    assert title and title == page.select_one("h1").get_text().removesuffix("#").strip()
    [canonical] = page.select('link[rel="canonical"]')
    assert canonical["href"] == content(page, "og:url") == f"{BASE}{name}"
    card = content(page, "og:image")
    assert card.startswith(BASE) and (HTML / card.removeprefix(BASE)).is_file()
    assert page.select_one('link[rel="icon"]') and page.select_one(".navbar-brand img")


def test_descriptions_differ(built):
    said = [content(soup(name), "description") for name in PAGES]
    assert len(set(said)) == len(said) or {s for s in said if said.count(s) > 1} == {head.GENERAL}
    assert said.count(head.GENERAL) <= 3


@pytest.mark.parametrize("name", PAGES)
def test_page_says_when_it_changed_where_to_mend_it_and_how_to_cite_it(built, name):
    foot = soup(name).select_one(".sepbook-foot")
    source = urlsplit(foot.select_one("a")["href"]).path.split("/", 5)[-1]
    assert (ROOT / source).is_file() and source.rpartition(".")[0] == name.removesuffix(".html")
    assert f"{BASE}{name}" in foot.select_one("pre").text
    if (ROOT / ".git").exists():
        assert (
            foot.select_one("time")
            or subprocess.run(["git", "log", "-1", source], cwd=ROOT, capture_output=True).stdout == b""
        )


def test_the_sitemap_lists_every_page_and_nothing_else(built):
    root = ElementTree.parse(HTML / "sitemap.xml").getroot()
    listed = [element.text for element in root.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
    assert sorted(listed) == sorted(f"{BASE}{name}" for name in PAGES)
    assert f"{BASE}sitemap.xml" in (HTML / "robots.txt").read_text(encoding="utf-8")


def test_the_page_for_lost_readers_needs_no_other_file(built):
    """It is shown at any depth of addresses, so nothing in it may be relative."""
    page = BeautifulSoup((HTML / "404.html").read_text(encoding="utf-8"), "html.parser")
    root = urlsplit(BASE).path
    targets = [page.select_one("a")["href"], page.select_one("form")["action"]]
    assert all((HTML / target.removeprefix(root)).is_file() and target.startswith(root) for target in targets)
    assert not page.select("link:not([href^=data]), script, img")
