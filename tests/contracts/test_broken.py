"""The tests of the tests: systems that are wrong on purpose fail, and their authors are told the line to write."""

import dataclasses
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from sepbook import architectures
from sepbook.architectures.recipe import Recipe
from tests.contracts import contract
from tests.systems import causal, one_voice, register, talkers, targets


def broken(monkeypatch, file, **changes):
    """A system like that of `file`, but for these lines; None leaves a line out."""
    lines = {"PRESETS": file.PRESETS, "RECIPES": file.RECIPES, "SYSTEM": file.SYSTEM} | changes
    register(monkeypatch, mine=SimpleNamespace(**{k: v for k, v in lines.items() if v is not None}))
    torch.manual_seed(0)
    return lambda: architectures.create("mine", "tiny")


def kind_of(base, **attributes):
    """A class like `base` whose attributes are these, whatever its __init__ says; ... takes one away."""

    def __init__(self, config):  # noqa: N807
        base.__init__(self, config)
        for name, value in attributes.items():
            delattr(self, name) if value is ... else setattr(self, name, value)

    return type("Mine", (base,), {"__init__": __init__})


def task(name):
    return {"small": dataclasses.replace(one_voice.RECIPES["small"], task=name)}


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"RECIPES": None}, 'RECIPES = {"small": Recipe(task="songs")}'),
        ({"RECIPES": {"paper": Recipe("songs")}}, 'RECIPES = {"small": Recipe(task="songs")}'),
        ({"RECIPES": task("")}, 'RECIPES = {"small": Recipe(task="…")} with one of songs, vocals, talkers'),
        ({"RECIPES": task("vocal")}, "there is no task 'vocal'"),
        ({"RECIPES": {**task("vocals"), "papper": Recipe("songs")}}, "RECIPES has 'papper', which is no preset"),
        ({"RECIPES": {**task("vocals"), "tiny": Recipe("song")}}, "the recipe of 'tiny' has the unknown task 'song'"),
        ({"SYSTEM": kind_of(one_voice.OneVoice, stride=...)}, "self.stride = config.hop"),
        ({"SYSTEM": kind_of(one_voice.OneVoice, stride=128.0)}, "self.stride = config.hop"),
        ({"SYSTEM": kind_of(one_voice.OneVoice, stride=True)}, "self.stride = config.hop"),
        ({"SYSTEM": kind_of(one_voice.OneVoice, whole="no")}, "whole = True"),
        ({"SYSTEM": kind_of(one_voice.OneVoice, ordered=None)}, "ordered = False"),
        ({"PRESETS": None}, 'PRESETS = {"small": Config()}'),
        ({"SYSTEM": None}, "SYSTEM = MySystem"),
    ],
    ids=str,
)
def test_a_missing_line_is_named(monkeypatch, changes, line):
    broken(monkeypatch, one_voice, **changes)
    with pytest.raises((AssertionError, architectures.ContractError)) as error:
        contract.has_its_lines("mine")
    assert line in str(error.value)
    assert "mine.py" in str(error.value)


@pytest.mark.parametrize(
    ("file", "stride"),
    [(talkers, 1), (talkers, 5), (talkers, 8), (one_voice, 1), (one_voice, 100), (one_voice, 64), (causal, 16)],
    ids=lambda value: getattr(value, "__name__", str(value)).split(".")[-1],
)
def test_a_wrong_stride_is_noticed(monkeypatch, file, stride):
    make = broken(monkeypatch, file, SYSTEM=kind_of(file.SYSTEM, stride=stride))
    with pytest.raises(AssertionError, match=f"says stride = {stride}, .* Write self.stride"):
        contract.means_its_stride(make())


def test_a_stride_that_is_a_multiple_of_the_smallest_is_right(monkeypatch):
    contract.means_its_stride(broken(monkeypatch, talkers, SYSTEM=kind_of(talkers.Talkers, stride=40))())


class ByPeak(one_voice.OneVoice):
    """Divides by the loudest sample of all it is given."""

    def masks(self, magnitude):
        return super().masks(magnitude / magnitude.amax((1, 2, 3), keepdim=True))


class Backward(talkers.Talkers):
    """Sums up all that is still to come."""

    def forward(self, mixture, **inputs):
        to_come = mixture.flip(-1).cumsum(-1).flip(-1)  # (B, C, N)
        return super().forward(mixture + 0.01 * to_come)


@pytest.mark.parametrize(("file", "kind"), [(one_voice, ByPeak), (talkers, Backward)])
def test_what_needs_the_whole_signal_must_say_so(monkeypatch, file, kind):
    with pytest.raises(AssertionError, match="chunks differ from one pass.* whole = True"):
        contract.equals_its_chunks(broken(monkeypatch, file, SYSTEM=kind)())
    honest = broken(monkeypatch, file, SYSTEM=kind_of(kind, whole=True))()
    assert contract.equals_its_chunks(honest) < contract.ENOUGH


def test_parts_that_leave_out_the_work_are_noticed(monkeypatch):
    kind = type("Mine", (one_voice.OneVoice,), {"parts": lambda self: {"stft": self.stft}})
    with pytest.raises(AssertionError, match=r"network.* costs most, but is not compiled. Write a method parts\(\)"):
        contract.parts_hold_the_work(broken(monkeypatch, one_voice, SYSTEM=kind)())
    one = type("Mine", (targets.Targets,), {"parts": lambda self: {"stft": self.stft, "mask": self.masking}})
    with pytest.raises(AssertionError, match="costs most, but is not compiled"):
        contract.parts_hold_the_work(broken(monkeypatch, targets, SYSTEM=one)())


class Forgets(causal.Causal):
    def feed(self, state, chunk):
        state, ready = super().feed(state, chunk)
        return (*state[:2], None if state[2] is None else torch.zeros_like(state[2])), ready


class NeverFlushes(causal.Causal):
    def flush(self, state):
        return state[1][..., :0]


class TooLoud(causal.Causal):
    def feed(self, state, chunk):
        state, ready = super().feed(state, chunk)
        return state, 1.01 * ready


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Forgets, "a stream differs from forward"),
        (NeverFlushes, "see flush"),
        (kind_of(causal.Causal, latency=62), "says latency = 62, but was 63 behind"),
        (TooLoud, "a stream differs from forward"),
    ],
)
def test_a_stream_that_is_wrong_is_noticed(monkeypatch, kind, words):
    system = broken(monkeypatch, causal, SYSTEM=kind)()
    nn.init.constant_(system.masks.bias, 1.0)
    mixture = torch.randn(1, 1, 1000)
    with pytest.raises(AssertionError, match=words):
        contract.streams_like_forward(system, mixture, [1] * 900)
