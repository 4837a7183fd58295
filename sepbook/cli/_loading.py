"""From the words of the command line to systems and tracks."""

import json
import warnings
from pathlib import Path

import torch

from sepbook import architectures
from sepbook.data import tasks
from sepbook.training import checkpoint
from sepbook.training.device import choose
from sepbook.training.rehearsal import rehearse

BUILT_IN = "corpus"  # what --data is without a folder


def adopted(name: str | None) -> str | None:
    """The name of a system; a file of one's own becomes one."""
    if name is None or name in architectures.names():
        return name
    if not name.endswith(".py") and Path(f"{name}.py").is_file():
        raise ValueError(f"{name} is no system of the book, but {name}.py is a file here: write {name}.py")
    return architectures.adopt(name) if name.endswith(".py") else name


def load_system(name: str | None, preset: str | None, weights: Path | None, device: str):
    """A trained system on its device: from a file of weights, or the one that comes with the book."""
    where, file = choose(device).device, name
    if weights is not None:
        return from_weights(adopted(name), preset, weights).to(where)
    if (name := adopted(name)) in architectures.OWN:
        run = f"runs/{name}_{preset or 'small'}/weights.safetensors"
        raise ValueError(f"{file}: the book has no weights of a system of your own; give yours too, --weights {run}")
    return checkpoint.shipped(name or "unet", preset or "small").to(where)


def from_weights(name: str | None, preset: str | None, weights: Path):
    """The system that a file of weights describes; another preset than the one asked for is refused."""
    system = checkpoint.load_weights(weights, expect=name)
    if preset not in (None, system.preset):
        raise ValueError(
            f"{weights}: holds weights of the preset {system.preset!r}, but --preset {preset} was asked for; leave "
            "--preset out, or take other weights"
        )
    notes = checkpoint.read(weights)[1].get("notes")
    if system.name in architectures.OWN:
        rehearse(system)
    learned = notes.get("task") if isinstance(notes, dict) else None
    if learned in tasks.names() and learned != "folder":  # it is scored on what it has learned
        system.task = learned
    return system


def begin_with(name: str, preset: str | None, fields: list[str], weights: Path | None):
    """A system to train: a fresh one, or one that goes on from weights."""
    name = adopted(name)
    if weights is None:
        return create_system(name, preset or "small", fields)
    if fields:
        raise ValueError(
            f"--from {weights} and --set {fields[0]}: the weights say how the system is built; leave --set out, or "
            "train anew without --from"
        )
    return from_weights(name, preset, weights)


def find_task(system, name: str | None, data: str, allow_missing: bool) -> tasks.Task:
    """The data for a system: that of its own task, or of the one named, from the corpus or from a folder."""
    folder = None if data == BUILT_IN else data
    if name is None:
        name = system.task if folder is None or system.task == "vocals" else "folder"
    return tasks.task(name, folder, allow_missing)


def create_system(name: str, preset: str, fields: list[str]):
    """A fresh system, with single fields of its configuration replaced."""
    overrides = dict(map(parse_field, fields))
    if fields:
        _try_fields(name, preset, fields, overrides)
    return architectures.create(name, preset, **overrides)


def _try_fields(name: str, preset: str, fields: list[str], overrides: dict) -> None:
    """Build the system without memory and send one second through it: whatever breaks, it is the given values."""
    try:
        system = architectures.plan(name, preset, overrides)
        with torch.device("meta"), warnings.catch_warnings(action="ignore"):
            system.eval()(torch.zeros(1, system.channels, system.sample_rate))
    except architectures.FieldError as error:
        example = json.dumps(error.example, separators=(",", ":"))
        given = [text for text in fields if text.partition("=")[0].strip() == error.field][-1]  # the last one counts
        wanted = f"expected {error.expected}, like {example}: --set '{error.field}={example}'"
        raise ValueError(f"--set {given}: {wanted}") from error
    except (architectures.UnknownError, NotImplementedError):  # the latter: a step that the meta device lacks
        architectures.configure(name, preset, overrides)
    except Exception as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"--set {' '.join(fields)}: {name} cannot be built like this ({reason})") from error


def parse_field(text: str) -> tuple[str, object]:
    """Split `hop=512` into a name and a value; a value that is not JSON is a word."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise ValueError(f"--set {text}: expected FIELD=VALUE, for example --set hop=512")
    try:
        return name.strip(), json.loads(value)
    except ValueError:
        return name.strip(), value
