"""The page *Your own song* alone, laid out as the book's build would, and what tests do with it."""

import base64
import html
import io
import json
import shutil
from pathlib import Path

import soundfile
import torch

from sepbook.widgets._hosts import addresses
from sepbook.widgets.player import Player
from tools.own_song.__main__ import write

ROOT = Path(__file__).resolve().parents[2]
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


def lay_out(folder, song):
    """Write the page, its modules and the networks into a folder: no book has to be built for it."""
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
