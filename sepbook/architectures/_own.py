"""A system of one's own: a file that is no part of the package, read, run, and asked for the lines that it needs.

Only a file that somebody names is run. A file of weights may say that it belongs to a system, never where that lies.
"""

import dataclasses
import sys
from pathlib import Path
from types import ModuleType

from sepbook._told import told

ENDING = ".py"
FIELDS = {  # what every configuration has, with a line that would do
    "source_names": 'source_names: tuple[str, ...] = ("vocals",)',
    "sample_rate": "sample_rate: int = 16000",
    "channels": "channels: int = 1",
}


class OwnError(ValueError):
    """A file that cannot become a system; the message has the file, the line where there is one, and a way out."""


def is_file_name(text) -> bool:
    """Tell whether somebody means a file, and no name of a system."""
    return isinstance(text, Path) or (isinstance(text, str) and text.strip().endswith(ENDING))


def name_of(path: Path, taken) -> str:
    """Return the name of the system in a file: that of the file. Raises OwnError for a name that it cannot have."""
    name = path.stem
    if path.suffix != ENDING:
        raise OwnError(f"{path}: a system is a file of Python; its name ends in {ENDING}, as in my_system.py")
    if not (name.isidentifier() and name.isascii() and name[0].isalpha()):
        raise OwnError(
            f"{path}: {name!r} cannot be the name of a system. Take letters, digits and _, beginning with a letter, as "
            "in my_system.py"
        )
    if name in taken:
        raise OwnError(f"{path}: the book has a system {name!r} already. Call your file otherwise, my_{name}.py")
    return name


def load(path: Path) -> ModuleType:
    """Run a file and return it as a module. Raises OwnError where it cannot be run, and OSError where it is not there.

    It is read anew each time, so that what was edited counts.
    """
    found = ModuleType(f"own_{path.stem}", "A system of one's own.")
    found.__file__ = str(path)
    sys.modules[found.__name__] = found  # dataclasses look their module up
    try:
        exec(compile(path.read_bytes(), str(path), "exec"), found.__dict__)
    except OSError as error:
        if error.filename == str(path):
            raise  # the file itself
        raise OwnError(f"{path}: {told(error, path)}") from error
    except (Exception, SystemExit) as error:
        raise OwnError(f"{path}: {told(error, path)}. Mend that first: `python {path.name}` must run") from error
    return found


def check_kinds(found: ModuleType, path: Path) -> None:
    """Raise OwnError unless PRESETS, RECIPES and SYSTEM are what they are to be."""
    from sepbook.architectures.base import System
    from sepbook.architectures.recipe import Recipe

    for table, kind, example in (("PRESETS", object, "Config()"), ("RECIPES", Recipe, 'Recipe(task="songs")')):
        rows = getattr(found, table)
        if not isinstance(rows, dict) or "small" not in rows or not all(isinstance(r, kind) for r in rows.values()):
            raise OwnError(f'{path}: {table} must be a dict with a row "small": {table} = {{"small": {example}}}')
    for preset, config in found.PRESETS.items():
        _check_config(preset, config, path)
    if stray := [preset for preset in found.RECIPES if preset not in found.PRESETS]:
        raise OwnError(f"{path}: RECIPES has {stray[0]!r}, which is no preset; there are: {', '.join(found.PRESETS)}")
    if not (isinstance(found.SYSTEM, type) and issubclass(found.SYSTEM, System)):
        raise OwnError(
            f"{path}: SYSTEM must be the class itself, and that a System: class MySystem(System), with `from "
            "sepbook.architectures.base import System`; and at the end SYSTEM = MySystem, without brackets"
        )


def _check_config(preset: str, config, path: Path) -> None:
    """Raise OwnError unless a preset is an object of a frozen dataclass with the fields that every system has."""
    about = f"{path}: the preset {preset!r}"
    if not dataclasses.is_dataclass(config) or isinstance(config, type):
        raise OwnError(f"{about} must be a configuration, Config(), where Config is a class with @dataclass above it")
    if not type(config).__dataclass_params__.frozen:
        raise OwnError(f"{about} could be changed by mistake: write @dataclass(frozen=True) above its class")
    fields = {field.name for field in dataclasses.fields(config)}
    for name, line in FIELDS.items():
        if name not in fields:
            raise OwnError(f"{about} has no field {name}: write {line}")
