"""The minutes that pages, cards and the core path state are minutes that a slow reader can keep, and all the same."""

import json
import re

import pytest
from book_sources import ROOT, sentences, text_of
from sepbook_sources import CELL
from test_path import minutes_of

WORDS = 120  # a minute: technical English, read slowly, by somebody whose mother tongue it may not be
CODE = 150  # words of code a minute: it is run and skimmed, where it is not folded
EXERCISE = {"page": 3, "lab": 5}  # minutes of one exercise
HEAD = re.compile(r"^Time\n: (.*?)\n\n", re.M | re.S)
CARD = re.compile(r"^```\{lab\} (\S+)\n:cpu: (.*)$", re.M)
SPANS = {"two or three minutes": 3, "a minute": 1}
PAGES = sorted(
    path.relative_to(ROOT).as_posix() for path in (ROOT / "book").rglob("*.md") if HEAD.search(path.read_text())
)
CARDS = {name: (page, words) for page in PAGES for name, words in CARD.findall(text_of(page))}


def stated(page):
    """Return the minutes of a page, and of its lab, as the head says them."""
    return minutes_of(" ".join(HEAD.search(text_of(page))[1].split()))


def page_minutes(text):
    """Return how long a slow reader takes for a page: its prose, the code in sight, its exercises."""
    prose = sum(len(sentence.split()) for sentence in sentences(text))
    code = sum(len(cell["body"].split()) for cell in CELL.finditer(text) if "hide-input" not in cell["body"])
    return prose / WORDS + code / CODE + EXERCISE["page"] * len(re.findall(r"\{exercise(?:-start)?\}", text))


def lab_minutes(name):
    """Return how long a slow reader takes for a lab: its prose, its code, its exercises, and what has to run."""
    cells = json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    words, exercises = {"markdown": 0, "code": 0}, 0
    for cell in cells:
        tags = cell["metadata"].get("tags", [])
        if not any(tag.startswith("solution-") for tag in tags):
            words[cell["cell_type"]] += len("".join(cell["source"]).split())
        exercises += any(tag.startswith("exercise-") for tag in tags)
    runs = max((span for said, span in SPANS.items() if said in CARDS[name][1]), default=0)
    return words["markdown"] / WORDS + words["code"] / CODE + EXERCISE["lab"] * exercises + runs


def test_more_words_code_and_exercises_take_longer():
    text = "One two.\n\n```{code-cell} ipython3\n:tags: [hide-input]\n\nx = 1\n```\n"
    assert page_minutes(text) == 2 / WORDS < page_minutes(text.replace(":tags: [hide-input]", ""))
    assert page_minutes(f"{text}\n```{{exercise}}\n:label: a\n```\n") == 2 / WORDS + EXERCISE["page"]


@pytest.mark.parametrize("page", PAGES)
def test_a_slow_reader_can_keep_the_minutes_of_a_page(page):
    needed = page_minutes(text_of(page))
    assert needed <= stated(page)[0], f"a slow reader takes {needed:.0f} minutes: say more in its head"


@pytest.mark.parametrize("name", CARDS)
def test_a_slow_reader_can_keep_the_minutes_of_a_lab(name):
    needed = lab_minutes(name)
    assert needed <= stated(CARDS[name][0])[1], f"a slow reader takes {needed:.0f} minutes: say more in head and card"


@pytest.mark.parametrize("name", CARDS)
def test_card_and_head_say_the_same(name):
    page, card = CARDS[name]
    assert minutes_of(re.split("[,;]", card)[0]) == stated(page)[1:]
