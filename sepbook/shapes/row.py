"""One line of a ledger: what a module was given, what it returned, and what it cost.

Taught on: book/how_to_read
"""

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from math import prod

from sepbook.shapes.dims import Item, bare


@dataclass(frozen=True)
class Shape:
    """The shape of one tensor: sizes, and letters where `dims` declares them. Taught on: book/how_to_read."""

    name: str
    sizes: tuple[int, ...]
    item: Item | None = None

    def __str__(self):
        return self.item.show(self.sizes) if self.item else bare(self.sizes)


@dataclass
class Row:
    """One call of one module.

    `parameters` and `macs` (multiply-accumulates) are its own: what belongs to a row below is counted there, and
    weights that are used twice count once. `receptive_field` is that of the output, in steps of the mixture's last
    axis, or None. `milliseconds` is the time of the whole call, parts included, or None. The model itself has the
    path "". `leads` tells whether the ledger shows the call by itself.
    Taught on: book/how_to_read
    """

    path: str
    kind: str
    inputs: list[Shape] = field(default_factory=list)
    outputs: list[Shape] = field(default_factory=list)
    parameters: int = 0
    macs: int = 0
    receptive_field: int | None = None
    milliseconds: float | None = None
    leads: bool = True
    parent: int | None = None  # number of the call that made this one
    uncounted: Counter = field(default_factory=Counter)  # operations whose MACs nobody has counted
    reads: list = field(default_factory=list)  # where each input comes from (see `origins`)
    gives: list = field(default_factory=list)  # where each output comes from, inside
    times: int = 1  # how many calls this row stands for

    @property
    def depth(self) -> int:
        """How many modules this one lies in: 0 for the model itself."""
        return self.path.count(".") + 1 if self.path else 0

    @property
    def title(self) -> str:
        """The path, and how often the call comes: `blocks.0…7 (8 times)`, `stacks.0…2.0…7 (3 × 8 times)`."""
        path = self.path or "(model)"
        counts = [int(b) - int(a) + 1 for a, b in re.findall(r"\b(\d+)…(\d+)\b", path)]
        times = " × ".join(map(str, counts)) if prod(counts) == self.times else str(self.times)
        return f"{path} ({times} times)" if self.times > 1 else path

    @property
    def input(self) -> tuple[int, ...]:
        """The sizes of the first input."""
        return self.inputs[0].sizes if self.inputs else ()

    @property
    def output(self) -> tuple[int, ...]:
        """The sizes of the first output."""
        return self.outputs[0].sizes if self.outputs else ()


def fold(calls: list[Row], depth: int | None = None) -> list[Row]:
    """Return the rows that lead, down to `depth`; a hidden call's costs go to the nearest row above it.

    Taught on: book/how_to_read
    """
    shown = {i: replace(row) for i, row in enumerate(calls) if row.leads and (depth is None or row.depth <= depth)}
    for i, row in enumerate(calls):
        above = i
        while above is not None and above not in shown:
            above = calls[above].parent
        if above is not None and above != i:
            shown[above].parameters += row.parameters
            shown[above].macs += row.macs
    return list(shown.values())
