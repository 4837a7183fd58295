"""Checks for the lab on masks: binary, ratio, phase-sensitive, and a bug. Taught on: book/foundations/masks."""

import torch
from torch import Tensor

from sepbook.building_blocks.stft import STFT
from sepbook.check import CheckFailure, call, exercise, expect_choice, expect_shape, expect_tensor, expect_values
from sepbook.check._inputs import noise
from sepbook.evaluation import oracles


def _bins(S: int = 3, C: int = 2, N: int = 300, seed: int = 0) -> Tensor:
    """Return the spectrograms `(S, C, F, T)` of noise whose sources have different loudness."""
    return STFT(32, 8)(noise(S, C, N, seed=seed) * torch.linspace(0.6, 1.6, S)[:, None, None])


@exercise(
    "Exercise 1: the ideal binary mask",
    hints=(
        "Which axis counts the sources? The winner of each bin is found along that one, from magnitudes.",
        "Find the largest magnitude of each bin with amax over that axis, and keep the axis (keepdim=True).",
        "magnitude = X.abs(); then (magnitude == magnitude.amax(0, keepdim=True)).float()",
    ),
)
def exercise_1(binary_mask):
    """Check a function X `(S, C, F, T)` complex -> masks of the same shape: 1 where the source is loudest, else 0."""
    for X in (_bins(), _bins(2, 1, seed=9)):
        _check_winners(binary_mask, X)
    _check_ties(binary_mask)
    return "Every bin has a winner, so no part of the mixture is lost."


def _check_winners(binary_mask, X: Tensor) -> None:
    magnitude = X.abs()
    winner, mean = magnitude.amax(0, keepdim=True), magnitude.mean(1, keepdim=True)
    known = {
        "the loudest bin of each frame was looked for (the axis F), not the loudest source": _is_largest(magnitude, 2),
        "the loudest frame of each bin was looked for (the axis T), not the loudest source": _is_largest(magnitude, 3),
        "the loudest channel was looked for (the axis C), not the loudest source": _is_largest(magnitude, 1),
        "the channels were averaged first. Each channel has winners of its own": _is_largest(mean, 0).expand(X.shape),
        "the first channel decides for all channels": _is_largest(magnitude[:, :1], 0).expand(X.shape),
        "the real parts were compared; the magnitude is X.abs()": _is_largest(X.real, 0),
        "each source was compared with half of the sum of all magnitudes": (magnitude > magnitude.sum(0) / 2).float(),
        "each source was compared with half of the mixture": (magnitude > X.sum(0).abs() / 2).float(),
        "it marks the bins where the source is not the loudest": (magnitude < winner).float(),
        "it returns magnitudes: the mask is 1 where the source wins": torch.where(magnitude == winner, magnitude, 0.0),
    }
    masks = expect_tensor(call(binary_mask, X))
    if masks.dtype == torch.bool:
        raise CheckFailure(
            "The masks are True and False, but should be numbers: 1.0 and 0.0.",
            "A comparison such as == or > returns bool. Masks are averaged, summed and trained as numbers.",
            "End with .float().",
            kind="bool",
            known=True,
        )
    expect_values(masks, oracles.binary_mask(X), "S C F T", known)


def _check_ties(binary_mask) -> None:
    """Two sources that are equally loud, or silence: somebody has to get the bin."""
    X = _bins(seed=8)
    X[1] = X[0]
    X[..., -2:] = 0
    masks = expect_shape(call(binary_mask, X), X.shape, "S C F T")
    if (masks.sum(0) < 0.5).any():
        raise CheckFailure(
            "Where two sources are equally loud, or all are silent, no source gets the bin: it is lost.",
            "Is each source compared with *another* one by >? Of two equal numbers neither is greater.",
            "Compare each with the largest of all: magnitude == magnitude.amax(0, keepdim=True).",
            kind="ties",
            known=True,
        )


def _is_largest(values: Tensor, axis: int) -> Tensor:
    return (values == values.amax(axis, keepdim=True)).float()


