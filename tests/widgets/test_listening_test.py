"""The listening test's Python side: what it accepts, what it writes, and what a page shows before anything runs."""

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
from sepbook.widgets.listening_test import abx, mushra

RATE = 16000
WIDGETS = Path(sepbook.widgets.__file__).parent


def noise(seed=0, gain=0.1, seconds=1.0):
    return gain * torch.randn(1, round(seconds * RATE), generator=torch.Generator().manual_seed(seed))


def three(seed=0):
    return {"truth": noise(seed), "good": noise(seed + 1), "bad": noise(seed + 2)}


def test_sounds_travel_sample_by_sample_with_what_is_known_of_them():
    given = {"a song": three(), "another": three(5)}
    spec, files = mushra(given, RATE, "Rate", {"a song": {"good": 7.123}}).content
    assert spec["kind"] == "mushra" and spec["seconds"] == 1 and spec["trials"] == 2 and 0 < spec["spread"] < 0.3
    for item, sounds in zip(spec["items"], given.values(), strict=True):
        assert [sound["name"] for sound in item["sounds"]] == list(sounds)
        for sound in item["sounds"]:
            sent = soundfile.read(io.BytesIO(files[sound["file"]]), dtype="float32")[0]
            assert np.abs(sent - sounds[sound["name"]].numpy()[0]).max() <= 1 / 32768
    assert [sound["si_sdr"] for sound in spec["items"][0]["sounds"]] == [None, 7.12, None]


def test_names_of_files_say_nothing_of_what_is_in_them():
    _, files = mushra({"a song": three()}, RATE).content
    assert len(files) == 3 and all(re.fullmatch(r"[0-9a-f]{20}\.wav", name) for name in files)


REFUSED = [
    (lambda: abx({"p": three()}, RATE), "A pair has two sounds, but 'p' has 3"),
    (lambda: abx({}, RATE), "at least one title"),
    (lambda: abx({"p": [1, 2]}, RATE), "a dictionary of sounds"),
    (lambda: abx({"p": {"a": noise(), "b": noise(1)}}, RATE, trials=0), "from 1 to 100"),
    (lambda: abx({"p": {"a": noise(), "b": noise(1)}}, RATE, trials=True), "from 1 to 100"),
    (lambda: abx({"p": {"a": noise(), "b": noise(1, 0.2)}}, RATE), r"'b' is 6\.\d LU louder than 'a'.*match_loudness"),
    (lambda: abx({"p": {"a": noise(), "b": noise(1, 4.0)}}, RATE), "would clip"),
    (lambda: abx({"p": {"a": noise(), "b": torch.zeros(1, RATE)}}, RATE), "'b' of 'p' is silent"),
    (lambda: abx({"p": {"a": noise(), "b": noise()[:, :-1]}}, RATE), "of one length"),
    (lambda: abx({"p": {"a": noise(), "b": noise() / 0}}, RATE), "'b' of 'p'"),
    (lambda: abx({"p": {"a": noise().repeat(2, 1), "b": noise().repeat(2, 1)}}, RATE), "mono"),
    (lambda: abx({"p": {"a": noise(seconds=13), "b": noise(seconds=13)}}, RATE), "12 s at most"),
    (lambda: mushra({"i": {"a": noise(), "b": noise(1)}}, RATE), "3 to 9 sounds"),
    (lambda: mushra({"i": three(), "j": dict(reversed(three().items()))}, RATE), "in the same order"),
]


@pytest.mark.parametrize(("make", "words"), REFUSED, ids=[words[:20] for _, words in REFUSED])
def test_what_makes_no_fair_test_is_refused(make, words):
    with pytest.raises(PlayerError, match=f"(?s){words}"):
        make()


def test_page_element_names_the_sounds_only_where_no_script_runs(tmp_path):
    element = mushra({"song <1>": three()}, RATE, "Rate <it>").html(tmp_path / "a", tmp_path / "f")
    data = json.loads(html.unescape(re.search(r'data-listening="([^"]*)"', element)[1]))
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == sorted(data["files"])
    shown = re.sub(r'data-listening="[^"]*"|<noscript>.*</noscript>', "", element, flags=re.DOTALL)
    assert "truth" not in shown and ".wav" not in shown and "Rate &lt;it&gt;" in shown
    assert element.count("<audio controls preload=") == 3 and "song &lt;1&gt;: truth" in element


def test_in_the_book_it_shows_html_and_in_a_notebook_a_widget(tmp_path, monkeypatch):
    test = abx({"p": {"a": noise(), "b": noise(1)}}, RATE, "Try")
    assert "application/vnd.jupyter.widget-view+json" in test._repr_mimebundle_()[0]
    for name in ("", "_AUDIO", "_FIGURES"):
        monkeypatch.setenv(f"SEPBOOK_BOOK{name}", str(tmp_path) if name else "1")
    assert "sepbook-listening" in test._repr_mimebundle_()["text/html"]
    assert "(abx): p, at 16000 Hz" in repr(test)


def test_the_scripts_stay_small():
    found = [p.read_bytes() for p in WIDGETS.glob("listening_test*") if p.suffix in (".js", ".css")]
    assert len(gzip.compress(b"".join(found))) < 12_000
