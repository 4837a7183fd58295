"""The experiment on tricks at test time: what it compares, what it leaves out, and of which weights it speaks."""

import inspect
import json
from types import SimpleNamespace

import pytest
import torch

from sepbook.evaluation.separation import separate
from sepbook.training import checkpoint
from tests.evaluation.test_separation import sound
from tests.evaluation.test_separation_tricks import Gridded
from tools.results import _common
from tools.results import test_time_tricks as tricks

RESULT = _common.RESULTS / "evaluation" / "test_time_tricks.json"


CHANGED = {"plain": set(), "overlap": {"overlap"}, "triangle": {"overlap", "fade"}, "shifts": {"shifts"}}


class Shares(Gridded):
    """A third of the mixture for each of three sources, off by what depends on the grid."""

    source_names, name = ("a", "b", "c"), "shares"

    def forward(self, mixture):
        error = torch.tensor([1.0, 1.0, -1.0, -1.0])[torch.arange(mixture.shape[-1]) % 4]
        return (mixture[:, None] / 3 + 0.1 * error).expand(-1, 3, -1, -1)


def song(seed, silent=False):
    """A track of three sources, the last one silent if asked for."""
    parts = [sound(N=48000, seed=seed + 50 * k) for k in range(3)]
    sources = torch.stack([*parts[:2], parts[2] * (not silent)])
    return SimpleNamespace(sources=lambda names: sources, mixture=lambda: sources.sum(0), sample_rate=8000)


def test_ways_are_options_of_separate_and_change_one_thing_at_a_time():
    plain = tricks.WAYS["plain"]
    for way, options in tricks.WAYS.items():
        inspect.signature(separate).bind("system", "samples", 8000, tricks.CHUNK, **options)
        changed = {name for name in options if options[name] != plain.get(name)}
        assert changed == CHANGED[way]


def test_each_way_is_compared_with_plain_chunks_song_by_song(monkeypatch):
    monkeypatch.setattr(tricks, "weights", lambda name: "0123456789ab")
    found = tricks.measured(Shares(stride=4), [song(0), song(1), song(2)], ["a", "b", "c"])
    assert list(found["gains"]) == list(tricks.WAYS) and all(len(row) == 3 for row in found["gains"].values())
    shifts = found["shifts_over_plain"]
    better = [a - b for a, b in zip(found["gains"]["shifts"], found["gains"]["plain"], strict=True)]
    assert shifts["mean"] == pytest.approx(sum(better) / 3) and shifts["voices"] == 3 and not shifts["shown"]
    assert min(better) > 0, "the error that depends on the grid is gone"


def test_a_silent_source_is_left_out():
    gained = tricks.gain(Shares(stride=4), song(0, silent=True), shifts=4)
    assert gained == pytest.approx(0, abs=1e-3), "a third of the mixture gains nothing for the other two"


def test_the_hash_is_that_of_the_shipped_file():
    listed = json.loads((checkpoint.WEIGHTS / "manifest.json").read_text())["weights"]
    assert tricks.weights("unet") in {row["sha256"][:12] for row in listed if row["file"] == "unet_small.safetensors"}


@pytest.mark.skipif(not RESULT.is_file(), reason="not measured yet")
@pytest.mark.parametrize("name", ["unet", "demucs"])
def test_the_result_speaks_of_the_weights_that_are_shipped(name):
    assert json.loads(RESULT.read_text())[name]["weights"] == tricks.weights(name)