@exercise(
    "Exercise 2: the ideal ratio mask",
    hints=(
        "Above the line stands one source, below it the sum over all sources. The power comes before the sum.",
        "part = X.abs() ** p first. Its sum over the sources is what each part is divided by.",
        "part = X.abs() ** p; return part / part.sum(0, keepdim=True).clamp(min=1e-12)",
    ),
)
def exercise_2(ratio_mask):
    """Check a function (X `(S, C, F, T)` complex, p) -> shares of the same shape that sum to one over S."""
    for p, S in ((1.0, 3), (2.0, 3), (0.5, 2)):
        X = _bins(S, seed=1)
        magnitude = X.abs()
        part = magnitude**p
        known = {
            "the power was taken after the division. The power comes before the sum": (magnitude / magnitude.sum(0))
            ** p,
            "below the line stands the mixture's magnitude. Magnitudes of sources do not add up to it": (
                part / X.sum(0).abs() ** p
            ),
            "the sum went over the bins (F) instead of the sources": part / part.sum(2, keepdim=True),
            "the sum went over the frames (T) instead of the sources": part / part.sum(3, keepdim=True),
            "the sum went over the channels (C) instead of the sources": part / part.sum(1, keepdim=True),
            "nothing was divided: these are not shares yet": part,
            "it was divided by the largest one, and not by the sum": part / part.amax(0),
            "these are the shares of the others": 1 - part / part.sum(0),
            "it is a softmax of the magnitudes": torch.softmax(magnitude, 0),
        }
        if p != 2:
            known["the power is always squared: this is p = 2 whatever p is given"] = (
                magnitude.square() / magnitude.square().sum(0)
            )
        if p != 1:
            known["the power is missing: this is p = 1 whatever p is given"] = magnitude / magnitude.sum(0)
        where = f"It is about p = {p:g}, and {len(X)} sources."
        expect_values(call(ratio_mask, X, p), oracles.ratio_mask(X, p), "S C F T", known, where)
    X[..., -2:] = 0
    masks = expect_tensor(call(ratio_mask, X, 1.0))
    if not masks.isfinite().all():
        raise CheckFailure(
            "In a bin where all sources are silent, the mask is NaN.",
            "There it is 0 / 0. A song has such bins wherever it pauses, and one NaN makes all of the sound NaN.",
            "Keep the sum away from zero: part.sum(0, keepdim=True).clamp(min=1e-12).",
            kind="silence",
            known=True,
        )
    return "The shares of a bin add up to one, whatever p is."


@exercise(
    "Exercise 3: which one wins?",
    hints=(
        "Think of a bin in which one source is ten times as strong as the other. How much of the wrong one does "
        "p = 1 let in?",
        "p = 1 gives the weak one a tenth of the bin, p = 2 a hundredth. Its true share of the energy is …?",
        "The page derives the best mask for known magnitudes and unknown phases. Its power is 2.",
    ),
)
def exercise_3(prediction):
    """Check the predicted winner in SI-SDR: "binary", "ratio 1" or "ratio 2"."""
    choices = {
        "binary": "It is right where one source dominates. But a bin that two share evenly it gives to one, whole.",
        "ratio 1": "A source with a tenth of the magnitude gets a tenth of the bin: more than its energy deserves.",
    }
    expect_choice(prediction, "ratio 2", choices)
    return "Now measure it. And who comes last?"


