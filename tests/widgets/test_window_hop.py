"""The window explorer's Python side: what it accepts, what it writes, and what it hands to its two hosts."""

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
from sepbook.widgets.window_hop import window_hop

RATE = 16000
WIDGETS = Path(sepbook.widgets.__file__).parent


def noise(*shape, seed=0):
    return 0.1 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_sources_travel_sample_by_sample():
    given = {"a": noise(1, RATE), "b": noise(RATE, seed=1)}
    spec, files = window_hop(given, RATE, "Try").content
    assert spec["length"] == RATE and spec["rate"] == RATE and [s["name"] for s in spec["sources"]] == ["a", "b"]
    for source in spec["sources"]:
        sent = soundfile.read(io.BytesIO(files[source["audio"]]), dtype="float32")[0]
        assert np.abs(sent - given[source["name"]].numpy().ravel()).max() <= 1 / 32768


@pytest.mark.parametrize(
    ("sources", "words"),
    [
        ({"a": noise(99)}, "two names"),
        ({"a": noise(2, 99), "b": noise(2, 99)}, "mono"),
        ({"a": noise(99), "b": noise(98)}, "of one length"),
        ({"a": noise(6 * RATE), "b": noise(6 * RATE)}, "5 s at most"),
        ({"a": noise(99), "b": torch.zeros(99)}, "'b' is silent"),
        ({"a": noise(99), "mixture": noise(99)}, "cannot be called 'mixture'"),
        ({"a": noise(99) / 0, "b": noise(99)}, "'a'"),
    ],
)
def test_what_cannot_be_explored_is_refused(sources, words):
    with pytest.raises(PlayerError, match=words):
        window_hop(sources, RATE)


def test_page_element_has_data_files_and_a_fallback(tmp_path, monkeypatch):
    explorer = window_hop({"a": noise(99), "<b>": noise(99, seed=1)}, RATE, "Try <it>")
    element = explorer.html(tmp_path / "a", tmp_path / "f")
    data = json.loads(html.unescape(re.search(r'data-window="([^"]*)"', element)[1]))
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == sorted(data["files"])
    assert element.count("<audio controls preload=") == 2
    assert "Try &lt;it&gt;" in element and "<it>" not in element and "<b>" not in element
    assert "application/vnd.jupyter.widget-view+json" in explorer._repr_mimebundle_()[0]
    for name in ("", "_AUDIO", "_FIGURES"):
        monkeypatch.setenv(f"SEPBOOK_BOOK{name}", str(tmp_path) if name else "1")
    assert "sepbook-window" in explorer._repr_mimebundle_()["text/html"]
    assert "16000 Hz" in repr(explorer)


def test_the_scripts_stay_small():
    found = [p.read_bytes() for p in WIDGETS.glob("window_hop*") if p.suffix in (".js", ".css")]
    assert len(gzip.compress(b"".join(found))) < 9_000
