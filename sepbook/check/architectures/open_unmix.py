"""Checks for the lab on Open-Unmix: sizes, shift and scale, the way around the LSTM, and one step of the filter.

Taught on: book/architectures/open_unmix
"""

import torch
from torch import Tensor

from sepbook.building_blocks.wiener import expectation_maximization
from sepbook.check import call, exercise, expect_gradient, expect_sizes, expect_values
from sepbook.check._compare import expect_parts
from sepbook.check._inputs import noise


@exercise(
    "Exercise 1: the sizes of one target's network",
    hints=(
        "How many bins lie at or below 4000 Hz? And what does a linear layer get when two channels lie side by side?",
        "A bin is 16000 / 1024 = 15.625 Hz wide, and bin 0 counts. Both directions of the LSTM together give H.",
        "4000 / 15.625 = 256, and with bin 0 it is one more. fc1 gets that twice. Each direction has half of 128.",
    ),
)
def exercise_1(prediction):
    """Check the predicted (bins read, numbers into fc1, width of one direction of the LSTM)."""
    known = {
        (256, 512, 64): "Bin 0 counts too: from 0 Hz to 4000 Hz there is one bin more than there are steps.",
        (257, 257, 64): "Two channels: fc1 gets the bins of both, side by side.",
        (257, 514, 128): "128 is the width of both directions together, so that the skip is as wide as the LSTM.",
        (513, 1026, 64): "That is all bins. The network reads those up to 4000 Hz only.",
        (257, 514, 256): "Each direction has half of H, not twice as much.",
        (128, 256, 64): "Bins are counted up to 4000 Hz, and a bin is 16000 / 1024 Hz wide, not twice that.",
    }
    expect_sizes(prediction, (257, 514, 64), "F H H'", known)
    return "The outputs are not cropped: fc3 answers for all 513 bins of both channels."


def _moments(magnitude: Tensor, axes=(0, 2), together: bool = False) -> tuple[Tensor, Tensor]:
    """Mean and spread of each bin of `(B, C, F, T)`, of the mean of the channels or of all channels `together`."""
    if together:
        return magnitude.mean((0, 1, 3)), magnitude.std((0, 1, 3), correction=0)
    x = magnitude.mean(1)  # (B, F, T)
    return x.mean(axes), x.std(axes, correction=0)


@exercise(
    "Exercise 2: shift and scale from the data",
    hints=(
        "One number for each bin: average over all axes but F. The network adds the first, multiplies by the other.",
        "Take the mean of the channels first: x = magnitude.mean(1). Then mean and spread of x over B and T.",
        "x = magnitude.mean(1); return -x.mean((0, 2)), 1 / x.std((0, 2), correction=0)",
    ),
)
def exercise_2(shift_and_scale):
    """Check a function of magnitudes `(B, C, F, T)`: what is added to each bin `(F,)`, and what it is multiplied by."""
    for seed, (B, C, F, T) in enumerate(((2, 2, 5, 7), (3, 1, 4, 6))):
        x = noise(B, C, F, T, seed=seed).abs() * torch.linspace(5, 0.2, F)[:, None] + 0.1
        mean, std = _moments(x)
        what = "The answer should be two things: what is added to each bin, and what it is then multiplied by."
        shift, scale = expect_parts(call(shift_and_scale, x), 2, what, "Look at the last line of the function.")
        where = f"It is about B={B}, C={C}, F={F}, T={T}."
        shifts = {
            "the mean itself. The network *adds* the shift, and the mean has to go": mean,
            "the mean over all bins: each bin has its own": -mean.mean().expand(F),
            "the mean of the first item alone": -x[0].mean((0, 2)),
            "the sum over B and T instead of the mean": -x.mean(1).sum((0, 2)),
        }
        expect_values(shift, -mean, "F", shifts, f"It is the shift. {where}")
        sample = x.mean(1).std((0, 2))
        scales = {
            "the spread itself. The network *multiplies*, so one over it is wanted": std,
            "one over the variance: a root is missing": 1 / std**2,
            "the spread was divided by one less than the number of values, as torch.std does it; say correction=0": (
                1 / sample
            ),
            "the spread of both channels together. The mean of the channels comes first": 1 / _moments(x, (), True)[1],
            "one over the mean instead of one over the spread": 1 / mean,
        }
        expect_values(scale, 1 / std, "F", scales, f"It is the scale. {where}")
    return "These are only the start: both are weights, and training moves them."


def _unmix(squeeze, read, unfold, magnitude, order=(0, 1), gain=torch.relu, multiply=True, second=None) -> Tensor:
    a = squeeze(magnitude.permute(3, 0, 1, 2))  # (T, B, H)
    halves = (a, read(a) if second is None else second(a))
    x = gain(unfold(torch.cat([halves[i] for i in order], -1))).permute(1, 2, 3, 0)  # (B, C, F, T)
    return x * magnitude if multiply else x


