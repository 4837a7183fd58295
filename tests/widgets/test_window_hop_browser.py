"""The window explorer in a browser: its arithmetic against Python's, its controls, its sound, its looks."""

import numpy as np
import pytest
import torch

from sepbook.building_blocks import stft as transform
from sepbook.evaluation.metrics import si_sdr_improvement
from sepbook.evaluation.oracles import separate_ideal
from sepbook.widgets.window_hop import window_hop
from tests.widgets.driver import WidgetDriver

pytestmark = pytest.mark.slow  # real processes: `make test` runs them, `make check` does not

RATE = 16000


def sounds(seconds=1):
    """Give clicks and tones (S, C, N): as samples that survive 16 bits."""
    time = torch.arange(seconds * RATE) / RATE
    clicks = torch.zeros_like(time)
    clicks[2000::4000] = 0.5
    tones = 0.1 * (torch.sin(2 * torch.pi * 440 * time) + torch.sin(2 * torch.pi * 660 * time))
    return ((32768 * torch.stack([clicks, tones])).round() / 32768)[:, None]


@pytest.fixture(scope="module")
def explorer():
    return window_hop(dict(zip(("clicks", "tones"), sounds(), strict=True)), RATE, "Try")


@pytest.fixture(scope="module")
def element(site, explorer):
    """Give the explorer as the book's build writes it."""
    static = site[0] / "_static"
    return explorer.html(audio=static / "audio", figures=static / "figures")


class Driver(WidgetDriver):
    """One explorer on a page, once its sounds are there."""

    name = "window"

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.ask("await p.load()")

    def set(self, size=None, hop=None, shape=None):
        """Choose, wait until it is computed, and return the state."""
        if size:
            self.root.get_by_label("window", exact=True).fill(str([128, 256, 512, 1024, 2048, 4096].index(size)))
        if hop:
            self.root.locator(f"input[data-action=hop][value='{hop}']").check()
        if shape:
            self.root.get_by_label("shape").select_option(shape)
        self.wait("!p.busy")
        return self.ask("p.state")


def gains(size, hop):
    sources = sounds()
    estimates = separate_ideal(sources, "ratio", p=2, n_fft=size, hop=hop)
    return si_sdr_improvement(estimates, sources, sources.sum(0)).tolist()


def test_cells_leakage_and_gains_are_pythons(book):
    driver = book()
    for size, share in ((128, 0.25), (1024, 0.125), (1024, 0.75), (4096, 0.5)):
        state = driver.set(size=size, hop=share)
        assert state["hop"] == size * share
        assert state["gains"] == pytest.approx(gains(size, round(size * share)), abs=0.02)
    for name in transform.WINDOWS:
        state = driver.set(size=512, hop=0.25, shape=name)
        window = transform.make_window(name, 512)
        seconds, hertz = transform.resolution(window, RATE)
        assert state["cell"]["seconds"] == pytest.approx(seconds, abs=1.5 / RATE)
        assert state["cell"]["hertz"] == pytest.approx(hertz, rel=0.01)
        assert state["leak"] == pytest.approx(transform.leakage(window), abs=0.2)
        for size, share in ((128, 0.75), (512, 1)):  # what Python refuses is refused here, and nothing else
            found = driver.set(size=size, hop=share)["gains"]
            try:
                transform.check_geometry(transform.make_window(name, size), round(size * share))
            except ValueError:
                assert found is None and "smaller hop" in driver.root.locator(".ex-status").inner_text()
            else:
                assert np.isfinite(found).all()


def test_short_windows_for_clicks_long_ones_for_tones_and_the_list_says_so(book):
    driver = book()
    short, first = driver.set(size=128), driver.painted()
    long = driver.set(size=4096)
    assert short["cell"]["seconds"] < 0.02 * 0.5 and long["cell"]["hertz"] < 8
    assert driver.painted() != first
    said = driver.root.locator("dl").inner_text().replace("−", "-")
    assert f"{long['gains'][0]:+.1f} dB" in said and "F 2049, T 17" in said
    slider = driver.root.get_by_label("window", exact=True)
    assert slider.get_attribute("aria-valuetext") == "4096 samples, 256 ms"
    slider.focus()
    driver.page.keyboard.press("ArrowLeft")
    assert driver.set()["size"] == 2048


def test_it_plays_what_is_chosen_and_gives_way(book):
    driver = book()
    driver.root.get_by_role("button", name="play").click()
    driver.wait("p.playing")
    mixture = driver.samples("p.sound")
    np.testing.assert_allclose(mixture, sounds().sum(0)[0], atol=1e-6)
    driver.root.get_by_label("tones").check()
    heard = torch.tensor(driver.samples("p.sound"))
    expected = separate_ideal(sounds(), "ratio", p=2, n_fft=1024, hop=256)[1, 0]
    assert (heard - expected).abs().max() < 1e-4
    driver.set(hop=1)
    assert not driver.samples("p.sound").any(), "what cannot be inverted is silent"
    driver.let_others_play()
    assert driver.ask("p.playing") is False


def test_it_fits_and_axe_finds_nothing(book, look):
    driver = book(**look)
    assert driver.root.locator("canvas").first.bounding_box()["width"] > 0.7 * min(look["width"], 500)
    driver.assert_it_fits()
    driver.set(hop=1)
    driver.assert_it_fits_and_axe_finds_nothing()


def test_the_same_module_lives_in_a_notebook_and_reports_missing_sounds(open_in_notebook, open_page, element, explorer):
    page = open_in_notebook(explorer.widget)
    assert Driver(page).set(size=256)["gains"] == pytest.approx(gains(256, 64), abs=0.02)
    page.evaluate("cleanup()")
    page = open_page(element.replace(".wav", "-gone.wav"), expect_errors=True)
    page.locator(".ex-status", has_text="could not be loaded").wait_for()
