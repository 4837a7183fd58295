"""Checks for the lab on normalisation: shapes, norms, bugs, leaks. Taught on: book/building_blocks/normalization."""

import torch
from torch import Tensor

from sepbook.building_blocks.normalization import EPS, CumulativeLayerNorm, normalize
from sepbook.check import (
    CheckFailure,
    NotYet,
    call,
    exercise,
    expect_gradient,
    expect_parts,
    expect_sizes,
    expect_values,
)
from sepbook.check._exercise import is_empty
from sepbook.check._inputs import about, noise
from sepbook.check.building_blocks._whitening import exercise_5

__all__ = ["exercise_1", "exercise_2", "exercise_3", "exercise_4", "exercise_5", "exercise_6"]

MEANS = {
    "batch": ((1, 64, 1), "batch norm", "One mean for each feature, from all songs and frames."),
    "song": ((8, 1, 1), "global layer norm", "One mean for each song, from all its features and frames."),
    "frame": (
        (8, 1, 100),
        "cumulative layer norm",
        "A mean for each song at each frame, from all features up to there.",
    ),
}


OTHER_MEANS = {
    (8, 64, 1): "This is instance norm: a mean for each song and feature.",
    (1, 1, 1): "This is one mean for everything: songs would depend on each other, and features too.",
    (1, 1, 100): "This is a mean for each frame, over all songs and features.",
    (1, 64, 100): "This is a mean over the songs alone: each feature at each frame has its own.",
    (8, 64, 100): "This is no mean: as many numbers as there were.",
}


@exercise(
    "Exercise 1: the shapes of the means",
    hints=(
        "An axis over which the mean is taken has size 1 afterwards. The others keep their size.",
        "Start with batch norm: one number for each of the 64 features. Which axes have become 1?",
        "Write for each layer which axes it joins: batch B and T, global H and T, cumulative H at each frame.",
    ),
)
def exercise_1(batch, song, frame):
    """Check the shapes of the means of batch, global and cumulative layer norm on (8, 64, 100), all axes kept."""
    for given, (right, name, reason) in zip((batch, song, frame), MEANS.values(), strict=True):
        known = {
            **{shape: f"{other} You were asked for {name}." for shape, other in OTHER_MEANS.items()},
            **{shape: f"This is the mean of {other}; you were asked for {name}." for shape, other, _ in MEANS.values()},
        }
        where = f"It is about the mean of {name}: which axes are joined?"
        expect_sizes(given, right, "B H T", known, where, reason)
    return "The cumulative norm has as many means as a layer norm of single frames, from more numbers each."


def _check_silence(result) -> None:
    if not torch.as_tensor(result).isfinite().all():
        raise CheckFailure(
            "A song of zeros comes out as NaN.",
            "Its variance is zero, and zero divided by zero is no number.",
            "Add 1e-5 to the variance before the square root.",
            kind="silence",
            known=True,
        )


def _normed(x: Tensor, weight: Tensor, bias: Tensor, axes, weigh=(1, 1)) -> Tensor:
    return normalize(x, axes) * weight[:, None] ** weigh[0] + bias[:, None] * weigh[1]


@exercise(
    "Exercise 2: global layer norm",
    hints=(
        "Mean and variance over axes (1, 2), kept as axes of size 1; then weight and bias, which belong to axis 1.",
        "Take the mean alone first, and print its shape: it must be (B, 1, 1). The variance is the mean of (x"
        " - mean)².",
        "mean = x.mean((1, 2), keepdim=True), variance likewise of (x - mean)²; then * weight[:, None] + bias[:, None]",
    ),
)
def exercise_2(global_layer_norm):
    """Check a function x (B, H, T), weight (H), bias (H) -> x normalised over H and T, scaled and shifted (B, H, T)."""
    for B, H, T in ((3, 4, 6), (1, 5, 2), (2, 4, 4)):
        x = (3 * noise(B, H, T) + 2 * noise(B, H, 1, seed=3) + 1).requires_grad_()
        weight, bias = noise(H, seed=1) + 2, noise(H, seed=2)
        right = _normed(x, weight, bias, (1, 2))
        mean = x.mean((1, 2), keepdim=True)
        known = {
            "the mean is taken over the batch as well: songs would depend on each other": _normed(
                x, weight, bias, (0, 1, 2)
            ),
            "the mean is taken over H alone: this is the layer norm of a frame": _normed(x, weight, bias, (1,)),
            "the mean is taken over T alone: this is instance norm": _normed(x, weight, bias, (2,)),
            "the mean is taken over B and T: this is batch norm": _normed(x, weight, bias, (0, 2)),
            "the mean is not subtracted": x / (x.var((1, 2), correction=0, keepdim=True) + EPS).sqrt() * weight[:, None]
            + bias[:, None],
            "weight and bias are missing": normalize(x, (1, 2)),
            "the bias is missing": _normed(x, weight, bias, (1, 2), (1, 0)),
            "it is divided by the variance; its square root is meant": (x - mean)
            / (x.var((1, 2), correction=0, keepdim=True) + EPS)
            * weight[:, None]
            + bias[:, None],
            "the variance is divided by n - 1 (what var and std do unless told otherwise); here by n": (x - mean)
            / (x.var((1, 2), keepdim=True) + EPS).sqrt()
            * weight[:, None]
            + bias[:, None],
        }
        if B == 1:  # one song: the batch makes no difference
            known = {
                text: wrong for text, wrong in known.items() if "batch as well" not in text and "B and T" not in text
            }
        result = call(global_layer_norm, x, weight, bias)
        expect_values(result, right, "B H T", known, about(x=("B H T", x.shape)), tolerance=1e-4)
        expect_gradient(result, x)
    _check_silence(call(global_layer_norm, torch.zeros(1, 3, 4), torch.ones(3), torch.zeros(3)))
    soft, ones, zeros = 0.002 * noise(1, 3, 8), torch.ones(3), torch.zeros(3)
    right = normalize(soft, (1, 2))
    variance = soft.var((1, 2), correction=0, keepdim=True)
    known = {
        "1e-5 is added to the root. It belongs to the variance, before the root is taken": (
            (soft - soft.mean()) / (variance.sqrt() + EPS)
        ),
    }
    for eps in (0.0, 1e-12, 1e-9, 1e-8, 1e-6, 1e-4, 1e-3):
        known[f"{eps:g} is added to the variance where 1e-5 was asked for"] = (soft - soft.mean()) / (
            variance + eps
        ).sqrt()
    expect_values(call(global_layer_norm, soft, ones, zeros), right, "B H T", known, "It is about a very soft song.")
    return "The gLN of Conv-TasNet, in three lines."


