"""The turning arrow in a real browser: its tip and its sound are Python's, and everyone can use it."""

import numpy as np
import pytest

from sepbook.widgets.turning_arrow import tip, turning_arrow
from tests.widgets.driver import WidgetDriver

pytestmark = pytest.mark.slow  # real processes: `make test` runs them, `make check` does not
MAKE = turning_arrow

RATE = 16000


class Driver(WidgetDriver):
    """One explorer on a page."""

    name = "arrow"

    def settings(self):
        """Return what is set."""
        return self.ask("p.desk.settings")

    def point(self, real, imaginary):
        """Return where on the page a point of the plane is."""
        (left, bottom), (right, top) = self.place(0, 0, 0), self.place(0, 1, 1)
        assert right - left == pytest.approx(bottom - top, abs=1.5), "a circle is round"
        return self.place(0, (real + 1.2) / 2.4, (imaginary + 1.2) / 2.4)


def test_tip_and_sound_are_pythons_and_axe_finds_nothing(book, look):
    driver = book(**look)
    before = driver.painted()
    for action, value in {"length": 0.5, "phase": -60, "frequency": 330, "time": 2.5}.items():
        driver.root.locator(f"[data-action={action}]").fill(str(value))
    z, settings = tip(0.5, -60, 330, 2.5), driver.settings()
    assert settings == {"length": 0.5, "phase": -60, "frequency": 330, "time": 2.5}
    assert driver.ask("p.tip(p.desk.settings, 2.5)") == pytest.approx([z.real, z.imag])
    assert f"{z.real:.2f} to the right".replace("-", "−") in driver.status
    expected = [0.4 * tip(0.5, -60, 330, 1000 * n / RATE).real for n in range(400)]
    assert driver.samples(f"p.samples({RATE}, 400)") == pytest.approx(np.array(expected), abs=1e-6)
    assert driver.painted() != before
    driver.assert_it_fits_and_axe_finds_nothing()
    driver.root.get_by_role("button", name="reset").click()
    assert driver.settings() == {"length": 1, "phase": 45, "frequency": 220, "time": 0} and driver.painted() == before


def test_the_tip_can_be_dragged_at_any_time(book):
    driver = book()
    driver.root.locator("[data-action=frequency]").fill("250")
    driver.root.locator("[data-action=time]").fill("1")  # a quarter turn later
    driver.page.mouse.move(*driver.point(0.5, 0.5))
    driver.page.mouse.down()
    driver.page.mouse.move(*driver.point(0, 0.6), steps=3)
    driver.page.mouse.up()
    driver.page.mouse.move(*driver.point(-1, 0))  # no longer held
    settings = driver.settings()
    assert (settings["phase"], settings["length"]) == (pytest.approx(0, abs=5), pytest.approx(0.6, abs=0.051))


def test_by_keyboard(book):
    driver = book()
    canvas = driver.root.locator("canvas").first
    for key, phase, length in (
        ("ArrowLeft", 50, 1),
        ("ArrowRight", 45, 1),
        ("ArrowDown", 45, 0.95),
        ("End", 180, 0.95),
    ):
        canvas.press(key)
        settings = driver.settings()
        assert (settings["phase"], settings["length"]) == (phase, length)
        assert canvas.get_attribute("aria-valuenow") == str(phase) and "Length" in canvas.get_attribute(
            "aria-valuetext"
        )


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_it_turns_while_it_plays_unless_little_motion_is_wanted(book, motion):
    driver = book(reduced_motion=motion)
    driver.root.get_by_role("button", name="play").click()
    driver.wait("p.sound.loop.playing")
    driver.page.wait_for_timeout(300)
    assert (driver.settings()["time"] > 0) is (motion == "no-preference")
    driver.let_others_play()
    assert driver.ask("p.sound.loop.playing") is False
    driver.page.wait_for_timeout(100)
    time = driver.settings()["time"]
    driver.page.wait_for_timeout(100)
    assert driver.settings()["time"] == time


def test_backwards_sounds_the_same_where_the_phase_is_mirrored(book):
    driver = book()
    forwards = driver.samples(f"p.samples({RATE}, 400)")
    driver.root.locator("[data-action=frequency]").fill("-220")
    driver.root.locator("[data-action=phase]").fill("-45")
    assert driver.samples(f"p.samples({RATE}, 400)") == pytest.approx(forwards, abs=1e-6)
    driver.root.locator("[data-action=frequency]").fill("0")
    assert "nothing to hear" in driver.status and not driver.samples(f"p.samples({RATE}, 400)").any()


def test_without_javascript_there_is_a_table(open_page, element):
    assert open_page(element, java_script_enabled=False).locator("tbody tr").count() == 2


def test_the_same_module_lives_in_a_notebook(open_in_notebook):
    page = open_in_notebook(turning_arrow().widget)
    driver = Driver(page)
    driver.root.locator("canvas").first.press("End")
    assert driver.settings()["phase"] == 180
    page.evaluate("cleanup()")
