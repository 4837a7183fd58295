"""How a run is trained: steps, optimiser, schedule and the rest, checked before anything is made of them.

Taught on: book/training/loop
"""

import inspect
import math
import operator
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import torch
from torch.optim.lr_scheduler import ReduceLROnPlateau

from sepbook.architectures.recipe import Recipe
from sepbook.data.augmentation import check_names
from sepbook.training.device import FORMATS

CLASSES = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "sgd": torch.optim.SGD,
    "rmsprop": torch.optim.RMSprop,
}
SCHEDULES = ("constant", "cosine", "warmup", "plateau")
# Fields of the configuration, and what decides how a step is computed instead of which step it is.
OURS = ("self", "params", "lr", "weight_decay", "foreach", "fused", "capturable", "differentiable", "maximize")
WARMUP = {"steps": "number of steps that the rate climbs", "then": "'cosine' or 'constant'"}


class TrainingError(RuntimeError):
    """A run that cannot begin or go on. Taught on: book/training/loop."""


@dataclass(frozen=True)
class TrainConfig:
    """How to train. Steps and seed define the result, not the clock.

    Raises TrainingError for a value that makes no sense; it names the field. Taught on: book/training/loop
    """

    steps: int = 350
    batch_size: int = 8  # items per step and process
    learning_rate: float = 3e-3  # at its highest
    schedule: str = "cosine"  # how the rate falls: see `sepbook.training.descent.learning_rate`
    weight_decay: float = 0.0
    clip_norm: float = 5.0  # longest allowed gradient, as a vector over all weights; inf: any
    patience: int = 0  # epochs without a better validation before stopping early; 0: never
    seed: int = 0
    workers: int = 0  # processes that prepare batches; 0: the loop does it itself
    device: str = "auto"
    compile: bool | str = False  # compile the parts of the system (torch.compile); "graphs": with CUDA graphs
    folder: str | None = None  # where last.safetensors and best.safetensors go
    resume: bool = False  # go on where last.safetensors stopped, if it is there
    save_every: int = 100  # steps between checkpoints
    optimizer: str = "adam"  # or "adamw", "sgd", "rmsprop"
    optimizer_options: Mapping[str, Any] = field(default_factory=dict)  # as PyTorch's optimiser calls them
    schedule_options: Mapping[str, Any] = field(default_factory=dict)
    precision: str = "auto"  # of the parts: "float32", "bfloat16" or "float16"; else what suits the device
    hold_tracks: bool | None = None  # mix on the device; None: where a card has room for all tracks
    average: float = 0.0  # decay of a moving average of the weights, which is validated and kept; 0: none
    augment: tuple[str, ...] = ()  # what happens to each batch on the device: see `sepbook.data.augmentation`

    def __post_init__(self):
        for name in ("optimizer_options", "schedule_options"):
            given = getattr(self, name)
            if not isinstance(given, Mapping):
                raise TrainingError(f"{name} is {given!r}; expected names and values, for example {{'eps': 1e-8}}")
            object.__setattr__(self, name, dict(given))
        if self.folder is not None:
            object.__setattr__(self, "folder", os.fspath(self.folder))
        for name, (kind, holds, wanted) in LIMITS.items():
            given = getattr(self, name)
            if not (kind(given) and holds(given)):
                raise TrainingError(f"{name} is {given!r}; expected {wanted}")
        _check_options(self)
        try:
            object.__setattr__(self, "augment", check_names(self.augment))
        except ValueError as error:
            raise TrainingError(f"augment: {error}") from error

    @classmethod
    def of(cls, recipe: Recipe, steps: int | None = None, **overrides) -> "TrainConfig":
        """Return what a recipe says for a run of so many steps; without a number, of those behind the shipped weights.

        `overrides` replace single fields. Raises TrainingError. Taught on: book/training/loop
        """
        steps = recipe.steps["shipped"] if steps is None else steps
        recipe = recipe.at(steps) if _whole(steps) else recipe
        own = [f.name for f in fields(cls) if f.name != "steps"]
        if unknown := [name for name in overrides if name not in own]:
            raise TrainingError(f"{unknown[0]!r} is no field of a training; there are: {', '.join(own)}")
        return cls(**{name: getattr(recipe, name) for name in own if hasattr(recipe, name)} | overrides, steps=steps)


