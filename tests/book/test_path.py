"""The core path: one list in _config.yml, told by the first page, by the contents and by the head of each page."""

import re

import yaml
from book_sources import ROOT
from bs4 import BeautifulSoup

CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
PATH = {name: minutes for entry in CONFIG["sphinx"]["config"]["sepbook_core_path"] for name, minutes in entry.items()}
WORDS = {"half an hour": 30, "an hour and a half": 90, "two hours": 120, "an hour": 60}


def minutes_of(head):
    """Return the minutes of page and lab that a head's line "about 50 minutes, and an hour for the lab" says."""
    for words, number in WORDS.items():
        head = head.replace(words, f"{number} minutes")
    return [int(number) for number in re.findall(r"(\d+) (?:more|minutes|for the lab)", head)]


def soup(built, name):
    return BeautifulSoup((built / "book" / f"{name}.html").read_text(encoding="utf-8"), "html.parser")


def test_the_path_follows_the_contents():
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    files = [chapter["file"] for part in contents["parts"] for chapter in part["chapters"]]
    places = [(files.index(f"book/{name}"), files.index(f"notebooks/{name}")) for name in PATH]
    assert places == sorted(places)


def test_head_of_each_page_says_the_same_minutes():
    for name, minutes in PATH.items():
        text = (ROOT / "book" / f"{name}.md").read_text(encoding="utf-8")
        head = re.search(r"^Time\n: (.*?)\n\n", text, re.MULTILINE | re.DOTALL)[1]
        assert minutes_of(" ".join(head.split())) == minutes, name


def test_first_page_lists_the_path(built):
    table = soup(built, "index").select_one("table.sepbook-core-path")
    rows = [[cell.text.strip() for cell in row.select("td")] for row in table.select("tbody tr")]
    assert [row[3] for row in rows[:-1]] == [f"{page} + {lab}" for page, lab in PATH.values()]
    assert rows[-1][2] == f"{len(PATH)} labs"
    assert all(row[1] for row in rows[:-1])


def test_contents_mark_the_path_on_every_page(built):
    for name in ("index", "first_separation", "architectures/unet"):
        marked = [link.text for link in soup(built, name).select("a:has(.sepbook-core)")]
        assert len(marked) == len(PATH) and all(text.endswith(", core path") for text in marked), name