@exercise(
    "Exercise 3: cumulative layer norm",
    hints=(
        "At each frame: how many numbers so far, their sum, the sum of their squares. torch.cumsum adds along T.",
        "At frame t there are H * (t + 1) numbers so far. Make the row of these counts, then the running sum "
        "of x over H and T.",
        "count = H * (1 … T); mean = x.sum(1).cumsum(-1) / count; the variance: the same of x.square(), less mean²",
    ),
)
def exercise_3(cumulative):
    """Check a function x (B, H, T) -> x, each frame normalised over all features of the frames up to it (B, H, T)."""
    for B, H, T in ((2, 3, 5), (1, 4, 1), (3, 4, 4)):
        x = (2 * noise(B, H, T) + noise(B, 1, T, seed=1)).requires_grad_()
        layer = CumulativeLayerNorm(H)
        each = torch.stack([normalize(x[..., : t + 1], (2,))[..., -1] for t in range(T)], -1)
        flipped = layer(x.flip(-1)).flip(-1)
        before = torch.cat([layer(x)[..., :1] * 0, _by_the_past(x)], -1) if T > 1 else x * 0
        so_far = [x[..., : t + 1] for t in range(T)]
        centred = x - torch.stack([past.mean((1, 2)) for past in so_far], -1)[:, None]
        spread = torch.stack([past.var((1, 2)) for past in so_far], -1)[:, None]
        of_frames = x.var(1, correction=0, keepdim=True).cumsum(-1) / torch.arange(1, T + 1)
        known = {
            "every frame knows the whole song: this is the global layer norm": normalize(x, (1, 2)),
            "each frame knows itself alone: this is the layer norm of a frame": normalize(x, (1,)),
            "each feature has a mean of its own; all features share one": each,
            "time runs backwards: each frame knows those after it": flipped,
            "a frame does not count among those up to it": before,
            "the mean is subtracted, but nothing is divided by the deviation": centred,
            "the variance is divided by n - 1; here by n": centred / (spread + EPS).sqrt(),
            "the variances of single frames are averaged; all numbers so far vary about one mean": (
                centred / (of_frames + EPS).sqrt()
            ),
        }
        if T == 1:
            known = {}
        result = call(cumulative, x)
        expect_values(result, layer(x), "B H T", known, about(x=("B H T", x.shape)), tolerance=1e-3)
        expect_gradient(result, x)
    _check_silence(call(cumulative, torch.zeros(1, 3, 4)))
    late = noise(1, 3, 6)
    late[..., :3] = 0  # a song that begins with silence
    _check_silence(call(cumulative, late))
    return "Change the future as you like: the past stays."


def _by_the_past(x: Tensor) -> Tensor:
    """Normalise frames 1 … T-1 by the frames before each."""
    means = [x[..., :t].mean((1, 2)) for t in range(1, x.shape[-1])]
    spread = [(x[..., :t].var((1, 2), correction=0) + EPS).sqrt() for t in range(1, x.shape[-1])]
    return (x[..., 1:] - torch.stack(means, -1)[:, None]) / torch.stack(spread, -1)[:, None]


