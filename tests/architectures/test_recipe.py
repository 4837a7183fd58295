import pytest

from sepbook import architectures
from sepbook.architectures.recipe import Recipe


def test_a_short_run_takes_the_fields_of_short_runs():
    recipe = Recipe("songs", learning_rate=2e-3, short={"learning_rate": 1e-2})
    first = recipe.steps["first"]
    assert recipe.at(first).learning_rate == 1e-2
    assert recipe.at(first + 1) is recipe


def test_a_preset_without_a_recipe_takes_that_of_small():
    assert architectures.recipe_of("unet", "paper").task == "vocals"
    assert architectures.recipe_of("unet", "small").task == "songs"
    with pytest.raises(architectures.UnknownError, match="preset"):
        architectures.recipe_of("unet", "large")


def test_create_hangs_the_task_of_the_recipe_on_the_system():
    assert architectures.create("unet").task == "songs"
