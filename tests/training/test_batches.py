"""Which items make which batch: a function of seed and step alone; and data that do not fit are refused."""

import pytest
import torch

from sepbook.architectures import create
from sepbook.training._distributed import World
from sepbook.training.batches import Batches, ItemNumbers
from sepbook.training.device import choose
from sepbook.training.loop import TrainConfig, TrainingError, train
from tests.systems import Synthetic


def fresh():
    torch.manual_seed(0)
    return create("unet", widths=(4, 8))


def config(**fields):
    return TrainConfig(**{"steps": 8, "batch_size": 2, "device": "cpu", **fields})


def items(system):
    return Synthetic(system, items=6, samples=4000)


class Odd(Synthetic):
    """Data that say what they are."""

    def __init__(self, system, **said):
        super().__init__(system, items=4, samples=2000)
        self.__dict__ |= said


@pytest.mark.parametrize("which", ["training", "validation"])
@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"sample_rate": 44100}, r"the {} data has 44100 Hz, .* for 16000 Hz: .*StemFolder.*sample_rate=16000"),
        ({"sample_rate": 8000}, r"the {} data has 8000 Hz, .*create the system with sample_rate=8000"),
        ({"channels": 2}, r"the {} data has 2 audio channel\(s\), .*StemFolder.*channels=1"),
        ({"source_names": ("vocals", "drums", "piano", "other")}, r"the {} data has only .*missing: bass"),
        ({"source_names": ()}, r"the {} data has only .*missing: vocals, drums, bass, other"),
    ],
)
def test_data_of_another_kind_are_refused_before_the_first_step(which, said, words):
    system = fresh()
    sets = {"training": items(system), "validation": items(system)} | {which: Odd(system, **said)}
    with pytest.raises(TrainingError, match=words.format(which)):
        train(system, sets["training"], sets["validation"], config(), progress=False)
    good = Odd(system, sample_rate=16000, channels=1)
    assert train(system, good, good, config(steps=1), progress=False).steps == 1
    empty = Odd(system, items=0)
    with pytest.raises(TrainingError, match="validation set has no items"):
        train(system, good, empty, config(), progress=False)


class Rounds(Synthetic):
    """A finite data set that writes down what it was asked for."""

    endless = False

    def __getitem__(self, i):
        self.seen = [*getattr(self, "seen", []), i]
        return {"mixture": torch.zeros(1, 1), "sources": torch.zeros(4, 1, 1)}


def numbers(size, steps, batch_size=3, seed=0, start=0, rank=0, processes=1):
    """The numbers that the sampler gives out, as a list of batches."""
    world = World(rank, rank, processes)
    chosen = config(steps=steps, batch_size=batch_size, seed=seed)
    sampler = ItemNumbers(Rounds(fresh(), items=size), chosen, start, world)
    found = list(sampler)
    assert len(found) == len(sampler)
    return [found[i : i + batch_size] for i in range(0, len(found), batch_size)]


def test_every_round_has_an_order_of_its_own():
    whole = sum(numbers(size=12, steps=12), [])
    rounds = [whole[i : i + 12] for i in (0, 12, 24)]
    assert all(sorted(turn) == list(range(12)) for turn in rounds)
    assert len({tuple(turn) for turn in rounds}) == 3
    assert whole != sum(numbers(size=12, steps=12, seed=1), [])
    assert numbers(size=12, steps=12, start=5) == numbers(size=12, steps=12)[5:], "from any step on"
    turn = torch.randperm(12, generator=torch.Generator().manual_seed(2)).tolist()
    assert rounds[2] == turn, "a function of (seed, number), the same in every release"


@pytest.mark.parametrize("endless", [True, False])
def test_processes_share_the_items_and_none_is_taken_twice(endless, monkeypatch):
    monkeypatch.setattr(Rounds, "endless", endless)
    alone = numbers(size=24, steps=4, batch_size=6)
    parts = [numbers(size=24, steps=4, batch_size=2, rank=rank, processes=3) for rank in range(3)]
    assert [sum(batches, []) for batches in zip(*parts, strict=True)] == alone


def test_a_million_items_are_shuffled_once_a_round(monkeypatch):
    drawn, real = [], torch.randperm
    monkeypatch.setattr(torch, "randperm", lambda size, **more: drawn.append(size) or real(size, **more))
    numbers(size=1000, steps=1000)
    assert drawn == [1000] * 3


def test_only_the_latest_two_rounds_are_kept_in_memory():
    items = ItemNumbers([0] * 10, TrainConfig(steps=20, batch_size=4, device="cpu"))
    assert max(len(items._rounds) for _ in items) == 2


class Plain(Synthetic):
    """Items without labels."""

    def __getitem__(self, i):
        return {name: value for name, value in super().__getitem__(i).items() if name in ("mixture", "sources")}


def augmented(start=0, rank=0, processes=1, **fields):
    """The batches of four steps of an augmented run of one system that separates two of four stems."""
    torch.manual_seed(0)
    system = create("unet", widths=(4, 8), source_names=("drums", "other"))
    data = Plain(create("unet", widths=(4, 8)), items=8, samples=4000)
    made = Batches(system, data, config(steps=4, batch_size=2, **fields), choose("cpu"), World(rank, rank, processes))
    return list(made.steps(start)), list(made)


def test_batches_are_augmented_before_the_systems_sources_are_picked():
    (plain, every), (found, looked_at) = augmented(), augmented(augment=("flip_sign", "scale"))
    for before, after in zip(plain, found, strict=True):
        ratio = (after["sources"] / before["sources"]).flatten(2)
        torch.testing.assert_close(ratio, ratio[..., :1].expand_as(ratio), atol=1e-3, rtol=1e-3)
        assert after["sources"].shape == (2, 2, 1, 4000)
        rest = after["mixture"] - after["sources"].sum(1)  # vocals and bass are in the mixture still, changed too
        assert not torch.allclose(rest.abs(), (before["mixture"] - before["sources"].sum(1)).abs(), atol=1e-3)
    assert len({round(ratio, 5) for b, a in zip(plain, found, strict=True)
                for ratio in (a["sources"] / b["sources"])[..., 0, 7].flatten().tolist()}) == 16  # fmt: skip
    for before, after in zip(every, looked_at, strict=True):
        assert torch.equal(before["sources"], after["sources"]), "what a system looks at beforehand is as it is"


def test_a_run_that_goes_on_augments_as_it_would_have():
    names = ("flip_sign", "scale", "remix")
    whole, rest = augmented(augment=names)[0], augmented(start=2, augment=names)[0]
    for expected, found in zip(whole[2:], rest, strict=True):
        assert torch.equal(expected["mixture"], found["mixture"])
    factors = {}
    for rank in (0, 1):
        plain, found = (augmented(rank=rank, processes=2, augment=a)[0] for a in ((), ("scale",)))
        factors[rank] = [(f["sources"] / p["sources"])[0, 0, 0, 7].item() for p, f in zip(plain, found, strict=True)]
    assert len({round(value, 5) for values in factors.values() for value in values}) == 8, "processes draw apart"
