"""The systems, by name: `create("unet")` builds one, `names()` lists them.

A system is one file of this folder with `Config`, `PRESETS`, `RECIPES` and `SYSTEM`; nothing else has to be edited to
add one.

Taught on: book/architectures/unet
"""

import dataclasses
import difflib
import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sepbook.architectures.base import System
    from sepbook.architectures.recipe import Recipe

SHARED = ("base", "recipe", "streaming")  # files of this folder that are no systems


class UnknownError(ValueError):
    """A name of a system, preset or field that does not exist. Taught on: book/architectures/unet."""


class ContractError(ValueError):
    """A system's file lacks a line that every one needs; the message has it. Taught on: book/architectures/unet."""


NEEDED = {  # what a system's file has at its top level: a line that would do
    "PRESETS": 'PRESETS = {"small": Config()}',
    "RECIPES": 'RECIPES = {"small": Recipe(task="songs")}',
    "SYSTEM": "SYSTEM = MySystem",
}


def _refuse(kind: str, given: Any, choices, owner: str = "") -> None:
    near = difflib.get_close_matches(str(given), list(choices), n=1)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    raise UnknownError(
        f"{kind} {given!r} is unknown{owner and f' to {owner!r}'}{hint} Choose one of: {', '.join(choices)}"
    )


def names() -> tuple[str, ...]:
    """Return the names of all systems, sorted; imports none of them. Taught on: book/architectures/unet."""
    files = Path(__file__).parent.glob("*.py")
    return tuple(sorted(f.stem for f in files if not f.stem.startswith("_") and f.stem not in SHARED))


def module(name: str):
    """Import and return the module of a system. Raises UnknownError. Taught on: book/architectures/unet."""
    if name not in names():
        _refuse("system", name, names())
    return importlib.import_module(f"sepbook.architectures.{name}")


def _whole(name: str):
    """Return a system's module, once it has all that the shelf reads."""
    found = module(name)
    for line, example in NEEDED.items():
        if not hasattr(found, line):
            raise ContractError(f"sepbook/architectures/{name}.py has no {line}: write {example}")
    if "small" not in found.RECIPES:
        given = ", ".join(found.RECIPES) or "nothing"
        raise ContractError(
            f"sepbook/architectures/{name}.py: RECIPES has no 'small', only {given}: write {NEEDED['RECIPES']}"
        )
    return found


def presets(name: str) -> tuple[str, ...]:
    """Return the names of a system's configurations. Taught on: book/architectures/unet."""
    return tuple(module(name).PRESETS)


def recipe_of(name: str, preset: str = "small") -> "Recipe":
    """Return how a preset is trained: its own recipe, or that of "small" where it states none.

    Raises UnknownError, and ContractError where the system's file states no recipe.
    Taught on: book/architectures/unet
    """
    found = _whole(name)
    if preset not in found.PRESETS:
        _refuse("preset", preset, found.PRESETS, name)
    return found.RECIPES.get(preset, found.RECIPES["small"])


def create(name: str, preset: str = "small", **overrides) -> "System":
    """Build a system with fresh weights.

    `preset` names a configuration of the system's file (``paper``: as published; ``small``: trains on two cores;
    ``tiny``: what tests train);
    `overrides` replace single fields of it. Seed before calling (`torch.manual_seed`) for the same weights again.
    Raises UnknownError for a name, preset or field that does not exist, and lists the ones that do; ContractError
    where the system's file lacks a line. Taught on: book/architectures/unet
    """
    found = _whole(name)
    if preset not in found.PRESETS:
        _refuse("preset", preset, found.PRESETS, name)
    config = found.PRESETS[preset]
    fields = [field.name for field in dataclasses.fields(config)]
    for field in overrides:
        if field not in fields:
            _refuse("field", field, fields, name)
    config = dataclasses.replace(config, **{k: _frozen(v) for k, v in overrides.items()})
    system = found.SYSTEM(config)
    system.name, system.preset, system.task = name, preset, recipe_of(name, preset).task
    stride = getattr(system, "stride", None)
    if not (isinstance(stride, int) and stride > 0):
        raise ContractError(
            f"sepbook/architectures/{name}.py: {type(system).__name__} "
            f"{'says no stride' if stride is None else f'has the stride {stride!r}'}; write in its __init__ "
            "self.stride = config.hop, or by how many whole samples a chunk may be shifted without changing the answer"
        )
    return system


def _frozen(value):
    """Lists become tuples: a configuration that came from JSON equals the one that was written."""
    return tuple(_frozen(v) for v in value) if isinstance(value, list | tuple) else value
