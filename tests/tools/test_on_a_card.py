"""Recipes tried on a card: each can be trained, and has its row with what the tool says of it."""

import json
from dataclasses import asdict

import pytest
import torch

from sepbook.architectures import create, module, recipe_of
from tools.results import on_a_card
from tools.results._common import read
from tools.results.on_a_card import TRIED, Try

FOUND = read("architectures/on_a_card")
ALL = [(name, tried) for name, tries in TRIED.items() for tried in tries]


@pytest.mark.parametrize(("name", "tried"), ALL, ids=[f"{name}: {tried.words}" for name, tried in ALL])
def test_what_is_tried_exists_and_has_its_row(name, tried):
    create(name, "small", **tried.config)
    recipe = recipe_of(name, "small")
    assert all(hasattr(recipe, field) for field in tried.recipe)
    rows = [row for row in FOUND["systems"][name] if row["words"] == tried.words]
    assert len(rows) == 1 and rows[0].items() >= json.loads(json.dumps(asdict(tried))).items()
    steps, gains = zip(*rows[0]["validation"], strict=True)
    assert list(steps) == sorted(steps) and steps[-1] == tried.steps and max(gains) > 0
    with torch.device("meta"):
        assert rows[0]["parameters"] == sum(p.numel() for p in create(name, "small", **tried.config).parameters())


def test_the_card_has_a_name_and_no_row_is_of_something_else():
    assert "NVIDIA" in FOUND["card"]
    assert {name: len(rows) for name, rows in FOUND["systems"].items()} == {k: len(v) for k, v in TRIED.items()}


def test_a_course_is_that_of_the_recipe_and_leaves_the_shipped_one_alone():
    before = module("mask_inference").RECIPES["small"]
    tried = Try("shorter, narrower", 2, {"units": 5}, {"seconds": 0.5, "batch_size": 2, "augment": ()})
    found = on_a_card.course("mask_inference", tried, preset="tiny", device="cpu")
    assert [step for step, _ in found["validation"]] == [2] and module("mask_inference").RECIPES["small"] is before
    assert found["parameters"] == sum(p.numel() for p in create("mask_inference", "tiny", units=5).parameters())


def test_without_a_card_the_rows_stay(monkeypatch, capsys):
    monkeypatch.setattr(on_a_card.torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(on_a_card, "write", lambda *_: pytest.fail("written"))
    on_a_card.run()
    assert "no card" in capsys.readouterr().out
