"""Where fields meet: element-wise operations, concatenation, products of matrices, attention.

Each function is given the tensors that depend on the input with their fields, and the result; it returns the field of
the result, or None where it cannot tell.

Taught on: book/building_blocks/convolution
"""

import numpy as np
import torch

from sepbook.shapes.costs import PRODUCTS
from sepbook.shapes.field import Field

aten = torch.ops.aten


def union(fields) -> Field | None:
    """Return the union of fields of tensors of one shape; None if one is unknown. Taught on: book/how_to_read."""
    joined = fields[0] if fields else None
    for field in fields[1:]:
        joined = joined and field and joined.joined(field)
    return joined


def pointwise(pairs, out) -> Field | None:
    """Element-wise operations: operands are stretched to the shape of the result. Taught on: book/how_to_read."""
    fields = []
    for tensor, field in pairs:
        if field and tensor.dim() <= out.dim():
            for _ in range(out.dim() - tensor.dim()):
                field = field.inserted(0)
            fields.append((tensor, field))
    if not fields:
        return None
    axis = fields[0][1].axis
    for tensor, field in pairs:
        place = axis - (out.dim() - tensor.dim())
        size = tensor.shape[place] if place >= 0 else 1
        if (field is None or size != out.shape[axis]) and (size != 1 or out.shape[axis] == 1):
            return None  # what is left is a statistic: one number for all positions
    return union([field for tensor, field in fields])


def cat(sizes, given, axis: int) -> Field | None:
    """Tensors side by side on one axis, where they have these sizes.

    `given` holds each tensor's field: False for an unknown one, None for what does not depend on the input.
    Taught on: book/how_to_read
    """
    known = [field for field in given if field is not None]
    if not all(known) or any((field.axis, field.run) != (known[0].axis, known[0].run) for field in known):
        return None
    if known[0].axis == axis:  # a piece of time: only silence or the like may stand before and after it
        own = next(i for i, field in enumerate(given) if field is not None)
        return known[0].convolved(padding=sum(sizes[:own])) if len(known) == 1 and not known[0].run else None
    joined = union(known)
    if joined is None or (len(known) == len(given) and _equal(known)):
        return joined
    pieces = [_piece(field, joined, axis, size) for field, size in zip(given, sizes, strict=True)]
    place = joined.place(axis)
    shape = np.broadcast_shapes(*((*v.shape[:place], 1, *v.shape[place + 1 :]) for piece in pieces for v in piece))
    whole = []
    for values in zip(*pieces, strict=True):
        parts = [np.broadcast_to(v, (*shape[:place], v.shape[place], *shape[place + 1 :])) for v in values]
        whole.append(np.concatenate(parts, place))
    return joined.like(*whole).compact()


def _equal(fields) -> bool:
    first = fields[0]
    return all(
        (field.hop, field.first.shape) == (first.hop, first.first.shape)
        and (field.first == first.first).all()
        and (field.last == first.last).all()
        for field in fields[1:]
    )


def _piece(field: Field | None, joined: Field, axis: int, size: int):
    """Return the samples of one of several fields, over the period of all, at `size` places of an axis."""
    place = joined.place(axis)
    if field is None:
        shape = [joined.period, *[1] * (joined.first.ndim - 1)]
        shape[place] = size
        return np.full(shape, np.inf), np.full(shape, -np.inf)
    both = field.at(np.arange(joined.period))
    return [np.repeat(values, size, place) if values.shape[place] == 1 else values for values in both]


def product(func, args, given) -> Field | None:
    """Products of matrices: what is summed over must not be time. `given` returns the field of a tensor.

    Taught on: book/how_to_read
    """
    place = PRODUCTS[func.overloadpacket]
    left, right = args[place : place + 2]
    if (place == 1 and given(args[0]) is not None) or func.overloadpacket is aten.addbmm or right.dim() < 2:
        return None
    found = []
    for tensor, summed in ((left, left.dim() - 1), (right, right.dim() - 2)):
        field = given(tensor)
        if field is not None:
            found.append(field.mixed([summed]) if field and field.axis != summed else None)
    return union(found)


def attend(args, given) -> Field | None:
    """Attention along other axes than time: query, key and value hold it on an axis of items.

    Taught on: book/how_to_read
    """
    found = []
    for tensor in args[:3]:
        field = given(tensor)
        if field is not None:
            inside = (tensor.dim() - 2, tensor.dim() - 1)
            found.append(field.mixed(inside) if field and field.axis not in inside else None)
    return union(found)
