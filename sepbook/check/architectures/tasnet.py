"""Checks for the lab on TasNet: a shape, segments of length 1, a code with a gate, masks and sound.

Taught on: book/architectures/tasnet
"""

import torch
from torch import Tensor
from torch.nn import functional

from sepbook.check import (
    call,
    exercise,
    expect_finite_slope,
    expect_gradient,
    expect_parts,
    expect_sizes,
    expect_tensor,
    expect_values,
)
from sepbook.check._inputs import about, noise


@exercise(
    "Exercise 1: the shape of a code",
    hints=(
        "T counts the segments that hold all samples. K is the number of waveforms that each is compared with.",
        "Do it for 90 samples first: two segments are full, and ten samples are left.",
        "Divide the samples by the size of a segment, and round up: -(-8010 // 40).",
    ),
)
def exercise_1(prediction):
    """Check the predicted (T, K) of the code of 8010 samples, in segments of 40 without overlap, with 500 waveforms."""
    known = {
        (200, 500): "Ten samples are left. The last segment is filled up with zeros, so that nothing is lost.",
        (500, 201): "T and K are swapped: T comes first.",
        (401, 500): "That is with an overlap by half. These segments lie side by side.",
        (400, 500): "That is with an overlap by half. These segments lie side by side.",
        (8010, 500): "That is a segment at every sample. These lie side by side.",
        (7971, 500): "That is a stride of 1. These segments lie side by side.",
        (201, 40): "40 is how many samples go in. The code has as many numbers as there are waveforms.",
        (201, 1000): "The gate has 500 numbers too, but they are multiplied with the code, and not put beside it.",
        (40, 500): "40 is the size of a segment. T counts the segments.",
        (202, 500): "One too many: ten samples are left, and one more segment holds them.",
    }
    expect_sizes(prediction, (201, 500), "T K", known)
    return "Twelve numbers of code for each sample of sound: there is room for shapes of every kind."


def _cut(x: Tensor, size: int) -> Tensor:
    """Return the segments `(B, T, size)` of `(B, N)`, the last one filled up with zeros."""
    return functional.pad(x, (0, -x.shape[-1] % size)).unflatten(-1, (-1, size))


@exercise(
    "Exercise 2: segments of length 1",
    hints=(
        "Three steps: fill up with zeros, cut into segments, divide each by its own length.",
        "The length is the root of the sum of squares over a segment. A silent one has length 0: what is 0 / 0?",
        "segments = functional.pad(x, (0, -x.shape[-1] % size)).unflatten(-1, (-1, size)), then "
        "length = segments.norm(dim=-1, keepdim=True), and return segments / (length + 1e-8), length.",
    ),
)
def exercise_2(cut):
    """Check a function of samples `(B, N)` and a size: segments of length 1 `(B, T, size)`, lengths `(B, T, 1)`."""
    for seed, B, N, size in ((0, 2, 22, 5), (1, 1, 23, 4)):
        x = noise(B, N, seed=seed)
        x[:, size : 2 * size] = 0.0  # a silent segment
        x.requires_grad_()
        segments = _cut(x, size).detach()
        length = segments.norm(dim=-1, keepdim=True)
        where = about(x=("B N", (B, N))) + f" The size is {size}."
        given = expect_parts(
            call(cut, x, size),
            2,
            "The function should return two things, the segments and their lengths.",
            "Look at the last line.",
            "End with return segments / (length + 1e-8), length.",
        )
        given = [expect_tensor(part) for part in given]
        safe = length.clamp_min(1e-8)
        columns = segments.flatten(1).unflatten(-1, (size, -1)).mT
        known = {
            "they are not divided by their length": segments,
            "they are divided by the square of the length. Take the root of the sum": segments / safe.square(),
            "they are divided by the sum of absolute values. The length is the root of the sum of squares": (
                segments / segments.abs().sum(-1, keepdim=True).clamp_min(1e-8)
            ),
            "they are divided by their largest value. The length is the root of the sum of squares": (
                segments / segments.abs().amax(-1, keepdim=True).clamp_min(1e-8)
            ),
            "the mean of the squares was taken. The length is the root of their sum": segments / safe * size**0.5,
            "one length was taken for the whole sound. Each segment has its own": (
                segments / x.detach().norm(dim=-1)[:, None, None]
            ),
            "the mean of each segment was taken away. Only the length is to go": functional.normalize(
                segments - segments.mean(-1, keepdim=True), dim=-1
            ),
            "samples that lie far apart came together. A segment holds neighbours": functional.normalize(
                columns, dim=-1
            ),
            "what is left at the end was dropped. Fill the last segment up with zeros": (segments / safe)[:, :-1],
            "the zeros stand in front. They belong behind the sound": functional.normalize(
                functional.pad(x.detach(), (-N % size, 0)).unflatten(-1, (-1, size)), dim=-1
            ),
        }
        expect_values(given[0], segments / safe, "B T N", known, f"It is about the segments. {where}")
        known = {
            "the axis that was summed is gone. keepdim=True keeps it, with size 1": length[..., 0],
            "the root is missing": length.square(),
            "the length is that of what was divided already: 1. Return the one before": (length > 0).float(),
        }
        expect_values(given[1], length, "B T 1", known, f"It is about the lengths. {where}")
        how = "x.norm(dim=-1, keepdim=True) has the slope 0 at 0; a root of a sum that is 0 has an infinite one."
        for part in given:
            expect_finite_slope(part, x, f"One of the segments is silent. {where}", how, "is NaN where all is silent")
        expect_gradient(given[0], x)
    return "Loud and soft segments look alike now, and what was taken away is kept beside them."


