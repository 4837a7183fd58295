"""Another pitch, another tempo, each by itself: a phase vocoder stretches, a windowed sinc resamples.

Places are computed in float64 on the CPU, because some devices have none; the sound stays where it is.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

TAPS = 24  # samples on each side that a resampled one is made of


def repitched(samples: Tensor, pitch: float, tempo: float, n_fft: int) -> Tensor:
    """Multiply frequencies by `pitch` and speed by `tempo`: `(…, N) -> (…, N')`, N' = N / tempo, rounded."""
    return resampled(stretched(samples, pitch / tempo, n_fft), pitch)


def stretched(samples: Tensor, factor: float, n_fft: int) -> Tensor:
    """Make sound longer by a factor and leave its pitch: `(…, N) -> (…, N')`, N' = N · factor, rounded.

    Frames are read `factor` times as densely as they are written, and the phase of each bin goes on by what it moved
    between two frames. Source: Flanagan and Golden 1966.
    """
    N, hop = samples.shape[-1], n_fft // 4
    window = torch.hann_window(n_fft, device=samples.device, dtype=samples.dtype)
    bins = torch.stft(
        samples.reshape(-1, N), n_fft, hop, window=window, pad_mode="constant", return_complex=True
    )  # (…, F, T)
    length = round(N * factor)
    place = torch.arange(length // hop + 1, dtype=torch.float64) / factor  # of each frame written, in frames read
    first = place.long().clamp(max=bins.shape[-1] - 1)
    share, first = (place - first).to(samples), first.to(samples.device)
    bins = functional.pad(bins, (0, 1))
    before, after = bins[..., first], bins[..., first + 1]  # (…, F, T')
    magnitude = torch.lerp(before.abs(), after.abs(), share)
    turn = torch.arange(bins.shape[-2], dtype=torch.float64)[:, None].to(samples) * (2 * math.pi * hop / n_fft)
    moved = after.angle() - before.angle() - turn  # beside what the middle of the bin turns …
    moved = turn + moved - 2 * math.pi * (moved / (2 * math.pi)).round()  # … which is known but for whole turns
    phase = before[..., :1].angle() + functional.pad(moved, (1, 0))[..., :-1].cumsum(-1)
    sound = torch.istft(torch.polar(magnitude, phase), n_fft, hop, window=window, length=length)
    return sound.reshape(*samples.shape[:-1], length)


def resampled(samples: Tensor, speed: float) -> Tensor:
    """Play sound `speed` times as fast, pitch and all: `(…, N) -> (…, N')`, N' = N / speed, rounded.

    A windowed sinc; above speed 1 it takes away what would fold down.
    """
    N, band = samples.shape[-1], min(1.0, 1 / speed)
    reach = math.ceil(TAPS / band)
    place = torch.arange(round(N / speed), dtype=torch.float64) * speed  # in samples read
    first = place.long()
    share, first = (place - first).to(samples), first.to(samples.device)
    padded, out = functional.pad(samples, (reach - 1, reach + 1)), 0
    for tap in range(-reach + 1, reach + 1):
        distance = tap - share  # (N',)
        weight = band * torch.sinc(band * distance) * torch.cos(math.pi / 2 * distance / (reach + 1)).square()
        out = out + padded[..., first + (tap + reach - 1)] * weight
    return out
