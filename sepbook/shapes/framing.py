"""How framing and overlap-add move the receptive field: `unfold`, `as_strided`, `fold` and their like.

Taught on: book/building_blocks/stft
"""

import numpy as np
import torch

from sepbook.shapes.field import Field
from sepbook.shapes.views import LARGEST, viewed

aten = torch.ops.aten


def _unfold(field, x, args, out):
    """Cut time into frames: frame t, place k is sample t * step + k."""
    axis, size, step = args[1] % x.dim(), args[2], args[3]
    if axis != field.axis:
        return None if not field.is_constant(axis) else field.inserted(x.dim())
    return None if field.run else _framed(field, size, step, x.dim())


def _framed(field, size: int, step: int, place: int, padding: int = 0, dilation: int = 1):
    frames = field.convolved(stride=step)  # for its period and hop
    if frames.period * size > LARGEST:
        return None
    positions = np.arange(frames.period)[:, None] * step - padding + np.arange(size) * dilation
    cut = []
    for values in field.at(positions.reshape(-1)):
        values = values.reshape(frames.period, size, *values.shape[1:])
        cut.append(np.moveaxis(values, 1, place))
    return frames.like(*cut).compact()


def _strided(field, x, args, out):
    """Frames by `as_strided`, as the short-time Fourier transform cuts them."""
    size, stride = args[1], args[2]
    same = list(x.shape[:-1]) == list(size[:-2]) and list(x.stride()[:-1]) == list(stride[:-2])
    if (
        not same
        or field.axis != x.dim() - 1
        or stride[-1] != x.stride(-1)
        or (args[3] if len(args) > 3 else None) not in (None, 0)
    ):
        return None
    return None if field.run or stride[-2] % stride[-1] else _framed(field, size[-1], stride[-2] // stride[-1], x.dim())


def _overlap(field, size: int, step: int, place: int, padding: int = 0, dilation: int = 1):
    """Add frames where they overlap: sample n is given all (t, k) with t * step + k * dilation = n."""
    period, array = field.period * step, (field.first, field.last)
    shape = [n for i, n in enumerate(field.first.shape) if i != place]
    first, last = np.full((period, *shape[1:]), np.inf), np.full((period, *shape[1:]), -np.inf)
    for k in range(size):
        one = field.like(*(values.take(k if values.shape[place] > 1 else 0, place) for values in array))
        start = k * dilation - padding
        painted = np.arange(start % step, period, step)
        a, b = one.at((painted - start) // step)
        first[painted], last[painted] = np.minimum(first[painted], a), np.maximum(last[painted], b)
    return field.like(first, last)


def _unfold_backward(field, x, args, out):
    axis, size, step = args[2] % out.dim(), args[3], args[4]
    if field.axis != axis or field.run:
        return None
    return _overlap(field, size, step, field.place(x.dim() - 1))


def _im2col(field, x, args, out):
    """`unfold`: (B, H, 1, N) -> (B, H * K, T), where the other axis has size and kernel 1."""
    kernel, dilation, padding, stride = args[1:5]
    if field.axis != x.dim() - 1 or kernel[0] != 1 or x.shape[-2] != 1 or padding[0] or field.run:
        return None
    frames = _framed(field, kernel[1], stride[1], x.dim(), padding[1], dilation[1])  # (..., H, 1, T: time, K)
    if frames is None:
        return None
    order = [*range(x.dim() - 2), x.dim() - 2, x.dim(), x.dim() - 1]  # (..., H, 1, K, T)
    sizes = (*x.shape[:-1], kernel[1], out.shape[-1])
    return viewed(frames.permuted(order), sizes, tuple(out.shape))


def _col2im(field, x, args, out):
    """`fold`: the adjoint of `unfold`."""
    kernel, dilation, padding, stride = args[2:6]
    if field.axis != x.dim() - 1 or kernel[0] != 1 or out.shape[-2] != 1 or padding[0] or field.run:
        return None
    wide = (*out.shape[:-1], kernel[1], x.shape[-1])  # (..., H, 1, K, T)
    parts = viewed(field, tuple(x.shape), wide)
    if parts is None:
        return None
    place = parts.place(len(wide) - 2)
    found = _overlap(parts, kernel[1], stride[1], place, padding[1], dilation[1])
    return Field(found.first, found.last, found.hop, out.dim() - 1)


RULES = {
    aten.unfold: _unfold,
    aten.as_strided: _strided,
    aten.unfold_backward: _unfold_backward,
    aten.im2col: _im2col,
    aten.col2im: _col2im,
}
