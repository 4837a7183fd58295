"""The rate at every step, PyTorch's optimisers by name, and the loop with each of them against plain lines."""

import inspect
import math

import pytest
import torch

from sepbook.architectures import create
from sepbook.training import averaging, checkpoint
from sepbook.training.config import CLASSES, TrainConfig
from sepbook.training.descent import learning_rate, make_optimizer, make_plateau
from sepbook.training.loop import train
from tests.systems import Synthetic


def config(**fields):
    return TrainConfig(**{"steps": 8, "batch_size": 2, "device": "cpu", "learning_rate": 1e-2, **fields})


def fresh(seed=0):
    torch.manual_seed(seed)
    return create("unet", widths=(4, 8))


def items(count=6, seed=0):
    return Synthetic(fresh(), items=count, samples=2000, seed=seed)


def same(a, b):
    return all(torch.equal(v, b.state_dict()[k]) for k, v in a.state_dict().items())


def rates(steps, **fields):
    chosen = config(steps=steps, **fields)
    return [learning_rate(step, chosen) for step in range(steps + 1)]


def test_each_schedule_by_hand():
    assert rates(100)[::50] == pytest.approx([1e-2, 5e-3, 0.0])
    assert set(rates(9, schedule="constant")) == set(rates(9, schedule="plateau")) == {1e-2}
    climb = rates(100, schedule="warmup")
    assert climb[:10] == pytest.approx([1e-3 * (k + 1) for k in range(10)])
    assert climb[10] == 1e-2 and climb[55] == pytest.approx(5e-3) and climb[100] == pytest.approx(0.0)
    flat = rates(20, schedule="warmup", schedule_options={"steps": 4, "then": "constant"})
    assert flat[:5] == pytest.approx([2.5e-3, 5e-3, 7.5e-3, 1e-2, 1e-2]) and set(flat[4:]) == {1e-2}
    short = rates(5, schedule="warmup", schedule_options={"steps": 50})
    assert short == pytest.approx([2e-4 * (k + 1) for k in range(6)]), "a run that ends on the way up"
    assert rates(1, schedule="warmup")[0] == 1e-2


def test_a_plateau_waits_for_decibels_and_counts_the_epochs():
    chosen = config(schedule="plateau", schedule_options={"patience": 1, "factor": 0.5, "threshold": 0.1})
    optimizer = make_optimizer(torch.nn.Linear(1, 1), chosen)
    plateau, seen = make_plateau(optimizer, chosen), []
    for score in (-20.0, -19.0, -18.95, -18.94, -10.0, -10.0, -10.0):
        plateau.step(score)
        seen.append(optimizer.param_groups[0]["lr"])
    assert seen == pytest.approx([1e-2, 1e-2, 1e-2, 5e-3, 5e-3, 5e-3, 2.5e-3])
    assert make_plateau(optimizer, config()) is None


@pytest.mark.parametrize("name", CLASSES)
def test_the_optimiser_is_pytorchs_own(name):
    options = {"adam": {"betas": (0.5, 0.9)}, "sgd": {"momentum": 0.9, "nesterov": True}}.get(name, {"eps": 1e-6})
    made = make_optimizer(torch.nn.Linear(2, 2), config(optimizer=name, optimizer_options=options, weight_decay=0.1))
    assert type(made) is CLASSES[name]
    group = made.param_groups[0]
    assert (group["lr"], group["weight_decay"]) == (1e-2, 0.1) and options.items() <= group.items()
    assert not group.get("fused"), "on the CPU the steps stay as they were"


def test_all_weights_move_in_one_kernel_on_a_card(monkeypatch):
    asked = {}

    def adam(weights, **options):
        asked.update(options)

    module, chosen = torch.nn.Linear(1, 1), config()
    adam.__signature__ = inspect.signature(torch.optim.Adam)
    monkeypatch.setitem(CLASSES, "adam", adam)
    monkeypatch.setattr(torch.Tensor, "is_cuda", True)
    make_optimizer(module, chosen)
    assert asked["fused"] is True


