"""What a training may be asked for: a recipe becomes a configuration, and what makes no sense is refused in words."""

import math

import pytest

from sepbook import architectures
from sepbook.architectures.recipe import Recipe
from sepbook.training.config import CLASSES, LIMITS, SCHEDULES, TrainConfig, TrainingError

RECIPE = Recipe(
    task="songs",
    batch_size=3,
    optimizer="adamw",
    optimizer_options={"betas": (0.5, 0.9)},
    learning_rate=0.02,
    schedule="warmup",
    schedule_options={"steps": 5},
    weight_decay=0.1,
    clip_norm=2.0,
    average=0.9,
    augment=("flip_sign", "remix"),
    steps={"lab": 1, "first": 4, "shipped": 40, "full": 400},
    short={"learning_rate": 0.05, "schedule": "constant", "schedule_options": {}},
)


def test_a_recipe_becomes_a_configuration():
    found = TrainConfig.of(RECIPE)
    assert (found.steps, found.batch_size, found.learning_rate, found.schedule) == (40, 3, 0.02, "warmup")
    assert (found.optimizer, found.weight_decay, found.clip_norm, found.average) == ("adamw", 0.1, 2.0, 0.9)
    assert found.optimizer_options == {"betas": (0.5, 0.9)} and found.schedule_options == {"steps": 5}
    assert found.augment == ("flip_sign", "remix") == TrainConfig(augment=["flip_sign", "remix"]).augment
    short = TrainConfig.of(RECIPE, 4, seed=7, batch_size=1)
    assert (short.steps, short.learning_rate, short.schedule, short.seed, short.batch_size) == (
        4,
        0.05,
        "constant",
        7,
        1,
    )
    assert TrainConfig.of(RECIPE, 5).learning_rate == 0.02, "short fields end with the first run"


def test_every_recipe_of_the_book_is_one():
    for name in architectures.names():
        for recipe in architectures.module(name).RECIPES.values():
            for steps in recipe.steps.values():
                assert TrainConfig.of(recipe, steps).steps == steps


@pytest.mark.parametrize("optimizer", CLASSES)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_what_belongs_together_is_taken(optimizer, schedule):
    TrainConfig(optimizer=optimizer, schedule=schedule, clip_norm=math.inf, compile="graphs", folder=None)


def test_options_are_copies_and_a_path_is_a_word(tmp_path):
    options = {"momentum": 0.9}
    config = TrainConfig(optimizer="sgd", optimizer_options=options, folder=tmp_path)
    options["momentum"] = -1
    assert config.optimizer_options == {"momentum": 0.9} and config.folder == str(tmp_path)


NAN, INF = math.nan, math.inf
WRONG = {
    "steps": (0, -1, 2.5, "10", None, True),
    "batch_size": (0, -3, 1.5, None),
    "learning_rate": (0, 0.0, -1e-3, NAN, INF, "fast", None, True),
    "schedule": ("step", "", None, ["cosine"]),
    "weight_decay": (-0.1, NAN, INF, "none"),
    "clip_norm": (0, -1, -INF, NAN, None, "5"),
    "patience": (-1, 1.5, None),
    "seed": (-1, 0.5, 1 << 60, None),
    "workers": (-1, 1.5, "2"),
    "compile": ("fast", 1, None),
    "resume": ("yes", 1, None),
    "precision": ("half", "", None, 16),
    "hold_tracks": ("yes", 1, 0),
    "save_every": (0, -1, 0.5, None),
    "optimizer": ("adagrad", "Adam", None, ["adam"]),
    "average": (1, -0.1, 1.5, NAN, "0.9"),
    "augment": ("remix", ("flipsign",), (3,), None, {"remix": 4}),
    "optimizer_options": (
        {"lr": 1.0}, {"weight_decay": 0.1}, {"fused": True}, {"maximize": True}, {"beta": 0.9}, {"momentum": 0.9},
        {"betas": (0.9,)}, {"betas": 0.9}, {"betas": (0.9, 1.0)}, {"betas": ("a", "b")}, {"eps": -1.0}, {"eps": NAN},
        {"eps": None}, [("eps", 1e-8)], None, "eps=1",
    ),
    "schedule_options": ({"steps": 5}, {"patience": 3}, None, "steps=5"),
}  # fmt: skip
MORE = [  # options of the other optimisers and schedules
    {"optimizer": "sgd", "optimizer_options": {"momentum": -1}},
    {"optimizer": "sgd", "optimizer_options": {"nesterov": True}},
    {"optimizer": "sgd", "optimizer_options": {"betas": (0.9, 0.99)}},
    {"optimizer": "rmsprop", "optimizer_options": {"alpha": "much"}},
    {"optimizer": "adamw", "optimizer_options": {"amsgraad": True}},
    {"schedule": "constant", "schedule_options": {"factor": 0.5}},
    {"schedule": "plateau", "schedule_options": {"factor": 1.0}},
    {"schedule": "plateau", "schedule_options": {"factor": "half"}},
    {"schedule": "plateau", "schedule_options": {"patience": "long"}},
    {"schedule": "plateau", "schedule_options": {"threshold_mode": "db"}},
    {"schedule": "plateau", "schedule_options": {"mode": "min"}},
    {"schedule": "plateau", "schedule_options": {"steps": 3}},
    {"schedule": "warmup", "schedule_options": {"steps": 0}},
    {"schedule": "warmup", "schedule_options": {"steps": 2.5}},
    {"schedule": "warmup", "schedule_options": {"then": "plateau"}},
    {"schedule": "warmup", "schedule_options": {"climb": 3}},
]


def test_the_table_has_every_field_with_limits():
    assert set(WRONG) == {*LIMITS, "optimizer_options", "schedule_options"}


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in WRONG.items() for value in values])
def test_a_field_that_makes_no_sense_is_named(field, value):
    with pytest.raises(TrainingError, match=field):
        TrainConfig(**{field: value})


@pytest.mark.parametrize("fields", MORE)
def test_an_option_that_nobody_knows_is_named(fields):
    with pytest.raises(TrainingError, match=f"^({'|'.join(fields)}): ."):
        TrainConfig(**fields)


def test_a_recipe_with_strange_steps_or_fields_is_refused():
    for steps in (0, "many", 1.5):
        with pytest.raises(TrainingError, match="steps"):
            TrainConfig.of(RECIPE, steps)
    with pytest.raises(TrainingError, match="'colour' is no field"):
        TrainConfig.of(RECIPE, colour="red")
