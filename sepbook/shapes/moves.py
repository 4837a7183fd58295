"""How each tensor operation moves the receptive field: the rules behind `flow`.

A rule is given the field of the tensor, the tensor, the arguments and the result, and returns the field of the result,
or None where it cannot tell: then the ledger prints nothing rather than a guess.

Taught on: book/building_blocks/convolution
"""

import numpy as np
import torch

from sepbook.shapes import framing, resampling
from sepbook.shapes.ops import known
from sepbook.shapes.resampling import undisturbed
from sepbook.shapes.views import viewed

aten = torch.ops.aten
LONGEST = 1 << 20  # positions of a period behind transposed convolutions; longer ones are not followed


def _axes(value, dims: int) -> list[int]:
    return [axis % dims for axis in (value if isinstance(value, list | tuple) else [value])]


def _given(args, place: int, default=None):
    return args[place] if len(args) > place else default


def keep(field, x, args, out):
    """Leave all axes as they are. Taught on: book/building_blocks/convolution."""
    return field


def _along(place: int, default=-1):
    """Mix all positions of some axes, as softmax does; of time: None."""

    def rule(field, x, args, out):
        axes = _axes(_given(args, place, default), x.dim())
        return None if field.axis in axes else field.mixed(axes)

    return rule


def _cumulate(field, x, args, out):
    axis = args[1] % x.dim()
    return None if axis == field.axis else field.accumulated(axis)


def _reduce(place: int):
    """Put the positions of some axes together, as sums and means do."""

    def rule(field, x, args, out):
        axes = _given(args, place)
        axes = [*range(x.dim())] if axes is None or isinstance(axes, bool) or axes == [] else _axes(axes, x.dim())
        if field.axis in axes:
            return None
        return field.mixed(axes) if out.dim() == x.dim() else field.mixed(axes).without(axes)

    return rule


def _layer_norm(field, x, args, out):
    axes = range(x.dim() - len(args[1]), x.dim())
    return field.mixed([axis for axis in axes if axis != field.axis])  # statistics over time are not counted


def _permute(field, x, args, out):
    if len(args) == 2:
        return field.permuted(_axes(args[1], x.dim()))
    order = [*range(x.dim())]
    a, b = _axes(args[1:3], x.dim()) if len(args) > 2 else (0, x.dim() - 1)
    order[a], order[b] = b, a
    return field.permuted(order)


def _view(field, x, args, out):
    return viewed(field, tuple(x.shape), tuple(out.shape))


def _squeeze(field, x, args, out):
    axes = _axes(args[1], x.dim()) if len(args) > 1 else range(x.dim())
    axes = [axis for axis in axes if x.shape[axis] == 1]
    return None if field.axis in axes else field.without(axes)


def _unsqueeze(field, x, args, out):
    return field.inserted(args[1] % (x.dim() + 1))


def _expand(field, x, args, out):
    if x.shape[field.axis] != out.shape[field.axis + out.dim() - x.dim()]:
        return None
    for _ in range(out.dim() - x.dim()):
        field = field.inserted(0)
    return field


def _select(field, x, args, out):
    axis = args[1] % x.dim()
    return None if axis == field.axis else field.taken(axis, [args[2] % x.shape[axis]]).without([axis])


def _slice(field, x, args, out):
    axis, start, end, step = (*args[1:], *(0, None, None, 1)[len(args) - 1 :])
    places = range(x.shape[axis % x.dim()])[slice(start, end, step)]
    if axis % x.dim() != field.axis:
        return field.taken(axis % x.dim(), list(places))
    return None if field.run else field.convolved(stride=step, padding=-places.start)


def _parts(field, x, args, out):
    """Cut one axis into pieces: split, chunk, unbind."""
    pieces = list(out)
    if not pieces or pieces[0].dim() < x.dim():  # unbind
        axis = _given(args, 1, 0) % x.dim()
        return [_select(field, x, (x, axis, i), piece) for i, piece in enumerate(pieces)]
    axis, found, start = _given(args, 2, 0) % x.dim(), [], 0
    for piece in pieces:
        stop = start + piece.shape[axis]
        found.append(_slice(field, x, (x, axis, start, stop), piece))
        start = stop
    return found


def _glu(field, x, args, out):
    axis = _given(args, 1, -1) % x.dim()
    half = x.shape[axis] // 2
    if axis == field.axis:
        return None
    return field.taken(axis, range(half)).joined(field.taken(axis, range(half, 2 * half)))


def _roll(field, x, args, out):
    shifts, axes = args[1] if isinstance(args[1], list) else [args[1]], _given(args, 2, [])
    if not axes or field.run:
        return None
    for shift, axis in zip(shifts, _axes(axes, x.dim()), strict=True):
        if axis == field.axis:
            field = field.convolved(padding=shift)
        else:
            field = field.taken(axis, np.roll(np.arange(x.shape[axis]), shift))
    return field


def _flip(field, x, args, out):
    axes = _axes(args[1], x.dim())
    for axis in axes:
        if axis == field.axis:
            return None
        field = field.taken(axis, np.arange(x.shape[axis])[::-1])
    return field


