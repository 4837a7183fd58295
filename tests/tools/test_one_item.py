"""The experiment on one item: which item, what it is measured by, and that a tiny network learns it."""

import math

import pytest
import torch

from sepbook.architectures import create, module, names
from sepbook.evaluation.oracles import separate_ideal
from sepbook.training.validation import improvement
from tools.results import _edition, one_item
from tools.results._common import read


class Data:
    """Three items of two sources; the last one alone holds both."""

    source_names, sample_rate, channels = ("a", "b"), 8000, 1

    def __init__(self):
        time = torch.arange(24000) / 8000
        both = torch.stack([torch.sin(2 * math.pi * f * time) for f in (300.0, 2000.0)])[:, None]
        first = both * torch.tensor([1.0, 0.0])[:, None, None]
        self.items = [{"sources": s, "mixture": s.sum(0)} for s in (first, first.flip(0), both)]

    def __len__(self):
        return len(self.items)

    def __getitem__(self, number):
        return self.items[number]


def test_the_item_holds_every_source_that_the_system_is_for():
    data = Data()
    assert one_item.full_item(data, ("b", "a")) is data.items[2]
    assert one_item.full_item(data, ("a",)) is data.items[0]
    data.items.pop()
    with pytest.raises(ValueError, match="no item"):
        one_item.full_item(data, ("a", "b"))


def test_tones_far_apart_are_separated_by_their_ideal_masks():
    item = Data().items[2]
    assert one_item.ideal_gain(create("mask_inference", "tiny"), item["sources"], item["mixture"], "binary") > 30


@pytest.mark.parametrize("name", ["deep_clustering", "mask_inference"])
def test_a_system_that_finds_the_ideal_mask_gains_what_it_gains(name, monkeypatch):
    """In its own STFT: in another one, masks cut finer in time or frequency and gain another amount."""
    system = create(name, "tiny")
    sources = torch.randn(2, 1, 24000, generator=torch.Generator().manual_seed(0)).cumsum(-1).diff()
    sources[1] *= torch.linspace(0, 2, 23999)
    mixture = sources.sum(0)
    kind = one_item.KINDS[name]
    masks = one_item.IDEAL[kind](system.stft(sources))[:, 0][None]  # (1, S, F, T)
    monkeypatch.setattr(type(system), "masks", lambda self, magnitude: masks)
    found = improvement(system(mixture[None]), sources[None], mixture[None]).mean().item()
    assert found > 1
    assert one_item.ideal_gain(system, sources, mixture, kind) == pytest.approx(found, abs=1e-4)
    assert abs(improvement(separate_ideal(sources, kind)[None], sources[None], mixture[None]).mean() - found) > 0.01


def test_every_system_of_masks_has_a_kind_and_no_other():
    made = {name for name in names() if hasattr(create(name, "tiny"), "masks")} - {"tasnet", "conv_tasnet"}
    assert set(one_item.KINDS) <= set(names()) and made <= set(one_item.KINDS)


def test_a_small_network_learns_one_item():
    found = one_item.learn("mask_inference", steps=60)
    assert [step for step, _ in found["gains"]] == [50, 60] and found["gain"] > 4
    row = one_item.measured("mask_inference", found)
    assert row["fraction"] == pytest.approx(found["gain"] / row["ideal"]) and row["gain"] == found["gain"]
    assert one_item.measured("tasnet", found) == found


@pytest.mark.parametrize("name", ["wave_unet", "wavenet"])
def test_what_a_system_of_context_learns_is_the_whole_item(name):
    """Without silence around it, the loss looks at its middle alone, and ends that nobody taught count in the gain."""
    system = create(name, "tiny")
    item = {"sources": torch.randn(len(system.source_names), 1, 3 * system.context)}
    item["mixture"] = item["sources"].sum(0)
    given = one_item.in_silence(item, system.context)
    assert given["mixture"].shape[-1] == 5 * system.context and one_item.in_silence(item, 0) is item
    for end in (slice(0, 9), slice(-9, None)):
        wrong = {**item, "sources": item["sources"].clone()}
        wrong["sources"][..., end] += 1
        sounds = [one_item.in_silence(each, system.context) for each in (item, wrong)]
        right, other = (system.loss(given["mixture"][None], s["sources"][None])["loss"] for s in sounds)
        assert right != other


@pytest.mark.parametrize("name", sorted(read("architectures/one_item")["systems"]))
def test_a_row_is_of_the_system_as_it_is_today(name):
    row = read("architectures/one_item")["systems"][name]
    assert row["edition"] == _edition.of_system(name, "small", one_item.STEPS)
    assert module(name) and row["gain"] == max(gain for _, gain in row["gains"]) and row["steps"] == one_item.STEPS
