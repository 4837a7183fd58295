"""How resampling moves the receptive field: nearest, linear and cubic, and pixel shuffle.

Taught on: book/building_blocks/convolution
"""

from fractions import Fraction
from math import gcd

import numpy as np
import torch

from sepbook.shapes.views import LARGEST

aten = torch.ops.aten
ROUNDING = 1e-6  # positions by which a factor may be off at the end of an axis; one that is no ratio is not followed


def undisturbed(field, x, first: int) -> bool:
    """Whether nothing changes along the axes from `first` on, but for time. Taught on: book/how_to_read."""
    return all(field.is_constant(axis) for axis in range(first, x.dim()) if axis != field.axis)


def _resize(linear: bool | None, exact: bool = False):
    """Nearest, linear or (None) cubic resampling along time."""

    def rule(field, x, args, out):
        dims = x.dim() - 2
        if not undisturbed(field, x, 2) or (field.axis >= 2 and field.run):
            return None
        if field.axis < 2:
            return field
        before, after = x.shape[field.axis], out.shape[field.axis]
        aligned = bool(args[2]) if linear is not False else False
        scales = args[3:] if linear is not False else args[2:]
        scale = scales[field.axis - 2] if len(scales) == dims else None
        return _resampled(field, before, after, scale, aligned, linear, exact)

    return rule


def _resampled(field, before, after, scale, aligned, linear, exact):
    step, turns = (before - 1, max(after - 1, 1)) if aligned else (before, after)
    if scale and not aligned:  # torch uses the factor that was given, not the quotient of the sizes
        ratio = Fraction(1 / scale).limit_denominator(LARGEST)
        if abs(ratio - Fraction(1 / scale)) * after > ROUNDING:
            return None
        step, turns = ratio.as_integer_ratio()
    divisor = gcd(step, turns) or 1
    step, turns = step // divisor, turns // divisor
    if turns * field.period > LARGEST:
        return None
    shift = 0 if aligned or (linear is False and not exact) else 0.5
    source = (np.arange(turns) + shift) * step / turns - (shift if linear is not False else 0)
    low = np.floor(source + 1e-9).astype(int)
    if linear is False:
        places = low[:, None]
    elif linear:
        places = np.stack([low, low + (source - low > 1e-9)], 1)
    else:
        near = source - low > 1e-9
        places = np.stack([low - near, low, low + near, low + 2 * near], 1)
    return field.resampled(places, turns, step)


def _shuffle(field, x, args, out):
    """Pixel shuffle: features become places between places."""
    r = args[1]
    if (
        field.axis < x.dim() - 2
        or field.run
        or not field.is_constant(x.dim() - 3)
        or not undisturbed(field, x, x.dim() - 2)
    ):
        return None
    return field.resampled(np.zeros((r, 1), int), r, 1)


RULES = {
    **dict.fromkeys((aten.upsample_nearest1d, aten.upsample_nearest2d, aten.upsample_nearest3d), _resize(False)),
    **dict.fromkeys((aten._upsample_nearest_exact1d, aten._upsample_nearest_exact2d), _resize(False, exact=True)),
    **dict.fromkeys((aten.upsample_linear1d, aten.upsample_bilinear2d, aten.upsample_trilinear3d), _resize(True)),
    aten.upsample_bicubic2d: _resize(None),
    aten.pixel_shuffle: _shuffle,
}
