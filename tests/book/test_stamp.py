"""Each page says when its code last ran, and with which versions; the book holds the list."""

import datetime
import json
import platform
import sys

import pytest
import torch
from book_sources import ROOT

sys.path.insert(0, str(ROOT / "book" / "_ext"))
import sepbook_head
import sepbook_stamp as stamp
from built_pages import HTML, PAGES, soup

CODE = "# Title\n\n```{code-cell} ipython3\n1 + 1\n```\n"


def noted(folder):
    return json.loads((folder / stamp.STAMP).read_text())


def test_what_ran_now_is_stamped_with_today_and_the_versions(tmp_path):
    stamp.write(tmp_path, CODE)
    found = noted(tmp_path)
    assert found["day"] in {datetime.datetime.now(zone).date().isoformat() for zone in (datetime.UTC, None)}
    assert found["python"] == platform.python_version() and torch.__version__.startswith(found["torch"])


def test_outputs_that_are_kept_keep_their_day(tmp_path):
    (tmp_path / stamp.STAMP).write_text('{"day": "2020-02-29"}')
    stamp.write(tmp_path, CODE)
    assert noted(tmp_path) == {"day": "2020-02-29"}


def test_a_page_without_code_has_no_stamp(tmp_path):
    stamp.write(tmp_path, "# Title\n\n```python\nnot executed\n```\n")
    assert not list(tmp_path.iterdir()) and sepbook_head.ran(None) == ""


def test_the_stamp_in_words():
    note = {"day": "2026-03-01", "python": "3.11.7", "torch": "2.13.0"}
    assert sepbook_head.ran(note) == "Its code ran on 1 March 2026 with Python 3.11.7 and PyTorch 2.13.0."


@pytest.mark.parametrize("name", PAGES)
def test_every_page_with_code_shows_its_stamp(name):
    page = name.removesuffix(".html")
    source, all_notes = ROOT / f"{page}.md", json.loads((HTML / "_static" / stamp.STAMP).read_text(encoding="utf-8"))
    shown = soup(name).select_one(".sepbook-foot .sepbook-ran")
    if source.is_file() and stamp.CELL.search(source.read_text(encoding="utf-8")):
        assert all_notes[page]["torch"] and shown.text == sepbook_head.ran(all_notes[page])
    else:
        assert shown is None