def by_hand(system, data, chosen):
    """The loop in plain lines: what `train` stands for on a CPU, whatever its recipe."""
    optimizer = CLASSES[chosen.optimizer](
        system.parameters(), chosen.learning_rate, weight_decay=chosen.weight_decay, **chosen.optimizer_options
    )
    average = averaging.WeightAverage(system, chosen.average) if chosen.average else None
    torch.manual_seed(chosen.seed)
    system.train()
    for step in range(chosen.steps):
        numbers = range(step * chosen.batch_size, (step + 1) * chosen.batch_size)
        batch = torch.utils.data.default_collate([data[i] for i in numbers])
        optimizer.param_groups[0]["lr"] = learning_rate(step, chosen)
        loss = system.loss(batch["mixture"], batch["sources"])["loss"]
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(system.parameters(), chosen.clip_norm)
        optimizer.step()
        if average:
            average.update()
    if average:
        system.load_state_dict(average.weights)


RECIPES = {
    "shipped": {},  # Adam along a cosine, bit for bit as the shipped weights were made
    "adam": {"optimizer_options": {"betas": (0.5, 0.999)}, "schedule": "constant", "weight_decay": 0.01},
    "adamw": {"optimizer": "adamw", "weight_decay": 0.1, "schedule": "warmup", "schedule_options": {"steps": 3}},
    "sgd": {"optimizer": "sgd", "optimizer_options": {"momentum": 0.9}, "clip_norm": 0.01},
    "rmsprop": {"optimizer": "rmsprop", "clip_norm": math.inf, "average": 0.5},
}


@pytest.mark.parametrize("name", RECIPES)
def test_the_loop_equals_the_lines_it_stands_for(name):
    chosen, ours, theirs = config(**RECIPES[name]), fresh(), fresh()
    train(ours, items(), config=chosen, progress=False)
    by_hand(theirs, items(), chosen)
    assert same(ours, theirs)


def test_clipping_and_weight_decay_change_the_run():
    """The lines above would not notice if both sides forgot them."""
    ends = []
    for fields in ({}, {"clip_norm": 1e-3}, {"weight_decay": 0.5}, {"average": 0.9}):
        system = fresh()
        train(system, items(), config=config(**{"optimizer": "sgd", **fields}), progress=False)
        ends.append(system)
    assert not any(same(ends[0], other) for other in ends[1:])


def test_the_average_is_validated_and_kept():
    seen = []

    class Watched(type(fresh())):
        def forward(self, mixture, **inputs):
            seen.append({k: v.clone() for k, v in self.state_dict().items()})
            return super().forward(mixture, **inputs)

    chosen = fresh().config
    torch.manual_seed(0)
    system = Watched(chosen)
    history = train(system, items(), items(2, seed=9), config(average=0.9), progress=False)
    assert len(seen) == len(history.rows) * 2
    at = [row["step"] for row in history.rows].index(history.best_step)
    assert all(torch.equal(value, seen[2 * at][key]) for key, value in system.state_dict().items())
    plain = fresh()
    train(plain, items(), items(2, seed=9), config(), progress=False)
    assert not same(plain, system), "the average is another set of weights than the path itself"


@pytest.mark.parametrize(
    "fields",
    [
        {"average": 0.9, "optimizer": "rmsprop", "schedule": "warmup"},
        {"optimizer": "sgd", "optimizer_options": {"momentum": 0.9}, "schedule": "plateau",
         "schedule_options": {"patience": 0, "factor": 0.5, "threshold": 100.0}},
        {"optimizer": "adamw", "optimizer_options": {"betas": (0.8, 0.9), "amsgrad": True}, "average": 0.5},
    ],
)  # fmt: skip
def test_every_recipe_goes_on_as_if_nothing_had_happened(tmp_path, fields):
    class Breaks(Synthetic):
        def __getitem__(self, i):
            if i == 15:
                raise OSError("disk on fire")
            return super().__getitem__(i)

    whole, again, valid = fresh(), fresh(), items(2, seed=9)
    fields = {**fields, "steps": 12, "learning_rate": 0.05}
    first = train(whole, items(4), valid, config(**fields), progress=False)
    place = {"folder": str(tmp_path), "save_every": 1}
    with pytest.raises(OSError, match="fire"):
        train(fresh(), Breaks(whole, items=4, samples=2000), valid, config(**fields, **place), progress=False)
    history = train(again, items(4), valid, config(**fields, **place, resume=True), progress=False)
    assert history.losses == first.losses and same(whole, again)
    assert [row["learning_rate"] for row in history.rows] == [row["learning_rate"] for row in first.rows]
    if fields.get("schedule") == "plateau":
        assert first.rows[-1]["learning_rate"] < 0.05, "the rate has fallen on the way"
    assert same(again, checkpoint.load_weights(tmp_path / "best.safetensors"))
