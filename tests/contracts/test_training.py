"""What the training loop may expect of a system, and a system of the loop."""

import math
import shutil

import pytest
import torch

from sepbook import architectures
from sepbook.data import tasks
from sepbook.training.loop import TrainConfig, TrainingError, train
from tests.systems import Synthetic


def run(system, data, valid=None, **fields):
    return train(system, data, valid, TrainConfig(**{"device": "cpu", "batch_size": 2, **fields}), progress=False)


def test_loss_falls_in_twenty_steps(system):
    history = run(system, Synthetic(system, items=40, samples=4000), steps=20, batch_size=4, schedule="constant")
    first, last = sum(history.losses[:3]), sum(history.losses[-3:])
    assert last < first - 0.05 * abs(first), history.losses


def test_training_is_a_function_of_the_seed(system):
    def trained():
        torch.manual_seed(3)
        fresh = architectures.create(system.name, system.preset)
        run(fresh, Synthetic(fresh, items=4, samples=4000), steps=3)
        return fresh.state_dict()

    first, second = trained(), trained()
    assert all(torch.equal(first[key], second[key]) for key in first)


@pytest.mark.parametrize(("field", "value"), [("sample_rate", 11025), ("channels", 3)])
def test_data_that_does_not_fit_is_refused(system, field, value):
    data = Synthetic(system, items=4, samples=2000)
    setattr(data, field, value)
    with pytest.raises(TrainingError, match=str(value)):
        run(system, data, steps=1)


def test_one_step_of_the_recipe_on_its_own_task(system):
    recipe = architectures.recipe_of(system.name)
    data = tasks.task(recipe.task).training(
        system.sample_rate, system.channels, seconds=0.5, length=2, mixing=recipe.mixing
    )
    before = {name: value.clone() for name, value in system.named_parameters()}
    config = TrainConfig.of(recipe, steps=1, batch_size=2, device="cpu")
    assert train(system, data, config=config, progress=False).steps == 1
    assert any(not torch.equal(value, before[name]) for name, value in system.named_parameters())


@pytest.mark.slow
def test_compile_covers_all_parts_and_validates_at_another_length(system, monkeypatch):
    from sepbook.training import parts

    compiled, plain = [], torch.compile

    def record(forward, **options):
        compiled.append(forward.__self__)
        return plain(forward, **options)

    monkeypatch.setattr(parts, "BACKEND", "eager")
    monkeypatch.setattr(torch, "compile", record)
    data, valid = Synthetic(system, items=4, samples=4000), Synthetic(system, items=2, samples=5500, seed=9)
    history = run(system, data, valid, steps=2, compile=True)
    assert compiled == list(system.parts().values())
    assert math.isfinite(history.rows[-1]["valid_loss"])
    torch.manual_seed(0)
    again = architectures.create(system.name, system.preset)
    assert history.losses == pytest.approx(run(again, data, valid, steps=2).losses, rel=1e-4), "compiled or not"


@pytest.mark.slow
@pytest.mark.skipif(not any(map(shutil.which, ("c++", "g++", "clang++"))), reason="inductor needs a C++ compiler")
@pytest.mark.parametrize("name", ["one_voice", "talkers"])
def test_compiled_by_inductor_the_losses_are_the_same(name, shelf):
    def losses(compile):
        torch.manual_seed(0)
        fresh = architectures.create(name, "tiny")
        return run(fresh, Synthetic(fresh, items=4, samples=2000), steps=2, compile=compile).losses

    assert losses(True) == pytest.approx(losses(False), rel=1e-3)
