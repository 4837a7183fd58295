"""Checks for the lab of the waveform losses.

Taught on: book/losses/waveform
"""

import math

import torch
from torch import Tensor

from sepbook.check import (
    CheckFailure,
    call,
    exercise,
    expect_finite_slope,
    expect_gradient,
    expect_number,
    expect_values,
)
from sepbook.check._exercise import NotYet, is_empty
from sepbook.check._inputs import dice
from sepbook.losses import waveform


def _pair(seed: int, B: int = 3, S: int = 2, C: int = 2, N: int = 60) -> tuple[Tensor, Tensor]:
    """Estimates and sources in float64, at different levels and with a mean; both channels differ."""
    random = dice(seed)
    sources = torch.randn(B, S, C, N, dtype=torch.float64, generator=random)
    sources = sources * torch.linspace(0.2, 2.0, B * S * C, dtype=torch.float64).view(B, S, C, 1) + 0.3
    error = torch.randn(B, S, C, N, dtype=torch.float64, generator=random)
    return (0.6 * sources + 0.3 * error).requires_grad_(), sources


def _si_sdr(e: Tensor, s: Tensor, axes=(-2, -1), by: str = "source", factor: float = 10, log=torch.log10) -> Tensor:
    """SI-SDR by its definition `(…, C, N) -> (…)`, and with other arguments the usual ways to get it wrong."""
    energy = {"source": s, "estimate": e}[by].square().sum(axes, keepdim=True)
    target = (e * s).sum(axes, keepdim=True) / energy * s
    return factor * log(target.square().sum(axes) / (e - target).square().sum(axes))


def _mixed(e: Tensor, s: Tensor, above: str = "target", rest: str = "e - target", axes=(-2, -1)) -> Tensor:
    """SI-SDR with one of its three parts taken wrongly; `axes` are those of alpha alone."""
    target = (e * s).sum(axes, keepdim=True) / s.square().sum(axes, keepdim=True) * s
    upper = {"target": target, "source": s, "estimate": e}[above].square().sum((-2, -1))
    lower = {"e - target": e - target, "e - s": e - s, "s - target": s - target}[rest].square().sum((-2, -1))
    return 10 * torch.log10(upper / lower)


def _sdr(e: Tensor, s: Tensor) -> Tensor:
    return 10 * torch.log10(s.square().sum((-2, -1)) / (e - s).square().sum((-2, -1)))


def _centred(x: Tensor, axes=-1) -> Tensor:
    return x - x.mean(axes, keepdim=True)


@exercise(
    "Exercise 1: SI-SDR from its definition",
    hints=(
        "Three lines: alpha, the target alpha * source, and ten times the logarithm of a ratio of two energies.",
        "alpha is one number per source: both sums go over the axes C and N together, and keep them (keepdim=True).",
        "alpha = (e * s).sum((-2, -1), keepdim=True) / s.square().sum((-2, -1), keepdim=True); target = alpha * s; "
        "return 10 * torch.log10(target.square().sum((-2, -1)) / (e - target).square().sum((-2, -1))).",
    ),
)
def exercise_1(si_sdr):
    """Check a function of estimates and sources `(B, S, C, N)`: SI-SDR `(B, S)` in dB, channels jointly."""
    for seed in (0, 1):
        e, s = _pair(seed)
        known = {
            "alpha is missing. This is SDR: the source at its own level": _sdr(e, s),
            "alpha is divided by the energy of the estimate; it is the source that is scaled": _si_sdr(
                e, s, by="estimate"
            ),
            "amplitudes were taken for energies: 20 log10 belongs to a ratio of amplitudes": _si_sdr(e, s, factor=20),
            "the estimate stands above the line. It is the target, alpha times the source": _mixed(e, s, "estimate"),
            "the source itself stands above the line. It is the target, alpha times the source": _mixed(e, s, "source"),
            "the error is e − s. What is left over is e minus the target": _mixed(e, s, rest="e - s"),
            "the error is taken from the source. What is left over is e minus the target": _mixed(
                e, s, rest="s - target"
            ),
            "each channel has an alpha of its own; one alpha belongs to both channels": _mixed(e, s, axes=-1),
            "the factor 10 is missing: one bel is ten decibels": _si_sdr(e, s, factor=1),
            "the logarithm is the natural one; decibels want torch.log10": _si_sdr(e, s, log=torch.log),
            "each channel has an alpha and a ratio of its own; both belong to one long vector": _si_sdr(
                e, s, axes=(-1,)
            ).mean(-1),
            "the means were subtracted. That is SI-SNR": _si_sdr(_centred(e), _centred(s)),
        }
        result = call(si_sdr, e, s)
        expect_values(result, _si_sdr(e, s), "B S", known, tolerance=1e-4)
        expect_gradient(result, e)
    return "Scale either signal by what you like: nothing changes."


