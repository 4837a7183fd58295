"""Checkpoints: one safetensors file each, written so that no crash can leave a broken one.

The tensors are the weights (and, while training, the optimiser's); a JSON header says which system they belong to.
safetensors holds numbers only: unlike a pickle it cannot run code when it is opened.

Taught on: book/training/loop
"""

import dataclasses
import json
import os
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from sepbook import architectures
from sepbook.architectures.base import System

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
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        _settle(path.parent)
    except OSError as error:
        raise CheckpointError(
            f"{path}: could not be written ({error.strerror or error}); an earlier checkpoint there is untouched. "
            "Free some space or choose another folder"
        ) from error
    finally:
        temporary.unlink(missing_ok=True) if temporary.parent.is_dir() else None


def _settle(folder: Path) -> None:
    """Let a new name in a folder survive a power cut, where the system lets folders be flushed (Windows does not)."""
    if os.name == "posix":
        entry = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(entry)
        finally:
            os.close(entry)


def read(path: str | Path) -> tuple[dict[str, Tensor], dict]:
    """Read tensors and header. Raises CheckpointError for anything that is not one of our files.

    Taught on: book/training/loop
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"{path}: there is no such file; checkpoints end in .safetensors")
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {}).get(HEADER, "null"))
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError, RuntimeError, MemoryError) as error:
        hint = "it is truncated or damaged"
        with open(path, "rb") as file:
            start = file.read(2)
        if start[:1] == b"\x80" or start == b"PK":
            hint = "it looks like a pickle (torch.save), which could run code when opened, so it is refused"
        raise CheckpointError(f"{path}: not a readable safetensors checkpoint; {hint} ({error})") from error
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise CheckpointError(f"{path}: a safetensors file, but not written by sepbook (no {HEADER!r} header)")
    return tensors, header


def describe(system: System) -> dict:
    """Return what it takes to build this system again, ready for JSON. Taught on: book/training/loop."""
    return {"system": system.name, "preset": system.preset, "config": dataclasses.asdict(system.config)}


def save_weights(path: str | Path, system: System, half: bool = False, **notes) -> None:
    """Save a system's weights and buffers. `half` stores floats in 16 bits, for half the size.

    `notes` (JSON values, for example steps and seed) are kept in the header. Raises CheckpointError.
    Taught on: book/training/loop
    """
    tensors = system.state_dict()
    if half:
        tensors = {k: v.half() if v.is_floating_point() else v for k, v in tensors.items()}
    write(path, tensors, {**describe(system), "notes": notes})


def load_weights(path: str | Path, expect: str | None = None) -> System:
    """Build the system that a checkpoint describes and load its weights; it comes back in eval mode.

    `expect` names the system that it must be. Raises CheckpointError for a damaged file, another system, or weights
    that do not fit. Taught on: book/training/loop
    """
    tensors, header = read(path)
    name = header.get("system")
    if expect is not None and name != expect:
        raise CheckpointError(f"{path}: holds the weights of system {name!r}, but {expect!r} was asked for")
    try:
        system = architectures.create(name, header.get("preset", ""), **header.get("config", {}))
    except (ValueError, TypeError) as error:
        raise CheckpointError(f"{path}: its header does not describe a system of this version ({error})") from error
    prefix = "system." if any(key.startswith("system.") for key in tensors) else ""
    weights = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
    fill(system, weights, path)
    return system.eval()


def fill(system: System, weights: dict[str, Tensor], path: str | Path) -> None:
    """Copy weights into a system. Raises CheckpointError that names what does not fit.

    Taught on: book/training/loop
    """
    own = system.state_dict()
    for key in sorted(own.keys() | weights.keys()):
        if key not in weights:
            raise CheckpointError(f"{path}: the weight {key!r} of system {system.name!r} is missing")
        if key not in own:
            raise CheckpointError(f"{path}: holds a weight {key!r} that system {system.name!r} does not have")
        if own[key].shape != weights[key].shape:
            raise CheckpointError(
                f"{path}: weight {key!r} is {tuple(weights[key].shape)}, but the system expects {tuple(own[key].shape)}"
            )
    if bad := [key for key, value in weights.items() if value.is_floating_point() and not value.isfinite().all()]:
        raise CheckpointError(f"{path}: weight {bad[0]!r} holds NaN or infinity; the training run had failed")
    system.load_state_dict({k: v.to(own[k].dtype) for k, v in weights.items()})


def shipped(name: str, preset: str = "small") -> System:
    """Load the trained weights that come with the book: `shipped("unet")`.

    Raises CheckpointError when there are none for this system and preset. Taught on: book/training/loop
    """
    path = WEIGHTS / f"{name}_{preset}.safetensors"
    if not path.is_file():
        architectures.module(name)  # an unknown name gets its own error
        have = ", ".join(sorted(p.stem for p in WEIGHTS.glob("*.safetensors"))) or "none yet"
        raise CheckpointError(f"no trained weights are shipped for {name!r}, preset {preset!r}; there are: {have}")
    return load_weights(path, expect=name)


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