def _batch_norm(x, mean, variance, training, momentum=0.1, use_kept=True, correction=1, now_correction=0):
    batch_mean, batch_var = x.mean((0, 2)), x.var((0, 2), correction=now_correction)
    now = (batch_mean, batch_var) if training or not use_kept else (mean, variance)
    y = (x - now[0][:, None]) / (now[1][:, None] + EPS).sqrt()
    if not training:
        return y, mean, variance
    kept = x.var((0, 2), correction=correction)
    return y, mean + momentum * (batch_mean - mean), variance + momentum * (kept - variance)


@exercise(
    "Exercise 4: find the bugs",
    hints=(
        "Ask each mode: which mean normalises, and which mean is kept? After one step, how far have the averages gone?",
        "Call it once in training mode with a kept mean of 0 and a batch mean of 10. Which mean should be kept now?",
        "There are two: kept = 0.9 * kept + 0.1 * new; and with training=False the kept ones normalise, and stay.",
    ),
)
def exercise_4(batch_norm):
    """Check a function x (B, H, T), mean (H), variance (H), training -> normalised x, and both averages afterwards."""
    for training in (True, False):
        for B, H, T in ((3, 4, 5), (1, 3, 4)):
            x, mean, variance = 2 * noise(B, H, T) + 1, noise(H, seed=1), noise(H, seed=2).abs() + 0.5
            result = call(batch_norm, x, mean, variance, training)
            what = "The function should return three tensors: y, mean, variance."
            expect_parts(result, 3, what, "Look at the return of each mode.", "End with return y, mean, variance.")
            right = _batch_norm(x, mean, variance, training)
            where = f"It is about training={training}. " + about(x=("B H T", x.shape))
            known = {
                "the batch is measured in evaluation mode too": _batch_norm(x, mean, variance, training, 0, False)[0]
            }
            known |= {"the kept averages are used in training mode": _batch_norm(x, mean, variance, False)[0]}
            known |= {"the averages are renewed first and then used": _batch_norm(x, *right[1:], False)[0]}
            known |= {
                "the variance of the batch is divided by n - 1 where it normalises; here by n": (
                    _batch_norm(x, mean, variance, training, now_correction=1)[0]
                ),
            }
            known = {text: y for text, y in known.items() if not torch.allclose(y, right[0])}
            expect_values(result[0], right[0], "B H T", known, f"The normalised x is wrong. {where}")
            for place, name in ((1, "mean"), (2, "variance")):
                old = (mean, variance)[place - 1]
                known = {
                    "in evaluation mode nothing is learned: the averages stay": _batch_norm(x, mean, variance, True)[
                        place
                    ],
                    "nothing is kept of the new batch": old,
                    "the shares are exchanged: nine tenths of the old are kept, one tenth of the new is added": (
                        _batch_norm(x, mean, variance, True, 0.9)[place]
                    ),
                    "the kept variance is divided by n; PyTorch keeps the one divided by n - 1": (
                        _batch_norm(x, mean, variance, training, correction=0)[place]
                    ),
                    "nothing is left of the old averages: the last batch alone is kept": (
                        _batch_norm(x, mean, variance, training, 1.0)[place]
                    ),
                }
                known = {text: y for text, y in known.items() if not torch.allclose(y, right[place])}
                expect_values(result[place], right[place], "H", known, f"The kept {name} is wrong. {where}")
    return "Both bugs keep all shapes, and both train well. Only the evaluation is worse, and nobody knows why."


LEAKS = {
    "batch, training": (True, "its mean is over all frames of all songs, later ones included"),
    "batch, eval": (False, "its averages are numbers that stand still"),
    "instance": (True, "its mean is over all frames of the song"),
    "global layer": (True, "its mean is over all features and frames of the song"),
    "cumulative layer": (False, "its mean ends at the frame itself"),
    "frame layer": (False, "its mean is over the features of one frame"),
}


@exercise(
    "Exercise 6: what leaks the future",
    hints=(
        "Ask for each layer: does a frame's mean contain frames that come later?",
        "Take batch norm in training and in evaluation mode: where do their means come from? Then the others.",
        "Three of the six leak, those that average over the whole axis T of what they are given.",
    ),
)
def exercise_6(leaks):
    """Check a dict from the names of six layers to True (looks ahead) or False."""
    if is_empty(leaks):
        raise NotYet("There is no answer in it.")
    if not isinstance(leaks, dict):
        raise CheckFailure("The answer should be the dictionary with a True or False for each name.", kind="type")
    if any(value is ... or value is None for value in leaks.values()):
        raise NotYet("Write True or False in place of the dots.")
    missing = [name for name in LEAKS if isinstance(leaks.get(name), str) or leaks.get(name) not in (True, False)]
    if missing:
        raise CheckFailure(f"There is no True or False for {', '.join(missing)}.", kind="missing")
    wrong = [name for name, (right, _) in LEAKS.items() if leaks[name] != right]
    if wrong:
        name = wrong[0]
        raise CheckFailure(
            f"{len(wrong)} of {len(LEAKS)} are not right.",
            f"Think again about {name}: over which frames is its mean?",
            f"In {name}, {LEAKS[name][1]}.",
            kind=name,
        )
    return "The cell below does not believe you: it changes the future and looks."
