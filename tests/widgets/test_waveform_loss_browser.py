"""The loss explorer in a browser: its arithmetic against Python's, its controls, its sound, its looks."""

import math

import pytest
import torch

from sepbook.losses import waveform
from sepbook.widgets.waveform_loss import waveform_loss
from tests.widgets.driver import WidgetDriver

pytestmark = pytest.mark.slow  # real processes: `make test` runs them, `make check` does not

RATE = 16000
LOSSES = {
    "l1": waveform.l1,
    "mse": waveform.mse,
    "sdr": waveform.sdr_loss,
    "si-sdr": waveform.si_sdr_loss,
    "si-snr": waveform.si_snr_loss,
}


def python(estimate, source):
    """Return all five losses as the package computes them, in double precision."""
    e, x = (torch.tensor(samples, dtype=torch.float64).view(1, 1, 1, -1) for samples in (estimate, source))
    return {name: loss(e, x).item() for name, loss in LOSSES.items()}


def sounds(seconds=2):
    """Give a voice-like sound and another one that resembles it a little."""
    noise = torch.randn(2, seconds * RATE, generator=torch.Generator().manual_seed(0))
    smooth = torch.nn.functional.avg_pool1d(noise[:, None], 9, 1, 4)[:, 0]
    return 0.2 * smooth[0], 0.2 * (smooth[1] + 0.3 * smooth[0])


@pytest.fixture(scope="module")
def element(site):
    """Give the explorer as the book's build writes it."""
    static = site[0] / "_static"
    return waveform_loss(*sounds(), RATE, "Try").html(audio=static / "audio", figures=static / "figures")


class Driver(WidgetDriver):
    """One explorer on a page, once its sounds are there."""

    name = "waveform"

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


MEASURE = """async (pairs) => {
  const { losses } = await import("/_static/widgets/waveform_loss_measures.js");
  return pairs.map(([e, x]) => losses(e, x));
}"""


