"""Losses on spectrograms, and the targets that they compare with.

A *target* says what the masked mixture should look like. A *loss* says what it costs to be off. The two choices are
independent: any loss goes with any target. ::

    mixture (B, C, F, T) ─ abs ─ times masks (B, S, C, F, T) ──> estimates ─┐
       │                                                                    ├─ l1, mse, log_magnitude ──> loss
       └─ with sources (B, S, C, F, T) ─ msa, psa, tpsa ───────> target ────┘

The error is estimate minus target, for every target. `multi_resolution` is for waveforms: it looks at them through
several transforms. All losses are computed in float32 whatever they are given (float64 stays float64), and are finite
with finite gradients on silence.

Taught on: book/losses/spectrogram
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from sepbook._given import as_samples, as_tensor, check_together
from sepbook.building_blocks.stft import LONGEST_WINDOW, MOST_FRAMES
from sepbook.losses._magnitudes import check_bins, check_finite, check_floor, check_masks, check_pair
from sepbook.losses._waveforms import check_finite as check_samples
from sepbook.losses._waveforms import check_waveforms

FLOOR = 1e-2  # magnitude that is added before a logarithm: 88 dB below a full-scale tone in a window of 1024 samples
DECIBELS = 20 / math.log(10)  # dB for each unit of the natural logarithm of a magnitude
RESOLUTIONS = ((512, 128), (1024, 256), (2048, 512))  # (n_fft, hop) in samples

Loss = Callable[..., Tensor]


def msa(mixture: Tensor, sources: Tensor) -> Tensor:
    """Target of the magnitude spectrum approximation: the true magnitude |S|.

    mixture `(B, C, F, T)`, sources `(B, S, C, F, T)`, complex -> `(B, S, C, F, T)`. The mixture is not looked at.
    Raises ValueError that names the axis. Source: Weninger 2014. Taught on: book/losses/spectrogram
    """
    _, sources = check_bins(mixture, sources, phase=False)
    return _full(sources).abs()


def psa(mixture: Tensor, sources: Tensor) -> Tensor:
    """Target of the phase-sensitive approximation: |S| cos(∠S - ∠Y), the part of S that lies along the mixture Y.

    mixture `(B, C, F, T)`, sources `(B, S, C, F, T)`, complex -> `(B, S, C, F, T)`, below zero where the source points
    away from the mixture. Where the mixture is zero it has no direction, and the target is 0. Raises ValueError that
    names the axis, or says that phase is missing. Source: Erdogan 2015. Taught on: book/losses/spectrogram
    """
    mixture, sources = check_bins(mixture, sources)
    direction = _full(mixture).sgn().unsqueeze(1)  # (B, 1, C, F, T): Y / |Y|
    return (_full(sources) * direction.conj()).real


def tpsa(mixture: Tensor, sources: Tensor) -> Tensor:
    """Truncated `psa`: cut to the range from 0 to |Y|, which is what masks from 0 to 1 can reach.

    mixture `(B, C, F, T)`, sources `(B, S, C, F, T)`, complex -> `(B, S, C, F, T)`. Raises ValueError like `psa`.
    Source: Erdogan 2015. Taught on: book/losses/spectrogram
    """
    mixture, sources = check_bins(mixture, sources)
    return psa(mixture, sources).clamp(min=0).minimum(_full(mixture).abs().unsqueeze(1))


TARGETS = {"msa": msa, "psa": psa, "tpsa": tpsa}


def l1(estimates: Tensor, sources: Tensor, reduction: str = "mean") -> Tensor:
    """Mean absolute error over all bins.

    `(B, …), (B, …) -> ()`, or `(B,)` with ``reduction="none"``. On masked magnitudes `(B, S, C, F, T)` this is the
    loss of the singing-voice U-Net (Jansson 2017). Raises ValueError when the two do not belong together or a bin is
    NaN. Taught on: book/losses/spectrogram
    """
    estimates, sources = check_pair(estimates, sources, reduction)
    error = functional.l1_loss(_full(estimates), _full(sources), reduction="none")  # |Ŝ - S|, in one pass
    return _reduce(error.flatten(1).mean(1), estimates, sources, reduction)


def mse(estimates: Tensor, sources: Tensor, reduction: str = "mean") -> Tensor:
    """Mean squared error: the squared L2 norm divided by the number of bins.

    `(B, …), (B, …) -> ()`, or `(B,)` with ``reduction="none"``. Raises ValueError like `l1`. Source: Weninger 2014.
    Taught on: book/losses/spectrogram
    """
    estimates, sources = check_pair(estimates, sources, reduction)
    error = functional.mse_loss(_full(estimates), _full(sources), reduction="none")  # (Ŝ - S)²
    return _reduce(error.flatten(1).mean(1), estimates, sources, reduction)


def log_magnitude(
    estimates: Tensor,
    sources: Tensor,
    reduction: str = "mean",
    floor: float = FLOOR,
) -> Tensor:
    """Mean absolute difference of levels, in dB: how many decibels a bin is off.

    `(B, …), (B, …) -> ()`, or `(B,)` with ``reduction="none"``. `floor` is added to both magnitudes, so bins far below
    it count for nothing and silence has a level. Raises ValueError like `l1`, and for values below 0 or a floor of 0.
    Source: Arık 2019 (with natural logarithms). Taught on: book/losses/spectrogram
    """
    estimates, sources = check_pair(estimates, sources, reduction)
    check_floor(floor)
    error = DECIBELS * ((_full(estimates) + floor).log() - (_full(sources) + floor).log())
    return _reduce(error.abs().flatten(1).mean(1), estimates, sources, reduction)


def spectral_convergence(estimates: Tensor, sources: Tensor, reduction: str = "mean", floor: float = FLOOR) -> Tensor:
    """Length of the error relative to the length of the source: ‖Ŝ - S‖ / ‖S‖, for each source, then their mean.

    magnitudes `(B, S, C, F, T), (B, S, C, F, T) -> ()`, or `(B,)` with ``reduction="none"``. The length of a
    spectrogram that is `floor` everywhere is added to the divisor, so that silence can be one (at a high price). Raises
    ValueError like `l1`. Source: Arık 2019. Taught on: book/losses/spectrogram
    """
    estimates, sources = check_pair(estimates, sources, reduction, least=3)
    check_floor(floor)
    return _reduce(_convergence(estimates, sources, floor)[0].mean(1), estimates, sources, reduction)


def _convergence(estimates: Tensor, sources: Tensor, floor: float) -> tuple[Tensor, Tensor]:
    """Return the relative error of each source, and whether the source is silent: `(B, S)` both."""
    e, s = _full(estimates).flatten(2), _full(sources).flatten(2)  # (B, S, C * F * T)
    least, length = floor * math.sqrt(s.shape[-1]), torch.linalg.vector_norm(s, dim=-1)
    return torch.linalg.vector_norm(e - s, dim=-1) / (length + least), length <= least


def spectrum_approximation(
    masks: Tensor,
    mixture: Tensor,
    sources: Tensor,
    target: str = "msa",
    loss: Loss = l1,
    reduction: str = "mean",
    bounded: bool = True,
) -> Tensor:
    """Compare the masked mixture with a target: the loss of a network that makes masks.

    masks `(B, S, C, F, T)` real, mixture `(B, C, F, T)` and sources `(B, S, C, F, T)` complex -> `()`, or `(B,)` with
    ``reduction="none"``. `target` is a name from `TARGETS`, `loss` a function of two magnitudes. Raises ValueError for
    another target, shapes that do not fit, and unless ``bounded=False`` for masks outside 0 to 1, with their place.
    Source: Weninger 2014, Erdogan 2015. Taught on: book/losses/spectrogram
    """
    if target not in TARGETS:
        raise ValueError(f"target is {target!r}; choose one of {', '.join(TARGETS)}")
    mixture, sources = check_bins(mixture, sources, phase=False)
    goal = TARGETS[target](mixture, sources)  # (B, S, C, F, T)
    masks = as_tensor(masks, "masks")
    check_together(masks=masks, mixture=mixture)
    if bounded:
        check_masks(masks, sources)
    estimates = _full(masks) * _full(mixture).abs().unsqueeze(1)  # (B, S, C, F, T)
    return loss(estimates, goal, reduction)


def multi_resolution(
    estimates: Tensor,
    sources: Tensor,
    reduction: str = "mean",
    resolutions: tuple[tuple[int, int], ...] = RESOLUTIONS,
    floor: float = FLOOR,
) -> Tensor:
    """Multi-resolution STFT loss of waveforms: what differs in their magnitudes, seen through several windows.

    For each (n_fft, hop) in samples, the spectral convergence and the mean absolute difference of the natural
    logarithms are added; the resolutions are averaged. `(B, S, C, N), (B, S, C, N) -> ()`, or `(B,)` with "none". A
    silent source is judged by the logarithms alone; a silent estimate has no slope. Raises ValueError when the two do
    not belong together or a sample is NaN. Source: Yamamoto 2020. Taught on: book/losses/spectrogram
    """
    estimates, sources = check_waveforms(estimates, sources, reduction)
    if not resolutions:
        raise ValueError("resolutions is empty: give at least one pair (n_fft, hop) in samples")
    check_samples(_full(estimates).abs().flatten(1).sum(1) + _full(sources).abs().flatten(1).sum(1), estimates, sources)
    values = 0.0
    for n_fft, hop in resolutions:
        e, s = (magnitudes(x, n_fft, hop) for x in (estimates, sources))  # (B, S, C, F, T)
        ratio, silent = _convergence(e, s, floor)  # (B, S)
        values = values + torch.where(silent, 0.0, ratio).mean(1)  # (B,)
        values = values + log_magnitude(e, s, "none", floor) / DECIBELS
    values = values / len(resolutions)
    return values.mean() if reduction == "mean" else values


def magnitudes(samples: Tensor, n_fft: int = 1024, hop: int = 256) -> Tensor:
    """Return the magnitudes of waveforms: `(…, N) -> (…, F, T)`, Hann window, in float32 (float64 stays float64).

    F and T are those of `building_blocks.stft.STFT`. Its gradient on silence is zero: `abs` of a complex tensor is
    safe, a square root of the power is not. Taught on: book/losses/spectrogram
    """
    x = _full(as_samples(samples, "samples"))
    if x.ndim < 1 or x.numel() == 0:
        raise ValueError(f"samples are {tuple(x.shape)}; there must be samples along (…, N)")
    if not 1 <= n_fft <= LONGEST_WINDOW or not 1 <= hop <= n_fft <= MOST_FRAMES * hop:
        raise ValueError(
            f"n_fft is {n_fft} and hop is {hop}; expected a window of at most {LONGEST_WINDOW} samples, and a hop from "
            f"1 to n_fft that leaves each sample in at most {MOST_FRAMES} frames, such as 1024 and 256"
        )
    window = torch.hann_window(n_fft, dtype=x.dtype, device=x.device)
    more = -x.shape[-1] % hop + n_fft % 2  # to a whole number of hops; one more if n_fft is odd
    flat = functional.pad(x.reshape(-1, x.shape[-1]), (0, more))  # (rows, N), a row for each of the other axes
    bins = torch.stft(flat, n_fft, hop, window=window, center=True, pad_mode="constant", return_complex=True)
    return bins.abs().view(*x.shape[:-1], *bins.shape[-2:])  # (…, F, T)


def _full(x: Tensor) -> Tensor:
    """Return real numbers in float32 and complex ones in complex64; twice that stays as it is, for checks."""
    if x.dtype in (torch.float64, torch.complex128):
        return x
    return x.to(torch.complex64) if x.is_complex() else x.float()


def _reduce(values: Tensor, estimates: Tensor, sources: Tensor, reduction: str) -> Tensor:
    """Return `(B,)` as it is ("none") or its mean ("mean"), after a look for NaN."""
    check_finite(values, estimates, sources)
    return values.mean() if reduction == "mean" else values
