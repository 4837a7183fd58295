"""Your own song: the microphone, what is no song, stopping in the middle, a browser that lacks something."""

import numpy as np
import pytest
import soundfile
import torch

from tests.browser.song_page import HANDLE, ROOT, give, stems, wait, wav


def test_the_microphone_is_recorded_and_separated(open_page):
    page = open_page(permissions=["microphone"])
    page.click("[data-action=microphone]")
    page.wait_for_function("() => document.querySelector('.os-status').textContent.startsWith('Recording')")
    page.wait_for_timeout(2500)
    page.click("[data-action=microphone]")  # stop
    page.wait_for_selector(".os-save a")
    assert "separated here" in wait(page)
    found, rate = stems(page)
    assert rate == 16000 and found.shape[-1] > 16_000 and found.sum(0).abs().max() > 1e-3  # it beeps


def test_a_microphone_that_is_refused_is_named(open_page):
    page = open_page()
    page.evaluate("""() => {
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("no", "NotAllowedError"));
    }""")
    page.click("[data-action=microphone]")
    page.wait_for_function("() => /microphone/i.test(document.querySelector('.os-status').textContent)")
    assert not page.evaluate(f"{HANDLE}.busy") and page.is_visible("[data-action=example]")


def damaged():
    return b"RIFF\xff\xff\0\0WAVEfmt \x10\0\0\0" + bytes(range(200)) * 9


BAD = {
    "a text file": (
        "notes.txt",
        b"Just words, and no sound.",
        "text/plain",
        "finds no sound in “notes.txt” (it is text/plain)",
    ),
    "an empty file": ("empty.wav", b"", "audio/wav", "“empty.wav” is empty"),
    "a damaged file": (
        "broken.wav",
        damaged(),
        "audio/wav",
        "no sound file, a kind it does not know, or a damaged one",
    ),
    "a picture named mp3": ("x.mp3", b"\x89PNG\r\n\x1a\n" + bytes(999), "audio/mpeg", "finds no sound in “x.mp3”"),
    "a video without sound": (
        "film.mp4",
        b"\0\0\0\x18ftypmp42" + bytes(999),
        "video/mp4",
        "finds no sound in “film.mp4”",
    ),
    "no samples": ("none.wav", wav(torch.zeros(1, 0), 16000), "audio/wav", "“none.wav”"),
    "silence": ("silent.wav", wav(torch.zeros(1, 32000), 16000), "audio/wav", "This sound is silent"),
}


def test_what_is_no_song_is_refused_in_words(open_page):
    page = open_page()
    for name, data, kind, words in BAD.values():
        give(page, name, data, kind)
        page.wait_for_function("(words) => document.querySelector('.os-status').textContent.includes(words)", arg=words)
        wait(page)
        assert page.is_hidden(".os-save") and page.is_enabled("[data-action=example]")


def test_an_hour_is_refused_before_it_is_decoded(open_page, tmp_path):
    path = tmp_path / "hour.wav"
    soundfile.write(path, np.zeros(3600 * 8000, np.uint8).astype(np.int16), 8000, subtype="PCM_U8")
    page = open_page()
    page.set_input_files("input[type=file]", path)
    page.wait_for_function("() => document.querySelector('.os-status').textContent.includes('lasts 60 min 0 s')")
    assert "sepbook separate FILE" in page.inner_text(".os-status")


def test_stop_a_second_file_and_leaving_in_the_middle(open_page, song, served):
    page = open_page()
    mixture = wav(song.mixture()[:, :48000], 16000)
    give(page, "long.wav", wav(song.mixture(), 16000))
    page.click("[data-action=stop]")
    assert wait(page) == "Stopped." and page.is_hidden(".os-save")
    for _ in range(2):  # the same file twice: one answer
        give(page, "short.wav", mixture)
    assert "3 s of sound" in wait(page)
    assert page.locator(".sepbook-player").count() == 1 and page.locator(".os-save a").count() == 4
    give(page, "long.wav", wav(song.mixture(), 16000))
    page.goto(f"{served}/dark.html")
    page.wait_for_selector("[data-action=example]")
    assert page.is_hidden(".os-save") and page.inner_text(".os-status") == ""


def test_stopped_while_the_network_opens_it_opens_for_the_next_song(open_page, song):
    page = open_page()
    give(page, "first.wav", wav(song.mixture(), 16000))
    page.wait_for_selector(".os-save a")  # the stems are there, and the network is at work once more
    assert page.evaluate(f"{HANDLE}.busy") and page.evaluate(f"{HANDLE}.network.state.busy")
    page.click("[data-action=stop]")
    give(page, "second.wav", wav(song.mixture()[:, 160_000:], 16000))
    assert "10 s of sound" in wait(page)
    page.wait_for_function("() => document.querySelectorAll('.os-maps button').length === 24")
    assert "“second.wav”" in page.inner_text(".os-title")


def test_maps_cannot_be_pressed_while_another_song_is_separated(open_page, song):
    page = open_page()
    give(page, "first.wav", wav(song.mixture()[:, :48000], 16000))
    wait(page)
    give(page, "second.wav", wav(song.mixture(), 16000))
    assert page.evaluate("document.querySelector('.os-network').inert")
    assert "20 s of sound" in wait(page)
    assert not page.evaluate("document.querySelector('.os-network').inert")


def test_a_browser_without_webassembly_is_told(open_page):
    page = open_page("light-without")
    assert "no WebAssembly" in page.inner_text(".os-status") and page.is_disabled("[data-action=example]")


def refuse_storage(page):
    """Let the worker of a page find that storage is forbidden."""
    refused = "Object.defineProperty(self, 'caches', { get() { throw new Error('refused'); } });\n"

    def answer(route):
        text = (ROOT / "book/_ext/own_song/worker.js").read_text(encoding="utf-8")
        route.fulfill(body=refused + text, content_type="text/javascript")

    page.context.route("**/worker.js", answer)


@pytest.mark.parametrize("refused", [True, False])
def test_storage_spares_the_second_fetch_and_is_not_needed(open_page, song, refused):
    page = open_page()
    if refused:
        refuse_storage(page)
    fetches = []
    for _ in range(2):
        page.log.clear()
        give(page, "short.wav", wav(song.mixture()[:, :32000], 16000))
        assert "separated here" in wait(page)
        page.reload()
        page.wait_for_selector("[data-action=example]")
        fetches.append(len([url for url, _ in page.log.fetched if "onnx?" in url]))
    assert fetches == ([1, 1] if refused else [1, 0])
