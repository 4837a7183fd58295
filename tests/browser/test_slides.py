"""A page as slides: everything that is shown is there once, fits, and still plays; keys lead through it and back."""

import re

import pytest
import yaml

from tests.browser.acts import assert_time_went_on, press_play, watch_time
from tests.browser.conftest import ROOT

CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
PATH = [name for entry in CONFIG["sphinx"]["config"]["sepbook_core_path"] for name in entry]
READY = "() => window.sepbookDeck && document.querySelector('.sepbook-slide:not([hidden])')"
SHOWN = ".sepbook-slide:not([hidden])"
WALK = """() => sepbookDeck.slides.map((slide, i) => {
    sepbookDeck.show(i);
    const { stage } = sepbookDeck, title = slide.querySelector("h2").innerText.trim();
    return {
        title, count: document.querySelector(".sepbook-slides-bar output").innerText,
        filled: !!slide.querySelector("img, .sepbook-player, .sepbook-explorer")
            || slide.innerText.trim().length > title.length + 3,
        fits: slide.style.zoom === "0.35"
            || (stage.scrollHeight <= stage.clientHeight + 2 && stage.scrollWidth <= stage.clientWidth + 2),
    };
})"""

# What stays behind in the page: words, pictures, sounds, tables, formulas, exercises.
LEFT = """(leftOut) => [...document.querySelectorAll(
    "article :is(p, img, .sepbook-player, .sepbook-figure, .sepbook-explorer, table, .math, .exercise)"
)].filter((part) => !part.closest(leftOut)).map((part) => part.outerHTML.slice(0, 99))"""


def left_out():
    """Return the selector of what slides do without, as their script names it, and the box that leads to the lab."""
    script = (ROOT / "book" / "_ext" / "static" / "sepbook_slides.js").read_text(encoding="utf-8")
    names = re.findall(r'"([\w-]+)"', re.search(r"const LEFT_OUT = \[(.*?)\]", script)[1])
    assert names
    return ", ".join([*(f"#{name}" for name in names), ".sepbook-lab"])


@pytest.fixture
def slides(visit):
    """Open a page as slides: ``slides(name)`` -> page, log, number of slides."""

    def open_slides(name):
        page, log = visit(f"book/{name}.html?slides")
        page.wait_for_function(READY)
        return page, log, page.evaluate("sepbookDeck.slides.length")

    return open_slides


@pytest.mark.parametrize("name", PATH)
def test_every_page_of_the_core_path_can_be_shown(slides, name):
    page, log, count = slides(name)
    found = page.evaluate(WALK)
    assert [slide["count"] for slide in found] == [f"{number} of {count}" for number in range(1, count + 1)]
    assert [slide for slide in found if not (slide["title"] and slide["filled"] and slide["fits"])] == []
    assert page.evaluate(LEFT, left_out()) == [], "every part of the page is on a slide"
    assert count > 8 and not log.errors


def test_players_and_figures_are_those_of_the_page(visit, slides):
    page, _ = visit("book/architectures/unet.html")
    counts = """['.sepbook-player', '.sepbook-figure'].map(
        (s) => document.querySelectorAll(`article ${s}, .sepbook-slides ${s}`).length)"""
    on_page = page.evaluate(counts)
    page, log, _ = slides("architectures/unet")
    assert page.evaluate(counts) == on_page and not log.errors


def test_a_slide_sounds_and_its_keys_are_its_own(slides):
    page, log, _ = slides("architectures/unet")
    while not (player := page.query_selector(f"{SHOWN} .sepbook-player")):
        page.keyboard.press("ArrowRight")
    here = page.inner_text(".sepbook-slides-bar output")
    before = watch_time(page, player)
    press_play(player)
    assert_time_went_on(page, player, before)
    player.query_selector("input[type=range]").press("ArrowRight")  # moves in time, not to the next slide
    assert page.inner_text(".sepbook-slides-bar output") == here and not log.errors


def test_notes_a_place_to_come_back_to_and_the_way_out(slides):
    page, log, count = slides("foundations/masks")
    page.keyboard.press("End")
    assert page.url.endswith(f"#slide-{count}")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert not page.is_visible(f"{SHOWN} .sepbook-slide-notes")
    page.keyboard.press("n")
    assert page.is_visible(f"{SHOWN} .sepbook-slide-notes")
    page.reload()
    page.wait_for_function(READY)
    assert page.inner_text(".sepbook-slides-bar output") == f"2 of {count}"
    page.keyboard.press("Escape")
    page.wait_for_function("() => !window.sepbookDeck && document.querySelector('article h1')")
    assert "?" not in page.url and page.is_visible("article h1") and not log.errors


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("One. Two.", "One."),
        ("It takes 0.5 s. Then more.", "It takes 0.5 s."),
        ('He said "no." And went.', 'He said "no."'),
        ("A list: one, two. End.", "A list: one, two."),
        ("Is it? Yes.", "Is it?"),
        ("Never ends", None),
    ],
)
def test_where_a_first_sentence_ends(visit, words, first):
    page, _ = visit("book/index.html")
    code = "async (words) => (await import(new URL('../_static/sepbook_slides.js', location))).endOfSentence(words)"
    end = page.evaluate(code, words)
    assert (words[:end] if end >= 0 else None) == first