@exercise(
    "Exercise 3: a code with a gate",
    hints=(
        "Compare each segment with all rows of U, and with all rows of V. One answer is bent, the other is a gate.",
        "segments @ U.T has the shape (B, T, K). What makes it at least 0, and what brings a gate between 0 and 1?",
        "(segments @ U.T).relu() * (segments @ V.T).sigmoid()",
    ),
)
def exercise_3(code_of):
    """Check a function of segments `(B, T, N)`, U and V, each `(K, N)`: the code `(B, T, K)`, at least 0."""
    for seed, (B, T, N, K) in ((0, (2, 3, 4, 6)), (1, (1, 5, 3, 4))):
        segments = noise(B, T, N, seed=seed).requires_grad_()
        U, V = noise(K, N, seed=seed + 5), noise(K, N, seed=seed + 9)
        u, v = (segments @ U.T).detach(), (segments @ V.T).detach()
        known = {
            "the gate is missing": u.relu(),
            "the ReLU is missing, so the code may be negative": u * v.sigmoid(),
            "the gate is a ReLU too. A sigmoid keeps it between 0 and 1": u.relu() * v.relu(),
            "the gate is not brought between 0 and 1": u.relu() * v,
            "U and V are exchanged: U makes the amount, V its gate": v.relu() * u.sigmoid(),
            "gate and amount are added. A gate multiplies": u.relu() + v.sigmoid(),
            "the gate is a tanh, which may be negative": u.relu() * v.tanh(),
            "the amount is gated by itself. The gate has waveforms of its own, in V": u.relu() * u.sigmoid(),
            "there are two sigmoids. The amount has a ReLU": u.sigmoid() * v.sigmoid(),
            "the gate is a softmax over all waveforms. Each gate stands by itself": u.relu() * v.softmax(-1),
        }
        result = expect_tensor(call(code_of, segments, U, V))
        expect_values(result, u.relu() * v.sigmoid(), "B T K", known, about(segments=("B T N", (B, T, N))))
        expect_gradient(result, segments)
    return "An amount that is never negative: a mask can give a share of it to each talker."


def _sounds(code: Tensor, masks: Tensor, D: Tensor, length: Tensor) -> Tensor:
    """Return `(B, S, T·N)` of masks `(B, S, T, K)`."""
    return ((masks * code[:, None]) @ D.T * length[:, None]).flatten(2)


@exercise(
    "Exercise 4: from masks to sound",
    hints=(
        "Four steps: masks, masked codes, segments of sound, and their lengths back.",
        "scores.softmax(1) makes the masks of the talkers add up to one. code[:, None] stands beside all of them.",
        "((scores.softmax(1) * code[:, None]) @ D.T * length[:, None]).flatten(2)",
    ),
)
def exercise_4(sounds_of):
    """Check a function of code `(B, T, K)`, scores `(B, S, T, K)`, D `(N, K)`, lengths `(B, T, 1)`: `(B, S, T·N)`."""
    for seed, (B, S, T, K, N) in ((0, (2, 2, 3, 5, 4)), (1, (1, 3, 4, 6, 3))):
        code, length = noise(B, T, K, seed=seed).abs(), 0.5 + noise(B, T, 1, seed=seed + 1).abs()
        scores = noise(B, S, T, K, seed=seed + 2).requires_grad_()
        D, plain = noise(N, K, seed=seed + 3), scores.detach()
        masks = plain.softmax(1)
        segments = ((masks * code[:, None]) @ D.T).detach() * length[:, None]  # (B, S, T, N)
        known = {
            "the softmax was taken over the waveforms. The talkers are to share each of them": _sounds(
                code, plain.softmax(-1), D, length
            ),
            "the softmax was taken over time. The talkers are to share each number": _sounds(
                code, plain.softmax(2), D, length
            ),
            "a sigmoid lets each mask stand by itself. Here they add up to one": _sounds(
                code, plain.sigmoid(), D, length
            ),
            "the scores are used as masks. They have to add up to one first": _sounds(code, plain, D, length),
            "the masks are decoded by themselves. They are a share of the code": _sounds(
                torch.ones_like(code), masks, D, length
            ),
            "the masks are missing: every talker is the whole mixture": _sounds(
                code, torch.ones_like(masks), D, length
            ),
            "the lengths did not come back": _sounds(code, masks, D, torch.ones_like(length)),
            "it is divided by the lengths. They were divided out before, so multiply": _sounds(
                code, masks, D, 1 / length
            ),
            "the lengths came back twice": _sounds(code, masks, D, length.square()),
            "samples of different segments are mixed. Segments stand one after the other": segments.mT.flatten(2),
            "segments are not joined yet. flatten(2) puts them one after the other": segments,
        }
        where = about(code=("B T K", (B, T, K))) + f" There are {S} talkers, and segments of {N} samples."
        result = expect_tensor(call(sounds_of, code, scores, D, length))
        expect_values(result, segments.flatten(2), "B S N", known, where)
        expect_gradient(result, scores)
    return "As loud as the mixture, segment by segment, until a mask takes something away."
