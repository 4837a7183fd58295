"""A browser that keeps nothing: pages read, play and fold as ever; only what would be remembered is not."""

import re

import pytest

from sepbook.widgets._hosts import HERE
from tests.browser.acts import first_player, press_play, wait_for_time
from tests.browser.conftest import VIEWS, pages_that_hold

# As in a browser: a property of the window that may be defined anew, and throws when it is read.
REFUSE = """for (const name of ["localStorage", "sessionStorage"])
  Object.defineProperty(window, name, { configurable: true,
    get() { throw new DOMException("refused", "SecurityError"); } });"""
HOSTED = dict(re.findall(r'(\w+): "\./(\w+)\.js"', (HERE / "host.js").read_text(encoding="utf-8")))
LIVES = "([name, handle]) => document.querySelector(`.sepbook-${name}`)?.[handle]"


@pytest.fixture
def refusing(chromium, server):
    """Open a page where storage throws when it is touched: ``refusing(address)`` -> page, all its errors."""
    made = []

    def go(address):
        context = chromium.new_context(**VIEWS["1280-light"])
        context.set_default_timeout(90_000)  # other work may run beside the tests
        made.append(context)
        context.add_init_script(REFUSE)
        page, errors = context.new_page(), []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        page.goto(f"{server}/{address}", wait_until="load")
        return page, errors

    yield go
    for context in made:
        context.close()


def test_what_is_written_lasts_as_long_as_the_page(refusing):
    page, errors = refusing("book/index.html")
    kept = """() => { localStorage.setItem("a", 1); const kept = [localStorage.getItem("a"), localStorage.key(0)];
      localStorage.removeItem("a"); return [...kept, localStorage.getItem("a"), localStorage.length]; }"""
    assert page.evaluate("localStorage.forgets && sessionStorage.forgets")
    page.evaluate("localStorage.clear()")
    assert page.evaluate(kept) == ["1", "a", None, 0]
    page.reload()
    assert page.evaluate("localStorage.getItem('a')") is None and errors == []


def test_where_storage_is_allowed_it_is_the_browsers(visit):
    page, _ = visit("book/index.html")
    assert page.evaluate("localStorage instanceof Storage && localStorage.forgets === undefined")


def test_text_players_solutions_search_and_colours_need_no_storage(refusing):
    page, errors = refusing("book/foundations/masks.html")
    assert page.locator("article h1").is_visible()
    player = first_player(page)
    press_play(player)
    wait_for_time(page, player, 0.2)
    press_play(player)
    fold = page.locator("article details").first
    before = fold.evaluate("(e) => e.open")
    fold.locator("summary").first.click()
    assert fold.evaluate("(e) => e.open") != before
    page.keyboard.press("Control+k")
    page.wait_for_selector("#search-input:visible")
    page.keyboard.press("Escape")
    mode = "document.documentElement.dataset.mode"
    before = page.evaluate(mode)
    page.locator("button.theme-switch-button:visible").first.click()
    assert page.evaluate(mode) != before
    assert errors == []


@pytest.mark.parametrize("name", sorted(HOSTED))
def test_no_explorer_needs_storage(refusing, name):
    address = pages_that_hold(f"data-{name}=")[0]
    page, errors = refusing(address)
    page.wait_for_function(LIVES, arg=[name, f"sepbook{name.capitalize()}"])
    assert errors == []


def test_a_listening_test_says_that_nothing_is_kept(refusing):
    page, errors = refusing("book/evaluation/listening_test.html")
    page.wait_for_function(LIVES, arg=["listening", "sepbookListening"])
    kept = page.evaluate("""async () => {
      const store = await import(new URL("../../_static/widgets/listening_test_store.js", document.baseURI));
      return store.isKept(); }""")
    assert kept is False and errors == []
