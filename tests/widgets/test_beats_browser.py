"""The beats explorer in a real browser: its sum is Python's, and everyone can use it."""

import numpy as np
import pytest

from sepbook.widgets.beats import beats, envelope
from tests.widgets.driver import WidgetDriver

pytestmark = pytest.mark.slow  # real processes: `make test` runs them, `make check` does not
MAKE = beats

RATE = 16000


class Driver(WidgetDriver):
    """One explorer on a page."""

    name = "beats"

    def heard(self):
        """Return one second of what would be heard now."""
        return self.samples(f"p.samples({RATE}, {RATE})")

    def preset(self, name):
        """Press a preset."""
        self.root.get_by_role("button", name=name, exact=True).click()


def test_the_sum_is_pythons_and_axe_finds_nothing(book, look):
    driver = book(**look)
    assert "swells 2 times a second, between silence and +6.0 dB" in driver.status, "the first state shows the point"
    before, time = driver.painted(), np.arange(RATE) / RATE
    for settings in ({"difference": 2, "phase": 0, "level": 0}, {"difference": 7.5, "phase": 90, "level": -6}):
        for action, value in settings.items():
            driver.root.locator(f"[data-action={action}]").fill(str(value))
        first = np.cos(2 * np.pi * 220 * time)
        angle = 2 * np.pi * (220 + settings["difference"]) * time + np.deg2rad(settings["phase"])
        both = first + 10 ** (settings["level"] / 20) * np.cos(angle)
        assert np.abs(driver.heard() - 0.3 * both).max() < 1e-6
        found = driver.ask(f"[0, 0.1, 0.25].map((s) => p.envelope({settings}, s))")
        assert found == pytest.approx([envelope(**settings, seconds=s) for s in (0, 0.1, 0.25)])
    assert driver.painted() != before
    driver.assert_it_fits_and_axe_finds_nothing()
    driver.root.get_by_role("button", name="reset").click()
    assert driver.painted() == before


@pytest.mark.parametrize(
    ("name", "words", "level"),
    [
        ("in step", "+6.0 dB", 2),
        ("a third of a swing late", "0.0 dB", 1),
        ("opposite", "silence", 0),
        ("opposite, not as strong", "−6.0 dB", 0.4988),
    ],
)
def test_two_tones_of_one_pitch_add_or_cancel(book, name, words, level):
    driver = book()
    driver.preset(name)
    assert driver.status.endswith(f": {words}.")
    assert np.abs(driver.heard()).max() == pytest.approx(0.3 * level, abs=1e-3)


def test_each_tone_alone_and_sound(book):
    driver = book()
    driver.preset("opposite")
    driver.root.get_by_role("radio", name="first tone").check(force=True)
    driver.root.get_by_role("button", name="play").click()
    driver.wait("p.sound.loop.playing")
    driver.preset("rough")
    assert driver.ask("p.desk.settings.heard") == "first" and np.abs(driver.heard()).max() == pytest.approx(0.3)
    driver.let_others_play()
    assert driver.ask("p.sound.loop.playing") is False
    slider = driver.root.locator("[data-action=level]")
    slider.press("ArrowLeft")
    assert slider.get_attribute("aria-valuetext") == "−1 dB"


def test_without_javascript_there_is_a_table(open_page, element):
    assert open_page(element, java_script_enabled=False).locator("tbody tr").count() == 3


def test_the_same_module_lives_in_a_notebook(open_in_notebook):
    page = open_in_notebook(beats().widget)
    driver = Driver(page)
    driver.preset("opposite")
    assert not driver.heard().round(6).any()
    page.evaluate("cleanup()")
