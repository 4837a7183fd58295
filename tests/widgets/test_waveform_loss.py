"""The loss explorer's Python side: what it accepts, what it writes, and what it hands to its two hosts."""

import gzip
import html
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

import sepbook.widgets
from sepbook.widgets._versions import PlayerError
from sepbook.widgets.waveform_loss import waveform_loss

RATE = 16000
WIDGETS = Path(sepbook.widgets.__file__).parent


def noise(*shape, seed=0):
    return 0.3 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_both_sounds_travel_sample_by_sample_with_room_to_spare():
    given = noise(1, RATE), 0.01 * noise(RATE, seed=1)
    spec, files = waveform_loss(*given, RATE, "Try").content
    sent = [soundfile.read(io.BytesIO(files[spec[name]]), dtype="float32")[0] for name in ("source", "wrong")]
    for samples, sound in zip(sent, given, strict=True):
        sound = sound.numpy().ravel()
        scale = (samples * sound).sum() / (sound**2).sum()
        assert np.abs(samples - scale * sound).max() <= 1 / 32768
    levels = [np.square(samples).mean() for samples in sent]
    assert levels[0] == pytest.approx(levels[1], rel=0.01)
    assert sum(np.abs(samples).max() for samples in sent) <= 0.801
    assert spec["length"] == RATE and spec["rate"] == RATE


@pytest.mark.parametrize(
    ("source", "wrong", "words"),
    [
        (noise(2, 99), noise(2, 99), "mono"),
        (noise(1, 99), noise(1, 98), "of one length"),
        (noise(1, 6 * RATE), noise(1, 6 * RATE), "5 s at most"),
        (noise(1, 99), torch.zeros(1, 99), "'wrong' is silent"),
        (noise(1, 99) / 0, noise(1, 99), "'source'"),
    ],
)
def test_what_cannot_be_explored_is_refused(source, wrong, words):
    with pytest.raises(PlayerError, match=words):
        waveform_loss(source, wrong, RATE)


def test_page_element_has_data_files_and_a_fallback(tmp_path):
    element = waveform_loss(noise(99), noise(99, seed=1), RATE, "Try <it>").html(tmp_path / "a", tmp_path / "f")
    data = json.loads(html.unescape(re.search(r'data-waveform="([^"]*)"', element)[1]))
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == sorted(data["files"])
    assert element.count("<audio controls preload=") == 2
    assert "Try &lt;it&gt;" in element and "<it>" not in element


def test_in_the_book_it_shows_html_and_in_a_notebook_a_widget(tmp_path, monkeypatch):
    explorer = waveform_loss(noise(99), noise(99, seed=1), RATE)
    assert "application/vnd.jupyter.widget-view+json" in explorer._repr_mimebundle_()[0]
    assert explorer.widget is explorer.widget and set(explorer.widget.files) == set(explorer.content[1])
    for name in ("", "_AUDIO", "_FIGURES"):
        monkeypatch.setenv(f"SEPBOOK_BOOK{name}", str(tmp_path) if name else "1")
    assert "sepbook-waveform" in explorer._repr_mimebundle_()["text/html"]
    assert "16000 Hz" in repr(explorer)


def test_the_scripts_stay_small():
    found = [p.read_bytes() for p in WIDGETS.glob("waveform_loss*") if p.suffix in (".js", ".css")]
    assert len(gzip.compress(b"".join(found))) < 10_000
