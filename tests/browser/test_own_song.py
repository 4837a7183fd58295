"""Your own song, in Chromium, every other host blocked: its stems are those of the command line; the network opened."""

import shutil
import subprocess
import zipfile

import pytest
import torch

from sepbook import audio
from sepbook.data import corpus
from sepbook.evaluation.metrics import si_sdr
from sepbook.evaluation.separation import separate
from sepbook.training import checkpoint
from tests.browser.song_page import HANDLE, give, likeness, stems, stereo, wait, wav

SERVED = 8e6  # bytes that a click may fetch


@pytest.fixture(scope="module")
def system():
    return checkpoint.shipped("unet").eval()


@pytest.mark.slow
@pytest.mark.parametrize("channels", [1, 2])
def test_stems_are_those_of_the_command_line(open_page, song, system, channels):
    page = open_page()
    fetched = {url.rpartition("/")[2].partition("?")[0] for url, _ in page.log.fetched}
    assert not fetched & {"unet_small.onnx", "worker.js"}, "nothing large before a click"
    mixture = song.mixture() if channels == 1 else stereo(song)
    give(page, "song.wav", wav(mixture, 16000))
    page.wait_for_function("() => document.querySelector('.os-status').textContent.startsWith('Separating')")
    assert page.evaluate("1 + 1") == 2 and page.is_visible("[data-action=stop]")  # it answers meanwhile
    assert "separated here" in wait(page)
    found, rate = stems(page)
    expected = separate(system, mixture, 16000)
    assert rate == 16000 and found.shape == expected.shape
    assert likeness(found, expected).min() > 30
    if channels == 1:
        sources = song.sources(system.source_names)
        assert (si_sdr(found, sources) - si_sdr(expected, sources)).abs().max() < 0.2
    assert sum(size for url, size in page.log.fetched if not url.startswith("blob:")) < SERVED
    with page.expect_download() as download:
        page.click("[data-action=all]")
    with zipfile.ZipFile(download.value.path()) as file:
        assert file.testzip() is None and file.namelist() == [f"{name}.wav" for name in system.source_names]


@pytest.mark.slow
def test_another_rate_is_brought_to_the_networks_as_well(open_page, system):
    song = corpus.songs("test")[0]
    page = open_page()
    give(page, "song.wav", wav(audio.resample(song.mixture(), 16000, 44100), 44100))
    assert "separated here" in wait(page)
    found, _ = stems(page)
    N, sources = min(found.shape[-1], song.mixture().shape[-1]), song.sources(system.source_names)
    expected = separate(system, song.mixture(), 16000)
    difference = si_sdr(found[..., :N], sources[..., :N]) - si_sdr(expected[..., :N], sources[..., :N])
    assert difference.abs().max() < 0.2


@pytest.mark.slow
def test_three_minutes_come_out_as_on_the_command_line(open_page, system):
    songs = torch.cat([track.mixture() for track in corpus.songs("test")], dim=1)  # (C, N): two minutes
    mixture = songs.repeat(1, 2)[:, : 180 * 16000]
    page = open_page()
    give(page, "long.wav", wav(mixture, 16000))
    assert "separated here" in wait(page)
    found, _ = stems(page)
    expected = separate(system, mixture, 16000)
    assert found.shape == expected.shape and likeness(found, expected).min() > 30


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg makes the film")
def test_a_film_gives_its_sound(open_page, song, tmp_path):
    sound, film = tmp_path / "song.wav", tmp_path / "film.webm"
    sound.write_bytes(wav(song.mixture()[:, :80_000], 16000))
    picture = ["-f", "lavfi", "-i", "color=black:s=64x64:d=5"]
    codecs = ["-c:v", "libvpx", "-c:a", "libopus", "-b:a", "160k", "-shortest"]
    subprocess.run(["ffmpeg", "-loglevel", "error", "-i", sound, *picture, *codecs, film], check=True)
    page = open_page()
    give(page, "film.webm", film.read_bytes(), "video/webm")
    assert "separated here" in wait(page)
    found, rate = stems(page)
    assert rate == 16000 and abs(found.shape[-1] - 80_000) < 1600 and (found.square().mean((1, 2)) > 1e-7).all()


@pytest.mark.slow
def test_open_the_network_on_a_song_of_the_book(open_page, view):
    from tests.widgets.driver import AXE, AXE_RULES

    page = open_page(view.partition("-")[2], view)
    page.click("[data-action=example]")
    assert "separated here" in wait(page)
    page.wait_for_function("() => document.querySelectorAll('.os-maps button').length === 24")
    gains = "() => [...document.querySelectorAll('.os-table tbody td:last-child')].map((e) => e.textContent)"
    whole = page.evaluate(gains)
    assert all(float(gain) > 0 for gain in whole), whole
    assert "encoder.0: (B=1, H=24, F=256, T=256)" in page.inner_text(".os-ledger")
    page.click("button[data-action=skip][value='1']")
    page.wait_for_function(f"(before) => String(({gains})()) !== String(before)", arg=whole)
    assert page.get_attribute("button[data-action=skip][value='1']", "aria-pressed") == "true"
    page.click(".os-maps button >> nth=3")
    page.wait_for_function(f"() => !{HANDLE}.network.state.busy")
    assert page.get_attribute(".os-maps button >> nth=3", "aria-pressed") == "true"
    page.click("[data-action=reset]")
    page.wait_for_function(f"(before) => String(({gains})()) === String(before)", arg=whole)
    page.check("input[data-action=level][value='4']")
    assert "H=144, F=16, T=16" in page.inner_text(".os-ledger")
    page.click(".os-network [data-action=play]")
    page.wait_for_function(
        "() => document.querySelector('.os-network [data-action=play]').textContent.includes('pause')"
    )
    assert page.evaluate("document.scrollingElement.scrollWidth") <= page.viewport_size["width"]
    page.evaluate(AXE)
    found = page.evaluate("(rules) => axe.run('.os-root', rules)", AXE_RULES)["violations"]
    assert [(rule["id"], node["html"][:120]) for rule in found for node in rule["nodes"]] == []
