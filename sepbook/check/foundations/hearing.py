"""Checks for the lab on hearing: SI-SDR, noise at a score, fair means. Taught on: book/foundations/hearing."""

import math
from collections.abc import Sequence
from numbers import Real

import numpy as np
import torch
from scipy.special import stdtrit
from torch import Tensor

from sepbook.check import (
    CheckFailure,
    NotYet,
    call,
    exercise,
    expect_number,
    expect_pair,
    expect_parts,
    expect_tensor,
    expect_values,
    is_close,
)
from sepbook.check._exercise import is_empty
from sepbook.check._inputs import dice, noise
from sepbook.evaluation import metrics
from sepbook.losses import waveform


def _ratio(signal: Tensor, rest: Tensor) -> Tensor:
    return 10 * (signal.square().sum() / rest.square().sum()).log10()


def _along(estimate: Tensor, source: Tensor) -> Tensor:
    """The part of an estimate that lies along the source."""
    return (estimate * source).sum() / source.square().sum() * source


def _score(estimate: Tensor, source: Tensor) -> Tensor:
    target = _along(estimate, source)
    return _ratio(target, estimate - target)


@exercise(
    "Exercise 1: SI-SDR",
    hints=(
        "Three steps: the factor alpha, the target alpha * source, and the rest, estimate - target.",
        "alpha is the inner product of estimate and source, divided by the energy of the source.",
        "alpha = (estimate * source).sum() / source.square().sum(); target = alpha * source; "
        "10 * torch.log10(target.square().sum() / (estimate - target).square().sum()).",
    ),
)
def exercise_1(si_sdr):
    """Check a function (estimate, source), both `(C, N)` -> SI-SDR in dB, a tensor of one number."""
    for gain, seed in ((0.4, 1), (3.0, 2), (-2.0, 3)):
        x = 0.2 + noise(2, 500, seed=seed) * torch.tensor([[1.0], [0.3]])
        e = gain * (x + 0.5 * noise(2, 500, seed=seed + 10))
        target, right = _along(e, x), _score(e, x)
        each = torch.stack([_score(a, b) for a, b in zip(e, x, strict=True)])
        fitted = (e * x).sum() / e.square().sum() * e
        known = {
            "there is no alpha: this is the SDR, which sees the volume": _ratio(x, e - x),
            "the estimate was scaled to fit the source. Scale the source": _ratio(x, x - fitted),
            "the source stands above as it is. The target is alpha times the source": _ratio(x, e - target),
            "the estimate stands above. The target is alpha times the source": _ratio(e, e - target),
            "the sign: the rest stands above, the target below": -right,
            "energies are squares already: 10, not 20, times the logarithm": 2 * right,
            "each channel got an alpha of its own. All channels are one long vector": each.mean(),
            "it is that of the first channel alone": _score(e[:1], x[:1]),
            "The mean was taken away first. This measure leaves it": _score(
                e - e.mean(-1, keepdim=True), x - x.mean(-1, keepdim=True)
            ),
            "torch.log is the natural logarithm. Decibels need log10": right * math.log(10),
            "this is the ratio itself. Its logarithm is missing": 10 ** (right / 10),
        }
        score = expect_tensor(call(si_sdr, e, x))
        score = score.reshape(-1) if score.numel() == 1 else score
        where = f"It is about an estimate whose gain is {gain:g}."
        expect_values(score, right[None], "B", _row(known), where, "", 1e-4)
    return "The whole measure is one projection and one logarithm."


def _row(known: dict) -> dict:
    return {name: value.reshape(1) for name, value in known.items()}


@exercise(
    "Exercise 2: three numbers",
    hints=(
        "A thousandth of the energy is 10 * log10(1000). A factor on the whole estimate changes both energies alike.",
        "Begin with the first: energy 1 against a thousandth. How many decibels is a factor of a thousand in energy?",
        "Twice the noise is four times its energy: 6 dB less than the first number.",
    ),
)
def exercise_2(prediction):
    """Check three predicted SI-SDR (dB): with weak noise, that times five, with twice the noise."""
    if is_empty(prediction):
        raise NotYet("Write your three numbers in place of the dots.")
    if (
        not isinstance(prediction, Sequence | Tensor | np.ndarray)
        or isinstance(prediction, str)
        or len(prediction) != 3
    ):
        raise CheckFailure(f"Three numbers are wanted, but the answer is {prediction!r:.80}.", kind="type")
    expect_number(prediction[0], 30, {60: _ENERGY, 3: _LOG, -30: _SIGN}, "The first number.", "", 0.02)
    louder = {44: "That is 14 dB more for a factor of five. But the noise is five times as strong, too."}
    louder |= {16: "Five times as loud is not five times as wrong: the factor is allowed.", 150: _FACTOR}
    expect_number(prediction[1], 30, louder, "The second number.", "", 0.02)
    twice = {27: "Twice the *energy* would cost 3 dB. Twice the noise is twice the amplitude.", 30: _MORE, 15: _FACTOR}
    expect_number(prediction[2], 24, twice, "The third number.", "", 0.02)
    return "Scale is free, noise is not: each doubling costs 6 dB, and the sound keeps its own voice all the while."


