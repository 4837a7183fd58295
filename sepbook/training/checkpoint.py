"""Checkpoints: one safetensors file each, written so that no crash can leave a broken one.

The tensors are the weights (and, while training, the optimiser's); a JSON header says which system they belong to.
safetensors holds numbers only: unlike a pickle it cannot run code when it is opened.

Taught on: book/training/loop
"""

import dataclasses
import json
import os
from contextlib import contextmanager, suppress
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from sepbook import architectures
from sepbook._interrupts import interrupts_wait
from sepbook.architectures.base import System
from sepbook.training import _manifest
from sepbook.training._untrusted import about, check_size, compare, converted, described, promised, shapes

FORMAT = 1
HEADER = "sepbook"  # key of our JSON in the file's header
WEIGHTS = Path(__file__).parent.parent / "assets" / "weights"


class CheckpointError(ValueError):
    """A checkpoint that cannot be read, written or used here. Taught on: book/training/loop."""


def write(path: str | Path, tensors: dict[str, Tensor], header: dict) -> None:
    """Write tensors and a JSON header to one file, atomically.

    The bytes go to a temporary file beside it, are flushed to the disk, and take the name in one step: a reader (or a
    crash) sees the old file or the new one, never a mixture. Raises CheckpointError when that fails; the old file
    stays. Taught on: book/training/loop
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.part")
    tensors = {k: v.detach().cpu().contiguous() for k, v in tensors.items()}
    try:
        data = save(tensors, metadata={HEADER: json.dumps({"format": FORMAT, **header})})
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.unlink(missing_ok=True)  # of a run that was killed, or planted
        with open(temporary, "xb") as file:  # x: never through a link, never into a file that is there
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        _flush_folder(path.parent)
    except OSError as error:
        raise CheckpointError(
            f"{path}: could not be written ({error.strerror or error}); an earlier checkpoint there is untouched. "
            "Free some space or choose another folder"
        ) from error
    finally:
        temporary.unlink(missing_ok=True) if temporary.parent.is_dir() else None


def _flush_folder(folder: Path) -> None:
    """Make the new name last too, where the system can: without power, the file would be there without a name."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def _opened(path: Path):
    """Open a file of ours for a `with` block: yield it and its header. Whatever breaks in there, it is the file."""
    if not path.is_file():
        raise CheckpointError(f"{path}: there is no such file; checkpoints end in .safetensors")
    try:
        check_size(path)
        with interrupts_wait(), safe_open(path, framework="pt") as file:
            header = about((file.metadata() or {}).get(HEADER))
            if not isinstance(header, dict) or header.get("format") != FORMAT:
                raise CheckpointError(f"{path}: a safetensors file, but not written by sepbook (no {HEADER!r} header)")
            yield file, header
    except CheckpointError:
        raise
    except Exception as error:
        raise CheckpointError(f"{path}: not a readable safetensors checkpoint; {_guess(path)} ({error})") from error


def _guess(path: Path) -> str:
    """Say what a file seems to be that is no checkpoint."""
    try:
        with open(path, "rb") as file:
            start = file.read(2)
    except OSError:
        return "it cannot be opened"
    if start[:1] == b"\x80" or start == b"PK":
        return "it looks like a pickle (torch.save), which could run code when opened, so it is refused"
    return "it is truncated or damaged"


def read(path: str | Path) -> tuple[dict[str, Tensor], dict]:
    """Read tensors and header. Raises CheckpointError for anything that is not one of our files.

    Taught on: book/training/loop
    """
    with _opened(Path(path)) as (file, header):
        return {key: file.get_tensor(key) for key in file.keys()}, header  # noqa: SIM118


def describe(system: System) -> dict:
    """Return what it takes to build this system again, ready for JSON. Taught on: book/training/loop."""
    return {"system": system.name, "preset": system.preset, "config": dataclasses.asdict(system.config)}


def save_weights(path: str | Path, system: System, half: bool = False, **notes) -> None:
    """Save a system's weights and buffers. `half` stores floats in 16 bits, for half the size.

    `notes` (JSON values, for example steps and seed) are kept in the header. Raises CheckpointError, also for a weight
    that is too large for 16 bits. Taught on: book/training/loop
    """
    tensors = system.state_dict()
    if half:
        half_of = {k: (v.shape, torch.float16 if v.is_floating_point() else v.dtype) for k, v in tensors.items()}
        with _about(path):
            tensors = converted(tensors, half_of)
    write(path, tensors, {**describe(system), "notes": notes})


