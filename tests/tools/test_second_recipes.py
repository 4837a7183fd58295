"""Second recipes: one choice differs, the course is the same, and the rows are of the systems as they are today."""

import copy
import json
from dataclasses import asdict, replace

import pytest
import torch
from torch.utils.data import Dataset

from sepbook.architectures import create, recipe_of
from sepbook.training.config import TrainConfig
from sepbook.training.loop import train
from sepbook.training.recipes import by_recipe
from tools.results import _edition, second_recipes
from tools.results._common import read
from tools.results.second_recipes import SECOND, StoppedAt

ROWS = read("architectures/second_recipes").get("systems", {})


class Noise(Dataset):
    """Items of two sources, each another one; an epoch has four."""

    endless, source_names, sample_rate, channels = True, ("talker_1", "talker_2"), 8000, 1

    def __len__(self):
        return 4

    def __getitem__(self, number):
        sources = torch.randn(2, 1, 4000, generator=torch.Generator().manual_seed(number))
        return {"sources": sources, "mixture": sources.sum(0)}


def test_a_stopped_run_is_the_beginning_of_the_whole_one():
    torch.manual_seed(0)
    whole = create("mask_inference", "tiny")
    part = copy.deepcopy(whole)
    config = TrainConfig(steps=8, batch_size=2)
    longer = train(whole, Noise(), config=config)
    shorter = train(part, StoppedAt(Noise(), items=8), config=config)
    assert shorter.stopped == "interrupted" and shorter.steps == 4 and [row["step"] for row in shorter.rows] == [2, 4]
    assert shorter.losses == longer.losses[:4] and longer.steps == 8


@pytest.mark.parametrize("name", SECOND)
def test_one_choice_differs_or_it_shipped_before_and_it_can_be_trained(name):
    second = SECOND[name]
    system, steps = create(name, "tiny", **second.config), second.steps or recipe_of(name, "small").steps["shipped"]
    first = asdict(create(name, "small").config)
    assert len(second.config) + len(second.recipe) == 1 or second.steps
    assert all(first[field] != value for field, value in second.config.items())
    recipe = vars(recipe_of(name, "small"))
    assert all(recipe[field] != value for field, value in second.recipe.items())
    data, valid, config = by_recipe(system, steps, 0, **second.recipe)
    assert config.steps == steps and len(data) * second.looks <= steps * config.batch_size
    assert (second.looks == 0) == (second.steps > 0)


def test_a_curve_ends_where_it_was_to_end(monkeypatch):
    ingredients = Noise(), None, TrainConfig(steps=6, batch_size=2)
    monkeypatch.setattr(second_recipes, "by_recipe", lambda *given, **changes: ingredients)
    monkeypatch.setitem(SECOND, "mask_inference", replace(SECOND["mask_inference"], config={}, looks=2))
    monkeypatch.setattr(second_recipes, "gain_of", lambda row: row["loss"])  # there is nothing to validate on here
    found = second_recipes.curve("mask_inference", preset="tiny", steps=6)
    assert found["until"] == 4 and [step for step, _ in found["validation"]] == [2, 4]
    monkeypatch.setitem(SECOND, "mask_inference", replace(SECOND["mask_inference"], looks=0))
    whole = second_recipes.curve("mask_inference", preset="tiny", steps=6)
    assert whole["until"] == 6 and [step for step, _ in whole["validation"]] == [2, 4, 6]
    assert whole["validation"][:2] == found["validation"]  # one course, not stopped


@pytest.mark.parametrize("name", ROWS)
def test_a_row_is_of_the_system_as_it_is_today(name):
    row, steps = ROWS[name], recipe_of(name, "small").steps["shipped"]
    assert row["edition"] == _edition.of_system(name, "small", steps)
    assert row["choice"] == json.loads(json.dumps(asdict(SECOND[name])))  # a file knows no tuples
    assert row["steps"] == (SECOND[name].steps or steps)
    if SECOND[name].steps:
        assert len(row["validation"]) == 10 and row["validation"][-1][0] == row["steps"]
        return
    run = read(f"architectures/{name}")["small"][f"steps_{steps}"]
    shipped = [step for step, _ in run["validation"]]
    assert [step for step, _ in row["validation"]] == shipped[: len(row["validation"])]