_ENERGY = "A thousandth is a ratio of energies here: 10 times the logarithm, not 20."
_LOG = "log10(1000) is 3. A decibel is a tenth of that unit."
_SIGN = "More is better: the source stands above, the noise below."
_FACTOR = "Decibels are logarithms: a factor adds to them or takes from them, and does not multiply them."
_MORE = "More noise makes it worse."


@exercise(
    "Exercise 3: noise at a score",
    hints=(
        "Only noise at a right angle to the source is wrong. Take away its part along the source, then scale it.",
        "First make the noise stand at a right angle: take away its part along the source.",
        "noise = noise - (noise * source).sum() / source.square().sum() * source, then "
        "source + noise * source.norm() / noise.norm() * 10 ** (-decibels / 20).",
    ),
)
def exercise_3(spoil):
    """Check a function (source, noise, decibels) -> estimate `(C, N)` of exactly this SI-SDR, with a factor of 1."""
    source = noise(2, 400, seed=20) * torch.tensor([[1.0], [0.3]])
    hiss = 0.1 * noise(2, 400, seed=21) + 0.2 * source  # they have something in common
    each = torch.stack([n - _along(n, x) for n, x in zip(hiss, source, strict=True)])
    clean = hiss - _along(hiss, source)
    for decibels in (20.0, 0.0, -10.0):

        def at(n: Tensor, factor: float) -> Tensor:
            return source + n * source.norm() / n.norm() * factor  # noqa: B023

        factor = 10 ** (-decibels / 20)
        right = at(clean, factor)
        known = {
            "the noise still holds a part of the source, which counts as source": at(hiss, factor),
            "decibels / 10 is for energies. Samples are amplitudes": at(clean, factor**2),
            "the sign: more decibels mean less noise": at(clean, 1 / factor),
            "the noise was not brought to the length of the source first": source + clean * factor,
            "the noise was not scaled at all": source + clean,
            "each channel got a factor of its own. All channels are one long vector": source
            + clean * source.norm(dim=1, keepdim=True) / clean.norm(dim=1, keepdim=True) * factor,
            "each channel was cleaned for itself. All channels are one long vector": at(each, factor),
            "each channel is an estimate for itself. All channels are one long vector": source
            + each * source.norm(dim=1, keepdim=True) / each.norm(dim=1, keepdim=True) * factor,
            "the largest samples were compared. SI-SDR compares energies": source
            + clean * source.abs().max() / clean.abs().max() * factor,
            "this is only the noise. The estimate is the source plus the noise": right - source,
            "the noise was cleaned after it had been scaled, and so became weaker": source
            + at(hiss, factor)
            - source
            - _along(at(hiss, factor) - source, source),
        }
        where = f"It is about {decibels:g} dB, and a noise that has something in common with the source."
        estimate = call(spoil, source, hiss, decibels)
        if not is_close(estimate, 2 * source - right, 1e-4):  # noise of the other polarity is as good
            expect_values(estimate, right, "C N", known, where, tolerance=1e-4)
    return "Now you can make a sound for every number, and hear what it means."


def _songs(*silences: tuple[int, ...]) -> list[tuple[Tensor, Tensor]]:
    """Songs of estimates and sources, the later the worse; `silences` says which sources of each are silent."""
    songs = []
    for seed, silent in enumerate(silences):
        error = 0.1 * 3**seed
        sources = noise(4, 1, 300, seed=30 + seed)
        sources[list(silent)] = 0.0
        songs.append((sources + error * noise(4, 1, 300, seed=40 + seed), sources))
    return songs


@exercise(
    "Exercise 4: a fair mean",
    hints=(
        "losses.waveform.si_sdr has a floor and gives a number even for silence. metrics.si_sdr gives nan there.",
        "metrics.si_sdr gives nan for a silent source. Which mean of torch leaves nan out?",
        "scores = torch.stack([metrics.si_sdr(e, x) for e, x in songs]); "
        "scores.nanmean(1).mean(), int(scores.isnan().sum()).",
    ),
)
def exercise_4(fair_mean):
    """Check a function of songs, a list of (estimates, sources) `(S, C, N)` -> (mean over songs in dB, silent ones)."""
    for silences in (((1,), (0, 1, 3), ()), ((2, 3), (), (0,), (), ())):
        _check_mean(fair_mean, _songs(*silences))
    return "Left out, and counted. Whoever reads your table can now tell what the mean is a mean of."