@exercise(
    "Exercise 4: the truncated phase-sensitive mask",
    hints=(
        "Divide source by mixture, both complex. What is left to do is to take the right part and to cut it.",
        "X / Y is complex. Which of .abs(), .real and .angle() is the part along the mixture?",
        "Y = X.sum(0); return (X / Y).real.clamp(0, 1)",
    ),
)
def exercise_4(phase_mask):
    """Check a function X `(S, C, F, T)` complex -> truncated phase-sensitive masks, real, from 0 to 1."""
    X = _bins(seed=2)
    Y = X.sum(0)
    ratio = X / Y
    known = {
        "it is cut at -1 instead of 0: a source that points the other way is turned round": ratio.real.clamp(-1, 1),
        "below the line stands the sum of the magnitudes. The mixture is the sum of the complex numbers": (
            X.real / X.abs().sum(0)
        ).clamp(0, 1),
        "that is the part of the others": (1 - ratio.real).clamp(0, 1),
        "that is the part across the mixture, the imaginary one": ratio.imag.clamp(0, 1),
        "nothing is cut: values below 0 and above 1 are still there": ratio.real,
        "only the values below 0 are cut": ratio.real.clamp(min=0),
        "only the values above 1 are cut": ratio.real.clamp(max=1),
        "the magnitude of the ratio was taken instead of its real part: the phase is not heard": (
            ratio.abs().clamp(0, 1)
        ),
        "real parts were divided by real parts; divide the complex numbers first": (X.real / Y.real).clamp(0, 1),
        "mixture and source are swapped": (Y / X).real.clamp(0, 1),
        "the product lacks a conjugate: it is Re(X · conj(Y)) / |Y|²": ((X * Y).real / Y.abs() ** 2).clamp(0, 1),
        "one factor is missing below the line: |Y| must be squared": ((X * Y.conj()).real / Y.abs()).clamp(0, 1),
    }
    where = "The mixture is the sum over the sources, complex: X.sum(0)."
    expect_values(
        call(phase_mask, X), oracles.truncated_phase_sensitive_mask(X), "S C F T", known, where, tolerance=1e-4
    )
    return "Where source and mixture point apart it keeps nothing, and it never turns a source down that was cancelled."


def _applied(logits: Tensor, bins: Tensor, axis: int = 1) -> Tensor:
    return torch.softmax(logits, axis) * bins[:, None]


@exercise(
    "Exercise 5: find the bugs",
    hints=(
        "Print masks.sum(1): what should the masks of one bin add up to? Then look at the axes of `bins`, from the "
        "left, and ask what .abs() throws away.",
        "Take the softmax first: (B, S, C, F, T) has S at number 1. Then write the shape of bins[:, None].",
        "There are three: the softmax goes over S, dim=1; bins[:, None] puts the new axis where S is; and no .abs().",
    ),
)
def exercise_5(apply_network):
    """Check a function (logits `(B, S, C, F, T)`, bins `(B, C, F, T)` complex) -> masked bins `(B, S, C, F, T)`."""
    for B, C in ((2, 2), (3, 1)):
        bins = _bins(B, C, seed=3)  # here the first axis is B
        logits = noise(B, 4, *bins.shape[1:], seed=4)
        known = {
            "the softmax goes over the channels (C): with one channel every mask is 1": _applied(logits, bins, 2),
            "the softmax goes over the bins (F): they compete, and the sources do not": _applied(logits, bins, 3),
            "the softmax goes over the frames (T)": _applied(logits, bins, 4),
            "the softmax goes over the batch (B): songs compete with each other": _applied(logits, bins, 0),
            "the phase is lost: the masks are multiplied with magnitudes": _applied(logits, bins.abs() + 0j),
            "there is a sigmoid: the masks of a bin no longer add up to one": torch.sigmoid(logits) * bins[:, None],
        }
        masks, wide = torch.softmax(logits, 1), bins[:, None]
        known |= {
            "the logits themselves were multiplied. They become masks by softmax": logits * wide,
            "the largest logit gets the smallest mask: a sign": _applied(-logits, bins),
            "bins of the first mixture for all mixtures": masks * wide[:1],
            "the masks of the first channel were used for all channels": masks[:, :, :1] * wide,
            "these are the masks alone. Multiply them with the bins": masks + 0j,
        }
        where = f"It is about {B} mixtures with {C} channel{'s' * (C > 1)}: bins (B={B}, C={C}, F, T)."
        masked = call(apply_network, logits, bins)
        masked = masked + 0j if isinstance(masked, Tensor) and not masked.is_complex() else masked
        expect_values(masked, _applied(logits, bins), "B S C F T", known, where)
    return "Nothing had crashed. Bugs on axes are found by values: print what should add up to one."
