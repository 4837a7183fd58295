"""Your own song, in Chromium, every other host blocked: what the page makes of sounds is what the command line makes.

The page stands alone here, as the book's build would lay out its files: no book has to be built for it.
"""

import base64
import functools
import html
import io
import json
import shutil
import subprocess
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from sepbook import audio
from sepbook.data import corpus
from sepbook.evaluation.metrics import si_sdr
from sepbook.evaluation.separation import separate
from sepbook.training import checkpoint
from sepbook.widgets._hosts import addresses
from sepbook.widgets.player import Player
from tests.browser import conftest as house
from tools.own_song.__main__ import write

ROOT = Path(__file__).resolve().parents[2]
SERVED = 8e6  # bytes that a click may fetch
PAGE = """<!doctype html><html lang="en" data-theme="{theme}" style="color-scheme: {theme}"><head><meta charset="utf-8">
<title>Your own song</title><style>{colours}</style>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
<script>{script}</script><link rel="stylesheet" href="_static/sepbook.css"></head><body><main><h1>Your own song</h1>
<div class="sepbook-explorer" data-module="_static/own_song/own_song.js" data-state="{state}">
<div class="sepbook-explorer-fallback">What happens here, in words.</div>
<div class="sepbook-explorer-live" hidden></div>
</div></main><script type="module" src="_static/sepbook.js"></script></body></html>"""
DARK = """html { --pst-color-text-base: #ced6dd; --pst-color-text-muted: #9ca4af; --pst-color-background: #14181e;
  --pst-color-surface: #29313d; --pst-color-border: #48566b; --pst-color-primary: #3fb1c5;
  --pst-color-primary-text: #000;
  --pst-color-link: #3fb1c5; background: #14181e; color: #ced6dd }"""  # of the book's theme
ENCODE = """async (url) => {
  const bytes = new Uint8Array(await (await fetch(url)).arrayBuffer()), text = [];
  for (let at = 0; at < bytes.length; at += 32768) text.push(String.fromCharCode(...bytes.subarray(at, at + 32768)));
  return btoa(text.join(""));
}"""
HANDLE = "document.querySelector('.sepbook-explorer-live').sepbookOwnSong"


@pytest.fixture(scope="module")
def song():
    return corpus.songs("test")[0]


@pytest.fixture(scope="module")
def system():
    return checkpoint.shipped("unet").eval()


@pytest.fixture(scope="module")
def folder(tmp_path_factory, song):
    """Give a folder that is laid out as the book's build does."""
    folder = tmp_path_factory.mktemp("own_song")
    static = folder / "_static"
    shutil.copytree(ROOT / "book/_ext/own_song", static / "own_song")
    shutil.copytree(ROOT / "sepbook/widgets", static / "widgets", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    shutil.copytree(ROOT / "book/_ext/static", static, dirs_exist_ok=True)
    write(static / "own_song")
    stems = dict(zip(song.stem_names, song.sources(), strict=True))
    player = Player({}, song.sample_rate, "A song of the book", {"mixture": song.mixture(), "true stems": stems})
    spec, files = player.content
    example = {"spec": spec, "files": addresses(files, static / "audio", static / "figures")}
    state = json.dumps({"example": example}).replace("{{SEPBOOK_STATIC}}", "_static")
    scripts = {
        "": "",
        "-without": "delete window.WebAssembly",
    }
    for theme in ("light", "dark"):
        for name, script in scripts.items():
            text = PAGE.format(
                theme=theme, colours=DARK if theme == "dark" else "", script=script, state=html.escape(state)
            )
            (folder / f"{theme}{name}.html").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def served(folder):
    handler = functools.partial(house.Handler, directory=str(folder))
    with house.Server(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture
def open_page(chromium, served):
    """Open the page in a context of its own; when the test is over, nobody else may have been asked for anything."""
    log, made = house.Log(), []

    def go(name="light", view="1280-light", **options):
        context = chromium.new_context(**house.VIEWS[view], **options)
        context.set_default_timeout(180_000)  # other work may run beside the tests
        house.guard(context, log)
        made.append(context)
        page = context.new_page()
        page.goto(f"{served}/{name}.html")
        page.wait_for_selector("[data-action=example]")
        page.log = log
        return page

    yield go
    for context in made:
        context.close()
    assert not log.strangers and not log.errors


def give(page, name, data, kind="audio/wav"):
    page.set_input_files("input[type=file]", {"name": name, "mimeType": kind, "buffer": data})


def wait(page):
    """Wait until the page is at rest, and return what it says."""
    page.wait_for_function(f"() => !{HANDLE}.busy")
    return page.inner_text(".os-status")


def wav(samples, rate):
    file = io.BytesIO()
    soundfile.write(file, samples.T.numpy(), rate, format="WAV", subtype="FLOAT")
    return file.getvalue()


def stems(page):
    """Return the stems that the page offers to save: (S, C, N), and their rate."""
    found = []
    for link in page.query_selector_all(".os-save a"):
        data = base64.b64decode(page.evaluate(ENCODE, link.get_attribute("href")))
        samples, rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
        found.append(torch.from_numpy(samples.T))
    return torch.stack(found), rate


def likeness(found, expected):
    """Return how far below each expected stem the difference lies, in dB."""
    error = (found - expected).square().sum((-1, -2))
    return 10 * torch.log10(expected.square().sum((-1, -2)) / error)


def stereo(song):
    """The song's voice to the left, its band to the right."""
    sources = song.sources()
    return torch.cat([sources[:1].sum(0) + 0.5 * sources[1:].sum(0), 0.5 * sources[:1].sum(0) + sources[1:].sum(0)])


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
def test_another_rate_is_brought_to_the_networks_as_well(open_page, song, system):
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


@pytest.mark.slow
def test_open_the_network_on_a_song_of_the_book(open_page, view):
    from tests.widgets.driver import AXE, AXE_RULES

    page = open_page(view.partition("-")[2], view)
    page.click("[data-action=example]")
    assert "separated here" in wait(page)
    page.wait_for_function("() => document.querySelectorAll('.os-maps button').length === 24")
    gains = "() => [...document.querySelectorAll('.os-table tbody td:last-child')].map((e) => e.textContent)"
    whole = page.evaluate(gains)
    assert all(float(gain) > 5 for gain in whole)
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