def test_losses_are_pythons(open_page):
    noise = torch.randn(4, 500, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    x, silence = 0.1 * noise[0], torch.zeros(500)
    guesses = [x + 10 ** (-d / 20) * 0.1 * noise[1] for d in (-20, 0, 10, 30, 60)]
    pairs = [(e, x) for e in (*guesses, -0.5 * x, x + 0.05, x, silence)]
    pairs += [(x, silence), (silence, silence), (0.001 * x, silence)]
    pairs = [(e.tolist(), s.tolist()) for e, s in pairs]
    found = open_page("").evaluate(MEASURE, pairs)
    for (e, s), values in zip(pairs, found, strict=True):
        assert values == pytest.approx(python(e, s), abs=1e-6, rel=1e-9)


def test_an_estimate_is_made_as_asked(book):
    driver = book()
    driver.set(level=-6, angle=40, delay=3, hiss=-20, constant=0.05)
    made = torch.tensor(driver.samples("p.estimate"))
    driver.preset("truth")
    x = torch.tensor(driver.samples("p.estimate"))
    driver.set(angle=90)
    v = torch.tensor(driver.samples("p.estimate"))
    assert abs((x * v).sum()) < 1e-9 and (x**2).sum() == pytest.approx((v**2).sum().item())
    angle = math.radians(40)
    turned = math.cos(angle) * x + math.sin(angle) * v
    late = torch.nn.functional.pad(turned, (3, 0))[:-3]
    noise = (made - 0.05) / 10 ** (-6 / 20) - late
    assert (noise**2).mean() / (x**2).mean() == pytest.approx(0.01, rel=0.05)
    assert abs((noise * x).sum() / (noise.norm() * x.norm())) < 0.05 and abs(noise.mean()) < 0.02 * noise.std() + 1e-4


def test_presets_show_what_each_loss_does_not_see(book):
    driver = book()
    truth, half = driver.preset("truth"), driver.preset("half as loud")
    assert truth["l1"] == truth["mse"] == 0 and truth["sdr"] < -70
    assert half["sdr"] == pytest.approx(20 * math.log10(1 - 10 ** (-6 / 20)), abs=1e-3) and half["si-sdr"] < -60
    upside = driver.preset("upside down")
    assert upside["sdr"] == pytest.approx(20 * math.log10(2), abs=1e-3)
    assert upside["si-sdr"] == pytest.approx(truth["si-sdr"], abs=1e-6)
    late = driver.preset("one sample late")
    assert late["si-sdr"] > -30 and late["sdr"] > -30
    silence = driver.preset("silence")
    assert silence["sdr"] == silence["si-sdr"] == 0
    driver.preset("truth")
    driver.set(constant=0.05)
    values = driver.ask("p.values")
    assert values["si-snr"] < -60 < values["si-sdr"]
    shown = driver.root.locator("[data-row=si-sdr]").inner_text().replace("−", "-")
    assert f"{values['si-sdr']:.1f} dB" in shown


def test_the_values_on_the_page_are_pythons(book):
    driver = book()
    driver.preset("truth")
    x = driver.samples("p.estimate")
    for settings in (
        {"angle": 20},
        {"distort": 50},
        {"hiss": -10},
        {"delay": 5},
        {"level": -30},
        {"level": -60},
        {"constant": 0.1},
    ):
        driver.preset("truth")
        driver.set(**settings)
        found = driver.ask("p.values")
        assert found == pytest.approx(python(driver.samples("p.estimate"), x), abs=1e-6)
    driver.root.get_by_label("the source itself is silent").check()
    assert driver.ask("p.values") == pytest.approx(python(driver.samples("p.estimate"), 0 * x), abs=1e-6)


def test_distortion_cuts_the_peaks_and_is_as_loud(book):
    driver = book()
    driver.preset("truth")
    x = driver.samples("p.estimate")
    values = driver.preset("distorted")
    driver.set(distort=100)
    cut = driver.samples("p.estimate")
    assert (cut**2).sum() == pytest.approx((x**2).sum(), rel=1e-6) and abs(cut).max() < 0.6 * abs(x).max()
    driver.set(distort=60)
    assert driver.samples("p.estimate") == pytest.approx(0.4 * x + 0.6 * cut, abs=1e-9)
    assert values["sdr"] > -40 and values["si-sdr"] > -40, "it is no scale"


def test_the_point_lies_where_the_sliders_say(book):
    driver = book()
    driver.preset("with the band")
    assert driver.ask("p.point") == pytest.approx([math.cos(math.pi / 6), math.sin(math.pi / 6)], abs=1e-6)
    driver.preset("upside down")
    assert driver.ask("p.point") == pytest.approx([-1, 0], abs=1e-6)
    before = driver.painted()
    driver.root.locator("[data-row=l1] input").check()
    after = driver.painted()
    assert before[0] != after[0] and before[1] == after[1]


def test_it_plays_what_it_shows(book):
    driver = book()
    driver.root.get_by_role("button", name="play").click()
    driver.wait("p.playing")
    driver.preset("half as loud")
    driver.wait("!p.busy")
    assert driver.run("const { sound, estimate } = p; return sound.every((x, n) => x === Math.fround(estimate[n]));")
    driver.let_others_play()
    assert driver.ask("p.playing") is False


def test_nothing_is_fetched_before_it_comes_into_view(open_page, element):
    page = open_page(f'<div style="height: 5000px"></div>{element}')
    page.wait_for_function("() => document.querySelector('.sepbook-waveform')?.sepbookWaveform")
    page.wait_for_timeout(200)
    fetched = "performance.getEntriesByType('resource').filter((e) => e.name.endsWith('.wav')).length"
    assert page.evaluate(fetched) == 0
    page.locator(".sepbook-waveform").scroll_into_view_if_needed()
    page.wait_for_function(f"() => {fetched} === 2")


def test_missing_sounds_are_reported(open_page, element):
    page = open_page(element.replace(".wav", "-gone.wav"), expect_errors=True)
    page.locator("[role=status]", has_text="could not be loaded").wait_for()


@pytest.mark.parametrize("look", ["1280 light", "390 dark", "320 light"], indirect=True)
def test_it_fits_and_axe_finds_nothing(book, look):
    driver = book(**look)
    driver.preset("with the band")
    assert driver.root.locator("canvas").first.bounding_box()["width"] > 0.45 * min(look["width"], 500)
    driver.assert_it_fits_and_axe_finds_nothing()


def test_every_slider_says_its_value(book):
    driver = book()
    driver.preset("silence")
    said = driver.root.locator("input[type=range]").evaluate_all("(all) => all.map((e) => e.ariaValueText)")
    assert said == ["silence", "0°", "none", "none", "0 samples", "0.000"]
    driver.root.locator("[data-action=angle]").focus()
    driver.page.keyboard.press("ArrowRight")
    assert driver.ask("p.settings.angle") == 1


def test_without_javascript_each_sound_has_a_native_player(open_page, element):
    page = open_page(element, java_script_enabled=False)
    assert page.locator("audio[controls][preload=none]").count() == 2


def test_the_same_module_lives_in_a_notebook(open_in_notebook):
    page = open_in_notebook(waveform_loss(*sounds(1), RATE).widget)
    driver = Driver(page)
    assert driver.preset("upside down")["sdr"] == pytest.approx(20 * math.log10(2), abs=1e-3)
    page.evaluate("cleanup()")
