import dataclasses

import pytest

from sepbook import architectures
from sepbook.architectures.recipe import APART, LOOKS, Recipe


def test_a_short_run_takes_the_fields_of_short_runs():
    recipe = Recipe("songs", learning_rate=2e-3, short={"learning_rate": 1e-2}, steps={"first": 350, "shipped": 3000})
    assert recipe.at(350).learning_rate == 1e-2
    assert recipe.at(351) is recipe
    long = Recipe("songs", short={"learning_rate": 1e-2})
    assert long.at(1) is long, "a recipe that names no first run has no short ones"


def test_what_is_changed_in_the_recipe_of_a_short_run_stays():
    recipe = Recipe("songs", short={"batch_size": 4}, steps={"first": 1}).at(1)
    assert dataclasses.replace(recipe, batch_size=2).at(1).batch_size == 2


@pytest.mark.parametrize(
    ("steps", "items"), [(1, 8), (34, 272), (36, 280), (350, 280), (359, 280), (360, 288), (3000, 2400)]
)
def test_a_run_is_validated_ten_times_but_not_too_often(steps, items):
    assert (LOOKS, APART) == (10, 35)
    assert Recipe("songs", batch_size=8).items(steps) == items


def test_a_preset_without_a_recipe_takes_that_of_small():
    assert architectures.recipe_of("unet", "paper").task == "vocals"
    assert architectures.recipe_of("unet", "small").task == "songs"
    assert architectures.recipe_of("unet", "tiny") == architectures.recipe_of("unet", "small")
    with pytest.raises(architectures.UnknownError, match="preset"):
        architectures.recipe_of("unet", "large")


def test_create_hangs_the_task_of_the_recipe_on_the_system():
    assert architectures.create("unet").task == "songs"


def test_a_recipe_that_says_only_its_task():
    assert dataclasses.asdict(Recipe("songs")) == {
        "task": "songs", "seconds": 3.0, "batch_size": 8, "mixing": {}, "augment": (),
        "optimizer": "adam", "optimizer_options": {}, "learning_rate": 1e-3,
        "schedule": "cosine", "schedule_options": {}, "weight_decay": 0.0, "clip_norm": 5.0, "average": 0.0,
        "steps": {"lab": 60, "shipped": 3000, "full": 30_000}, "short": {},
    }  # fmt: skip
