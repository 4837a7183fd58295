"""The tool that trains, scores and ships a system is the command line's training, and writes all that pages need."""

import dataclasses
import json

import pytest
import torch

from sepbook import architectures
from sepbook.cli import main
from sepbook.data import tasks
from sepbook.data.tasks import Songs
from sepbook.training import checkpoint
from tools.results import _common, _queue, _weights, systems


@pytest.mark.slow
def test_the_command_line_trains_what_the_tool_trains(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tasks, "VALID_ITEMS", 2)
    system, *_ = systems.train_one("unet", "tiny", 3)
    assert main(["train", "unet", "--preset", "tiny", "--steps", "3", "--out", "run", "-q"]) == 0
    typed = checkpoint.load_weights("run/weights.safetensors").state_dict()
    assert all(torch.equal(value, typed[name]) for name, value in system.state_dict().items())


class Short:
    """Two seconds from the middle of a song."""

    def __init__(self, track):
        self.track, self.name, self.sample_rate, self.seconds = track, track.name, track.sample_rate, 2.0

    def sources(self, names):
        return self.track.sources(names, 9 * self.sample_rate, 2 * self.sample_rate)

    def mixture(self):
        return self.sources(self.track.stem_names).sum(0)


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """Folders of its own, a recipe of two steps, and two short songs to score."""
    monkeypatch.setattr(_common, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(_common, "ROOT", tmp_path)
    monkeypatch.setattr(_queue, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(checkpoint, "WEIGHTS", tmp_path)
    monkeypatch.setattr(_weights.record, "__defaults__", (tmp_path,))
    monkeypatch.setattr(_weights.rows, "__defaults__", (tmp_path,))
    recipes = architectures.module("unet").RECIPES
    short = dataclasses.replace(recipes["small"], steps={"first": 1, "shipped": 2}, seconds=0.5, batch_size=2)
    monkeypatch.setitem(recipes, "tiny", short)
    real = Songs.tracks
    monkeypatch.setattr(Songs, "tracks", lambda self, split: [Short(track) for track in list(real(self, split))[:2]])
    monkeypatch.setattr(tasks, "VALID_ITEMS", 2)
    monkeypatch.setattr(systems, "MASKS", {"ratio_1": ("ratio", 1.0)})
    threads = torch.get_num_threads()
    yield tmp_path
    torch.set_num_threads(threads)


@pytest.mark.slow
def test_a_system_is_trained_scored_and_shipped(bench, monkeypatch):
    systems.measure("unet", "tiny")
    part = json.loads((bench / "results/architectures/unet.json").read_text())["tiny"]
    for key in ("steps_1", "steps_2", "shipped"):
        assert set(part[key]["improvement"]) == {"mean", "vocals", "drums", "bass", "other"}
        assert part[key]["at_system"]["interval"]["low"] < part[key]["at_system"]["interval"]["high"], "at 8 kHz too"
    assert part["steps_2"]["loss"][-1][0] == 2 and part["steps_2"]["cpu_seconds"] > 0
    assert part["edition"] == systems.edition_of("unet", "tiny")
    row = json.loads((bench / "manifest.json").read_text())["weights"][0]
    about = ("unet_tiny.safetensors", "unet", "tiny", "songs", 2, 0)
    assert tuple(row[key] for key in ("file", "system", "preset", "task", "steps", "seed")) == about
    assert row["result"]["improvement"] == part["shipped"]["improvement"]["mean"]
    assert row["edition"] == part["edition"]["steps_2"]
    shipped = checkpoint.shipped("unet", "tiny")
    assert not shipped.training and part["shipped"]["parameters"] == sum(p.numel() for p in shipped.parameters())
    monkeypatch.setattr(systems, "train_one", None)  # done is done: a second call trains nothing
    systems.measure("unet", "tiny")
    again = json.loads((bench / "results/architectures/unet.json").read_text())["tiny"]
    assert again == part


@pytest.mark.slow
def test_another_seed_adds_runs_and_ships_nothing(bench, monkeypatch):
    monkeypatch.setattr(systems, "steps_of", lambda name, preset: [1])
    with pytest.raises(SystemExit, match="unet.json, tiny: not of today's edition; run seed 0 first"):
        systems.measure("unet", "tiny", seed=1)
    systems.measure("unet", "tiny")
    first = json.loads((bench / "results/architectures/unet.json").read_text())["tiny"]
    manifest = (bench / "manifest.json").read_text()
    for seed in (1, 2):
        systems.measure("unet", "tiny", seed)
    part = json.loads((bench / "results/architectures/unet.json").read_text())["tiny"]
    seeds = part.pop("seeds")
    assert part == first and list(seeds) == ["1", "2"] and (bench / "manifest.json").read_text() == manifest
    means = {run["steps_1"]["improvement"]["mean"] for run in (first, *seeds.values())}
    assert len(means) == 3, "other weights, other scores"
