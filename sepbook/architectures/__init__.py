"""The systems, by name: `create("unet")` builds one, `names()` lists them.

A system is one file of this folder with `Config`, `PRESETS`, `RECIPES` and `SYSTEM`; nothing else has to be edited to
add one. A file of one's own lies anywhere: `adopt("my_system.py")` makes it known.

Taught on: book/architectures/unet
"""

import dataclasses
import difflib
import importlib
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sepbook.architectures import _own
from sepbook.architectures._fields import FieldError, bounded, check_fields, first_line, short

if TYPE_CHECKING:
    from sepbook.architectures.base import System
    from sepbook.architectures.recipe import Recipe

__all__ = [
    "FieldError",
    "UnknownError",
    "adopt",
    "configure",
    "create",
    "module",
    "names",
    "plan",
    "presets",
    "pretrained",
    "recipe_of",
]

SHARED = ("base", "published", "recipe", "streaming")  # files of this folder that are no systems
OWN = {}  # systems of one's own: the module of each, by name


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
    near = difflib.get_close_matches(str(given)[:100], list(choices), n=1)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    raise UnknownError(
        f"{kind} {short.repr(given)} is unknown{owner and f' to {owner!r}'}{hint} Choose one of: {', '.join(choices)}"
    )


def names() -> tuple[str, ...]:
    """Return the names of the book's systems, sorted; imports none of them. Taught on: book/architectures/unet."""
    files = Path(__file__).parent.glob("*.py")
    return tuple(sorted(f.stem for f in files if not f.stem.startswith("_") and f.stem not in SHARED))


def adopt(path: str | Path) -> str:
    """Run a file of one's own that holds a system, and return its name, that of the file; `create` knows it then.

    `adopt("my_system.py")` makes "my_system" known until Python ends; call it again after each change of the file. Run
    only files that you have written or read. Raises OwnError (a ValueError) for a file that cannot be run or a name
    that a system of the book has, ContractError for one that lacks a line, and OSError where there is no such file.
    Taught on: book/training/putting_it_together
    """
    path = Path(path)
    name = _own.name_of(path, (*names(), *SHARED))
    found = _own.load(path)
    _check_lines(found, str(path))
    _own.check_kinds(found, path)
    OWN[name] = found
    return name


def module(name: str):
    """Import and return the module of a system. Raises UnknownError. Taught on: book/architectures/unet."""
    if isinstance(name, str) and name in OWN:
        return OWN[name]
    if isinstance(name, str) and name in names():
        return importlib.import_module(f"sepbook.architectures.{name}")
    if _own.is_file_name(name):
        raise UnknownError(f"{str(name)[:100]} is a file: adopt it first, then create the system by its name")
    _refuse("system", name, (*names(), *OWN))


def _file_of(name: str) -> str:
    """Return where a system's lines stand."""
    return OWN[name].__file__ if name in OWN else f"sepbook/architectures/{name}.py"


def _check_lines(found, file: str) -> None:
    """Raise ContractError unless a system's module has all that the shelf reads."""
    for line, example in NEEDED.items():
        if not hasattr(found, line):
            raise ContractError(f"{file} has no {line}: write {example}")
    recipes = found.RECIPES if isinstance(found.RECIPES, dict) else {}
    if "small" not in recipes:
        given = ", ".join(recipes) or "nothing"
        raise ContractError(f"{file}: RECIPES has no 'small', only {given}: write {NEEDED['RECIPES']}")