def _whole(value) -> bool:
    try:
        return not isinstance(value, bool) and operator.index(value) == value
    except (TypeError, RuntimeError):
        return False


def _real(value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value)


def _truth(value) -> bool:
    return isinstance(value, bool)


def _any(value) -> bool:
    return True


LIMITS = {  # field: kind of value, what must hold, and the same in words
    "steps": (_whole, lambda v: v >= 1, "a whole number, 1 or more"),
    "batch_size": (_whole, lambda v: v >= 1, "a whole number, 1 or more"),
    "learning_rate": (_real, lambda v: 0 < v < math.inf, "a number above 0, for example 0.002"),
    "schedule": (_any, lambda v: v in SCHEDULES, f"one of {', '.join(map(repr, SCHEDULES))}"),
    "weight_decay": (_real, lambda v: 0 <= v < math.inf, "a number, 0 (none) or more"),
    "clip_norm": (_real, lambda v: v > 0, "a number above 0, for example 5; infinity leaves every gradient as it is"),
    "patience": (_whole, lambda v: v >= 0, "a whole number of epochs, 0 (never stop early) or more"),
    "seed": (_whole, lambda v: 0 <= v < 1 << 40, "a whole number, 0 or more"),
    "workers": (_whole, lambda v: v >= 0, "a whole number of processes, 0 (the loop itself) or more"),
    "compile": (_any, lambda v: _truth(v) or v == "graphs", "True, False or 'graphs' (with CUDA graphs)"),
    "resume": (_truth, _any, "True or False"),
    "save_every": (_whole, lambda v: v >= 1, "a whole number of steps, 1 or more"),
    "optimizer": (_any, lambda v: v in [*CLASSES], f"one of {', '.join(map(repr, CLASSES))}"),
    "precision": (_any, lambda v: v in ("auto", *FORMATS), f"one of auto, {', '.join(FORMATS)}"),
    "hold_tracks": (_any, lambda v: v is None or _truth(v), "True, False or None (where they fit)"),
    "average": (_real, lambda v: 0 <= v < 1, "0 (none) or a decay below 1, for example 0.999"),
    "augment": (_any, lambda v: isinstance(v, list | tuple), "a list of names, for example ['flip_sign', 'remix']"),
}


def _check_options(config: TrainConfig) -> None:
    """Raise TrainingError for an option that PyTorch's class does not know or take."""
    kind = CLASSES[config.optimizer]
    known = [name for name in inspect.signature(kind).parameters if name not in OURS]
    _refuse_unknown("optimizer_options", config.optimizer, config.optimizer_options, known)
    plateau = [p for p in inspect.signature(ReduceLROnPlateau).parameters if p not in ("optimizer", "mode")]
    known = {"plateau": plateau, "warmup": list(WARMUP)}.get(config.schedule, [])
    _refuse_unknown("schedule_options", config.schedule, config.schedule_options, known)
    if config.schedule == "warmup":
        _check_warmup(config.schedule_options)
    tried = "optimizer_options", config.optimizer
    try:
        optimizer = kind([torch.zeros(1)], lr=config.learning_rate, **config.optimizer_options)
        tried = "schedule_options", config.schedule
        if config.schedule == "plateau":
            falls = ReduceLROnPlateau(optimizer, **config.schedule_options)
            falls.step(0.0), falls.step(0.0)
    except (ValueError, TypeError, IndexError, AttributeError, RuntimeError) as error:
        raise TrainingError(f"{tried[0]}: {tried[1]!r} does not take these values ({error})") from error


def _refuse_unknown(what: str, owner: str, options, known: list[str]) -> None:
    for name in options:
        if name not in known:
            have = f"it has: {', '.join(known)}" if known else "it has none"
            raise TrainingError(f"{what}: {owner!r} has no option {name!r}; {have}")


def _check_warmup(options) -> None:
    climb, then = options.get("steps", 1), options.get("then", "cosine")
    if not (_whole(climb) and climb >= 1):
        raise TrainingError(f"schedule_options: steps is {climb!r}; expected the {WARMUP['steps']}, 1 or more")
    if then not in ("cosine", "constant"):
        raise TrainingError(f"schedule_options: then is {then!r}; expected {WARMUP['then']}")
