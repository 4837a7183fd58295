"""Asking listeners: the sounds of a listening test, and what its answers say.

Sounds: a passage in which a source is heard, versions of it at one loudness, an anchor. Answers: how often guessing
does as well (ABX), which listeners did not find the hidden reference, the mean over those who did with its interval,
and how all this goes together with SI-SDR. `sepbook.evaluation.answers` reads the answers.

Source: ITU-R BS.1534-3 (MUSHRA: anchor, hidden reference, whom to leave out). Taught on: book/evaluation/listening_test
"""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from sepbook import audio
from sepbook.evaluation.intervals import student
from sepbook.evaluation.metrics import si_sdr
from sepbook.evaluation.oracles import separate_ideal
from sepbook.evaluation.separation import separate

REFERENCE, ANCHOR = "true source", "anchor"  # what these two are called in every test
CUTOFF = 3500.0  # Hz: where the low anchor of BS.1534-3 ends
LOUDEST = 0.9  # no sample of a test is above this


def passage(track, name: str, seconds: float = 4.0) -> int | None:
    """Return the sample at which the passage of a track begins in which a source is heard most steadily.

    Of all passages of this length, begun at quarters of a second, it is the one whose weakest quarter is strongest.
    None where the track has no such source, or is shorter. Taught on: book/evaluation/listening_test
    """
    if name not in track.stem_names:
        return None
    step = round(track.sample_rate / 4)
    power = track.sources([name])[0].square().mean(0)  # (N,)
    quarters = power[: len(power) // step * step].view(-1, step).mean(1)
    count = math.ceil(seconds * 4)
    if len(quarters) < count or not quarters.any():
        return None
    weakest = quarters.unfold(0, count, 1).amin(1)
    return int(weakest.argmax()) * step if weakest.max() > 0 else None


def anchor(reference: Tensor, rate: int, cutoff: float = CUTOFF) -> Tensor:
    """Low-pass a reference `(C, N)` as BS.1534-3 asks of the low anchor: flat to 3.5 kHz, gone above 4.5 kHz.

    The filter is symmetric and its delay is taken out, so that nothing is late. Raises ValueError where half the rate
    is not above the end of its slope. Taught on: book/evaluation/listening_test
    """
    from scipy.signal import fftconvolve, firwin, kaiserord

    edge = cutoff * 4000 / 3500
    if edge >= rate / 2:
        raise ValueError(f"an anchor that ends at {cutoff:g} Hz needs a rate above {2 * edge:.0f} Hz, not {rate} Hz")
    taps, beta = kaiserord(60.0, (edge - cutoff) / (rate / 2))
    kernel = firwin(taps | 1, (cutoff + edge) / 2, window=("kaiser", beta), fs=rate)
    filtered = fftconvolve(reference.double().numpy(), kernel[None], mode="same", axes=-1)
    return torch.from_numpy(filtered).to(reference.dtype)


def match_loudness(sounds: Mapping[str, Tensor], rate: int) -> dict[str, Tensor]:
    """Bring sounds `(C, N)` by name to one loudness (BS.1770): that of the first, and lower where one would clip.

    Raises ValueError that names a silent sound. Taught on: book/evaluation/listening_test
    """
    levels = {name: audio.loudness(x, rate) for name, x in sounds.items()}
    silent = [name for name, level in levels.items() if not math.isfinite(level)]
    if silent:
        raise ValueError(f"'{silent[0]}' is silent, and cannot be made as loud as the others: choose another passage")
    first = next(iter(levels.values()))
    matched = {name: x * 10 ** ((first - levels[name]) / 20) for name, x in sounds.items()}
    peak = max(float(x.abs().max()) for x in matched.values())
    return {name: x * min(1.0, LOUDEST / peak) for name, x in matched.items()}


def versions(track, system, name: str = "vocals", label: str = "", seconds: float = 4.0) -> tuple[dict, dict] | None:
    """Return what is heard of one source of a track, by name: sounds `(C, N)` at one loudness, and their SI-SDR in dB.

    The true source stands first; then its anchor, an ideal ratio mask, a system's estimate, which bears `label` or the
    system's name, and the untouched mixture. None where the source is not heard.

    Taught on: book/evaluation/listening_test
    """
    rate, start = track.sample_rate, passage(track, name, seconds)
    if start is None:
        return None
    sources = track.sources(start=start, length=round(seconds * rate))  # (S, C, N)
    mixture, number = sources.sum(0), track.stem_names.index(name)
    source = sources[number]
    sounds = {
        REFERENCE: source,
        ANCHOR: anchor(source, rate),
        "ideal mask": separate_ideal(sources)[number],
        label or system.name: separate(system, mixture, rate)[list(system.source_names).index(name)],
        "mixture": mixture,
    }
    scores = {kind: float(si_sdr(x[None], source[None])) for kind, x in sounds.items()}
    return match_loudness(sounds, rate), scores


def guessing(right: int, trials: int) -> float:
    """Return how often a listener who guesses gets so many or more of the trials right: the p-value of an ABX test.

    It is the upper end of the binomial distribution with a chance of one half. Raises ValueError unless
    0 <= right <= trials. Taught on: book/evaluation/listening_test
    """
    if not 0 <= right <= trials or trials < 1:
        raise ValueError(
            f"right is {right} and trials is {trials}; expected 0 <= right <= trials, and one trial at least"
        )
    return sum(math.comb(trials, k) for k in range(right, trials + 1)) / 2**trials


def fewest_right(trials: int, level: float = 0.05) -> int | None:
    """Return how many must be right so that guessing does as well in at most `level` of all tests; None: not even all.

    Taught on: book/evaluation/listening_test
    """
    return next((right for right in range(trials + 1) if guessing(right, trials) <= level), None)


def left_out(scores: Mapping[str, Sequence[float]], least: float = 90.0, share: float = 0.15) -> list[str]:
    """Return the listeners who rated the hidden reference below `least` in more than `share` of their trials.

    `scores` has the ratings of the hidden reference by listener. The rule is that of BS.1534-3.
    Taught on: book/evaluation/listening_test
    """
    return [who for who, row in scores.items() if sum(value < least for value in row) / len(row) > share]


def interval(values: Iterable[float], level: float = 0.95) -> tuple[float, float]:
    """Return Student's interval of a mean over listeners: one value of each, the mean over what they rated.

    Raises ValueError for fewer than two values. Taught on: book/evaluation/listening_test
    """
    values = np.asarray(list(values), dtype=float)
    if len(values) < 2:
        raise ValueError(f"there are {len(values)} listeners, but an interval over listeners needs two at least")
    half = student(values, level)
    return float(values.mean() - half), float(values.mean() + half)


def correlation(x: Iterable[float], y: Iterable[float], ranks: bool = False) -> float:
    """Return the correlation of two rows of numbers: Pearson's, or that of their ranks, Spearman's.

    Equal numbers share the mean of their ranks. Raises ValueError where the rows differ in length or one is constant.
    Taught on: book/evaluation/listening_test
    """
    x, y = (np.asarray(list(row), dtype=float) for row in (x, y))
    if x.shape != y.shape or len(x) < 2:
        raise ValueError(f"the rows have {len(x)} and {len(y)} numbers; expected as many in both, and two at least")
    if ranks:
        x, y = (_ranks(row) for row in (x, y))
    x, y = x - x.mean(), y - y.mean()
    if not x.any() or not y.any():
        raise ValueError("one of the rows is constant: nothing can go together with it")
    return float((x * y).sum() / math.sqrt((x * x).sum() * (y * y).sum()))


def _ranks(row: np.ndarray) -> np.ndarray:
    """Return the rank of each number, from 0; equal numbers share the mean of theirs."""
    return np.array([(row < value).sum() + ((row == value).sum() - 1) / 2 for value in row], dtype=float)