def _parts(C: int, F: int, H: int, seed: int):
    """Three functions that stand for the layers before, in and after the LSTM; random, and not linear."""
    first, inside = noise(C * F, H, seed=seed), noise(H, H, seed=seed + 1)
    last, bias = noise(2 * H, C * F, seed=seed + 2), noise(C * F, seed=seed + 3)

    def squeeze(x):  # (T, B, C, F) -> (T, B, H)
        return torch.tanh(x.flatten(2) @ first)

    def read(x):  # (T, B, H) -> (T, B, H): what came before counts
        return torch.tanh(x.cumsum(0) @ inside)

    def unfold(x):  # (T, B, 2H) -> (T, B, C, F)
        return (x @ last + bias).unflatten(2, (C, F))

    return squeeze, read, unfold


@exercise(
    "Exercise 3: around the LSTM, and out",
    hints=(
        "Frames come first inside: which axis of (B, C, F, T) has to move where? And at the end, back again.",
        "a = squeeze(frames first); the LSTM reads a; both are stacked along H, a first. Then unfold, ReLU, multiply.",
        "a = squeeze(magnitude.permute(3, 0, 1, 2)); x = unfold(torch.cat([a, read(a)], -1)); then "
        "return torch.relu(x).permute(1, 2, 3, 0) * magnitude",
    ),
)
def exercise_3(estimate):
    """Check a function of squeeze, read, unfold and magnitude `(B, C, F, T)`: one target's magnitudes."""
    for seed, (B, C, F, T, H) in enumerate(((2, 2, 4, 5, 3), (1, 1, 6, 3, 4))):
        parts = _parts(C, F, H, 10 * seed)
        x = (noise(B, C, F, T, seed=seed + 50).abs() + 0.1).requires_grad_()
        known = {
            "what the LSTM has read stands before the skip; it belongs behind": _unmix(*parts, x, (1, 0)),
            "the skip stands there twice, and what the LSTM has read is lost": _unmix(*parts, x, (0, 0)),
            "what the LSTM has read stands there twice: the skip is missing": _unmix(*parts, x, (1, 1)),
            "the ReLU is missing: magnitudes below 0": _unmix(*parts, x, gain=lambda y: y),
            "a sigmoid in place of the ReLU. The gain may be larger than 1": _unmix(*parts, x, gain=torch.sigmoid),
            "the mixture is not multiplied: that is the gain": _unmix(*parts, x, multiply=False),
            "the mixture is multiplied twice": _unmix(*parts, x) * x,
        }
        given = call(estimate, *parts, x)
        expect_values(given, _unmix(*parts, x), "B C F T", known, f"It is about B={B}, C={C}, F={F}, T={T}.")
        expect_gradient(given, x)
    return "The gain has no upper bound. What makes a share of it is the filter."


@exercise(
    "Exercise 4: one step of the filter, in mono",
    hints=(
        "Which share of the mixture belongs to whom? Powers decide, and phases come from the mixture.",
        "Square the magnitudes, divide by their sum over S, multiply by the mixture. In silence the sum is 0.",
        "power = magnitudes.square(); return power / power.sum(0).clamp_min(1e-10) * mixture",
    ),
)
def exercise_4(wiener_step):
    """Check a function of a mixture `(F, T)`, complex, and magnitudes `(S, F, T)`: estimates `(S, F, T)`, complex."""
    for seed, (S, F, T) in enumerate(((3, 4, 6), (2, 5, 3))):
        mixture, m = noise(F, T, seed=seed, dtype=torch.complex64), noise(S, F, T, seed=seed + 7).abs() + 0.1
        mixture[:, -1], m[:, :, -1] = 0, 0  # the last frame is silent
        phase = torch.polar(torch.ones(F, T), mixture.angle())
        right = m**2 / (m**2).sum(0).clamp_min(1e-10) * mixture
        first = expectation_maximization(mixture[None, None], (m * phase)[None, :, None], 2)[0, :, 0]
        known = {
            "shares of magnitudes. The filter shares powers": m / m.sum(0).clamp_min(1e-10) * mixture,
            "magnitudes with the mixture's phase: nothing was shared": m * phase,
            "the shares meet the size of the mixture, so that the phase is lost": (right / phase) + 0j,
            "the shares themselves, without the mixture": m**2 / (m**2).sum(0).clamp_min(1e-10) + 0j,
            "the sum was taken over frames instead of sources": m**2 / (m**2).sum(2, True).clamp_min(1e-10) * mixture,
            "the sum was taken over bins instead of sources": m**2 / (m**2).sum(1, True).clamp_min(1e-10) * mixture,
            "two steps. One is asked for": first,
        }
        where = f"It is about S={S}, F={F}, T={T}, and the last frame is silent."
        expect_values(call(wiener_step, mixture, m), right, "S F T", known, where, tolerance=1e-4)
    return "They add up to the mixture, wherever there is one."
