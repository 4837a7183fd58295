"""From a system's recipe to what the loop takes: data to train on, data to choose the best weights by, and how.

::

    torch.manual_seed(0)
    system = create("unet")
    history = train(system, *by_recipe(system, steps=350))    # the run that the book quotes

The command line, the labs and the tools all take this way, so that they train the same run.

Taught on: book/training/loop
"""

import dataclasses
from typing import NamedTuple

from torch.utils.data import Dataset

from sepbook.architectures import recipe_of
from sepbook.architectures.base import System
from sepbook.architectures.recipe import Recipe
from sepbook.data.tasks import Task, kind
from sepbook.training.config import TrainConfig


class Ingredients(NamedTuple):
    """What `train` takes after the system, in its order. Taught on: book/training/loop."""

    data: Dataset
    valid: Dataset | None
    config: TrainConfig


def by_recipe(
    system: System, steps: int | None = None, seed: int = 0, data: Task | None = None, **changes
) -> Ingredients:
    """Follow the recipe of a system that `create` has made: what to train on, what to validate on, and how.

    Without `steps` it is the run behind the shipped weights; `data` takes the place of the recipe's task. `changes`
    replace single fields of the recipe (``seconds``, ``mixing``, ``learning_rate``…) or of `TrainConfig` (``folder``,
    ``device``…). Seed before you create the system, for the same weights again. Raises TrainingError for a field that
    does not exist or a value that makes no sense, TaskError for a task that does not exist.
    Taught on: book/training/loop
    """
    recipe = recipe_of(system.name, system.preset)
    steps = recipe.steps["shipped"] if steps is None else steps
    own = [field.name for field in dataclasses.fields(Recipe) if field.name not in ("task", "steps", "short")]
    recipe = dataclasses.replace(recipe.at(steps), **{k: v for k, v in changes.items() if k in own})
    rest = {k: v for k, v in changes.items() if k not in own}
    config = TrainConfig.of(recipe, steps, seed=seed, **rest)  # first: it refuses what makes no sense
    data, fits = data or kind(recipe.task)(), (system.sample_rate, system.channels)
    same = data.mixtures is kind(recipe.task).mixtures or "mixing" in changes
    mixing = recipe.mixing if same else {}  # items of another kind are mixed in their own way
    training = data.training(*fits, recipe.seconds, recipe.items(steps), seed, mixing)
    labels = {"labels": mixing["labels"]} if mixing.get("labels") else {}  # what is learned from is validated too
    return Ingredients(training, data.validation(*fits, **labels), config)
