"""Looks at what a recurrent layer is given, and says what is wrong with it.

Taught on: book/building_blocks/recurrent
"""

import math

import torch
from torch import Tensor

from sepbook.shapes.binding import Binding
from sepbook.shapes.dims import bare, parse_item

KINDS = ("rnn", "lstm", "gru")


def check_stack(H_in, H, L, kind, bidirectional, dropout, forget_bias) -> None:
    """Raise ValueError, which names the field, unless a stack can be built like this.

    Taught on: book/building_blocks/recurrent
    """
    for name, value in (("H_in", H_in), ("H", H), ("L", L)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} is {value!r}; expected a whole number of at least 1")
    if kind not in KINDS:
        raise ValueError(f"kind {kind!r} is unknown; choose one of {', '.join(KINDS)}")
    if not isinstance(bidirectional, bool):
        raise ValueError(f"bidirectional is {bidirectional!r}; expected True or False")
    if not _number(dropout) or not 0 <= dropout < 1:
        raise ValueError(f"dropout is {dropout!r}; expected a share from 0 to below 1, such as 0.3")
    if forget_bias is not None and kind != "lstm":
        raise ValueError(f"forget_bias is {forget_bias!r}, but kind {kind!r} has no forget gate; leave it out")
    if forget_bias is not None and (not _number(forget_bias) or not math.isfinite(forget_bias)):
        raise ValueError(f"forget_bias is {forget_bias!r}; expected a finite number, or None for PyTorch's own start")


def _number(value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def check_input(x: Tensor, H_in: int, dtype: torch.dtype) -> None:
    """Raise ValueError unless `x` is `(B, T, H)` with H = H_in, at least one frame, and numbers of the right type.

    Words are looked for only when something is wrong. Taught on: book/building_blocks/recurrent
    """
    if not isinstance(x, Tensor):
        raise ValueError(f"the input is a {type(x).__name__}; expected a tensor (B, T, H) with H={H_in}")
    if x.dim() != 3 or x.shape[2] != H_in:
        binding = Binding("RecurrentStack")
        binding.sizes, binding.origin = {"H": H_in}, {"H": "H_in, with which the stack was built"}
        binding.match(parse_item("B T H"), x.shape, "the input")
    if x.shape[1] == 0:
        raise ValueError(
            f"the input {bare(x.shape)} has no frame: axis T (frame) is 0. A recurrent layer reads at least one frame; "
            "leave empty chunks out"
        )
    _check_type(x, "the input", dtype)


def _check_type(x: Tensor, name: str, dtype: torch.dtype) -> None:
    if x.is_complex():
        raise ValueError(
            f"{name} is complex ({x.dtype}); a recurrent layer takes real numbers. Give it magnitudes, x.abs(), or "
            "real and imaginary parts side by side, torch.view_as_real(x).flatten(-2)"
        )
    if not x.is_floating_point():
        raise ValueError(f"{name} is of type {x.dtype}; a recurrent layer takes floating point numbers: x.float()")
    if x.dtype != dtype and not torch.is_autocast_enabled(x.device.type):
        raise ValueError(
            f"{name} is {x.dtype} and the weights are {dtype}: convert one of them, x.to({dtype}) or "
            f"stack.to({x.dtype})"
        )


def check_state(state, kind: str, shape: tuple[int, int, int], dtype: torch.dtype) -> None:
    """Raise ValueError unless `state` is one that `stream` could have returned: `(L, B, H)`, a pair for an LSTM.

    Taught on: book/building_blocks/recurrent
    """
    names = ("state h", "state c") if kind == "lstm" else ("state h",)
    parts = state if kind == "lstm" else (state,)
    whole = isinstance(parts, tuple | list) and len(parts) == len(names)
    if not whole or not all(isinstance(part, Tensor) for part in parts):
        wanted = "a pair of tensors (h, c)" if kind == "lstm" else "one tensor h"
        given = f"a {type(state).__name__}" + (f" of {len(state)}" if isinstance(state, tuple | list) else "")
        raise ValueError(
            f"the state is {given}; the state of kind {kind!r} is {wanted}, each {bare(shape)}. "
            "Pass on what stream returned, or None to begin"
        )
    for part, name in zip(parts, names, strict=True):
        if tuple(part.shape) != shape:
            binding = Binding("RecurrentStack")
            binding.sizes = dict(zip("LBH", shape, strict=True))
            binding.origin = {"L": "the stack", "B": "the input", "H": "the stack"}
            binding.match(parse_item("L B H"), part.shape, name)
        _check_type(part, name, dtype)
