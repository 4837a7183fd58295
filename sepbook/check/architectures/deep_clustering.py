"""Checks for the lab on deep clustering: vectors of length 1, who has a vote, one round of k-means.

Taught on: book/architectures/deep_clustering
"""

import torch
from torch import Tensor
from torch.nn import functional

from sepbook.check import call, exercise, expect_gradient, expect_values
from sepbook.check._inputs import about, dice, noise


def _points(features: Tensor, weight: Tensor, bias: Tensor, D: int, axis: int = -1) -> Tensor:
    values = functional.linear(features, weight, bias).tanh().unflatten(-1, (-1, D))  # (B, T, F, D)
    return functional.normalize(values, dim=axis).transpose(1, 2)


@exercise(
    "Exercise 1: from features to points",
    hints=(
        "One linear layer makes F times D numbers for each frame. The D numbers of a bin stand side by side.",
        "Four steps: linear, tanh, cut the last axis into (F, D), divide each vector by its length. Then F before T.",
        "v = functional.linear(features, weight, bias).tanh().unflatten(-1, (-1, D)) is (B, T, F, D); "
        "functional.normalize(v, dim=-1).transpose(1, 2).",
    ),
)
def exercise_1(points_of):
    """Check a function of features `(B, T, H)`, weight `(F·D, H)`, bias `(F·D,)`, D: embeddings `(B, F, T, D)`."""
    for seed, (B, T, H, F, D) in ((0, (2, 5, 4, 6, 3)), (1, (1, 3, 5, 4, 7))):
        features = noise(B, T, H, seed=seed).requires_grad_()
        weight, bias = noise(F * D, H, seed=seed + 5), noise(F * D, seed=seed + 9)
        expected = _points(features, weight, bias, D)
        flat = functional.linear(features, weight, bias)
        cut = flat.unflatten(-1, (-1, D)).transpose(1, 2)  # (B, F, T, D)
        known = {
            "the vectors have no length of 1: divide each by its length": cut.tanh(),
            "the tanh is missing": functional.normalize(cut, dim=-1),
            "each vector was divided by its length before the tanh, which bends it again": (
                functional.normalize(cut, dim=-1).tanh()
            ),
            "a sigmoid keeps all numbers positive. The small network takes a tanh": (
                functional.normalize(cut.sigmoid(), dim=-1)
            ),
            "the lengths were taken along the bins. Each vector is D numbers of one bin": (
                _points(features, weight, bias, D, axis=2)
            ),
            "each was divided by the sum of its squares. The length is the root of that": (
                cut.tanh() / cut.tanh().square().sum(-1, keepdim=True)
            ),
            "the F values of a dimension stand side by side in yours. It is the D values of a bin": (
                functional.normalize(flat.tanh().unflatten(-1, (D, -1)).permute(0, 3, 1, 2), dim=-1)
            ),
            "frames are in the wrong places: a reshape does not exchange axes": (
                functional.normalize(flat.tanh().reshape(B, F, T, D), dim=-1)
            ),
            "the bias is missing": _points(features, weight, 0 * bias, D),
        }
        where = about(features=("B T H", (B, T, H))) + f" There are {D} numbers for each bin."
        known = {fault: wrong.detach() for fault, wrong in known.items()}
        result = call(points_of, features, weight, bias, D)
        expect_values(result, expected.detach(), "B F T D", known, where)
        expect_gradient(result, features)
    return "Only directions are left: an inner product of two of these vectors is the cosine of their angle."


def _votes(magnitude: Tensor, least: Tensor) -> Tensor:
    return ((magnitude >= least) & (magnitude > 0)).float()


