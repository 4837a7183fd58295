"""The error mixer in a browser: its figures against Python's, its controls, its sound, its looks."""

import math

import pytest
import torch

from sepbook.evaluation.bss_eval import bss_eval, project
from sepbook.evaluation.metrics import si_sdr
from sepbook.widgets.error_mixer import SHIFTS, error_mixer
from tests.widgets.driver import WidgetDriver

pytestmark = pytest.mark.slow  # real processes: `make test` runs them, `make check` does not

RATE = 16000
FIGURES = {"sdr": "sdr", "filtered": "filtered_sdr", "isr": "isr", "sir": "sir", "sar": "sar"}


def sounds():
    """Give a voice-like sound and another one."""
    noise = torch.randn(2, RATE, generator=torch.Generator().manual_seed(0))
    return 0.2 * torch.nn.functional.avg_pool1d(noise[:, None], 9, 1, 4)[:, 0]


@pytest.fixture(scope="module")
def mixer():
    return error_mixer(*sounds(), RATE, project, "Try")


@pytest.fixture(scope="module")
def element(site, mixer):
    """Give the explorer as the book's build writes it."""
    static = site[0] / "_static"
    return mixer.html(audio=static / "audio", figures=static / "figures")


class Driver(WidgetDriver):
    """One explorer on a page, once its sounds are there."""

    name = "errors"

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.ask("await p.load()")

    def set(self, **settings):
        """Move sliders."""
        for action, value in settings.items():
            self.root.locator(f"[data-action={action}]").fill(str(value))

    def preset(self, name):
        """Press a preset and return the values."""
        self.root.get_by_role("button", name=name, exact=True).click()
        return self.ask("p.values")


def python(driver):
    """The six figures of the estimate in the browser, as the package computes them."""
    e, x, o = (torch.tensor(driver.samples(f"p.{name}"))[None] for name in ("estimate", "source", "other"))
    found = bss_eval(torch.stack([e, o]), torch.stack([x, o]), RATE, math.inf)
    return {name: getattr(found, ours)[0, 0].item() for name, ours in FIGURES.items()} | {
        "si-sdr": si_sdr(e[None], x[None]).item()
    }


def test_the_figures_on_the_page_are_those_of_what_is_heard(book):
    driver = book()
    cases = ({"leak": -20}, {"distort": 50}, {"filter": 70}, {"shift": 3}, {"shift": len(SHIFTS) - 1})
    for settings in (*cases, {"leak": -10, "distort": 20, "filter": 30, "shift": 2}):
        driver.preset("truth")
        driver.set(**settings)
        found, expected = driver.ask("p.values"), python(driver)
        for name, value in expected.items():  # above 50 dB the samples' 24 bits are heard
            assert found[name] == pytest.approx(value, abs=0.02) or min(found[name], value) > 50, (settings, name)


def test_presets_show_what_each_figure_does_not_see(book):
    driver = book()
    truth = driver.preset("truth")
    assert min(truth.values()) > 60
    leaky = driver.preset("leaky")
    assert leaky["si-sdr"] == pytest.approx(12, abs=0.5) and leaky["sar"] > 60 and leaky["sir"] < 15
    late, too_late = driver.preset("late"), driver.preset("too late")
    assert late["si-sdr"] < 0 and late["filtered"] > 60 and too_late["filtered"] < 10
    dull = driver.preset("dull")
    assert dull["filtered"] > 60 > dull["si-sdr"] and dull["isr"] < 20
    shown = driver.root.locator("[data-row=isr]").inner_text().replace("−", "-")
    assert f"{dull['isr']:.1f} dB" in shown


def test_it_plays_what_it_shows(book):
    driver = book()
    driver.root.get_by_role("button", name="play").click()
    driver.wait("p.playing")
    driver.preset("leaky")
    driver.wait("!p.busy")
    # Taken once: each look at `p.estimate` makes it anew.
    assert driver.run("const { sound, estimate } = p; return sound.every((x, n) => x === Math.fround(estimate[n]));")
    driver.root.get_by_label("source", exact=True).check()
    driver.wait("!p.busy")
    assert driver.run("const { sound, source } = p; return sound.every((value, n) => value === source[n]);")
    driver.let_others_play()
    assert driver.ask("p.playing") is False


def test_nothing_is_fetched_before_it_is_played(open_page, element):
    page = open_page(element)
    page.wait_for_function("() => document.querySelector('.sepbook-errors')?.sepbookErrors")
    page.locator("[data-action=leak]").fill("-10")
    page.wait_for_timeout(200)
    fetched = "performance.getEntriesByType('resource').filter((e) => e.name.endsWith('.wav')).length"
    assert page.evaluate(fetched) == 0
    page.get_by_role("button", name="play").click()
    page.wait_for_function(f"() => {fetched} === 2")


def test_missing_sounds_are_reported(open_page, element):
    page = open_page(element.replace(".wav", "-gone.wav"), expect_errors=True)
    page.get_by_role("button", name="play").click()
    page.locator("[role=status]", has_text="could not be loaded").wait_for()


@pytest.mark.parametrize("look", ["1280 light", "390 dark", "320 light"], indirect=True)
def test_it_fits_and_axe_finds_nothing(book, look):
    driver = book(**look)
    driver.preset("all of it")
    driver.assert_it_fits_and_axe_finds_nothing()


def test_every_slider_says_its_value_and_moves_by_keyboard(book):
    driver = book()
    driver.preset("too late")
    said = driver.root.locator("input[type=range]").evaluate_all("(all) => all.map((e) => e.ariaValueText)")
    assert said == ["none", "none", "none", "600 samples"]
    driver.root.locator("[data-action=shift]").focus()
    driver.page.keyboard.press("ArrowRight")
    assert driver.ask("p.settings.shift") == 800


def test_without_javascript_each_sound_has_a_native_player(open_page, element):
    page = open_page(element, java_script_enabled=False)
    assert page.locator("audio[controls][preload=none]").count() == 2


def test_the_same_module_lives_in_a_notebook(open_in_notebook, mixer):
    page = open_in_notebook(mixer.widget)
    assert Driver(page).preset("late")["filtered"] > 60
    page.evaluate("cleanup()")
