"""Checks of the lab on metrics, the last two: means and rates. Taught on: book/evaluation/metrics."""

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from sepbook import audio
from sepbook.check import CheckFailure, call, exercise, expect_pair, expect_values
from sepbook.check._inputs import noise
from sepbook.evaluation import metrics


def _stack(*pair) -> Tensor:
    return torch.stack([torch.as_tensor(x, dtype=torch.float64).reshape(()) for x in pair])


@exercise(
    "Exercise 4: one table, two ways",
    hints=(
        "First along the frames of each song, then over songs. What is nan has no score and is left out.",
        "torch.nanquantile(frames, 0.5, dim=1) is the median of each song, torch.nanmean its mean.",
        "return frames.nanquantile(0.5, dim=1).nanquantile(0.5), frames.nanmean(dim=1).nanmean().",
    ),
)
def exercise_4(two_ways):
    """Check a function of scores (songs, frames) -> (median of medians, mean of means), nan left out."""
    for songs, count, seed in ((6, 10, 40), (5, 8, 41)):
        frames = 5 + 6 * noise(songs, count, seed=seed, dtype=torch.float64)
        frames[0, : count // 2], frames[1, 0], frames[-1] = torch.nan, torch.nan, torch.nan
        frames[2] -= 20  # a disaster
        answer = expect_pair(
            call(two_ways, frames), "Two numbers are wanted: the median of medians, the mean of means.", "return a, b"
        )
        if answer.isnan().any():
            raise CheckFailure(
                "A number is nan: a frame or a song without a score has spoilt it.",
                "One song has no score at all, two have frames without one.",
                "Use nanquantile and nanmean, both times.",
                kind="nan",
            )
        expect_values(answer, _two_ways(frames), "B", _ways(frames), "It is about the order and the nan.", "", 1e-4)
    return "The mean sees the song that went wrong, the median does not. Say which one you print."


def _two_ways(frames: Tensor) -> Tensor:
    return _stack(frames.nanquantile(0.5, dim=1).nanquantile(0.5), frames.nanmean(1).nanmean())


def _ways(frames: Tensor) -> dict:
    median, mean = _two_ways(frames)
    zeros, whole = frames.nan_to_num(0.0), frames[~frames.isnan().any(1)]
    return {
        "the two are swapped: the median comes first": _stack(mean, median),
        "all frames were pooled: a song with more frames counts more": _stack(
            frames.nanquantile(0.5), frames.nanmean()
        ),
        "nanmedian takes the lower of the two in the middle. Take the mean of both": _stack(
            frames.nanmedian(1).values.nanmedian(), mean
        ),
        "what has no score was counted as 0 dB": _two_ways(zeros),
        "songs with a missing frame were left out as a whole": _two_ways(whole),
        "it went over songs first, and then over frames": _two_ways(frames.T),
        "the means of songs were averaged by a median": _stack(median, frames.nanmean(1).nanquantile(0.5)),
        "the medians of songs were averaged by a mean": _stack(frames.nanquantile(0.5, dim=1).nanmean(), mean),
        "both are medians": _stack(median, median),
        "both are means": _stack(mean, mean),
    }


@exercise(
    "Exercise 5: at two rates",
    hints=(
        "Bring the source down to the system's rate for the first score, and the estimate up for the second.",
        "audio.resample(x, from_rate, to_rate) makes lengths round up: cut to the length of the other.",
        "down = audio.resample(source, rate, low); up = audio.resample(estimate, low, rate)[..., : source.shape[-1]]; "
        "return si_sdr(estimate, down), si_sdr(up, source), each with a batch axis: x[None].",
    ),
)
def exercise_5(two_rates):
    """Check a function (estimate at low, source at rate, low, rate) -> SI-SDR at the low rate, and at the song's."""
    for C, N, low, rate, seed in ((1, 2001, 4000, 8000, 50), (2, 3004, 2000, 6000, 51)):
        x = noise(C, N, seed=seed)
        down = audio.resample(x, rate, low)
        e = down + 0.2 * noise(*down.shape, seed=seed + 5)
        answer = call(two_rates, e, x, low, rate)
        answer = expect_pair(
            answer, "Two numbers are wanted: the score at the low rate, and at the song's.", "return a, b"
        )
        where = f"It is about C={C}, a system at {low} Hz and a song at {rate} Hz."
        expect_values(answer, _two_rates(e, x, low, rate), "B", _rates(e, x, low, rate), where, "", 1e-3)
    return "The first number is the network's, the second the listener's. Neither is wrong; mixing them is."


def _score(estimate: Tensor, source: Tensor) -> Tensor:
    n = min(estimate.shape[-1], source.shape[-1])
    return metrics.si_sdr(estimate[None, :, :n], source[None, :, :n])


def _two_rates(e: Tensor, x: Tensor, low: int, rate: int) -> Tensor:
    return _stack(_score(e, audio.resample(x, rate, low)), _score(audio.resample(e, low, rate), x))


def _rates(e: Tensor, x: Tensor, low: int, rate: int) -> dict:
    own, full = _two_rates(e, x, low, rate)
    step = rate // low
    up = audio.resample(e, low, rate)
    limited = audio.resample(audio.resample(x, rate, low), low, rate)
    return {
        "the two are swapped: the low rate comes first": _stack(full, own),
        "both were scored at the low rate": _stack(own, own),
        "both were scored at the song's rate": _stack(full, full),
        "every second or third sample was taken: without a low-pass, treble folds down": _stack(
            _score(e, x[:, ::step]), full
        ),
        "samples were repeated to reach the rate": _stack(own, _score(e.repeat_interleave(step, -1), x)),
        "lines were drawn between samples to reach the rate": _stack(
            own, _score(interpolate(e[None], scale_factor=step, mode="linear")[0], x)
        ),
        "the source lost its treble for the second score, too: the listener's song has it": _stack(
            own, _score(up, limited)
        ),
        "the estimate was not resampled: sample n of one is not at the time of sample n of the other": _stack(
            own, _score(e, x)
        ),
        "this is the SDR. SI-SDR is asked for": _stack(
            *(metrics.sdr(a[None, :, : b.shape[-1]], b[None]) for a, b in ((e, audio.resample(x, rate, low)), (up, x)))
        ),
    }
