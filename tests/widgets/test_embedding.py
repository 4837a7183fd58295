"""The embedding explorer's Python side: what it accepts, what it writes, and what it hands to its two hosts."""

import base64
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
from sepbook.widgets.embedding import DIRECTIONS, MOST, embedding, shortened

WIDGETS = Path(sepbook.widgets.__file__).parent
F, T, D = 33, 20, 8
SOUND = 0.2 * torch.randn(1, (T - 1) * 16, generator=torch.Generator().manual_seed(1))  # as many frames, with hop 16


def scene(S=2):
    """Give embeddings near one direction for each source, the membership, and the mixture's magnitudes."""
    random = torch.Generator().manual_seed(0)
    owner = torch.randint(0, S, (F, T), generator=random)
    one_hot = torch.nn.functional.one_hot(owner, S).float()  # (F, T, S)
    v = torch.nn.functional.pad(one_hot, (0, D - S)) + 0.2 * torch.rand(F, T, D, generator=random)
    magnitude = torch.rand(F, T, generator=random) ** 6
    magnitude[20, 9] = 1.2  # the loudest bin by far
    flat = torch.ones(F, T, D)
    trained = v / v.norm(dim=-1, keepdim=True)
    return {"untrained": flat / flat.norm(dim=-1, keepdim=True), "trained": trained}, one_hot.movedim(-1, 0), magnitude


def explorer(**changes):
    v, y, x = scene()
    return embedding(**{"embeddings": v, "membership": y, "magnitude": x, "rate": 8000, "hop": 64, **changes})


def unpacked(text, kind):
    return np.frombuffer(bytearray(base64.b64decode(text)), kind)


def test_what_travels_is_what_was_given():
    made = explorer(names=("one", "two"))
    spec, files = made.content
    v, y, x = scene()
    y, x = y.numpy(), x.numpy()
    assert files == {} and spec["names"] == ["one", "two"] and spec["size"] == [F, T]
    bins = unpacked(spec["bins"], "<u4")
    assert np.array_equal(bins, np.flatnonzero(x.ravel() >= x.max() / 100))
    assert np.array_equal(unpacked(spec["source"], np.uint8), y.argmax(0).ravel()[bins])
    levels = unpacked(spec["levels"], np.uint8)
    assert levels.max() == 255 and levels.argmax() == x.argmax()
    assert [version["name"] for version in spec["versions"]] == ["untrained", "trained", "ideal"]
    for version in spec["versions"][1:]:
        assert np.array_equal(unpacked(version["cluster"], np.uint8), y.argmax(0).ravel()[bins])
    points = unpacked(spec["versions"][1]["points"], np.int8).reshape(len(bins), DIRECTIONS) / 127
    real = v["trained"].reshape(-1, D)[bins].numpy()
    assert np.abs(points @ points.T - real @ real.T).max() < 0.1  # the weaker directions and 8 bits are left out
    assert np.abs(points @ points.T - real @ real.T).mean() < 0.02


def test_the_first_bin_is_the_loudest_of_those_that_k_means_gets_right():
    v, y, x = scene()
    made = explorer(embeddings={"trained": v["trained"]})
    assert made.bins[made.content[0]["start"]] == int(x.argmax())
    rest = made.clusters(made.vectors["trained"])
    rest[made.content[0]["start"]] = 1 - rest[made.content[0]["start"]]
    assert made.start(rest) != made.content[0]["start"]


def test_shortened_keeps_all_of_a_flat_embedding():
    few = shortened(np.random.default_rng(0).random((50, 3)) / 2)
    assert few.shape == (50, DIRECTIONS) and not few[:, 3:].any()
    assert few.sum(0)[0] > 0


def test_of_many_bins_some_are_chosen_always_the_same():
    random = torch.rand(2, 129, 60, generator=torch.Generator().manual_seed(0))
    y = torch.nn.functional.one_hot((random[0] > random[1]).long(), 2).movedim(-1, 0)
    made = [embedding({"a": torch.rand(129, 60, 4)}, y, torch.ones(129, 60), 8000, 64) for _ in range(2)]
    assert len(made[0].bins) == MOST and np.array_equal(made[0].bins, made[1].bins)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"magnitude": torch.ones(1, F, T)}, r"magnitude must be \(F, T\)"),
        ({"membership": torch.ones(2, T, F)}, r"membership \(S, F, T\)"),
        ({"embeddings": {"odd": torch.ones(T, F, 3)}}, "embedding 'odd'"),
        ({"embeddings": {"bad": torch.full((F, T, 3), float("nan"))}}, "'bad' holds NaN"),
        ({"magnitude": torch.zeros(F, T)}, "silent"),
        ({"names": ("only one",)}, "1 names for 2 sources"),
    ],
)
def test_what_cannot_be_explored_is_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        explorer(**changes)


def test_the_sound_of_the_mixture_travels_as_a_file(tmp_path):
    spec, files = explorer(sound=SOUND, hop=16).content
    sound, rate = soundfile.read(io.BytesIO(files[spec["sound"]]))
    assert rate == 8000 and np.abs(sound - SOUND[0].numpy()).max() < 1e-4
    assert "<audio" in explorer(sound=SOUND, hop=16).html(tmp_path, tmp_path)


@pytest.mark.parametrize("wrong", [SOUND[:, 20:], torch.cat([SOUND, SOUND]), SOUND * torch.nan])
def test_a_sound_with_other_frames_is_refused(wrong):
    with pytest.raises(ValueError, match="the sound must be mono samples whose STFT has 20 frames, from 289 to 304"):
        explorer(sound=wrong, hop=16)


def test_page_element_has_its_data_and_a_table_for_readers_without_javascript(tmp_path):
    element = explorer(title="Try <it>").html(tmp_path / "a", tmp_path / "f")
    data = json.loads(html.unescape(re.search(r'data-embedding="([^"]*)"', element)[1]))
    assert data["files"] == {} and not list(tmp_path.iterdir())
    assert "Try &lt;it&gt;" in element and "<it>" not in element
    rows = dict(re.findall(r'<th scope="row">(\w+)</th><td>([\d.]+)</td>', element))
    assert rows["untrained"] == "1.00" and rows["ideal"] == "1.00" and float(rows["trained"]) > 0.8
    assert element.count("<tr>") == 4


def test_in_the_book_it_shows_html_and_in_a_notebook_a_widget(tmp_path, monkeypatch):
    made = explorer()
    assert "application/vnd.jupyter.widget-view+json" in made._repr_mimebundle_()[0]
    for name in ("", "_AUDIO", "_FIGURES"):
        monkeypatch.setenv(f"SEPBOOK_BOOK{name}", str(tmp_path) if name else "1")
    assert "sepbook-embedding" in made._repr_mimebundle_()["text/html"]
    assert "bins, untrained, trained, ideal" in repr(made)


def test_scripts_and_data_stay_small():
    found = [p.read_bytes() for p in WIDGETS.glob("embedding*") if p.suffix in (".js", ".css")]
    assert len(gzip.compress(b"".join(found))) < 8_000
    assert len(json.dumps(explorer().content[0])) < 60_000
