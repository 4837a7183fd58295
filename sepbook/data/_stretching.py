"""Another pitch and another duration, each by itself, without leaving the samples: quick enough to draw them anew.

::

    read faster or slower ── pieces, each from where it goes on best ── joined by short fades
       (pitch and tempo)          (tempo alone: WSOLA)

A piece is looked for near the place where it should begin, and taken where the sound is most like what would have
followed the piece before. So tones go on without a break; strokes may be doubled or lost, as SoX does it too.
Source: Verhelst and Roelands 1993.
"""

import math

import numpy as np
import soxr
import torch
from numpy.lib.stride_tricks import sliding_window_view
from torch import Tensor

PIECE, JOINT, SEARCH = 0.080, 0.012, 0.015  # seconds: from piece to piece, of a fade, in which a piece is looked for
QUALITY = "MQ"  # of soxr: what folds down is 100 dB softer


def needed(length: int, semitones: float, stretch: float, sample_rate: int) -> int:
    """Number of samples to give to `changed` for `length` of them, what is looked at in the search included."""
    beyond = (PIECE + JOINT + SEARCH) * sample_rate * 2 ** (semitones / 12)
    return math.ceil(length / stretch + beyond)


def changed(samples: Tensor, semitones: float, stretch: float, sample_rate: int, length: int) -> Tensor:
    """Make sound higher by `semitones` and last `stretch` times as long: `(…, N) -> (…, length)`.

    All channels are cut at the same places, so what belongs together stays together. Zeros follow after the end.
    Taught on: book/data/scaper.
    """
    pitch = 2 ** (semitones / 12)
    x = samples.reshape(-1, samples.shape[-1]).float().numpy()  # (C, N)
    if pitch != 1:
        x = [soxr.resample(channel, sample_rate * pitch, sample_rate, QUALITY) for channel in x]
    if stretch * pitch != 1:
        x = _stretched(x, stretch * pitch, sample_rate, length)
    else:
        x = _padded(x, length)
    return torch.from_numpy(x)[:, :length].view(*samples.shape[:-1], length)


def _padded(x, length: int) -> np.ndarray:
    """At least `length` samples of x (C, N): zeros follow where it has fewer."""
    out = np.zeros((len(x), max(length, len(x[0]))), np.float32)
    for row, channel in zip(out, x, strict=True):
        row[: len(channel)] = channel
    return out


def _stretched(x, factor: float, sample_rate: int, length: int) -> np.ndarray:
    """Let x (C, N) last `factor` times as long, and leave its pitch: `length` samples of it, or somewhat more."""
    hop, joint, reach = (round(seconds * sample_rate) for seconds in (PIECE, JOINT, SEARCH))
    count, step = -(-length // hop), hop / factor  # pieces; samples read from one to the next
    x = _padded(x, round(count * step) + hop + joint + reach)
    return _joined(x, _places(x.sum(axis=0), count, step, hop, joint, reach), hop, joint)


def _places(x: np.ndarray, count: int, step: float, hop: int, joint: int, reach: int) -> np.ndarray:
    """Where in x (N,) each piece begins."""
    total = np.zeros(len(x) + 1)
    np.cumsum(x * x, dtype=np.float64, out=total[1:])
    energy = (total[joint:] - total[:-joint]).astype(np.float32)  # of `joint` samples from each place on
    scale = 1 / np.sqrt(energy + 1e-6 * energy.max() + 1e-20)
    found = [0]
    for k in range(1, count):
        follows = x[found[-1] + hop : found[-1] + hop + joint]
        first = max(0, round(k * step) - reach // 2)
        likeness = np.correlate(x[first : first + reach + joint], follows) * scale[first : first + reach + 1]
        found.append(first + int(likeness.argmax()))
    return np.array(found)


def _joined(x: np.ndarray, first: np.ndarray, hop: int, joint: int) -> np.ndarray:
    """Pieces of x (C, N) from the places `first` on, one after the other; what followed a piece fades into the next."""
    pieces = sliding_window_view(x, hop, axis=-1)[:, first]  # (C, pieces, hop)
    begins, followed = pieces[:, 1:, :joint], sliding_window_view(x, joint, axis=-1)[:, first[:-1] + hop]
    fade = (0.5 + 0.5 * np.cos(np.pi * (np.arange(joint) + 0.5) / joint)).astype(np.float32)
    begins += fade * (followed - begins)
    return pieces.reshape(len(x), -1)
