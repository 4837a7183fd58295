"""Axes that are merged and split by `view`: which old axes became which new ones, and what that means for time.

Taught on: book/how_to_read
"""

from math import gcd, prod

import numpy as np

from sepbook.shapes.field import Field

LARGEST = 1 << 16  # positions of a period; longer ones are not followed


def groups(old, new) -> list[tuple[list[int], list[int]]]:
    """Return which axes of a shape became which axes of another: `(6, 4) -> (2, 3, 4)` is [0] to [0, 1] and [1] to [2].

    Taught on: book/how_to_read
    """
    found, i, j = [], 0, 0
    while i < len(old) and j < len(new):
        before, after = [i], [j]
        while prod(old[k] for k in before) != prod(new[k] for k in after):
            if prod(old[k] for k in before) < prod(new[k] for k in after):
                before.append(before[-1] + 1)
            else:
                after.append(after[-1] + 1)
        i, j = before[-1] + 1, after[-1] + 1
        found.append((before, after))
    rest = ([*range(i, len(old))], [*range(j, len(new))])  # axes of size 1 at the end
    if found and any(rest):
        found[-1] = (found[-1][0] + rest[0], found[-1][1] + rest[1])
    return found


def viewed(field: Field, old, new) -> Field | None:
    """Return the field of a tensor of shape `old` that is looked at as `new`; None where time is torn apart.

    Taught on: book/how_to_read
    """
    if not old or not new or 0 in old:
        return None
    blocks = groups(old, new)
    here = next((i for i, (before, _) in enumerate(blocks) if field.axis in before), None)
    flat = None if here is None else _merged(field, old, new, blocks, here)
    return None if flat is None else _split(field, *flat, new, blocks[here][1])


def _merged(field: Field, old, new, blocks, here):
    """Merge the axes around time into one; returns the two arrays, their axis of time, items on it, and its length."""
    before = blocks[here][0]
    outer, inner = (before[: (own := before.index(field.axis))], before[own + 1 :])
    if not all(field.is_constant(axis) for axis in outer) or field.period * prod(old[i] for i in inner) > LARGEST:
        return None
    wanted, merged = [], []  # sizes before and after, in the order of the tensor's axes
    for i, (olds, news) in enumerate(blocks):
        if i == here:
            wanted += [1] * len(outer) + [field.period] + [old[axis] for axis in inner]
            merged += [field.period * prod(old[axis] for axis in inner)]
        else:
            constant = all(field.is_constant(axis) for axis in olds)
            wanted += [1 if constant else old[axis] for axis in olds]
            merged += [1 if constant else new[axis] for axis in news]
    both = [np.moveaxis(values, 0, field.axis) for values in (field.first, field.last)]
    both = [np.broadcast_to(values, wanted).reshape(merged) for values in both]
    length = field.run or old[field.axis]
    items = prod(old[axis] for axis in outer) * (old[field.axis] // length)
    return both, sum(len(news) for _, news in blocks[:here]), items, length * prod(old[axis] for axis in inner)


def _split(field: Field, both, place: int, items: int, length: int, new, after) -> Field | None:
    """Split one axis of time into the new axes `after`."""
    prefix, own = 1, 0  # axes that count items come first
    while own < len(after) - 1 and prefix < items and items % (prefix * new[after[own]]) == 0:
        prefix *= new[after[own]]
        own += 1
    while own < len(after) - 1 and new[after[own]] == 1 and prefix == items:
        own += 1
    inner = [new[axis] for axis in after[own + 1 :]]
    wide, rest = prod(inner), items // prefix
    if items % prefix or length % wide or new[after[own]] != rest * (length // wide):
        return None
    flat = Field(*(np.moveaxis(values, place, 0) for values in both), field.hop)
    period = flat.period // gcd(flat.period, wide)
    if period * wide > LARGEST:
        return None
    cut = []
    for values in flat.at(np.arange(period * wide)):
        values = np.moveaxis(values, 0, place)
        shape = (*values.shape[:place], *[1] * own, period, *inner, *values.shape[place + 1 :])
        cut.append(np.moveaxis(values.reshape(shape), after[own], 0))
    run = length // wide if rest > 1 else None
    return Field(*cut, field.hop * period * wide // flat.period, after[own], run).compact()
