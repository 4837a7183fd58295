"""A system's file states what a system must state, and its presets build."""

import dataclasses
import json
from pathlib import Path

import pytest
import torch

from sepbook import architectures, shapes
from sepbook.evaluation.separation import separate
from tests.contracts import contract
from tests.systems import ALL, OURS, batch


def test_file_has_its_lines(name):
    contract.has_its_lines(name)


@pytest.mark.parametrize("name", OURS)
def test_a_system_with_its_recipe_takes_no_more_than_eighty_lines(name):
    assert len(Path(OURS[name].__file__).read_text(encoding="utf-8").splitlines()) <= 80


def test_attributes(system):
    assert system.name in architectures.names()
    assert system.preset == contract.behaving(system.name)
    assert system.task == architectures.recipe_of(system.name).task
    assert system.source_names and all(isinstance(name, str) for name in system.source_names)
    assert type(system.sample_rate) is int and system.sample_rate > 0
    assert system.channels in (1, 2)
    assert dataclasses.is_dataclass(system.config) and type(system.config).__dataclass_params__.frozen


def test_presets_build_and_run_without_memory(name):
    assert "small" in architectures.presets(name)
    for preset in architectures.presets(name):
        with torch.device("meta"):
            built = architectures.create(name, preset)
            ledger = shapes.trace(built, torch.zeros(1, built.channels, built.sample_rate))
        assert ledger.parameters == sum(p.numel() for p in built.parameters()) > 0
        assert ledger.calls[0].output == (1, len(built.source_names), built.channels, built.sample_rate)
        assert architectures.recipe_of(name, preset).steps["shipped"] > 0


def test_config_survives_json(system):
    config = json.loads(json.dumps(dataclasses.asdict(system.config)))
    assert architectures.create(system.name, "small", **config).config == system.config


@pytest.mark.parametrize("S", [1, 3])
def test_any_number_of_sources(system, S):
    names = tuple(f"source_{s}" for s in range(S))
    other = architectures.create(system.name, system.preset, source_names=names)
    items = batch(other, samples=3000)
    assert other(items["mixture"]).shape == (2, S, other.channels, 3000)
    assert other.loss(**items)["loss"].isfinite()


@pytest.mark.parametrize("C", [1, 2])
def test_mono_and_stereo(system, C):
    other = architectures.create(system.name, system.preset, channels=C)
    items = batch(other, samples=3000)
    estimates = other(items["mixture"])
    assert estimates.shape == items["sources"].shape
    assert other.loss(**items)["loss"].isfinite()
    if C == 2:  # no channel is left out
        moved = items["mixture"] + torch.tensor([[0.0], [0.1]])
        assert (other(moved) - estimates).abs().amax() > 0
        assert (estimates.abs().amax((0, 1, 3)) > 0).all()


def test_any_rate_and_channels_through_separate(system):
    sound = torch.randn(3 - system.channels, 3000)
    found = separate(system, sound, system.sample_rate // 2)
    assert found.shape == (len(system.source_names), *sound.shape)
    for rate in (0, -8000):
        with pytest.raises(ValueError, match="rate"):
            separate(system, sound, rate)


# What must never become the name of a stem's file.
NO_FILE_NAMES = ["", " ", "../vocals", "..\\vocals", "/vocals", "c:vocals", "vo\ncals", "vo\x1bcals", "vo\0cals"]
NO_FILE_NAMES += [".vocals", "..", "CON", "nul.wav", "com1"]
SAME_FILE = [("voice", "voice"), ("voice", "Voice"), ("straße", "STRASSE")]


@pytest.mark.parametrize("names", [*((name, "rest") for name in NO_FILE_NAMES), *SAME_FILE], ids=repr)
def test_source_names_that_cannot_be_files_are_refused(shelf, names):
    for name in ALL:
        with pytest.raises(ValueError):
            architectures.create(name, contract.behaving(name), source_names=names)
