"""The ablations: the arms differ in the part that is left out and in nothing else, and the page's verdict is theirs."""

import pytest
import torch

from sepbook.architectures import create
from sepbook.evaluation.intervals import compare
from tools.results import _edition, ablations
from tools.results._common import read, singers


def test_zeros_take_the_place_of_the_skip_and_of_nothing_else():
    x = torch.arange(1.0, 9.0).view(1, 8)
    (found,) = ablations.without_skip(None, (x,))
    assert found.tolist() == [[0, 0, 0, 0, 5, 6, 7, 8]]


def test_without_its_skip_open_unmix_hears_the_lstm_alone():
    whole, cut = (ablations.made("open_unmix", each, 0).eval() for each in (True, False))
    for a, b in zip(whole.parameters(), cut.parameters(), strict=True):
        assert torch.equal(a, b)
    name = whole.source_names[0]
    network = cut.networks[name]
    magnitude = torch.rand(1, 1, 513, 20, generator=torch.Generator().manual_seed(0))
    assert not torch.allclose(network(magnitude), whole.networks[name](magnitude))
    network(magnitude).sum().backward()
    H = cut.config.hidden
    slope = network.fc2.weight.grad
    assert slope[:, :H].abs().max() == 0 < slope[:, H:].abs().max()


def test_without_its_heads_the_joint_network_keeps_all_else():
    whole, cut = (ablations.made("unet_joint", each, 0) for each in (True, False))
    left = {name: p.shape for name, p in cut.named_parameters()}
    more = {name: p.shape for name, p in whole.named_parameters()}
    heads = {name.split(".")[1] for name in more.keys() - left.keys()}
    assert left.items() < more.items() and heads == {"voice", "pitch"}
    assert whole.config.voice and not cut.config.voice


def test_a_run_gives_a_score_for_each_test_song(monkeypatch):
    first = ablations.songs("test")[:1]
    monkeypatch.setattr(ablations, "STEPS", 1)
    monkeypatch.setattr(ablations, "songs", lambda split: first)
    monkeypatch.setattr(ablations, "made", lambda name, whole, seed: create(name, "tiny"))
    found = ablations.one_run("unet_joint", True, 0)
    assert len(found["scores"]) == 1 and found["cpu_seconds"] > 0


@pytest.mark.parametrize("name", sorted(read("architectures/ablations")["pairs"]))
def test_rows_are_of_the_systems_as_they_are_today(name):
    row = read("architectures/ablations")["pairs"][name]
    assert row["edition"] == _edition.of_system(name, "small", ablations.steps_of(name))
    ours, theirs = (row["arms"][arm]["scores"] for arm in ablations.PAIRS[name])
    assert len(ours) == len(theirs) == len(ablations.SEEDS) >= 5
    found = compare(ours, theirs, singers()).as_dict()
    for name, value in row["difference"].items():
        assert found[name] == (pytest.approx(value, abs=1e-3) if isinstance(value, float) else value), name
