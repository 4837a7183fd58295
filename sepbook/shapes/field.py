"""Receptive fields: which input samples can reach one position of an output.

A convolution reads `kernel` positions, `dilation` apart, and moves on by `stride`. So position t of its output reads
the positions `t * stride - padding + m * dilation` of its input, for m = 0 … kernel - 1. Applying this rule layer by
layer leads back to the samples of the mixture. After a transposed convolution neighbouring positions read different
taps; the pattern repeats after `stride` positions. A `Field` therefore holds one period of positions.

Taught on: book/building_blocks/convolution
"""

from dataclasses import dataclass, field
from math import gcd, inf, lcm

import numpy as np


@dataclass(frozen=True, eq=False)
class Field:
    """The input samples that each position of an axis can see.

    Position `r` of a period sees samples `first[r] … last[r]`; one period later, `hop` samples later. The default is
    the input itself: every position sees one sample. Where nothing is seen (`kernel < stride`), `first > last`.
    Taught on: book/building_blocks/convolution
    """

    first: np.ndarray = field(default_factory=lambda: np.zeros(1))
    last: np.ndarray = field(default_factory=lambda: np.zeros(1))
    hop: int = 1

    @property
    def period(self) -> int:
        """After how many positions the pattern repeats."""
        return len(self.first)

    @property
    def samples(self) -> int:
        """How many samples one position spans at most, from the first to the last that it sees."""
        return int(max(np.max(self.last - self.first) + 1, 0))

    def at(self, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the first and the last sample that these positions see."""
        periods, rest = np.divmod(positions, self.period)
        return self.first[rest] + periods * self.hop, self.last[rest] + periods * self.hop

    def convolved(self, kernel: int = 1, stride: int = 1, padding: int = 0, dilation: int = 1) -> "Field":
        """Return the field behind a convolution. With kernel 1, a negative padding crops the beginning of the axis."""
        period = self.period // gcd(self.period, stride)
        first, last = np.full(period, inf), np.full(period, -inf)
        for tap in range(kernel):
            a, b = self.at(np.arange(period) * stride - padding + tap * dilation)
            first, last = np.minimum(first, a), np.maximum(last, b)
        return Field(first, last, self.hop * period * stride // self.period)

    def transposed(self, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> "Field":
        """Return the field behind a transposed convolution: input i paints `i * stride - padding + tap * dilation`."""
        period = self.period * stride
        first, last = np.full(period, inf), np.full(period, -inf)
        for tap in range(kernel):
            start = tap * dilation - padding
            painted = np.arange(start % stride, period, stride)
            a, b = self.at((painted - start) // stride)
            first[painted], last[painted] = np.minimum(first[painted], a), np.maximum(last[painted], b)
        return Field(first, last, self.hop)

    def joined(self, other: "Field") -> "Field | None":
        """Return the union of two paths that meet; None where they move through the input at different speeds."""
        if self.hop * other.period != other.hop * self.period:
            return None
        positions = np.arange(lcm(self.period, other.period))
        (a, b), (c, d) = self.at(positions), other.at(positions)
        return Field(np.minimum(a, c), np.maximum(b, d), self.hop * len(positions) // self.period)
