"""Compare tensors with `dims`: find the size of every letter, or say which axis is wrong and how to mend it.

Taught on: book/how_to_read
"""

from itertools import combinations
from math import prod

from sepbook.shapes.dims import Item, ShapeError, bare, describe


def solve(item: Item, shape, sizes: dict[str, int]):
    """Find the sizes of the letters of one tensor, given those already known.

    Returns `(sizes, None)`, or `(sizes, (axis, given, expected))` for the first axis that disagrees. Single
    letters come first, because a product such as `(B S)` can be solved for one unknown only.
    Taught on: book/how_to_read
    """
    sizes = dict(sizes)
    for axis, given in sorted(item.split(shape)[1], key=lambda pair: not pair[0].plain):
        unknown = [letter for letter in axis.letters if letter not in sizes]
        known = axis.factor * prod(sizes[letter] for letter in axis.letters if letter in sizes)
        if not unknown and known != given:
            return sizes, (axis, given, str(known))
        if len(unknown) == 1 and known and given % known:
            return sizes, (axis, given, f"a multiple of {known}")
        if len(unknown) == 1 and known:
            sizes[unknown[0]] = given // known
    return sizes, None


class Binding:
    """The size of every letter during one call of one module. Taught on: book/how_to_read."""

    def __init__(self, where: str, batch: int | None = None):
        self.where = where
        self.sizes = {} if batch is None else {"B": batch}
        self.origin = {} if batch is None else {"B": "the whole pass"}

    def match(self, item: Item, shape, label: str) -> None:
        """Bind the letters of one tensor. Raises ShapeError where the number of axes or a size disagrees."""
        shape = tuple(int(size) for size in shape)
        if not item.fits(shape):
            count = f"{len(shape)} {'axis' if len(shape) == 1 else 'axes'}"
            wanted = f"at least {len(item.axes)}" if item.open else str(len(item.axes))
            problem = f"{label} has {count}, but needs {wanted}"
            raise self._error(item, shape, problem, self._rank_hint(item, shape))
        sizes, failure = solve(item, shape, self.sizes)
        if failure:
            axis, given, expected = failure
            problem = f"axis {describe(axis.text)} of {label} is {given}, but must be {expected}"
            raise self._error(item, shape, problem, self._size_hint(item, shape, *failure), axis)
        self.origin |= {letter: label for letter in sizes if letter not in self.sizes}
        self.sizes = sizes

    def _error(self, item: Item, shape, problem: str, hint: str, axis=None) -> ShapeError:
        known = {one.text: one.factor * prod(self.sizes.get(letter, 0) for letter in one.letters) for one in item.axes}
        wanted = ", ".join(["..."] * item.open + [one.show(known[one.text] or "any") for one in item.axes])
        lines = [f"{self.where}: {problem}.", f"  declared  {item}", f"  given     {bare(shape)}"]
        lines += [f"  expected  ({wanted})"]
        for letter in axis.letters if axis else ():
            if letter in self.origin:
                lines += [f"            {letter}={self.sizes[letter]} comes from {self.origin[letter]}"]
        return ShapeError("\n".join([*lines, f"  hint      {hint}"]))

    def _agrees(self, item: Item, shape) -> bool:
        return solve(item, shape, self.sizes)[1] is None

    def _rank_hint(self, item: Item, shape) -> str:
        missing = len(item.axes) - len(shape)
        if missing == 1:
            fits = [i for i in range(len(item.axes)) if self._agrees(item, (*shape[:i], 1, *shape[i:]))]
            ones = [i for i in fits if item.axes[i].text in ("B", "S", "C")] or fits
            ways = [f"x.unsqueeze({i}) adds {describe(item.axes[i].text)}" for i in ones]
            if ways:
                return f"One axis is missing: {', '.join(ways)} with size 1."
        if missing == -1:
            for i, size in enumerate(shape):
                if size == 1 and self._agrees(item, shape[:i] + shape[i + 1 :]):
                    return f"Axis {i} has size 1 and may be too many: x.squeeze({i}) removes it."
        axes = ", ".join(describe(axis.text) for axis in item.axes)
        return f"{'Add' if missing > 0 else 'Remove or merge'} axes, so that these are left: {axes}."

    def _size_hint(self, item: Item, shape, axis, given: int, expected: str) -> str:
        first = len(shape) - len(item.axes)
        for i, j in combinations(range(first, len(shape)), 2):
            swapped = list(shape)
            swapped[i], swapped[j] = shape[j], shape[i]
            if given in (shape[i], shape[j]) and self._agrees(item, swapped):
                names = " and ".join(describe(item.axes[k - first].text) for k in (i, j))
                return f"The axes {names} look swapped: x.transpose({i}, {j}) exchanges them."
        return _hint(axis, given, expected)


def _hint(axis, given: int, expected: str) -> str:
    if not axis.plain or not expected.isdigit():
        return f"Look at the line that made this tensor: {describe(axis.text)} must come out as {expected}."
    letter, expected = axis.letters[0][0], int(expected)
    if letter == "B" and expected and given % expected == 0:
        return (
            f"{given} is {expected} times {given // expected}: another axis seems folded into the batch. "
            'Unfold it, or declare the product, as in "(B S) K T".'
        )
    if letter == "B":
        return "The batch stays the same through a whole pass. A reshape or a transpose may have mixed it with others."
    if letter == "C":
        return f"Mono is C=1, stereo is C=2. Mix or repeat the channels, or build the model for C={given}."
    if letter in "NTF":
        more = given > expected
        return f"{'Crop' if more else 'Pad'} this axis by {abs(given - expected)}, or crop the other tensor to match."
    return f"The layer that made this tensor was built for another size: give it {expected} instead of {given}."
