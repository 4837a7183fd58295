"""The filter explorer's Python side: what it accepts, what it writes, and what it hands to its two hosts."""

import base64
import gzip
import html
import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

import sepbook.widgets
from sepbook.building_blocks import filterbank as fb
from sepbook.widgets import _hosts
from sepbook.widgets._versions import PlayerError
from sepbook.widgets.filterbank import filterbank

RATE = 16000
WIDGETS = Path(sepbook.widgets.__file__).parent


def noise(*shape, seed=0):
    return 0.3 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_waveforms_travel_sorted_with_what_the_package_measures():
    given = noise(12, 80), fb.Gammatone(12, 80, RATE).waveforms()
    spec, files = filterbank({"a": given}, RATE, "Try").content
    assert (
        not files
        and spec["rate"] == RATE
        and [part["name"] for part in spec["banks"][0]["parts"]]
        == [
            "encoder",
            "decoder",
        ]
    )
    for waveforms, part in zip(given, spec["banks"][0]["parts"], strict=True):
        order = fb.centre_frequencies(waveforms, RATE).argsort(stable=True)
        np.testing.assert_allclose(part["centres"], fb.centre_frequencies(waveforms, RATE)[order], atol=0.06)
        np.testing.assert_allclose(part["widths"], fb.bandwidths(waveforms, RATE)[order], atol=8)
        sent = np.frombuffer(base64.b64decode(part["waveforms"]), np.int8).reshape(12, 80) / 127
        whole = waveforms[order] / waveforms[order].abs().amax(1, keepdim=True)
        np.testing.assert_allclose(sent, whole, atol=0.5 / 127 + 1e-6)


@pytest.mark.parametrize(
    ("banks", "words"),
    [
        ({}, "at least one name"),
        ([noise(2, 9)], "at least one name"),
        ({"a": noise(9)}, r"'a' is of shape \(9,\)"),
        ({"a": noise(2, 1, 9)}, r"\(K, size\)"),
        ({"a": torch.zeros(2, 9, dtype=torch.complex64)}, "is complex"),
        ({"a": (noise(2, 9), noise(2, 8))}, "must have one shape"),
        ({"a": (noise(2, 9),) * 3}, "3 parts"),
        ({"a": noise(2, 9) / 0}, "NaN or infinity"),
        ({"a": noise(600, 9)}, "at most"),
        ({"a": noise(0, 9)}, "of shape"),
    ],
)
def test_what_cannot_be_shown_is_refused(banks, words):
    with pytest.raises(PlayerError, match=words):
        filterbank(banks, RATE)


def test_silent_filters_are_shown_too():
    spec, _ = filterbank({"a": torch.zeros(3, 8)}, RATE).content
    assert spec["banks"][0]["parts"][0]["centres"] == [0, 0, 0]


def test_page_element_has_data_and_a_table_for_readers_without_javascript(tmp_path):
    element = filterbank({"a <b>": noise(9, 16)}, RATE, "Try <it>").html(tmp_path / "a", tmp_path / "f")
    data = json.loads(html.unescape(re.search(r'data-filterbank="([^"]*)"', element)[1]))
    assert data["spec"]["banks"][0]["parts"][0]["K"] == 9 and data["files"] == {}
    assert sum(int(count) for count in re.findall(r"<td>(\d+)</td>", element)) == 9
    assert "Try &lt;it&gt;" in element and "<it>" not in element and "<b>" not in element


def test_data_too_heavy_for_the_page_leave_its_table_whole(tmp_path, monkeypatch):
    light = filterbank({"a": noise(9, 16)}, RATE).html(tmp_path, tmp_path)
    monkeypatch.setattr(_hosts, "LIGHT", 0)
    heavy = filterbank({"a": noise(9, 16)}, RATE).html(tmp_path, tmp_path)
    table = re.compile("<table.*</table>", re.DOTALL)
    assert table.search(heavy)[0] == table.search(light)[0] and "banks" not in heavy


def test_in_the_book_it_shows_html_and_in_a_notebook_a_widget(tmp_path, monkeypatch):
    explorer = filterbank({"a": noise(9, 16)}, RATE)
    assert "application/vnd.jupyter.widget-view+json" in explorer._repr_mimebundle_()[0]
    for name in ("", "_AUDIO", "_FIGURES"):
        monkeypatch.setenv(f"SEPBOOK_BOOK{name}", str(tmp_path) if name else "1")
    assert "sepbook-filterbank" in explorer._repr_mimebundle_()["text/html"]
    assert "16000 Hz" in repr(explorer)


def test_the_scripts_stay_small():
    found = [p.read_bytes() for p in WIDGETS.glob("filterbank*") if p.suffix in (".js", ".css")]
    assert len(gzip.compress(b"".join(found))) < 9_000