def _pad(field, x, args, out):
    widths = {x.dim() - 1 - i: args[1][2 * i] for i in range(len(args[1]) // 2)}
    if any(axis != field.axis and not field.is_constant(axis) for axis in widths) or field.run:
        return None
    return field.convolved(padding=widths.get(field.axis, 0))


def _convolution(field, x, args, out):
    weight, stride, padding, dilation, transposed, groups = args[1], *args[3:7], args[8]
    channels = x.dim() - weight.dim() + 1
    if field.axis == channels or (field.axis > channels and field.run):
        return None
    if groups == 1:
        field = field.mixed([channels])
    elif not field.is_constant(channels):
        field = _in_groups(field, x.shape[channels], groups, out.shape[channels], channels)
    for i, axis in enumerate(range(channels + 1, x.dim())):
        steps = (weight.shape[2 + i], stride[i], padding[i], dilation[i])
        if axis == field.axis:
            if transposed and field.period * stride[i] > LONGEST:
                return None
            field = field.transposed(*steps) if transposed else field.convolved(*steps)
        elif not field.is_constant(axis):
            if transposed:
                return None
            field = field.windowed(axis, out.shape[axis], *steps)
    return field


def _in_groups(field, inputs: int, groups: int, outputs: int, axis: int):
    found = None
    for i in range(inputs // groups):  # the i-th input of each group reaches all outputs of the group
        first = np.repeat(np.arange(groups) * (inputs // groups) + i, outputs // groups)
        one = field.taken(axis, first)
        found = one if found is None else found.joined(one)
    return found


def _pool(field, x, args, out):
    kernel, stride, padding = (*args[1:4], *([], [0])[len(args) - 2 :])
    dilation = args[4] if len(args) > 4 and isinstance(args[4], list) else [1]
    first = x.dim() - len(kernel)
    if not undisturbed(field, x, first) or (field.axis >= first and field.run):
        return None
    if field.axis < first:
        return field
    place = field.axis - first
    numbers = [
        (axes * len(kernel))[place] if len(axes) == 1 else axes[place]
        for axes in (kernel, stride or kernel, padding, dilation)
    ]
    return field.convolved(*numbers)


def _fft(field, x, args, out):
    axes = _axes(args[1], x.dim())
    return None if field.axis in axes else field.mixed(axes)


def _as_complex(field, x, args, out):
    return field.mixed([x.dim() - 1]).without([x.dim() - 1])


def _as_real(field, x, args, out):
    return field.inserted(x.dim())


def _index(field, x, args, out):
    """Look-ups along other axes, where all positions see the same."""
    places = [i for i, index in enumerate(args[1]) if index is not None]
    if len(places) != 1 or args[1][places[0]].dim() != 1 or args[1][places[0]].dtype == torch.bool:
        return None
    return _look_up(field, x, (x, places[0]), out)


def _look_up(field, x, args, out):
    axis = args[1] % x.dim()
    return field if axis != field.axis and field.is_constant(axis) else None


def _repeat(field, x, args, out):
    own = field.axis + len(args[1]) - x.dim()
    for _ in range(len(args[1]) - x.dim()):
        field = field.inserted(0)
    constant = all(count == 1 or (i != own and field.is_constant(i)) for i, count in enumerate(args[1]))
    return field if constant else None


RULES = {
    **framing.RULES,
    **resampling.RULES,
    **dict.fromkeys((aten.view, aten._unsafe_view, aten.reshape, aten._reshape_alias), _view),
    **dict.fromkeys((aten.transpose, aten.transpose_, aten.permute, aten.t), _permute),
    **dict.fromkeys((aten.squeeze, aten.squeeze_), _squeeze),
    **dict.fromkeys((aten.unsqueeze, aten.unsqueeze_), _unsqueeze),
    **dict.fromkeys((aten.expand, aten.expand_as), _expand),
    **dict.fromkeys((aten.native_batch_norm, aten._native_batch_norm_legit_no_training, aten.native_group_norm), keep),
    **dict.fromkeys((aten.alias, aten.detach, aten.clone, aten._to_copy, aten._native_batch_norm_legit), keep),
    **dict.fromkeys(known("native_layer_norm", "_fused_rms_norm"), _layer_norm),
    **dict.fromkeys((aten._softmax, aten._log_softmax, aten._safe_softmax), _along(1)),
    **dict.fromkeys((aten.cumsum, aten.cumprod, aten.logcumsumexp, aten.cummax, aten.cummin), _cumulate),
    **dict.fromkeys((aten.sum, aten.mean, aten.amax, aten.amin, aten.var, aten.std, aten.logsumexp), _reduce(1)),
    **dict.fromkeys((aten.max, aten.min, aten.argmax, aten.argmin, aten.prod, aten.any, aten.all), _reduce(1)),
    **dict.fromkeys((aten.linalg_vector_norm, aten.norm), _reduce(2)),
    **dict.fromkeys((aten.split, aten.split_with_sizes, aten.unsafe_split, aten.unbind), _parts),
    **dict.fromkeys((aten.constant_pad_nd, aten.reflection_pad1d, aten.reflection_pad2d), _pad),
    **dict.fromkeys((aten.replication_pad1d, aten.replication_pad2d), _pad),
    **dict.fromkeys((aten.max_pool2d_with_indices, aten.max_pool3d_with_indices), _pool),
    **dict.fromkeys((aten.avg_pool1d, aten.avg_pool2d, aten.avg_pool3d), _pool),
    **dict.fromkeys((aten._fft_r2c, aten._fft_c2r, aten._fft_c2c), _fft),
    aten.select: _select,
    aten.slice: _slice,
    aten.glu: _glu,
    aten.roll: _roll,
    aten.flip: _flip,
    aten.convolution: _convolution,
    aten.view_as_complex: _as_complex,
    aten.view_as_real: _as_real,
    aten.index: _index,
    aten.index_select: _look_up,
    aten.repeat: _repeat,
}
