"""What many checks begin with: random numbers that are the same each time, and a word on which input a hint is about.

A check draws all its cases from here. `variant(7)` lets it draw others: an answer that was made for the usual cases
alone fails then, and a right one passes.

Taught on: book/how_to_read
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from sepbook.shapes.dims import parse_item

_variant = 0  # which set of cases is drawn


@contextmanager
def variant(number: int) -> Iterator[None]:
    """Let all checks draw another set of cases for the length of a `with` block; 0 is the usual one.

    Taught on: book/how_to_read
    """
    global _variant
    before, _variant = _variant, number
    try:
        yield
    finally:
        _variant = before


def case_seed(seed: int = 0) -> int:
    """Return the seed of a case in the variant that is in force. Taught on: book/how_to_read."""
    return seed + 1_000_003 * _variant


def dice(seed: int = 0) -> torch.Generator:
    """Return a source of random numbers that gives the same ones for the same seed. Taught on: book/how_to_read."""
    return torch.Generator().manual_seed(case_seed(seed))


def noise(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return normally distributed numbers of this shape, the same ones for the same seed.

    Taught on: book/how_to_read
    """
    return torch.randn(*shape, generator=dice(seed), dtype=dtype)


def near(number: float, seed: int = 0) -> float:
    """Return a whole number from `number` to a fifth more, the same one for the same seed.

    Taught on: book/how_to_read
    """
    return float(round(number * (1 + 0.2 * float(torch.rand((), generator=dice(seed))))))


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Let what is made inside depend on the seed alone, and the notebook's own random numbers go on as if nothing was.

    Taught on: book/how_to_read
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(case_seed(seed))
        yield


def about(*inputs: tuple, **named: tuple) -> str:
    """Say which input a hint is about, in pairs of dims and shape: `about(x=("B H T", x.shape))`.

    Taught on: book/how_to_read
    """
    shown = [parse_item(dims).show(shape) for dims, shape in inputs]
    shown += [f"{name} {parse_item(dims).show(shape)}" for name, (dims, shape) in named.items()]
    return f"It is about {'the input ' if inputs else ''}{' and '.join(shown)}."
