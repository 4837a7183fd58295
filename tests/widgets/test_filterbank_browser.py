"""The filter explorer in a browser: its arithmetic against Python's, its controls, its sound, its looks."""

import numpy as np
import pytest
import torch

from sepbook.building_blocks import filterbank as fb
from sepbook.widgets.filterbank import filterbank
from tests.widgets.driver import NO_DEVICE, WidgetDriver

pytestmark = pytest.mark.slow  # real processes: `make test` runs them, `make check` does not

RATE = 16000


def banks():
    """Give one bank with two parts, and one with an encoder alone."""
    tones = fb.Gammatone(24, 160, RATE).waveforms()
    hiss = torch.randn(24, 160, generator=torch.Generator().manual_seed(0))
    return {"both": (hiss, tones), "one": tones}


@pytest.fixture(scope="module")
def element(site):
    """Give the explorer as the book's build writes it."""
    static = site[0] / "_static"
    return filterbank(banks(), RATE, "Try").html(audio=static / "audio", figures=static / "figures")


class Driver(WidgetDriver):
    """One explorer on a page."""

    name = "filterbank"

    @property
    def state(self):
        return self.ask("p.state")


MEASURE = """async ({ spec, frequencies, rate }) => {
  const m = await import("/_static/widgets/filterbank_measures.js");
  const [part] = spec.banks[1].parts, waveforms = m.unpack(part);
  return {
    answers: waveforms.map((w) => frequencies.map((f) => m.answer(w, f, rate))),
    mel: m.melCentres(24, rate),
    grid: m.tones(7, rate, true).map(m.toMel),
    noise: [...m.through(waveforms[12], 16000)],
  };
}"""


def test_responses_and_mel_are_pythons(open_page):
    spec, _ = filterbank(banks(), RATE).content
    frequencies, _ = fb.responses(torch.zeros(1, 160), RATE, 160)
    asked = {"spec": spec, "frequencies": frequencies.tolist(), "rate": RATE}
    found = open_page("").evaluate(MEASURE, asked)
    tones = banks()["one"]
    tones = (127 * tones / tones.abs().amax(1, keepdim=True)).round()
    _, expected = fb.responses(tones, RATE, 160)
    np.testing.assert_allclose(found["answers"], expected, atol=1e-2, rtol=1e-4)
    np.testing.assert_allclose(found["mel"], fb.spaced(26, 0, RATE / 2)[1:-1], rtol=1e-9)
    np.testing.assert_allclose(np.diff(found["grid"]), fb.hz_to_mel(8000) / 7, rtol=1e-9)
    power = np.abs(np.fft.rfft(found["noise"])) ** 2  # 1 Hz apart
    assert np.abs(np.array(found["noise"])).max() <= 1 and np.std(found["noise"]) == pytest.approx(0.1, rel=0.02)
    assert abs((np.arange(len(power)) * power).sum() / power.sum() - fb.centre_frequencies(tones, RATE)[12]) < 100


def test_a_filter_is_chosen_by_pointing_and_by_keys(book):
    driver = book()
    driver.page.mouse.move(*driver.place(0, 0.51, 0.6))
    assert driver.state["chosen"] == 12
    driver.root.get_by_label("filter", exact=True).focus()
    driver.page.keyboard.press("ArrowRight")
    assert driver.state["chosen"] == 13
    driver.page.keyboard.press("End")
    assert driver.state["chosen"] == 23
    said = driver.status
    assert f"filter 24 of 24: centre {round(driver.state['centre'])} Hz" in said
    assert driver.root.get_by_label("filter", exact=True).get_attribute("aria-valuetext") in said


def test_bank_part_and_axis_change_the_pictures(book):
    driver = book()
    seen = [driver.painted()]
    driver.root.get_by_label("decoder").check()
    seen.append(driver.painted())
    driver.root.get_by_label("Hz", exact=True).check()
    seen.append(driver.painted())
    assert len({pictures[0] for pictures in seen}) == 3 and seen[1][1] == seen[2][1] and seen[1][2] != seen[2][2]
    tones = banks()["one"]
    below = (fb.centre_frequencies(tones, RATE) < 1000).float().mean().item()
    assert f"{100 * below:.0f} % here" in driver.root.locator(".fb-gathered").inner_text()
    driver.root.get_by_label("bank").select_option("one")
    assert driver.state["part"] == "encoder" and driver.root.get_by_label("decoder").is_disabled()


def test_noise_plays_follows_the_choice_and_gives_way(book):
    driver = book()
    driver.root.get_by_role("button", name="noise through it").click()
    driver.wait("p.playing")
    first = driver.ask("[...p.sound.slice(0, 50)]")
    driver.root.get_by_label("filter", exact=True).fill("20")
    driver.wait("!p.busy")
    assert driver.ask("[...p.sound.slice(0, 50)]") != first
    driver.let_others_play()
    assert driver.ask("p.playing") is False


def test_it_fits_and_axe_finds_nothing(book, look):
    driver = book(**look)
    assert driver.root.locator("canvas").first.bounding_box()["width"] > 0.7 * min(look["width"], 500)
    driver.assert_it_fits_and_axe_finds_nothing()


def test_the_same_module_lives_in_a_notebook(open_in_notebook):
    page = open_in_notebook(filterbank(banks(), RATE).widget)
    driver = Driver(page)
    driver.root.get_by_label("filter", exact=True).fill("3")
    assert driver.state["chosen"] == 2
    page.evaluate("cleanup()")


def test_a_missing_sound_device_is_said_and_taken_back(book):
    driver = book()
    driver.page.evaluate(NO_DEVICE)
    play = driver.root.get_by_role("button", name="noise through it")
    play.click()
    complaint = driver.root.get_by_role("alert")
    complaint.filter(has_text="No sound device answers").wait_for()
    driver.assert_it_fits()
    driver.page.evaluate("mend()")
    complaint.wait_for(state="detached")
    driver.root.get_by_role("button", name="pause").click()


def test_without_web_audio_it_is_said(book):
    driver = book()
    driver.page.evaluate("delete window.AudioContext")
    driver.root.get_by_role("button", name="noise through it").click()
    assert "no Web Audio" in driver.root.get_by_role("alert").inner_text()
