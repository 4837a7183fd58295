"""What `by_recipe` makes of a system's recipe, and that the loop takes it as it is."""

import pytest
import torch

from sepbook.architectures import create, module, recipe_of
from sepbook.architectures.recipe import Recipe
from sepbook.data.tasks import TaskError, task
from sepbook.training.config import TrainConfig, TrainingError
from sepbook.training.loop import train
from sepbook.training.recipes import by_recipe


def test_the_recipe_is_followed_to_the_letter():
    data, valid, config = by_recipe(create("unet", "tiny"), steps=400, seed=5)
    recipe = recipe_of("unet", "tiny")
    assert config == TrainConfig.of(recipe, 400, seed=5)
    assert data.settings()["seconds"] == recipe.seconds and len(data) == recipe.items(400)
    assert (data.seed, data.incoherent, data.gain_db) == (5, 0.5, (-4.0, 2.0))
    assert (valid.seed, valid.incoherent) == (1, 0.0)
    assert by_recipe(create("unet", "tiny")).config.steps == recipe.steps["shipped"]


@pytest.mark.parametrize("steps", [4, 400])
def test_what_is_learned_from_is_validated_too(steps):
    data, valid, _ = by_recipe(create("unet_joint", "tiny"), steps)
    assert data.labels == valid.labels == ("vocal_activity", "f0")
    assert by_recipe(create("unet", "tiny"), steps).valid.labels == ()
    other = by_recipe(create("unet_joint", "tiny"), steps, data=task("talkers"))
    assert other.data.levels == (-2.5, 2.5), "another kind of items has no such labels"


def test_single_fields_are_replaced_in_short_runs_too():
    changed = {"mixing": {"incoherent": 0.25}, "clip_norm": 1.0, "schedule": "constant", "workers": 2}
    data, _, config = by_recipe(create("unet", "tiny"), steps=3, **changed)
    assert data.incoherent == 0.25
    assert (config.clip_norm, config.schedule, config.workers) == (1.0, "constant", 2)


def test_another_task_is_mixed_in_its_own_way():
    talk = task("talkers")
    assert by_recipe(create("unet", "tiny"), 400, data=talk).data.levels == (-2.5, 2.5)
    assert by_recipe(create("unet", "tiny"), 400, data=talk, mixing={"gain_db": (0, 0)}).data.levels == (0, 0)
    assert by_recipe(create("unet", "tiny"), 400, data=task("vocals")).data.incoherent == 0.5, "of songs, too"


@pytest.mark.parametrize(
    ("recipe", "changes", "error", "words"),
    [
        (Recipe("songs"), {"optimizer": "adamm"}, TrainingError, "optimizer is 'adamm'; expected one of 'adam'"),
        (Recipe("songs", optimizer="lion"), {}, TrainingError, "optimizer is 'lion'"),
        (Recipe("songs", schedule="steps"), {}, TrainingError, "schedule is 'steps'; expected one of 'constant'"),
        (Recipe("sings"), {}, TaskError, "task 'sings' is unknown; did you mean 'songs'"),
        (Recipe("folder"), {}, TaskError, "needs a folder of stems"),
        (Recipe("songs", mixing={"snr_db": 3}), {}, TaskError, "knows no mixing 'snr_db'"),
        (Recipe("songs"), {"rate": 3}, TrainingError, "'rate' is no field of a training"),
        (Recipe("songs"), {"seconds": 0}, ValueError, "seconds=0"),
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused_in_words(monkeypatch, recipe, changes, error, words):
    monkeypatch.setitem(module("unet").RECIPES, "tiny", recipe)
    with pytest.raises(error, match=words):
        by_recipe(create("unet", "tiny"), 2, **changes)


def test_the_loop_takes_it_and_the_seed_decides():
    def run(seed):
        torch.manual_seed(seed)
        system = create("unet", "tiny")
        data, _, config = by_recipe(system, 2, seed, seconds=0.5, batch_size=2)
        train(system, data, None, config, progress=False)
        return torch.cat([value.flatten().float() for value in system.state_dict().values()])

    first = run(0)
    assert torch.equal(first, run(0)) and not torch.equal(first, run(1))
