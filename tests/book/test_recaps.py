"""A recap at the end of each chapter that has pages enough: short, computed, and mixed."""

import re
from pathlib import Path

import pytest
import yaml
from book_sources import ROOT, text_of
from sepbook_sources import cells

CHAPTERS = ("foundations", "data", "building_blocks", "architectures", "losses", "training")
SOLUTION = re.compile(r"^`{4}\{solution-start\} (\S+)\n.*?^`{4}\n(.*?)^`{4}\{solution-end\}", re.M | re.S)
PAGE = re.compile(r"\]\(([\w./]+\.md)")
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))


def recap(chapter):
    return text_of(f"book/{chapter}/recap.md")


def part_of(chapter):
    """Return the files of the part that a chapter's recap closes; the systems have a part of their own, and a table."""
    parts = [[page["file"] for page in part["chapters"]] for part in TOC["parts"]]
    return next(files for files in parts if f"book/{chapter}/recap" in files)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_recap_is_the_last_page_of_its_part(chapter):
    assert part_of(chapter)[-1] == f"book/{chapter}/recap"


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_at_most_ten_lines_to_remember_and_each_page_is_among_them(chapter):
    lines = re.findall(r"^- .*", recap(chapter).split("## To remember")[1].split("\n## ")[0], re.M)
    assert len(lines) <= 10
    named = set(PAGE.findall("\n".join(lines)))
    assert named >= {f"{Path(file).name}.md" for file in part_of(chapter)[:-1]}


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_each_answer_is_computed_and_leads_to_two_pages(chapter):
    solutions = SOLUTION.findall(recap(chapter))
    assert 6 <= len(solutions) <= 8
    for label, words in solutions:
        assert ":tags: [hide-input]" in words and list(cells(words)), label
        assert len(set(PAGE.findall(words))) >= 2, f"{label} mixes two pages: link both"


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_cells_of_a_recap_hold_what_they_assert(chapter, capsys):
    names, code = {}, list(cells(recap(chapter)))
    for cell in code:
        exec(compile(cell, f"book/{chapter}/recap.md", "exec"), names)
    assert sum("assert " in cell for cell in code) >= 4
    assert all("print(" in cell or "show(" in cell for cell in code[1:]) and capsys.readouterr().out
