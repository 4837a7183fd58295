"""Checks of the lab on oracles: a borrowed phase, Wiener's shares, two means, a low rate.

What an oracle knows decides what it may be compared with; each exercise builds one, or one of the numbers beside it.
Taught on: book/evaluation/oracles
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from sepbook.check import (
    CheckFailure,
    NotYet,
    call,
    exercise,
    expect_choice,
    expect_pair,
    expect_tensor,
    expect_values,
)
from sepbook.check._exercise import is_empty
from sepbook.check._inputs import noise


def _bins(S: int, C: int, seed: int) -> Tensor:
    """Complex bins (S, C, F, T) of sources that are all silent in two places, and cancel in a third."""
    bins = torch.complex(noise(S, C, 5, 6, seed=seed), noise(S, C, 5, 6, seed=seed + 20))
    bins[..., 0, 0] = bins[..., 3, 4] = 0
    bins[1, ..., 2, 2], bins[2:, ..., 2, 2] = -bins[0, ..., 2, 2], 0
    return bins


def _turned(magnitude: Tensor, Y: Tensor) -> Tensor:
    """Magnitudes in the directions of Y; nothing where Y has none."""
    return torch.where(Y.abs() > 0, magnitude * Y / Y.abs().clamp_min(1e-30), 0)


@exercise(
    "Exercise 1: the true magnitude, the mixture's phase",
    hints=(
        "An arrow of length 1 in the direction of the mixture, made as long as the source.",
        "Y / Y.abs() has length 1. Where Y is 0 it is nan: divide by Y.abs().clamp_min(1e-12) instead.",
        "return X.abs() * Y / Y.abs().clamp_min(1e-12).",
    ),
)
def exercise_1(borrowed_phase):
    """Check a function (X (S, C, F, T), Y (C, F, T), both complex) -> bins with |X| and the phase of Y."""
    for S, C, seed in ((3, 2, 1), (4, 1, 2)):
        X = _bins(S, C, seed)
        Y = X.sum(0)
        known = {
            "the phase is the source's own: that is the source itself": X,
            "the roles are swapped: the mixture's magnitude, the source's phase": _turned(Y.abs(), X),
            "there is no phase at all: every bin is positive": X.abs() + 0j,
            "Y was not divided by its length: its magnitude is in the result twice": X.abs() * Y,
            "this is the ratio mask: the magnitudes were divided by their sum": X.abs() / X.abs().sum(0) * Y,
            "the phase is turned the wrong way: the conjugate of Y": _turned(X.abs(), Y.conj()),
            "the magnitude was squared: that is a power": _turned(X.abs().square(), Y),
            "only the first source was used for all": _turned(X.abs()[:1].expand_as(X.real), Y),
            "the phase is that of the first channel for all channels": _turned(X.abs(), Y[:1]),
            "this is the mixture, for all sources": Y.expand_as(X) + 0,
            "the difference of phases was taken instead of the mixture's": _turned(X.abs(), X * Y.conj()),
        }
        known = {
            name: torch.nan_to_num(value.real) + 1j * torch.nan_to_num(value.imag) for name, value in known.items()
        }
        where = f"It is about {S} sources with {C} channel{'s' * (C > 1)}, which are silent in some bins."
        expect_values(call(borrowed_phase, X, Y), _turned(X.abs(), Y), "S C F T", known, where)
    return "All magnitudes are right, and it is no perfect separation. The rest is phase."


@exercise(
    "Exercise 2: Wiener's shares",
    hints=(
        "Each source gets its part of the power in each bin. The parts of all sources add up to one.",
        "The sum goes over S, axis 0, and keeps its place: power.sum(0, keepdim=True). It is 0 where all are silent.",
        "share = power / power.sum(0, keepdim=True); return torch.where(power.sum(0) > 0, share, 1 / len(power)).",
    ),
)
def exercise_2(wiener):
    """Check a function of powers (S, C, F, T) -> shares that add up to one over S, equal ones in silence."""
    for S, C, seed in ((4, 2, 3), (3, 1, 4)):
        power = _bins(S, C, seed).abs().square()
        right, silent = _shares(power), power.sum(0) <= 0
        tall = power.transpose(0, 1)
        known = {
            "the root was taken: this is the ratio mask with p = 1": _shares(power.sqrt()),
            "the powers were squared once more: p = 4": _shares(power.square()),
            "a source is compared with the others only, not with all": torch.where(
                silent, 1 / S, power / (power.sum(0) - power).clamp_min(1e-30)
            ),
            "the sum goes over the channels (C)": torch.where(
                silent, 1 / S, power / tall.sum(0)[:, None].clamp_min(1e-30)
            ),
            "the sum goes over the bins (F)": torch.where(
                silent, 1 / S, power / power.sum(2, keepdim=True).clamp_min(1e-30)
            ),
            "the sum goes over the frames (T)": torch.where(
                silent, 1 / S, power / power.sum(3, keepdim=True).clamp_min(1e-30)
            ),
            "in silence all get nothing, and the shares do not add up to one there": torch.where(silent, 0.0, right),
            "in silence each gets all": torch.where(silent, 1.0, right),
            "the loudest gets everything: this is the binary mask": (power == power.amax(0)).float(),
            "this is a softmax: an exponential, where shares of powers are wanted": power.softmax(0),
            "this is one minus the share: what is to be taken away": 1 - right,
            "the shares are equal everywhere": torch.full_like(power, 1 / S),
        }
        where = f"It is about {S} sources with {C} channel{'s' * (C > 1)}, and bins where all are silent."
        expect_values(call(wiener, power), right, "S C F T", known, where, "", 1e-4)
    return "Fed with the true powers of every bin it is the ratio mask with p = 2. Fed with smooth ones it is a model."


def _shares(power: Tensor) -> Tensor:
    total = power.sum(0, keepdim=True)
    return torch.where(total > 0, power / total.clamp_min(1e-30), 1 / len(power))


@exercise(
    "Exercise 3: which oracle stands beside it?",
    hints=(
        "Ask of each system what it gives: magnitudes or shares, a complex number, or samples?",
        "An oracle of the same kind has the same freedom, and knows the truth. Has a waveform system any such limit?",
        "Softmax over sources: r. A ReLU mask with the mixture's phase: p. Samples: n.",
    ),
)
def exercise_3(choice):
    """Check three letters, of a softmax over sources, one ReLU mask per source, and a system that gives samples."""
    if is_empty(choice):
        raise NotYet("Write your three letters in place of the dots.")
    if not isinstance(choice, Sequence) or len(choice) != 3:
        raise CheckFailure(f"Three letters are wanted, but the answer is {choice!r:.80}.", kind="type")
    shares = {
        "b": "A softmax may give any shares, not only 0 and 1. The binary mask is one special case of it.",
        "p": "This mask is below 0 and above 1 where it helps. A softmax is neither.",
        "n": "Its shares stay between 0 and 1 and the phase is the mixture's: it has a relative among the oracles.",
    }
    expect_choice(choice[0], "r", shares, "Which oracle has shares that add up to one?")
    free = {
        "b": "A ReLU mask is soft. It may also be above 1.",
        "r": "A ratio mask ends at 1. A ReLU does not, so it may pass this oracle and be no miracle.",
        "n": "It keeps the mixture's phase, so the best real mask of each bin is its relative.",
    }
    expect_choice(choice[1], "p", free, "Which real mask has no upper end?")
    samples = {
        "b": "It has neither bins nor masks: no STFT stands between it and its samples.",
        "r": "It makes its own phase. Beside this oracle its number says nothing about what is left to gain.",
        "p": "It makes its own phase. What limits a mask with the mixture's phase does not limit it.",
    }
    expect_choice(choice[2], "n", samples, "What do masks have that samples have not?")
    return "Like beside like: same kind, same window, same sources. Else say that they differ."


@exercise(
    "Exercise 4: two means of one table",
    hints=(
        "By song: first the mean of each song over the stems it has, then over songs. By stem: the other way round.",
        "nanmean leaves nan out. Which axis is gone after gains.nanmean(dim=1)?",
        "return gains.nanmean(dim=1).nanmean(), gains.nanmean(dim=0).nanmean().",
    ),
)
def exercise_4(two_means):
    """Check a function of gains (songs, stems), nan where a stem is missing -> (mean by song, mean by stem)."""
    for songs, S, seed in ((6, 4, 40), (5, 3, 41)):
        gains = 10 + 4 * noise(songs, S, seed=seed, dtype=torch.float64)
        gains[:, 1] += 9  # one stem is easy
        gains[1, 1] = gains[0, 2] = gains[2, 1] = torch.nan
        answer = expect_pair(call(two_means, gains), "Two numbers are wanted: by song, by stem.", "return a, b")
        if answer.isnan().any():
            raise CheckFailure(
                "A number is nan: a stem that a song lacks has spoilt it.",
                "Some songs lack a stem.",
                "Use nanmean, both times.",
                kind="nan",
            )
        song, stem = gains.nanmean(1).nanmean(), gains.nanmean(0).nanmean()
        zero, whole = gains.nan_to_num(0.0).mean(), gains[~gains.isnan().any(1)].mean()
        medians = gains.nanmedian(1).values.mean(), gains.nanmedian(0).values.mean()
        known = {
            "the two are swapped: by song comes first": _two(stem, song),
            "all values were pooled, and a song with all stems counts more": _two(gains.nanmean(), gains.nanmean()),
            "both are by song": _two(song, song),
            "both are by stem": _two(stem, stem),
            "by song is right, but the other one pools all values": _two(song, gains.nanmean()),
            "by stem is right, but the other one pools all values": _two(gains.nanmean(), stem),
            "a stem that is missing was counted as 0 dB": _two(zero, zero),
            "songs that lack a stem were left out as a whole": _two(whole, whole),
            "a median was taken where a mean is asked for": _two(*medians),
            "the median of songs, the median of stems: means are asked for": _two(
                gains.nanmean(1).nanquantile(0.5), gains.nanmean(0).nanquantile(0.5)
            ),
        }
        expect_values(answer, _two(song, stem), "B", known, "It is about which axis goes first.", "", 1e-6)
    return "Where no stem is missing the two are equal. This book prints the first."


def _two(first: Tensor, second: Tensor) -> Tensor:
    return torch.stack([first, second]).double()


@exercise(
    "Exercise 5: what a low rate leaves",
    hints=(
        "A perfect system of a low rate returns all below half of that rate, and nothing above. Compare the energies.",
        "torch.fft.rfft(x) has the amplitudes, torch.fft.rfftfreq(len(x), 1 / rate) their frequencies in Hz.",
        "e = torch.fft.rfft(x).abs() ** 2; below = torch.fft.rfftfreq(len(x), 1 / rate) < low / 2; "
        "10 * torch.log10(e[below].sum() / e[~below].sum()).",
    ),
)
def exercise_5(reach):
    """Check a function (x (N,), low, rate) -> SI-SDR (dB) of what a system at `low` Hz can return at most."""
    for N, low, rate, seed in ((1001, 2000, 8000, 50), (1201, 3000, 9000, 51)):
        x = noise(N, seed=seed, dtype=torch.float64)
        x = x + 0.7 * x.roll(1)  # more below than above
        e = torch.fft.rfft(x).abs().square()
        f = torch.fft.rfftfreq(len(x), 1 / rate)
        good, bad = _energies(e, f < low / 2)
        right = 10 * (good / bad).log10()
        at_low = _energies(e, f < low)
        amplitude = _energies(e.sqrt(), f < low / 2)
        known = {
            "it ends at low. A rate of low ends at half of it": 10 * (at_low[0] / at_low[1]).log10(),
            "the sign: what can be returned stands above, what is lost below": -right,
            "the whole sound stands above. It is compared with what can be returned": 10 * (e.sum() / bad).log10(),
            "this is the share that can be returned, in dB. The loss belongs below": 10 * (good / e.sum()).log10(),
            "amplitudes were added up. Energies are their squares": 10 * (amplitude[0] / amplitude[1]).log10(),
            "amplitudes were added up, and 20 was used: energies add up, amplitudes do not": 20
            * (amplitude[0] / amplitude[1]).log10(),
            "energies are squares already: 10, not 20, times the logarithm": 2 * right,
            "torch.log is the natural logarithm. Decibels need log10": right * math.log(10),
            "this is the ratio itself. Its logarithm is missing": good / bad,
            "the lowest frequency, 0 Hz, is left out": 10 * ((good - e[0]) / bad).log10(),
            "this is SI-SDR at the low rate, of a sound that has nothing above": torch.tensor(100.0),
        }
        answer = expect_tensor(call(reach, x.float(), low, rate))
        answer = answer.reshape(-1) if answer.numel() == 1 else answer
        where = f"It is about a system at {low} Hz and a song at {rate} Hz."
        known = {name: value.double().reshape(1) for name, value in known.items()}
        expect_values(answer, right[None], "B", known, where, "", 1e-3)
    return "No training lifts it. Say the rate beside the score."


def _energies(e: Tensor, below: Tensor) -> tuple[Tensor, Tensor]:
    return e[below].sum(), e[~below].sum()