@exercise(
    "Exercise 2: who has a vote",
    hints=(
        "Find the loudest bin of each item first. Decibels below it are a factor below its magnitude.",
        "20 dB below is a tenth, 40 dB below a hundredth. In silence even the loudest bin is 0: nobody votes.",
        "loudest = magnitude.amax((1, 2), keepdim=True); "
        "return ((magnitude >= loudest * 10 ** (-below / 20)) & (loudest > 0)).float()",
    ),
)
def exercise_2(votes_of):
    """Check a function of magnitudes `(B, F, T)` and below in dB: weight `(B, F, T)` of zeros and ones."""
    for seed, shape, below in ((0, (3, 6, 8), 40.0), (1, (4, 5, 7), 20.0)):
        x = 10 ** (1.3 * noise(*shape, seed=seed)) * torch.rand(*shape, generator=dice(seed))
        x *= 30.0 ** torch.arange(shape[0])[:, None, None]  # items of unlike loudness
        x[-1] = 0  # and one of silence
        loudest = x.amax((1, 2), keepdim=True)
        expected = _votes(x, loudest * 10 ** (-below / 20))
        known = {
            "10 in the place of 20. That is for powers, and a magnitude is no power": (
                _votes(x, loudest * 10 ** (-below / 10))
            ),
            "the loudest bin of the whole batch was taken. Each item has its own": _votes(
                x, x.max() * 10 ** (-below / 20)
            ),
            "the loudest bin of each frame was taken. It is that of the item": (
                _votes(x, x.amax(1, keepdim=True) * 10 ** (-below / 20))
            ),
            "the loudest frame of each bin was taken. It is the loudest bin of the item": (
                _votes(x, x.amax(2, keepdim=True) * 10 ** (-below / 20))
            ),
            "levels are compared with 0 dB, not with the loudest bin": _votes(
                x, torch.full_like(loudest, 10 ** (-below / 20))
            ),
            "silence votes: in an item of zeros every bin is as loud as the loudest": (
                (x >= loudest * 10 ** (-below / 20)).float()
            ),
            "the soft bins were chosen, and the loud ones left out": 1 - expected,
            "the magnitudes are still there. A vote is 1 or 0": x * expected,
        }
        result = call(votes_of, x, below)
        result = result.float() if isinstance(result, Tensor) and result.dtype == torch.bool else result
        expect_values(result, expected, "B F T", known, about(("B F T", shape)) + f" below is {below:.0f} dB.")
    return "What is so soft that nobody can say whose it is moves no centre."


def _means(x: Tensor, weight: Tensor, labels: Tensor, S: int, otherwise: Tensor) -> Tensor:
    own = functional.one_hot(labels, S).to(x) * weight[:, None]  # (N, S)
    sizes = own.sum(0)[:, None]
    return torch.where(sizes > 0, own.T @ x / sizes.clamp_min(1e-9), otherwise)


@exercise(
    "Exercise 3: one round of k-means",
    hints=(
        "Two steps: each point goes to the nearest centre, then each centre moves to the mean of its points.",
        "torch.cdist(points, centres) is (N, S), the smallest of each row says who is nearest. The mean is weighted: "
        "divide by the sum of the weights, not by how many points there are.",
        "own = one_hot(torch.cdist(points, centres).argmin(1), len(centres)) * weight[:, None] is (N, S); "
        "return own.T @ points / own.sum(0)[:, None]",
    ),
)
def exercise_3(one_round):
    """Check a function of points `(N, D)`, weight `(N,)`, centres `(S, D)`: the centres after one round."""
    for seed, (N, D, S) in ((0, (30, 4, 2)), (1, (48, 3, 3))):
        centres = 1.5 * torch.eye(D)[:S] + 0.1 * noise(S, D, seed=seed + 3)
        home = torch.arange(N) % S
        x = centres[home] + 0.7 * noise(N, D, seed=seed) + 0.4
        weight = 0.2 + torch.rand(N, generator=dice(seed + 1))
        weight[S : N // 3] = 0
        distances = torch.cdist(x, centres)
        nearest = distances.argmin(1)
        heavy = functional.one_hot(nearest, S).to(x)  # (N, S)
        known = {
            "the weights are ignored: bins without a vote move the centres": (
                _means(x, torch.ones(N), nearest, S, centres)
            ),
            "points without weight are left out, but the others count alike": (
                _means(x, (weight > 0).float(), nearest, S, centres)
            ),
            "it is divided by the number of points. Divide by the sum of their weights": (
                (heavy * weight[:, None]).T @ x / heavy.sum(0)[:, None]
            ),
            "the weighted sum was not divided at all": (heavy * weight[:, None]).T @ x,
            "each point went to the farthest centre": _means(x, weight, distances.argmax(1), S, centres),
            "the nearest is the one with the largest inner product in yours: take distances": (
                _means(x, weight, (x @ centres.T).argmax(1), S, centres)
            ),
            "every centre moved to the mean of all points": _means(
                x, weight, torch.zeros(N, dtype=torch.long), 1, x[:1]
            ).expand(S, D),
            "nothing has moved": centres,
        }
        known = {fault: wrong for fault, wrong in known.items() if wrong.isfinite().all()}
        expected = _means(x, weight, nearest, S, centres)
        known = {fault: wrong for fault, wrong in known.items() if not torch.allclose(wrong, expected, atol=1e-3)}
        where = f"It is about {N} points of {D} numbers, and {S} centres."
        expect_values(call(one_round, x, weight, centres), expected, "S D", known, where)
    return "Repeat it until no point changes its centre, and that is k-means."
