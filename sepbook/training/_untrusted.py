"""A file of weights before it is trusted: what it promises is compared with what the system needs, without memory.

Everything here raises ValueError with what is wrong; `sepbook.training.checkpoint` adds the file.
"""

import json
import reprlib

import torch
from torch import Tensor

LARGEST_HEADER = 16 << 20  # bytes; the largest of ours has a hundredth of that
TYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8,
    "BOOL": torch.bool, "C64": torch.complex64,
}  # fmt: skip
FLOATS = (torch.float64, torch.float32, torch.float16, torch.bfloat16)  # any of these can be made another


def check_size(path) -> None:
    """Refuse a header of a size that no network needs, before it is read."""
    with open(path, "rb") as file:
        size = int.from_bytes(file.read(8), "little")
    if LARGEST_HEADER < size < 1 << 48:  # above that it is no size but text, or a pickle
        raise ValueError(f"its header has {size:,} bytes, and {LARGEST_HEADER:,} is the most that is read")


def about(text: str | None):
    """Return our part of the header, or None where there is none that can be read."""
    try:
        return json.loads(text or "null")
    except RecursionError:
        raise ValueError("its header is nested too deeply") from None


def described(header: dict) -> tuple[str, str, dict]:
    """Return system, preset and configuration of a header. What they hold is checked where they are used."""
    name, preset, config = header.get("system"), header.get("preset"), header.get("config")
    for what, value, kind in (("system", name, str), ("preset", preset, str), ("config", config, dict)):
        if not isinstance(value, kind):
            raise ValueError(f"its header says {what}={reprlib.repr(value)}, and does not describe a system")
    return name, preset, config


def promised(file) -> dict[str, tuple]:
    """Return `{name: (shape, type)}` of all tensors in an open file, without reading them."""
    parts = {key: file.get_slice(key) for key in file.keys()}  # noqa: SIM118
    return {
        key: (tuple(part.get_shape()), TYPES.get(part.get_dtype(), part.get_dtype())) for key, part in parts.items()
    }


def shapes(tensors: dict[str, Tensor]) -> dict[str, tuple]:
    """Return `{name: (shape, type)}` of tensors in memory."""
    return {key: (tuple(value.shape), value.dtype) for key, value in tensors.items()}


def compare(name: str, given: dict[str, tuple], own: dict[str, tuple]) -> None:
    """Refuse the first tensor that is missing, too much, or of another shape or type than the system's own."""
    for key in sorted(own.keys() | given.keys()):
        if key not in given:
            raise ValueError(f"the weight {key!r} of system {name!r} is missing")
        if key not in own:
            raise ValueError(f"holds a weight {key[:80]!r} that system {name!r} does not have")
        (shape, kind), (own_shape, own_kind) = given[key], own[key]
        if shape != own_shape:
            raise ValueError(f"weight {key!r} is {reprlib.repr(shape)}, but the system expects {own_shape}")
        if kind != own_kind and not (kind in FLOATS and own_kind in FLOATS):
            raise ValueError(f"weight {key!r} holds {_word(kind)} numbers, but the system expects {_word(own_kind)}")


def _word(kind) -> str:
    return str(kind).removeprefix("torch.")


def converted(weights: dict[str, Tensor], own: dict[str, tuple]) -> dict[str, Tensor]:
    """Return weights in the types of the system; refuse NaN, infinity, what overflows, and negative variances."""
    found = {}
    for key, value in weights.items():
        found[key] = value.to(own[key][1])
        if not value.is_floating_point() and not value.is_complex():
            continue
        if not value.isfinite().all():
            raise ValueError(f"weight {key!r} holds NaN or infinity; the training run had failed")
        if not found[key].isfinite().all():
            raise ValueError(
                f"weight {key!r} holds numbers too large for {_word(own[key][1])}, up to {value.abs().max()}"
            )
        if key.endswith("running_var") and (value < 0).any():
            raise ValueError(f"weight {key!r} holds a variance below 0, which no training run leaves behind")
    return found