def _check_mean(fair_mean, songs: list) -> None:
    what = "Two things are wanted: the mean, and how many sources are silent."
    where = "Look at the last line of the function."
    answer = call(fair_mean, [list(song) for song in songs])
    mean, silent = expect_parts(answer, 2, what, where, "End it with return mean, silent.")
    scores = torch.stack([metrics.si_sdr(e, x) for e, x in songs])  # (B, S)
    known = {
        "the mean of all sources at once: a song with silent sources counts less than the others": scores.nanmean(),
        "a silent source counts as 0 dB, as if that were a score": scores.nan_to_num(0.0).mean(),
        "silence has a score here. It is the floor of the loss that was measured": torch.stack(
            [waveform.si_sdr(e, x) for e, x in songs]
        ).mean(),
        "the first source of each song alone": scores[:, 0].nanmean(),
        "the median over songs. The mean is asked for": scores.nanmean(1).median(),
        "songs with a silent source were left out as a whole": scores[~scores.isnan().any(1)].mean(),
        "the mean of the first song alone": scores[0].nanmean(),
    }
    if isinstance(mean, Real):
        mean = torch.tensor(float(mean), dtype=torch.float64)
    if isinstance(mean, Tensor) and mean.numel() == 1 and mean.isnan().any():
        raise CheckFailure(
            "The mean is nan: one score without an answer has spoilt all the others.",
            "Look at what takes the mean within a song.",
            "nanmean leaves out what is nan: scores.nanmean(1) is the mean over the sounding sources of each song.",
            kind="nan",
        )
    right = scores.nanmean(1).mean()
    expect_values(expect_tensor(mean).reshape(-1), right[None], "B", _row(known), _FLOOR, tolerance=1e-3)
    expect_number(silent, int(scores.isnan().sum()), _counts(scores), "It is about the number of silent sources.")


_FLOOR = "One song has one silent source and one has three. What does your function make of them?"


def _counts(scores: Tensor) -> dict:
    return {
        int((~scores.isnan()).sum()): "That is how many of them sound.",
        len(scores): "That is the number of songs.",
        scores.numel(): "That is the number of all sources.",
        0: "No source was counted. Compare with nan by isnan(): nan is equal to nothing, not even to itself.",
        int(scores.isnan().any(1).sum()): "That is the number of songs with silence. Count the sources.",
    }


@exercise(
    "Exercise 5: two systems on the same songs",
    hints=(
        "First the difference of each song, then its mean and its standard deviation.",
        "Make d = a - b first. Everything else is computed from d alone.",
        "d = a - b; half = t * d.std() / len(d) ** 0.5; return d.mean() - half, d.mean() + half.",
    ),
)
def exercise_5(paired_interval):
    """Check a function (a, b, t) -> (low, high): Student's interval of the mean difference of paired scores."""
    for seed, count in enumerate((6, 11)):
        a = 8 + 3 * torch.rand(count, generator=dice(50 + seed), dtype=torch.float64)
        b = a - 0.5 - torch.rand(count, generator=dice(60 + seed), dtype=torch.float64)
        _check_interval(paired_interval, a, b)
    return "If this interval does not hold zero, one of the two is better on songs of this kind."


def _check_interval(paired_interval, a: Tensor, b: Tensor) -> None:
    t = float(stdtrit(len(a) - 1, 0.975))
    d, root = a - b, len(a) ** 0.5

    def around(half) -> Tensor:
        return torch.stack([d.mean() - half, d.mean() + half])

    known = {
        "the systems are swapped: it should be a minus b": -around(t * d.std() / root).flip(0),
        "the interval of a alone": a.mean() + torch.tensor([-1, 1]) * t * a.std() / root,
        "each system's spread for itself, so that nothing is paired": around(t * (a.var() + b.var()).sqrt() / root),
        "the spread of songs, not of their mean: divide by the square root of their number": around(t * d.std()),
        "divided by the number of songs, not by its square root": around(t * d.std() / len(a)),
        "the spread is that of a alone. Take the standard deviation of the differences": around(t * a.std() / root),
        "the variance was used. The standard deviation is its root": around(t * d.var() / root),
        "high stands before low": around(t * d.std() / root).flip(0),
        "t is missing": around(d.std() / root),
        "1.96 is t for very many songs": around(1.96 * d.std() / root),
        "the deviations were averaged over all songs: with a mean that was estimated, it is one less": around(
            t * d.std(correction=0) / root
        ),
    }
    answer = call(paired_interval, a, b, t)
    given = expect_pair(answer, "Two numbers are wanted: low and high.", "return low, high")
    expect_values(given, around(t * d.std() / root), "B", known, f"It is about {len(a)} songs.", tolerance=1e-3)
