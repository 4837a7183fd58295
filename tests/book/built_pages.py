"""The pages of the built book, each parsed once in a process."""

import os
from functools import cache
from pathlib import Path

from book_sources import ROOT
from bs4 import BeautifulSoup

HTML = Path(os.environ.get("SEPBOOK_HTML", ROOT / "_build" / "html"))
EXTRA = {"index.html", "genindex.html", "search.html", "py-modindex.html", "404.html"}
PAGES = sorted(p.relative_to(HTML).as_posix() for p in HTML.rglob("*.html") if "_static" not in p.parts)
PAGES = [name for name in PAGES if name not in EXTRA] or ["no book: run `make book` first"]


@cache
def soup(name):
    """Return a page, parsed."""
    return BeautifulSoup((HTML / name).read_text(encoding="utf-8"), "html.parser")
