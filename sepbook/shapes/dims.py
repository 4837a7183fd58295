"""Named axes: how a `dims` string is read.

A module declares its shapes in one line, with the letters of the book::

    dims = "B C F T -> B S C F T"                      # one input, one output
    dims = "x: B H F T, skip: B H F' T' -> B H F' T'"  # inputs by the names that forward gives them
    dims = "(B S) K T -> (B S) 1 N"                    # a product of axes, and an axis that must be 1
    dims = "... F T -> ... N"                          # any axes before the last ones

A letter has one size during one call. A primed letter (`T'`) is a new size with the same meaning.

Taught on: book/how_to_read
"""

import re
from dataclasses import dataclass
from functools import cache

LEGEND = {
    "B": "batch",
    "S": "source",
    "C": "audio channel",
    "N": "sample",
    "F": "frequency bin",
    "T": "frame",
    "H": "hidden or convolution feature",
    "D": "embedding dimension",
    "K": "filter",
    "L": "layers",
}

_AXES = re.compile(r"\(([^()]*)\)|[^\s()]+")  # (S F) or F
_WORD = re.compile(r"(\d*)([A-Za-z_]+'*)?")  # 2, H', 2H'


class ShapeError(ValueError):
    """A tensor whose shape is not the one that was declared, or a geometry that cannot be.

    An error that comes from `trace` carries the rows reached before it in `.rows`. Taught on: book/how_to_read
    """

    rows = ()


def describe(axis: str) -> str:
    """Return an axis in words: `F'` becomes `F' (frequency bin)`. Taught on: book/how_to_read."""
    words = [LEGEND[letter] for letter in re.findall("[A-Za-z_]+", axis) if letter in LEGEND]
    return f"{axis} ({' times '.join(words)})" if words else axis


def bare(shape) -> str:
    """Return sizes without letters: `(2, 16, 65, 25)`. Taught on: book/how_to_read."""
    return "(" + ", ".join(str(int(size)) for size in shape) + ")"


@dataclass(frozen=True)
class Axis:
    """One axis of a `dims` string: a letter, a number, or a product such as `2H` or `(S F)`.

    Taught on: book/how_to_read
    """

    text: str
    factor: int
    letters: tuple[str, ...]

    @property
    def plain(self) -> bool:
        """Whether this axis is one letter and nothing else."""
        return self.factor == 1 and len(self.letters) == 1

    def show(self, size) -> str:
        """Return `F=129`, or the bare number for an axis that is a number."""
        return f"{self.text}={size}" if self.letters else str(size)


@dataclass(frozen=True)
class Item:
    """The axes of one tensor, as in `skip: B H F' T'`. `open`: any further axes may stand before them.

    Taught on: book/how_to_read
    """

    name: str | None
    axes: tuple[Axis, ...]
    open: bool = False

    def __str__(self):
        axes = " ".join(["..."] * self.open + [axis.text for axis in self.axes])
        return f"{self.name}: {axes}" if self.name else axes

    def fits(self, shape) -> bool:
        """Whether a shape has as many axes as this item asks for."""
        return len(shape) == len(self.axes) or (self.open and len(shape) > len(self.axes))

    def split(self, shape) -> tuple[tuple, list]:
        """Return the leading sizes, and the pairs (axis, size) of the axes that have a name."""
        lead = len(shape) - len(self.axes)
        return tuple(shape[:lead]), list(zip(self.axes, shape[lead:], strict=True))

    def show(self, shape) -> str:
        """Return `(B=2, F=129, T=50)`; bare sizes where the number of axes is another one."""
        if not self.fits(shape):
            return bare(shape)
        lead, pairs = self.split(shape)
        return "(" + ", ".join([*map(str, lead), *(axis.show(size) for axis, size in pairs)]) + ")"


@dataclass(frozen=True)
class Dims:
    """A whole `dims` string: the items before and after its arrow. Taught on: book/how_to_read."""

    inputs: tuple[Item, ...]
    outputs: tuple[Item, ...]


def _axis(text: str, product: str | None) -> Axis:
    factor, letters = 1, []
    for word in (text if product is None else product).split():
        match = _WORD.fullmatch(word)
        if match is None:
            raise ShapeError(
                f"dims: cannot read the axis {text!r}. An axis is a letter of the legend (F), a new size (F'), "
                "a number (1) or a product (2H, or (S F))."
            )
        factor *= int(match[1] or 1)
        letters += [match[2]] if match[2] else []
    return Axis(text, factor, tuple(letters))


@cache
def parse_item(text: str) -> Item:
    """Read the axes of one tensor: `"B T F"` or `"skip: B H F T"`. Raises ShapeError. Taught on: book/how_to_read."""
    name, _, axes = text.rpartition(":")
    axes = axes.strip().replace("…", "...")
    is_open = axes.startswith("...")
    found = [_axis(match[0], match[1]) for match in _AXES.finditer(axes.removeprefix("..."))]
    return Item(name.strip() or None, tuple(found), is_open)


@cache
def parse(dims: str) -> Dims:
    """Read a whole `dims` string. Raises ShapeError unless it has exactly one arrow. Taught on: book/how_to_read."""
    sides = dims.split("->")
    if len(sides) != 2:
        raise ShapeError(f"dims {dims!r} needs one arrow '->', with the inputs before it and the outputs after it.")
    return Dims(*(tuple(parse_item(part.strip()) for part in side.split(",") if part.strip()) for side in sides))