@exercise(
    "Exercise 2: the gradient of SI-SDR",
    hints=(
        "Walk along the ray from silence through the estimate. How does the loss change on this way? A slope is zero "
        "in a direction in which nothing changes. And of a picture that is enlarged, the slopes get smaller.",
        "What is loss(2 * e) - loss(e)? Nothing changes along the ray: so how large is the slope in this direction?",
        "For every factor c, loss(c * e) = loss(e). Differentiate by c at c = 1: <gradient, e> = 0. Differentiate by "
        "e: c * gradient(c * e) = gradient(e).",
    ),
)
def exercise_2(prediction):
    """Check the predicted (cosine between gradient and estimate, length of the gradient at 2 e relative to e)."""
    if is_empty(prediction):
        raise NotYet("Write your numbers in place of the dots.")
    try:
        cosine, length = prediction
    except (TypeError, ValueError):
        raise CheckFailure(
            f"The answer is a pair of numbers, but is {prediction!r:.80}.",
            "The first is a cosine, the second a ratio of lengths.",
            "Write it as prediction = (cosine, ratio).",
            kind="pair",
        ) from None
    if abs(_number(cosine) or 0.0) in (90.0, 1.57, 1.571, math.pi / 2):
        raise CheckFailure(
            f"{cosine} is an angle. Asked for is its cosine.",
            "The angle is right. What is the cosine of a right angle?",
            kind="angle",
            known=True,
        )
    if abs(_number(cosine) or 0.0) == 1:
        raise CheckFailure(
            f"A cosine of {cosine} would mean that the gradient only says louder or quieter.",
            "SI-SDR does not know the level: louder or quieter is the one thing that it cannot say.",
            kind="cosine",
            known=True,
        )
    almost = abs(_number(cosine) if _number(cosine) is not None else 1.0) < 1e-3  # computed, not predicted: as good
    expect_number(
        0.0 if almost else cosine, 0.0, {}, "The first number, the cosine, is not right. Which way does nothing change?"
    )
    expect_number(
        length,
        0.5,
        {
            1.0: "The loss is the same at both places, but its slope is not: one step turns a long vector less.",
            2.0: "It is the other way round: a long vector is turned less by the same step.",
            4.0: "It is the other way round, and it is a length, not an energy.",
            0.25: "That would be energies. The question is about lengths.",
        },
        "The second number, the ratio of lengths, is not right.",
        tolerance=1e-6,
    )
    return "At a right angle, and half as long. The next cell computes both."


def _number(value) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _snr_loss(e: Tensor, s: Tensor, axes=-1, sign: int = -1) -> Tensor:
    return sign * _si_sdr(_centred(e, axes), _centred(s, axes)).mean()


@exercise(
    "Exercise 3: find the bugs",
    hints=(
        "Ask of every line: along which axis? (B, S, C, N) are axes 0, 1, 2, 3. And is a good estimate a small number?",
        "Print estimates.mean(dim=0).shape and estimates.mean(dim=-1, keepdim=True).shape. Which one is a "
        "mean of samples?",
        "There are two: the mean is taken over dim=0, the batch, and belongs to dim=-1, the samples; and the last line "
        "returns the ratio itself, where training needs its negative.",
    ),
)
def exercise_3(si_snr_loss):
    """Check a function of estimates and sources `(B, S, C, N)`: the mean SI-SNR loss, a scalar."""
    for seed, B in ((0, 3), (1, 2), (2, 1)):
        e, s = _pair(seed, B=B)
        known = {
            "a good estimate has a large value, so training would make it worse": _snr_loss(e, s, sign=1),
            "no mean is subtracted any more, or one that changes nothing": -_si_sdr(e, s).mean(),
            "one mean for both channels; each channel has its own": _snr_loss(e, s, axes=(-2, -1)),
            "the mean is taken over the channels, axis 2. Axis 3 are the samples": _snr_loss(e, s, axes=2),
            "the mean is taken over the sources, axis 1. Axis 3 are the samples": _snr_loss(e, s, axes=1),
            "the mean is subtracted from the estimates only": -_si_sdr(_centred(e), s).mean(),
            "the mean is subtracted from the sources only": -_si_sdr(e, _centred(s)).mean(),
            "the losses of the items are added up, where their mean is wanted": _snr_loss(e, s) * e[..., 0, 0].numel(),
            "this is the loss of item 0 alone": _snr_loss(e[:1], s[:1]),
        }
        if B > 1:  # over a batch of one, the mean takes everything away
            known["the mean is still taken over the batch"] = _snr_loss(e, s, axes=0)
            known["the mean is still taken over the batch, and the sign is still missing"] = _snr_loss(e, s, 0, 1)
        where = f"It is about a batch of {B}."
        result = call(si_snr_loss, e, s)
        expect_values(result, _snr_loss(e, s), "", known, where, tolerance=1e-4)
        expect_gradient(result, e)
    return "With a batch of one, the wrong axis gave NaN at once. With a larger batch nobody would have noticed."


