"""The training replay in a real browser: each stage is heard and seen, and only what is heard is fetched."""

import numpy as np
import pytest

from sepbook.widgets.training_replay import training_replay
from tests.widgets.driver import WidgetDriver
from tests.widgets.replay_stages import LOSS, PITCHES, RATE, stages

pytestmark = pytest.mark.slow  # real processes: `make test` runs them, `make check` does not

FETCHED = "performance.getEntriesByType('resource').filter((e) => /[.](mp3|wav)$/.test(e.name)).length"


@pytest.fixture(scope="module")
def element(site):
    """Give the explorer as the book's build writes it."""
    static = site[0] / "_static"
    return training_replay(stages(), RATE, LOSS, "Try").html(audio=static / "audio", figures=static / "figures")


class Driver(WidgetDriver):
    """One explorer on a page, once its first picture is there."""

    name = "replay"

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.wait("p.image")

    def play(self):
        """Press play, and wait until it plays."""
        self.root.get_by_role("button", name="play").click()
        self.wait("p.loop.playing")

    def go(self, stage):
        """Press the button of a stage."""
        self.root.get_by_role("button", name=stage, exact=True).click()

    def wait_for_pitch(self, hertz):
        """Wait until what plays has this pitch."""
        for _ in range(100):
            spectrum = np.abs(np.fft.rfft(self.samples(f"p.loop.samples.subarray(2000, {RATE + 2000})")))
            if abs(int(spectrum.argmax()) - hertz) <= 1:
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"{hertz} Hz is not heard")


def test_every_stage_is_heard_and_seen(book, look):
    driver = book(**look)
    assert driver.page.evaluate(FETCHED) == 0 and "0 steps: vocals" in driver.status and "−1.0 dB" in driver.status
    driver.play()
    driver.wait_for_pitch(300)
    assert driver.page.evaluate(FETCHED) == 1, "only what is heard"
    painted = {tuple(driver.painted())}
    for stage, pitch in (("20 steps", 500), ("shipped", 700)):
        driver.go(stage)
        driver.wait_for_pitch(pitch)
        assert driver.status.startswith(f"{stage}: vocals")
    driver.root.get_by_role("radio", name="drums").check(force=True)
    driver.wait_for_pitch(PITCHES["drums"][2])
    driver.go("20 steps")
    assert driver.ask("p.desk.settings.source") == "drums" and "+3.0 dB for drums" in driver.status
    driver.wait_for_pitch(PITCHES["drums"][1])
    painted.add(tuple(driver.painted()))
    assert len(painted) == 2
    driver.let_others_play()
    assert driver.ask("p.loop.playing") is False
    driver.assert_it_fits_and_axe_finds_nothing()


def test_by_keyboard_and_reset(book):
    driver = book()
    slider = driver.root.locator("[data-action=stage]")
    slider.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext") == "20 steps" and driver.status.startswith("20 steps")
    slider.press("End")
    assert driver.status.startswith("shipped")
    driver.root.get_by_role("button", name="reset").click()
    assert driver.ask("p.desk.settings") == {"stage": 0, "source": "vocals"}


def test_missing_sounds_are_reported(open_page, element):
    page = open_page(element.replace(".mp3", "-gone.mp3").replace(".wav", "-gone.wav"), expect_errors=True)
    driver = Driver(page)
    driver.root.get_by_role("button", name="play").click()
    page.locator("[role=status]", has_text="could not be loaded").wait_for()
    assert driver.ask("p.loop.playing") is False


def test_without_javascript_each_stage_has_a_native_player(open_page, element):
    page = open_page(element, java_script_enabled=False)
    assert page.locator("audio[controls][preload=none]").count() == 3


def test_the_same_module_lives_in_a_notebook(open_in_notebook):
    page = open_in_notebook(training_replay(stages(), RATE, LOSS).widget)
    driver = Driver(page)
    driver.play()
    driver.wait_for_pitch(300)
    page.evaluate("cleanup()")