def load_weights(path: str | Path, expect: str | None = None) -> System:
    """Build the system that a checkpoint describes and load its weights; it comes back in eval mode.

    `expect` names the system that it must be. The file is not trusted: the system is built without memory first, and
    every shape and type compared, before a weight is read. Raises CheckpointError for a damaged file, another system,
    or weights that do not fit. Taught on: book/training/loop
    """
    path = Path(path)
    with _opened(path) as (file, header):
        with _about(path):
            name, preset, fields = described(header)
        if expect is not None and name != expect:
            raise CheckpointError(f"{path}: holds the weights of system {name[:80]!r}, but {expect!r} was asked for")
        _check_known(name, path)
        try:
            plan = architectures.plan(name, preset, fields)
        except (ValueError, TypeError, RecursionError) as error:
            raise CheckpointError(f"{path}: its header does not describe a system of this version ({error})") from error
        there = promised(file)
        prefix = "system." if any(key.startswith("system.") for key in there) else ""
        mine = {key.removeprefix(prefix): promise for key, promise in there.items() if key.startswith(prefix)}
        with _about(path):
            compare(name, mine, shapes(plan.state_dict()))
        system = architectures.create(name, preset, **fields)
        fill(system, {key: file.get_tensor(prefix + key) for key in mine}, path)
    return system.eval()


def _check_known(name: str, path: Path) -> None:
    """Raise CheckpointError for a system that is not known here; that of a reader lies in a file of its own."""
    try:
        architectures.module(name)
    except architectures.UnknownError as error:
        own = name.isascii() and name.isidentifier() and len(name) < 60
        mend = f". If it is a system of your own, give its file too: --system {name}.py, or adopt('{name}.py')"
        raise CheckpointError(
            f"{path}: its header does not describe a system of this version ({error}){mend if own else ''}"
        ) from error


def fill(system: System, weights: dict[str, Tensor], path: str | Path) -> None:
    """Copy weights into a system. Raises CheckpointError that names what does not fit.

    Taught on: book/training/loop
    """
    own = shapes(system.state_dict())
    with _about(path):
        compare(system.name, shapes(weights), own)
        weights = converted(weights, own)
    system.load_state_dict(weights)


@contextmanager
def _about(path: str | Path):
    """Put the file in front of what is said about it."""
    try:
        yield
    except ValueError as error:
        raise CheckpointError(f"{path}: {error}") from error


def shipped(name: str, preset: str = "small", task: str | None = None) -> System:
    """Load the trained weights that come with the book: `shipped("unet")`.

    `task` is what they were trained on, unless given that of the preset's recipe. Raises CheckpointError when there are
    none for this system, and when the file is not the one that assets/weights/manifest.json lists.
    Taught on: book/training/loop
    """
    task = task or architectures.recipe_of(name, preset).task  # an unknown name gets its own error
    try:
        path = _manifest.find(WEIGHTS, name, preset, task)
    except ValueError as error:
        raise CheckpointError(str(error)) from error
    return load_weights(path, expect=name)


def shelf(task: str | None = None) -> list[tuple[str, str]]:
    """Return system and preset of all weights that come with the book, of one task or of all.

    Taught on: book/architectures/overview
    """
    rows = [row for row in _manifest.rows(WEIGHTS) if row["kind"] == "system" and task in (None, row["task"])]
    return [(row["system"], row["preset"]) for row in rows]


def flatten_optimizer(optimizer: torch.optim.Optimizer) -> tuple[dict[str, Tensor], dict]:
    """Split an optimiser's state into tensors for safetensors and numbers for JSON.

    Taught on: book/training/loop
    """
    state = optimizer.state_dict()
    tensors, numbers = {}, {}
    for index, entries in state["state"].items():
        for key, value in entries.items():
            (tensors if torch.is_tensor(value) else numbers)[f"optimizer.{index}.{key}"] = value
    return tensors, {"groups": state["param_groups"], "numbers": numbers}


def unflatten_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor], rest: dict) -> None:
    """Undo `flatten_optimizer` into an optimiser over the same parameters. Taught on: book/training/loop."""
    state: dict[int, dict] = {}
    for name, value in {**tensors, **rest["numbers"]}.items():
        if name.startswith("optimizer."):
            _, index, key = name.split(".", 2)
            state.setdefault(int(index), {})[key] = value
    optimizer.load_state_dict({"state": state, "param_groups": rest["groups"]})
