"""The aliasing explorer in a real browser: it hears what Python hears, and everyone can use it."""

import numpy as np
import pytest

from sepbook.widgets.aliasing import aliasing, heard_at
from tests.widgets.driver import WidgetDriver

pytestmark = pytest.mark.slow  # real processes: `make test` runs them, `make check` does not
MAKE = aliasing


class Driver(WidgetDriver):
    """One explorer on a page."""

    name = "aliasing"

    def strongest(self):
        """Return the frequency of what would be heard now, None for silence; a second has as many bins as hertz."""
        spectrum = np.abs(np.fft.rfft(self.samples("p.samples(24000, 24000)")))
        return int(spectrum.argmax()) if spectrum.max() > 1 else None

    def settings(self):
        """Return what is set."""
        return self.ask("p.desk.settings")


def test_it_hears_what_python_hears_and_axe_finds_nothing(book, look):
    driver = book(**look)
    assert driver.settings()["frequency"] == 3000 and "you hear" in driver.status, "the first state shows the point"
    before = driver.painted()
    tone, rate, sieve = (driver.root.locator(f"[data-action={name}]") for name in ("frequency", "rate", "filter"))
    for hertz, at, filtered in ((1000, 4000, False), (7000, 8000, False), (5100, 4500, False), (3000, 4000, True)):
        tone.fill(str(hertz))
        rate.fill(str(at))
        sieve.set_checked(filtered)
        assert driver.strongest() == heard_at(hertz, at, filtered), driver.status
    assert "silence" in driver.status and driver.painted() != before
    driver.root.get_by_role("radio", name="the tone itself").check(force=True)
    assert driver.strongest() == 3000
    driver.assert_it_fits_and_axe_finds_nothing()
    driver.root.get_by_role("button", name="reset").click()
    assert driver.settings() == {"frequency": 3000, "rate": 4000, "filter": False, "heard": "samples"}
    assert driver.painted() == before


def test_by_pointer_and_by_keyboard(book):
    driver = book()
    canvas = driver.root.locator("canvas").nth(1)
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    driver.page.mouse.move(box["x"] + 60, box["y"] + 50)
    driver.page.mouse.down()
    driver.page.mouse.move(box["x"] + box["width"] - 18, box["y"] + 50, steps=3)
    assert driver.settings()["frequency"] == 8000
    driver.page.mouse.up()
    driver.page.mouse.move(box["x"] + 60, box["y"] + 50)  # no longer held
    for key, hertz in (("ArrowLeft", 7950), ("PageDown", 7450), ("Home", 0), ("ArrowLeft", 0), ("a", 0), ("End", 8000)):
        canvas.press(key)
        assert driver.settings()["frequency"] == hertz and canvas.get_attribute("aria-valuenow") == str(hertz)
    assert canvas.evaluate("(it) => getComputedStyle(it).touchAction").startswith("pan-y"), "a swipe scrolls the page"


def test_a_preset_keeps_what_is_heard_and_it_plays(book):
    driver = book()
    driver.root.get_by_role("radio", name="the tone itself").check(force=True)
    driver.root.get_by_role("button", name="at the rate").click()
    assert driver.settings() == {"frequency": 4000, "rate": 4000, "filter": False, "heard": "tone"}
    driver.root.get_by_role("button", name="play").click()
    driver.wait("p.sound.loop.playing")
    driver.root.locator("[data-action=frequency]").fill("500")
    driver.wait("!p.sound.busy")
    assert (driver.samples("p.sound.loop.samples") == driver.samples("p.samples(24000, 48000)")).all()
    driver.let_others_play()
    assert driver.ask("p.sound.loop.playing") is False


def test_without_javascript_there_is_a_table(open_page, element):
    assert open_page(element, java_script_enabled=False).locator("tbody tr").count() == 2


def test_the_same_module_lives_in_a_notebook(open_in_notebook):
    page = open_in_notebook(aliasing().widget)
    driver = Driver(page)
    driver.root.locator("canvas").nth(1).press("Home")
    assert driver.strongest() == 0 and "0 Hz" in driver.status
    page.evaluate("cleanup()")
