"""Receptive fields: which input samples can reach one position of a tensor.

A convolution reads `kernel` positions, `dilation` apart, and moves on by `stride`. So position t of its output reads
the positions `t * stride - padding + m * dilation` of its input, for m = 0 … kernel - 1. Applying this rule layer by
layer leads back to the samples of the mixture. After a transposed convolution neighbouring positions read different
taps; the pattern repeats after `stride` positions. A `Field` therefore holds one period of positions.

Time may lie on any axis of a tensor, and after framing on two: sample `t * hop + k` stands at frame t, place k. The
field holds a period of the first, and every place of the second.

Taught on: book/building_blocks/convolution
"""

from dataclasses import dataclass, field, replace
from math import gcd, inf, lcm

import numpy as np


@dataclass(frozen=True, eq=False)
class Field:
    """The input samples that each position of a tensor can see.

    Position `r` of a period sees samples `first[r] … last[r]`; one period later, `hop` samples later. The default is
    the input itself: every position sees one sample. Where nothing is seen (`kernel < stride`), `first > last`.

    `axis` is the tensor's axis that runs along the samples. The other axes of the tensor follow the period in `first`
    and `last`, in order, with size 1 where they do not matter. `run`: how many positions belong together, where
    several items stand one after the other on the axis, as in `(B T)`.
    Taught on: book/building_blocks/convolution
    """

    first: np.ndarray = field(default_factory=lambda: np.zeros(1))
    last: np.ndarray = field(default_factory=lambda: np.zeros(1))
    hop: int = 1
    axis: int = 0
    run: int | None = None

    @classmethod
    def of_input(cls, dims: int, axis: int) -> "Field":
        """Return the field of the input itself: `dims` axes, samples along `axis`."""
        return cls(np.zeros((1,) * dims), np.zeros((1,) * dims), axis=axis % dims)

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
        moved = (periods * self.hop).reshape(-1, *(1,) * (self.first.ndim - 1))
        return self.first[rest] + moved, self.last[rest] + moved

    def like(self, first, last, hop: int | None = None) -> "Field":
        """Return a field of the same axes with other samples."""
        return replace(self, first=first, last=last, hop=self.hop if hop is None else hop)

    def convolved(self, kernel: int = 1, stride: int = 1, padding: int = 0, dilation: int = 1) -> "Field":
        """Return the field behind a convolution. With kernel 1, a negative padding crops the beginning of the axis."""
        period = self.period // gcd(self.period, stride)
        first, last = self._nothing(period)
        for tap in range(kernel):
            a, b = self.at(np.arange(period) * stride - padding + tap * dilation)
            first, last = np.minimum(first, a), np.maximum(last, b)
        return self.like(first, last, self.hop * period * stride // self.period)

    def transposed(self, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> "Field":
        """Return the field behind a transposed convolution: input i paints `i * stride - padding + tap * dilation`."""
        period = self.period * stride
        first, last = self._nothing(period)
        for tap in range(kernel):
            start = tap * dilation - padding
            painted = np.arange(start % stride, period, stride)
            a, b = self.at((painted - start) // stride)
            first[painted], last[painted] = np.minimum(first[painted], a), np.maximum(last[painted], b)
        return self.like(first, last)

    def resampled(self, places, period: int, step: int) -> "Field":
        """Return the field behind resampling: `places` holds the positions that each output of a period reads.

        `places` is an array (period, taps); one period later they are `step` positions later.
        """
        turns = self.period // gcd(self.period, step)
        moved = places[None] + step * np.arange(turns)[:, None, None]
        a, b = self.at(moved.reshape(-1))
        shape = (turns * period, places.shape[1], *a.shape[1:])
        return self.like(a.reshape(shape).min(1), b.reshape(shape).max(1), self.hop * turns * step // self.period)

    def joined(self, other: "Field") -> "Field | None":
        """Return the union of two paths that meet; None where they move through the input at different speeds."""
        if self.hop * other.period != other.hop * self.period or (self.axis, self.run) != (other.axis, other.run):
            return None
        positions = np.arange(lcm(self.period, other.period))
        (a, b), (c, d) = self.at(positions), other.at(positions)
        return self.like(np.minimum(a, c), np.maximum(b, d), self.hop * len(positions) // self.period)

    def _nothing(self, period: int):
        shape = (period, *self.first.shape[1:])
        return np.full(shape, inf), np.full(shape, -inf)

    # the other axes ------------------------------------------------------------------------------------------------

    def place(self, axis: int) -> int:
        """Return where another axis of the tensor stands in `first` and `last`."""
        return axis + 1 if axis < self.axis else axis

    def is_constant(self, axis: int) -> bool:
        """Whether all positions along another axis see the same."""
        return self.first.shape[self.place(axis)] == 1

    def mixed(self, axes) -> "Field":
        """Return the field after all positions along other axes have been put together."""
        places = tuple(self.place(axis) for axis in axes)
        return self.like(self.first.min(places, keepdims=True), self.last.max(places, keepdims=True))

    def accumulated(self, axis: int) -> "Field":
        """Return the field after a running sum along another axis."""
        place = self.place(axis)
        return self.like(np.minimum.accumulate(self.first, place), np.maximum.accumulate(self.last, place))

    def windowed(self, axis: int, size: int, kernel: int, stride: int, padding: int, dilation: int) -> "Field":
        """Return the field behind a convolution along another axis, `size` positions long afterwards."""
        place, found = self.place(axis), None
        for tap in range(kernel):
            wanted = np.arange(size) * stride - padding + tap * dilation
            inside = (wanted >= 0) & (wanted < self.first.shape[place])
            one = self.taken(axis, np.where(inside, wanted, 0))
            shape = [-1 if i == place else 1 for i in range(self.first.ndim)]
            inside = inside.reshape(shape)
            one = one.like(np.where(inside, one.first, inf), np.where(inside, one.last, -inf))
            found = one if found is None else found.joined(one)
        return found

    def taken(self, axis: int, positions) -> "Field":
        """Return the field of some positions of another axis."""
        if self.is_constant(axis):
            return self
        place = self.place(axis)
        return self.like(np.take(self.first, positions, place), np.take(self.last, positions, place))

    def permuted(self, order) -> "Field":
        """Return the field after the axes have changed places: output axis i was axis `order[i]`."""
        order = list(order)
        places = [0, *(self.place(axis) for axis in order if axis != self.axis)]
        moved = self.like(self.first.transpose(places), self.last.transpose(places))
        return replace(moved, axis=order.index(self.axis))

    def without(self, axes) -> "Field":
        """Return the field of a tensor that has lost other axes, of size 1 or constant ones."""
        places = tuple(self.place(axis) for axis in axes)
        first, last = self.first, self.last
        for place in sorted(places, reverse=True):
            first, last = first.take(0, place), last.take(0, place)
        return replace(self.like(first, last), axis=self.axis - sum(axis < self.axis for axis in axes))

    def inserted(self, axis: int) -> "Field":
        """Return the field of a tensor that has a new axis, where all positions see the same."""
        moved = replace(self, axis=self.axis + (axis <= self.axis))
        place = moved.place(axis)
        return moved.like(np.expand_dims(self.first, place), np.expand_dims(self.last, place))

    def alone(self, dims: int) -> "Field":
        """Return the field of a tensor of `dims` axes, time last, where all that stands beside it has been mixed."""
        shape = (-1, *[1] * (dims - 1))
        first, last = (values.reshape(self.period, -1) for values in (self.first, self.last))
        return Field(first.min(1).reshape(shape), last.max(1).reshape(shape), self.hop, dims - 1)

    def compact(self) -> "Field":
        """Return the same field with size 1 on the other axes where nothing changes along them."""
        found = self
        for place in range(1, self.first.ndim):
            parts = [values.take([0], place) for values in (found.first, found.last)]
            if (parts[0] == found.first).all() and (parts[1] == found.last).all():
                found = found.like(*parts)
        return found
