"""Checks of the lab on metrics: filters that are forgiven, frames, means, rates. Taught on: book/evaluation/metrics."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from sepbook.check import CheckFailure, NotYet, call, exercise, expect_number, expect_tensor, expect_values
from sepbook.check._exercise import is_empty
from sepbook.check._inputs import dice, noise
from sepbook.check.evaluation._tables import exercise_4, exercise_5
from sepbook.evaluation import metrics

__all__ = ["exercise_1", "exercise_2", "exercise_3", "exercise_4", "exercise_5"]


def _decibels(good: Tensor, bad: Tensor) -> Tensor:
    return 10 * (good.square().sum() / bad.square().sum()).log10()


def _delays(source: Tensor, taps: int) -> Tensor:
    """The source `(N,)` and its copies that are late by 1, 2, … samples: `(N, taps)`."""
    return torch.stack([pad(source, (k, 0))[: len(source)] for k in range(taps)], dim=1)


def _nearest(copies: Tensor, estimate: Tensor) -> Tensor:
    """What lies nearest to the estimate of all that copies `(N, K)` add up to."""
    return copies @ torch.linalg.lstsq(copies, estimate[:, None]).solution[:, 0]


def _row(known: dict) -> dict:
    return {name: value.double().reshape(1) for name, value in known.items()}


@exercise(
    "Exercise 1: a filter is forgiven",
    hints=(
        "Three steps: copies of the source that are late by 0, 1, …, taps - 1 samples, the sum of them that comes "
        "nearest to the estimate, and one ratio.",
        "torch.nn.functional.pad(source, (k, 0))[: len(source)] is the copy that is late by k. Stack taps of them as "
        "columns of a matrix.",
        "h = torch.linalg.lstsq(copies, estimate[:, None]).solution; own = (copies @ h)[:, 0]; "
        "10 * torch.log10(own.square().sum() / (estimate - own).square().sum()).",
    ),
)
def exercise_1(forgiving_sdr):
    """Check a function (estimate, source, taps), sounds `(N,)` -> SDR in dB with a filter forgiven, one number."""
    for taps, seed in ((1, 1), (4, 2), (7, 3)):
        x = noise(150, seed=seed, dtype=torch.float64)
        h = 0.5 + torch.rand(9, generator=dice(seed), dtype=torch.float64)  # longer than what is forgiven
        e = _delays(x, 9) @ h + 0.5 * noise(150, seed=seed + 10, dtype=torch.float64)
        own = _nearest(_delays(x, taps), e)
        right = _decibels(own, e - own)
        alpha = (e @ x) / (x @ x)
        early = torch.stack([pad(x, (0, k))[k:] for k in range(taps)], dim=1)
        round_ = torch.stack([x.roll(k) for k in range(taps)], dim=1)
        h_each = torch.stack([(e @ c) / (c @ c) for c in _delays(x, taps).T])
        sum_each = _delays(x, taps) @ h_each
        known = {
            "the sign: what is wrong stands above, what is right below": -right,
            "this is SI-SDR, with one factor. All taps are to be used": _decibels(alpha * x, e - alpha * x),
            "this is the plain SDR. Nothing is forgiven": _decibels(x, e - x),
            "the copies come early. They should be late": _decibels(_nearest(early, e), e - _nearest(early, e)),
            "roll brings the end of the sound back at its beginning. Let zeros come in": _decibels(
                _nearest(round_, e), e - _nearest(round_, e)
            ),
            "the source stands above as it is. What is right is the filtered source": _decibels(x, e - own),
            "the estimate stands above. What is right is the filtered source": _decibels(e, e - own),
            "there is one tap too many: 0 to taps - 1": _own_ratio(x, e, taps + 1),
            "there is one tap too few: 0 to taps - 1": _own_ratio(x, e, max(taps - 1, 1)),
            "each copy got its factor by itself. They resemble each other: solve for all at once": _decibels(
                sum_each, e - sum_each
            ),
            "energies are squares already: 10, not 20, times the logarithm": 2 * right,
            "torch.log is the natural logarithm. Decibels need log10": right * math.log(10),
            "this is the ratio itself. Its logarithm is missing": 10 ** (right / 10),
        }
        score = expect_tensor(call(forgiving_sdr, e.float(), x.float(), taps))
        score = score.reshape(-1) if score.numel() == 1 else score
        expect_values(score, right[None], "B", _row(known), f"It is about {taps} taps.", "", 1e-3)
    return "With one tap it is SI-SDR. With 512 it is the SDR of the older BSS Eval."


def _own_ratio(source: Tensor, estimate: Tensor, taps: int) -> Tensor:
    own = _nearest(_delays(source, taps), estimate)
    return _decibels(own, estimate - own)


@exercise(
    "Exercise 2: what a gain does",
    hints=(
        "SI-SDR compares directions, SDR compares lengths. Write down the error of each estimate first.",
        "The error of half the source is half the source: what is the ratio of their energies?",
        "20 stays 20. The energy of 0.5 * x is a quarter: 10 * log10(4). The error of -x is -2 * x: 10 * log10(1 / 4).",
    ),
)
def exercise_2(prediction):
    """Check three predicted figures (dB): SI-SDR after halving, SDR of half the source, SDR of minus the source."""
    if is_empty(prediction):
        raise NotYet("Write your three numbers in place of the dots.")
    kind = isinstance(prediction, Sequence | Tensor | np.ndarray) and not isinstance(prediction, str)
    if not kind or len(prediction) != 3:
        raise CheckFailure(f"Three numbers are wanted, but the answer is {prediction!r:.80}.", kind="type")
    halved = {14: _FREE, 26: _FREE, 10: "Decibels are logarithms, and SI-SDR does not see the gain at all.", 17: _FREE}
    expect_number(prediction[0], 20, halved, "The first number.", "", 0.02)
    quiet = {
        100: "That would be SI-SDR. SDR compares with the source as it is, and half of it is missing.",
        -6: "More is better: the source stands above, the error below. Half the source is the larger of neither.",
        3: "Half the amplitude is a quarter of the energy.",
        0: "That is the SDR of silence: its error is the whole source.",
        12: "Twice too much: 10, not 20, times the logarithm of a ratio of energies.",
    }
    expect_number(prediction[1], 6, quiet, "The second number.", "", 0.02)
    upside = {
        100: "A negative factor is free in SI-SDR. SDR subtracts: the error is twice the source.",
        0: "That is silence. Upside down is worse: the error is twice the source.",
        6: "The error is twice the source, so it stands below with four times its energy: mind the sign.",
        -3: "Twice the amplitude is four times the energy.",
        -12: "10, not 20, times the logarithm of a ratio of energies.",
    }
    expect_number(prediction[2], -6, upside, "The third number.", "", 0.02)
    return "A table in SDR sees levels, a table in SI-SDR does not: systems that are too quiet look better there."


_FREE = "A gain is free in SI-SDR: it changes what is right and what is wrong by the same factor."


def _hide(estimate: Tensor, source: Tensor, window: int, bad) -> Tensor:
    """The estimate `(C, N)` with zeros in each whole frame that is `bad(e, x)`."""
    hidden = estimate.clone()
    for start in range(0, estimate.shape[-1] - window + 1, window):
        part = slice(start, start + window)
        if bad(estimate[:, part], source[:, part]):
            hidden[:, part] = 0
    return hidden


@exercise(
    "Exercise 3: an estimate that hides",
    hints=(
        "Go through the frames. Compare two energies in each: that of the source, and that of the error.",
        "SDR is below 0 dB where the error has more energy than the source, all channels together.",
        "for start in range(0, N - window + 1, window): e, x = estimate[:, start : start + window], …; "
        "if (e - x).square().sum() > x.square().sum(): hidden[:, start : start + window] = 0.",
    ),
)
def exercise_3(hide):
    """Check a function (estimate, source, window), sounds `(C, N)` -> the estimate, zero in frames of SDR below 0."""
    for C, frames, window, seed in ((1, 6, 50, 30), (2, 8, 40, 31)):
        N = frames * window + window // 2  # the last piece is no whole frame
        x = 0.1 + noise(C, N, seed=seed)
        level = (torch.rand(frames + 1, generator=dice(seed)) < 0.5).float() * 2 + 0.4
        level[:4], level[-1] = torch.tensor([0.4, 2.4, 0.4, 0.4]), 2.4
        e = 0.8 * x + level.repeat_interleave(window)[:N] * noise(C, N, seed=seed + 5)
        e[:, 2 * window : 3 * window] = -0.9 * x[:, 2 * window : 3 * window]  # upside down
        e[0, 3 * window : 4 * window] = 2.2 * x[0, 3 * window : 4 * window]  # with C = 2 bad in one channel, not in all
        right = _hide(e, x, window, lambda a, b: (a - b).square().sum() > b.square().sum())
        known = {
            "the good frames were hidden, the bad ones kept": e - right + _tail(right, frames * window),
            "everything is silent": 0 * e,
            "nothing was hidden": e,
            "the frame's SI-SDR was asked. SDR forgives neither sign nor gain": _hide(e, x, window, _below_si_sdr),
            "the estimate was compared with the source. It is the error that counts": _hide(
                e, x, window, lambda a, b: a.square().sum() > b.square().sum()
            ),
            "the error was compared with the estimate. SDR compares it with the source": _hide(
                e, x, window, lambda a, b: (a - b).square().sum() > a.square().sum()
            ),
            "the last piece, which is no whole frame, was treated as one": _tail_hidden(right, frames * window),
            "the source was put where zeros belong": torch.where(right == 0, x, right),
            "the energies were summed over the whole song: one decision for all frames": _hide(
                e,
                x,
                window,
                lambda *_: (e - x).square().sum() > x.square().sum(),  # noqa: B023
            ),
            "only the first channel was looked at": _hide(
                e, x, window, lambda a, b: (a - b)[0].square().sum() > b[0].square().sum()
            ),
            "the hidden frames were cut out. They must stay, as zeros": right[:, right.abs().sum(0) > 0],
        }
        where = f"It is about C={C} and frames of {window} samples."
        expect_values(call(hide, e, x, window), right, "C N", known, where, "", 1e-4)
    return "No frame with a bad score is left: where the estimate is silent, museval gives none."


def _below_si_sdr(estimate: Tensor, source: Tensor) -> bool:
    return metrics.si_sdr(estimate[None], source[None]).item() < 0


def _tail(x: Tensor, start: int) -> Tensor:
    """Zeros, and the last piece."""
    return torch.cat([0 * x[:, :start], x[:, start:]], dim=-1)


def _tail_hidden(x: Tensor, start: int) -> Tensor:
    return torch.cat([x[:, :start], 0 * x[:, start:]], dim=-1)
