"""The experiment on one item: which item, what it is measured by, and that a tiny network learns it."""

import math

import pytest
import torch

from sepbook.architectures import create, module, names
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
    data = Data()
    assert one_item.ideal_gain(data.items[2], data, ("a", "b"), "binary") > 30


def test_every_system_of_masks_has_a_kind_and_no_other():
    made = {name for name in names() if hasattr(create(name, "tiny"), "masks")} - {"tasnet", "conv_tasnet"}
    assert set(one_item.KINDS) <= set(names()) and made <= set(one_item.KINDS)


def test_a_small_network_learns_one_item():
    found = one_item.learn("mask_inference", steps=60)
    assert [step for step, _ in found["gains"]] == [50, 60] and found["gain"] > 4
    assert found["fraction"] == pytest.approx(found["gain"] / found["ideal"])


@pytest.mark.parametrize("name", sorted(read("architectures/one_item")["systems"]))
def test_a_row_is_of_the_system_as_it_is_today(name):
    row = read("architectures/one_item")["systems"][name]
    assert row["edition"] == _edition.of_system(name, "small", one_item.STEPS)
    assert module(name) and row["gain"] == max(gain for _, gain in row["gains"]) and row["steps"] == one_item.STEPS
