"""The mask painter's Python side: what it accepts, what it writes, and what it hands to its two hosts."""

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
from PIL import Image

import sepbook.widgets
from sepbook.building_blocks.stft import STFT
from sepbook.widgets._versions import PlayerError
from sepbook.widgets.mask_painter import mask_painter, picture

RATE = 16000
WIDGETS = Path(sepbook.widgets.__file__).parent


def noise(*shape, seed=0):
    return 0.3 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def sources():
    """Give four sources of one second; together they are too loud for a file."""
    return {name: noise(1, RATE, seed=i) for i, name in enumerate(["vocals", "drums", "bass", "other"])}


def samples(data):
    return soundfile.read(io.BytesIO(data), dtype="float32")[0]


def test_stems_travel_sample_by_sample_and_add_up_to_the_mixture(sources):
    spec, files = mask_painter(sources, RATE, "Paint").content
    stems = np.stack([samples(files[source["audio"]]) for source in spec["sources"]])
    given = torch.cat(list(sources.values())).numpy()
    scale = (stems * given).sum() / (given**2).sum()
    assert scale < 1 and np.abs(stems - scale * given).max() <= 1 / 32768
    assert np.abs(samples(files[spec["mixture"]]) - stems.sum(0)).max() <= 4 / 32768
    assert spec["length"] == RATE and [s["name"] for s in spec["sources"]] == list(sources)


def test_the_picture_has_a_column_for_each_frame_and_high_rows_first():
    tone = torch.sin(2 * torch.pi * 6000 * torch.arange(RATE) / RATE).numpy()
    image = Image.open(io.BytesIO(picture(tone, RATE, 1024, 256))).convert("RGBA")
    assert image.size == (STFT()(torch.from_numpy(tone)[None, None]).shape[-1], 240)
    opacity = np.asarray(image)[..., 3].mean(1)
    place = 1 - np.log1p(6000 / 300) / np.log1p(8000 / 300)
    assert opacity.argmax() == pytest.approx(240 * place, abs=2)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([1, 2], "dictionary"),
        ({"vocals": noise(1, 99)}, "two names at least"),
        ({"a": noise(2, 99), "b": noise(2, 99)}, "mono"),
        ({"a": noise(1, 99), "b": noise(1, 98)}, "of one length"),
        ({"a": noise(1, 11 * RATE), "b": noise(1, 11 * RATE)}, "10 s at most"),
        ({"a": noise(1, 99), "b": noise(1, 99) / 0}, "'b'"),
        ({"a": noise(1, 99).int(), "b": noise(1, 99)}, "floating-point"),
    ],
)
def test_what_cannot_be_painted_is_refused(given, words):
    with pytest.raises(PlayerError, match=words):
        mask_painter(given, RATE)


def test_the_transform_needs_a_power_of_two(sources):
    with pytest.raises(PlayerError, match="power of two"):
        mask_painter(sources, RATE, n_fft=1000)


def test_page_element_has_data_files_and_a_fallback(sources, tmp_path):
    element = mask_painter(sources, RATE, "Paint <it>").html(tmp_path / "audio", tmp_path / "figures")
    data = json.loads(html.unescape(re.search(r'data-painter="([^"]*)"', element)[1]))
    for address in data["files"].values():
        kind, name = address.removeprefix("{{SEPBOOK_STATIC}}/").split("/")
        assert (tmp_path / kind / name).stat().st_size > 100
    assert element.count("<audio controls preload=") == 5 and "alt=" in element
    assert "Paint &lt;it&gt;" in element and "<it>" not in element


def test_in_the_book_it_shows_html_and_in_a_notebook_a_widget(sources, tmp_path, monkeypatch):
    painter = mask_painter(sources, RATE)
    assert "application/vnd.jupyter.widget-view+json" in painter._repr_mimebundle_()[0]
    assert painter.widget is painter.widget and set(painter.widget.files) == set(painter.content[1])
    monkeypatch.setenv("SEPBOOK_BOOK", "1")
    monkeypatch.setenv("SEPBOOK_BOOK_AUDIO", str(tmp_path))
    monkeypatch.setenv("SEPBOOK_BOOK_FIGURES", str(tmp_path))
    assert "sepbook-painter" in painter._repr_mimebundle_()["text/html"]
    assert "vocals" in repr(painter)


def test_the_scripts_stay_small():
    found = [p.read_bytes() for p in WIDGETS.glob("mask_painter*") if p.suffix in (".js", ".css")]
    assert len(gzip.compress(b"".join(found))) < 14_000
