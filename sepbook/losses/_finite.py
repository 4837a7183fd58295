"""What losses say when they meet NaN or infinity: which tensor holds it, and where. Taught on: book/losses/waveform."""

import torch
from torch import Tensor


class NotFiniteError(ValueError):
    """A loss met NaN or infinity: the training loop says in which item. Taught on: book/losses/waveform."""


def labelled(numbers, letters) -> str:
    """Write a shape or a place, as in (B=2, S=4, C=1, N=16000); without letters as in (2, 4, 1, 16000).

    Taught on: book/losses/waveform
    """
    if not letters:
        return str(tuple(numbers))
    return "(" + ", ".join(f"{letter}={number}" for letter, number in zip(letters, numbers, strict=True)) + ")"


def first(bad: Tensor, letters) -> str:
    """Write the place of the first True, as in (B=0, S=1, C=0, F=3, T=5). Taught on: book/losses/spectrogram."""
    return labelled(bad.nonzero()[0].tolist(), letters)


def check_all(letters, **given: Tensor) -> None:
    """Raise NotFiniteError that says where the first NaN or infinity is. Taught on: book/losses/permutation."""
    for name, x in given.items():
        if not x.isfinite().all():
            at = first(~x.detach().isfinite(), letters)
            raise NotFiniteError(f"the {name} hold NaN or infinity, first at {at}: look at what made them")


def check_values(values: Tensor, units: str, letters, otherwise=None, **given: Tensor) -> None:
    """Raise NotFiniteError that says what made a value of a loss, `(B, …)`, NaN or infinite.

    What was given is searched only when a value is bad, so that a good step costs nothing, and a compiled loss never
    looks. `otherwise(**given)` may know of another cause. Taught on: book/losses/waveform
    """
    if torch.compiler.is_compiling() or values.isfinite().all():
        return
    for name, x in given.items():
        bad = ~x.isfinite()
        if bad.any():
            raise NotFiniteError(
                f"the {name} hold {int(bad.sum())} {units} that are NaN or infinite, the first at "
                f"{first(bad, letters)}; look at what made them"
            )
    if otherwise:
        otherwise(**given)
    largest = max(x.abs().max().item() for x in given.values())
    raise NotFiniteError(f"the {units} are finite, but as large as {largest:.1e}: the squares exceed float32")
