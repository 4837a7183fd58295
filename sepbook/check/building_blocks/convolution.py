"""Checks for the lab on convolution: build it, predict its shape, mend its padding, paint it back, cut and join.

Taught on: book/building_blocks/convolution
"""

from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from sepbook.check import (
    CheckFailure,
    call,
    exercise,
    expect_gradient,
    expect_shape,
    expect_sizes,
    expect_values,
    is_close,
)
from sepbook.check._inputs import noise

_random = partial(noise, dtype=torch.float64)


@exercise(
    "Exercise 1: a convolution from its definition",
    hints=(
        "One output value is a sum over all input maps and all taps. The place t of the output starts at t * stride of "
        "the input, and the taps are `dilation` apart.",
        "Write the sum for one value, out[b, h', t]: over which h and which m, and which place of x does tap m read?",
        "covers = dilation * (M - 1) + 1; windows = x.unfold(-1, covers, stride)[..., ::dilation]  # (B, H, T', M); "
        'return torch.einsum("bhtm,ghm->bgt", windows, weight), g for H\'. A loop over t and m will do as well.',
    ),
)
def exercise_1(convolve):
    """Check a function of x `(B, H, T)`, weight `(H', H, M)`, stride, dilation: `(B, H', T')`, no padding."""
    for seed, (T, M, stride, dilation) in enumerate(((9, 3, 1, 1), (20, 4, 3, 1), (21, 3, 2, 3))):
        x, weight = _random(2, 2, T, seed=seed).requires_grad_(), _random(3, 2, M, seed=seed + 9)
        right = functional.conv1d(x, weight, stride=stride, dilation=dilation)
        where = f"It is about T = {T}, a kernel of {M}, a stride of {stride} and a dilation of {dilation}."
        covers = dilation * (M - 1) + 1
        lengths = {
            "forgets the stride": functional.conv1d(x, weight, dilation=dilation).shape[-1],
            "forgets the dilation": functional.conv1d(x, weight, stride=stride).shape[-1],
            "takes the stride for the dilation": functional.conv1d(x, weight, stride=dilation, dilation=stride).shape[
                -1
            ],
            "forgets that the first place counts too": right.shape[-1] - 1,
            "forgets that the kernel must stay inside": -(-T // stride),
        }
        result = call(convolve, x, weight, stride, dilation)
        slips = [
            what
            for what, length in lengths.items()
            if isinstance(result, Tensor) and result.shape == (2, 3, length) != right.shape
        ]
        hint = f"{where} This length comes out when one {slips[0]}." if slips else where
        expect_shape(result, right.shape, "B H' T'", hint)
        known = {
            "the kernel is read backwards. That is a convolution in the sense of signal processing": functional.conv1d(
                x, weight.flip(-1), stride=stride, dilation=dilation
            ),
            "each place begins one value too late": functional.conv1d(
                functional.pad(x, (0, 1))[..., 1:], weight, stride=stride, dilation=dilation
            ),
            "only one of the input maps is used": functional.conv1d(
                x[:, :1], weight[:, :1], stride=stride, dilation=dilation
            ),
            "the products are averaged over the input maps instead of summed": right / 2,
            "the products are averaged over the taps instead of summed": right / M,
            "the taps are neighbours in a window that is wide enough for the dilation": functional.conv1d(
                x[..., : T - covers + M], weight, stride=stride
            ),
        }
        expect_values(result, right, "B H' T'", known, where)
        expect_gradient(result, x)
    return "The same few weights at every place. PyTorch does this and nothing else, a lot faster."


@exercise(
    "Exercise 2: the shape behind three layers",
    hints=(
        "Take one layer at a time. The kernel covers dilation * (kernel - 1) + 1 values; padding adds zeros twice.",
        "First layer alone: (16000 - 16) // 8 + 1 frames. What do padding and dilation make of that in the second?",
        "(16000 - 16) // 8 + 1; then 8 zeros come and the kernel covers 9; then (… + 2 - 4) // 2 + 1.",
    ),
)
def exercise_2(prediction):
    """Check the predicted (H, T) behind three convolutions of one second at 16 kHz."""
    known = {
        (64, 1000): "16000 divided by 8 and by 2. But the first layer is not padded: its kernel must stay inside.",
        (64, 998): "Nearly: the first place of a kernel counts too, so add one after dividing.",
        (64, 995): "The second layer is padded by 4 on both sides. That is what its dilated kernel needs.",
        (64, 1999): "The third layer has a stride.",
        (1, 999): "H is the number of kernels of the last layer, not the number of inputs of the first.",
        (32, 999): "H is the number of kernels of the last layer.",
        (64, 1001): "Kernel 4, padding 1, stride 2 halves an even length exactly, and of an odd one it keeps less.",
    }
    expect_sizes(prediction, (64, 999), "H T", known)
    return "999 of 1999: half, and the odd one is lost. On the way back somebody has to remember it."


def _causal(x: Tensor, weight: Tensor, dilation: int, before=None, after=0) -> Tensor:
    """A convolution with zeros before and after, as many as a causal one needs unless told otherwise."""
    past = dilation * (weight.shape[-1] - 1)
    return functional.conv1d(functional.pad(x, (past if before is None else before, after)), weight, dilation=dilation)


@exercise(
    "Exercise 3: find the bugs",
    hints=(
        "Give it an impulse: zeros with a single one in the middle. Where does the output begin to differ from zero? "
        "It must not begin before the one. Then try a dilation of 2.",
        "How many zeros does a causal layer need so that the output is as long as the input, and on which side?",
        "A causal layer needs all its zeros before: functional.pad(x, (dilation * (M - 1), 0)). Then the length is "
        "right already, and nothing has to be cropped.",
    ),
)
def exercise_3(causal):
    """Check a function of x `(B, H, T)`, weight `(H', H, M)` and dilation: `(B, H', T)`, and no look at the future."""
    for seed, (T, M, dilation) in enumerate(((10, 3, 1), (12, 3, 2), (3, 2, 4), (7, 1, 3))):
        x, weight = _random(1, 2, T, seed=seed), _random(2, 2, M, seed=seed + 9)
        past = dilation * (M - 1)
        right = _causal(x, weight, dilation)
        where = f"It is about T = {T}, a kernel of {M} and a dilation of {dilation}."
        known = {
            "half of the zeros stand behind the input, so each value sees the future": _causal(
                x, weight, dilation, past // 2, past - past // 2
            ),
            "what is left sees the future only: all zeros stand behind, or the crop takes the wrong end": _causal(
                x, weight, dilation, 0, past
            ),
            "the value at t does not see x at t; it may see it, and nothing later": _causal(
                x, weight, dilation, past + 1, -1
            ),
            "the kernel is read backwards; its last tap meets the present": _causal(x, weight.flip(-1), dilation),
            "the dilation is not handed to the convolution": _causal(x, weight, 1),
            "before the sound stands its own end; there are zeros": functional.conv1d(
                torch.cat([x] * (past // T + 2), dim=-1)[..., -(past + T) :], weight, dilation=dilation
            ),
            "before the sound its first value is repeated; there are zeros": functional.conv1d(
                functional.pad(x, (past, 0), mode="replicate"), weight, dilation=dilation
            ),
        }
        known = {mistake: y for mistake, y in known.items() if not is_close(y, right)}
        result = call(causal, x, weight, dilation)
        few = M - 1 != past and isinstance(result, Tensor) and result.shape[-1] < T
        hint = " Did the dilation count when the zeros were counted?" if few else ""
        expect_shape(
            result, right.shape, "B H' T", where + hint, "The zeros are dilation * (M - 1), all of them before."
        )
        expect_values(result, right, "B H' T", known, where)
    return "The length was right with the bug, too. Only a look at where an impulse goes could tell."


def _painted(y: Tensor, weight: Tensor, stride: int, add: bool = True) -> Tensor:
    out = torch.zeros(len(y), weight.shape[1], (y.shape[-1] - 1) * stride + weight.shape[-1], dtype=y.dtype)
    for t in range(y.shape[-1]):
        place = slice(t * stride, t * stride + weight.shape[-1])
        patch = torch.einsum("bh,hgm->bgm", y[..., t], weight)
        out = torch.cat([out[..., : place.start], patch + add * out[..., place], out[..., place.stop :]], dim=-1)
    return out


def _layers(T: int, M: int, stride: int) -> Tensor:
    """How many kernels lie on each place of the output `(N,)`, and 1 where there is none."""
    ones = torch.ones(1, 1, T, dtype=torch.float64)
    return functional.conv_transpose1d(ones, torch.ones(1, 1, M, dtype=torch.float64), stride=stride)[0, 0].clamp_min(1)


@exercise(
    "Exercise 4: paint a transposed convolution",
    hints=(
        "Begin with zeros of the final length. The value at t adds its scaled kernel at the places t * stride, "
        "t * stride + 1, … of the output.",
        "One value of y at place t paints a picture of M values. Where in the output does it begin, and what "
        "if pictures overlap?",
        "out = torch.zeros(B, weight.shape[1], (T - 1) * stride + M, dtype=y.dtype); for t in range(T): "
        'out[..., t * stride : t * stride + M] += torch.einsum("bh,hgm->bgm", y[..., t], weight); return out.',
    ),
)
def exercise_4(paint):
    """Check a function of y `(B, H, T)`, weight `(H, H', M)`, stride: `(B, H', (T - 1) * stride + M)`."""
    for seed, (T, M, stride) in enumerate(((4, 3, 3), (5, 4, 2), (1, 3, 2), (3, 2, 4))):
        y, weight = _random(2, 3, T, seed=seed).requires_grad_(), _random(3, 2, M, seed=seed + 9)
        right = functional.conv_transpose1d(y, weight, stride=stride)
        where = f"It is about T = {T}, a kernel of {M} and a stride of {stride}."
        known = {
            "where kernels overlap, the later one paints over the earlier one; they should add up": _painted(
                y, weight, stride, add=False
            ),
            "each kernel is painted backwards": _painted(y, weight.flip(-1), stride),
            "only one of the maps of y paints": _painted(y[:, :1], weight[:1], stride),
            "the pictures of the maps of y are averaged; they add up": right / y.shape[1],
            "the last value of y paints nothing": _painted(y * (torch.arange(T) < T - 1), weight, stride),
            "where kernels overlap, their mean is taken; they add up": right / _layers(T, M, stride),
            "the stride is missing: every kernel starts one place after the one before": functional.pad(
                _painted(y, weight, 1), (0, (T - 1) * (stride - 1))
            ),
        }
        known = {mistake: out for mistake, out in known.items() if not is_close(out, right)}
        result = call(paint, y, weight, stride)
        expect_shape(result, right.shape, "B H' N", where, "The last kernel starts at (T - 1) * stride and has M taps.")
        expect_values(result, right, "B H' N", known, where)
        expect_gradient(result, y)
    return "Every layer that you train does this in its backward pass."


def _network(C: int, reach: int, seed: int):
    """A convolution with zeros at both ends which sees `reach` samples to each side: `(C, N) -> (C, N)`."""
    kernel = _random(C, 1, 2 * reach + 1, seed=seed)
    return lambda x: functional.conv1d(x[None], kernel, padding=reach, groups=C)[0]


def _cut(network, x: Tensor, piece: int, left: int, right: int, mode: str = "constant") -> Tensor:
    """Answer piece by piece, each with so many neighbours on its left and on its right."""
    wide, parts = functional.pad(x, (left, right), mode=mode), []
    for start in range(0, x.shape[-1], piece):
        y = network(wide[:, start : start + left + piece + right])
        parts.append(y[:, left : left + min(piece, x.shape[-1] - start)])
    return torch.cat(parts, dim=-1)


@exercise(
    "Exercise 5: cut with overlap",
    hints=(
        "Pad the whole input by `edge` on both sides once. The piece that answers for start … start + piece is then "
        "start … start + piece + 2 * edge of the padded input.",
        "Pad once, before the loop. Then ask how long the slice is that lets `piece` right values come out.",
        "wide = functional.pad(x, (edge, edge)); for start in range(0, N, piece): y = network(wide[:, start : start + "
        "piece + 2 * edge]); keep y[:, edge:-edge]. Then torch.cat(parts, dim=-1).",
    ),
)
def exercise_5(in_pieces):
    """Check a function of network, x `(C, N)`, piece, edge: what the network makes of the whole, piece by piece."""
    for seed, (N, piece, edge) in enumerate(((40, 10, 3), (37, 10, 4), (6, 10, 2))):
        C = 1 + seed % 2
        network, x, longest = _network(C, edge, seed), _random(C, N, seed=seed + 9), []
        whole = network(x)

        def watched(part, network=network, longest=longest):
            longest.append(part.shape[-1])
            return network(part)

        result = call(in_pieces, watched, x, piece, edge)
        where = f"It is about {N} samples in pieces of {piece} with an edge of {edge}."
        known = {
            "the pieces have no neighbours: each was given to the network without its edges": _cut(
                network, x, piece, 0, 0
            ),
            "the edge is one sample short": _cut(network, x, piece, edge - 1, edge - 1),
            "only the edge before a piece is there; the network looks to both sides": _cut(network, x, piece, edge, 0),
            "only the edge behind a piece is there; the network looks to both sides": _cut(network, x, piece, 0, edge),
            "at the two ends of the sound it was mirrored; there is nothing to add but zeros": _cut(
                network, x, piece, edge, edge, "reflect"
            ),
            "at the two ends of the sound its last value was repeated; there is nothing to add but zeros": _cut(
                network, x, piece, edge, edge, "replicate"
            ),
        }
        known = {mistake: y for mistake, y in known.items() if not is_close(y, whole)}
        expect_shape(result, whole.shape, "C N", f"{where} Are the edges of each answer thrown away, and only they?")
        expect_values(result, whole, "C N", known, where)
        if longest and max(longest) > piece + 2 * edge:
            raise CheckFailure(
                f"The values are right, but the network was given {max(longest)} samples at once.",
                f"{where} A piece and both of its edges are {piece + 2 * edge} samples.",
                kind="whole",
            )
    return "Not nearly the same: the same. The pieces need what the kernel reaches, and no more."