@exercise(
    "Exercise 4: leave silence out",
    hints=(
        "Two things can be NaN: the value of a silent source, and its gradient. torch.where hides the first but not "
        "the second, because the gradient passes through the branch that was not chosen.",
        "Make both energies larger than zero before the logarithm. Only then choose with torch.where.",
        "heard = sources.square().mean((-2, -1)) > 1e-9; add a small number such as 1e-12 to both energies before the "
        "logarithm; kept = torch.where(heard, -ratio, 0.0); return kept.sum(1) / heard.sum(1).clamp(min=1).",
    ),
)
def exercise_4(sdr_loss):
    """Check a function of estimates and sources `(B, S, C, N)`: SDR loss `(B,)` over the sources that sound."""
    for seed in (0, 1):
        e, s = _pair(seed, B=4, S=3)
        sound = torch.ones(4, 3, 1, 1, dtype=torch.float64)
        sound[1, 0] = sound[2, 1] = sound[2, 2] = sound[3] = 0  # item 3 is silent altogether
        s = s * sound
        soft = (s[0, 1].square().mean() / 2e-7).sqrt(), (s[0, 2].square().mean() / 3e-10).sqrt()
        s[0, 1], s[0, 2] = s[0, 1] / soft[0], s[0, 2] / soft[1]  # above and below the threshold
        e = e.detach()
        e[0, 1] = e[0, 1] / soft[0]
        e.requires_grad_()
        sound[0, 2] = 0
        result = call(sdr_loss, e, s)
        heard = sound[..., 0, 0] > 0
        ratios = torch.where(heard, -_sdr(e, torch.where(sound > 0, s, 1.0)), 0.0)  # (B, S)
        known = {
            "silent sources count as 0 in the mean, where they should not count at all": ratios.mean(1),
            "a good estimate has a large value; a loss is the negative": -ratios.sum(1) / heard.sum(1).clamp(min=1),
            "the silent sources are still in it": waveform.sdr_loss(e, s, "none"),
            "the losses of the sources are added up, where their mean is wanted": ratios.sum(1),
            "the means were subtracted, or an alpha is in it. Asked is the plain SDR": torch.where(
                heard, -_si_sdr(e, torch.where(sound > 0, s, 1.0)), 0.0
            ).sum(1)
            / heard.sum(1).clamp(min=1),
            "a source that is silent in one item is left out of all": (ratios * heard.all(0)).sum(1)
            / heard.all(0).sum().clamp(min=1),
        }
        for words, limit in {"lower than 1e-9": 1e-10, "higher than 1e-9": 1e-6}.items():
            other = s.square().mean((-2, -1)) > limit
            found = torch.where(other, -_sdr(e, torch.where(other[..., None, None], s, 1.0)), 0.0)
            known[f"the threshold is {words}, or not a mean square"] = found.sum(1) / other.sum(1).clamp(min=1)
        where = (
            "Items 1 and 2 have silent sources, and in item 3 all are silent. In item 0 one source lies above the "
            "threshold and one below, and neither is zero."
        )
        expect_values(result, ratios.sum(1) / heard.sum(1).clamp(min=1), "B", known, where, tolerance=2e-3)
        expect_finite_slope(
            result,
            e,
            "It comes from the silent sources. Where is a logarithm of zero, or a division by zero, before "
            "torch.where or the selection?",
            "Add a small number to both energies before the logarithm.",
        )
        expect_gradient(result, e)
    return "It is what skip_silent=True does in the package."