def _whole(name: str):
    """Return a system's module, once it has all that the shelf reads."""
    found = module(name)
    _check_lines(found, _file_of(name))
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
    Raises UnknownError for a name, preset or field that does not exist, and lists the ones that do; FieldError for a
    value that the field cannot hold; ValueError for a network that cannot be built; ContractError where the system's
    file lacks a line.
    Taught on: book/architectures/unet
    """
    if overrides:
        plan(name, preset, overrides)
    return _build(name, preset, configure(name, preset, overrides))


def pretrained(
    name: str,
    published: str = "",
    path: str | Path | None = None,
    progress: bool = True,
    sha256: str = "",
    **changes,
) -> "System":
    """Build a system with the weights that its authors published; it comes back in eval mode.

    `published` names a set, the first is the default; all are in `sepbook.architectures.published.PUBLISHED`:

    - "open_unmix": "umxhq" (MUSDB18-HQ), "umx" (MUSDB18), "umxl" (more songs, for non-commercial use only), "umxse"
      (speech and noise).
    - "spleeter": "4stems", "2stems", "5stems"; `path` is the file that
      `sepbook.architectures.published.convert_spleeter` has written.
    - "conv_tasnet": "music", "music_extra" (Demucs' package), "libri2mix" (torchaudio's), "asteroid" (Libri2Mix).
      Nobody has published hashes of the last two: give `sha256`, from somebody whom you trust.
    - "demucs": "v2", "v2_extra", "v2_48"; "v1", "v1_light" from a file that was written anew, and the error says how.
    - "denoiser": "dns48", "dns64", "master64"; `normalize="running"` makes a system that can stream.

    Files are downloaded to the folder `path` (unless given, PyTorch's own) and kept; their hash is compared each time.
    `changes` replace fields of the configuration that touch no weight. `evaluation.separation` brings a song to the
    level at which the weights were trained, also where that is not the book's (`trained_level`, in dB): Demucs and
    music's Conv-TasNet heard songs divided by their deviation.

    Raises PublishedError (a ValueError) for a set or system that is not known here, without a network, and for a file
    that is damaged, holds more than numbers or belongs to another system. Taught on: book/architectures/open_unmix
    """
    from sepbook.architectures.published import load

    return load(name, published, path, progress, sha256, **changes)


def plan(name: str, preset: str, overrides: Mapping[str, Any]) -> "System":
    """Build a system that has shapes and no memory: is it one that can be built? Raises ValueError as `create` does.

    Taught on: book/architectures/unet
    """
    import torch

    config = configure(name, preset, overrides)
    try:
        with torch.device("meta"), bounded(), warnings.catch_warnings(action="ignore"):
            return _build(name, preset, config)
    except ValueError:
        raise
    except Exception as error:  # whatever breaks, it is the given values
        fields = ", ".join(f"{field}={short.repr(value)}" for field, value in overrides.items())
        raise ValueError(f"{name} cannot be built with {fields} ({first_line(error)})") from error


def configure(name: str, preset: str = "small", overrides: Mapping[str, Any] = MappingProxyType({})):
    """Return the configuration of a preset, with single fields replaced. Raises UnknownError and FieldError.

    Taught on: book/architectures/unet
    """
    found = _whole(name)
    if not isinstance(preset, str) or preset not in found.PRESETS:
        _refuse("preset", preset, found.PRESETS, name)
    config = found.PRESETS[preset]
    fields = [field.name for field in dataclasses.fields(config)]
    for field in overrides:
        if field not in fields:
            _refuse("field", field, fields, name)
    overrides = {field: _frozen(value) for field, value in overrides.items()}
    check_fields(config, overrides, found.PRESETS)
    return dataclasses.replace(config, **overrides)


def _build(name: str, preset: str, config) -> "System":
    system = module(name).SYSTEM(config)
    system.name, system.preset, system.task = name, preset, recipe_of(name, preset).task
    stride = getattr(system, "stride", None)
    if not (isinstance(stride, int) and stride > 0):
        raise ContractError(
            f"{_file_of(name)}: {type(system).__name__} "
            f"{'says no stride' if stride is None else f'has the stride {stride!r}'}; write in its __init__ "
            "self.stride = config.hop, or by how many whole samples a chunk may be shifted without changing the answer"
        )
    return system


def _frozen(value):
    """Lists become tuples, and numbers of NumPy become Python's: a configuration survives JSON."""
    if isinstance(value, list | tuple):
        return tuple(_frozen(v) for v in value)
    return value.item() if hasattr(value, "item") and getattr(value, "shape", None) == () else value
