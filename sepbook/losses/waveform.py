"""Losses on waveforms: how far the estimated samples are from the true ones.

Two of them measure distances, sample by sample (`l1`, `mse`). Three compare energies in decibels and are negated, so
that smaller is better (`sdr_loss`, `si_sdr_loss`, `si_snr_loss`). All take estimates and sources `(B, S, C, N)`, are
computed in float32 whatever they are given (float64 stays float64), and are finite with finite gradients on silence.

Taught on: book/losses/waveform
"""

import torch
from torch import Tensor
from torch.nn import functional

from sepbook.losses._waveforms import check_finite, check_waveforms
from sepbook.losses.silence import is_silent

EPSILON = 1e-10  # energy per sample, added to both energies of a ratio: -100 dB against full scale


def l1(estimates: Tensor, sources: Tensor, reduction: str = "mean") -> Tensor:
    """Mean absolute error of the samples: (1/N) Σ |x̂ - x|.

    `(B, S, C, N), (B, S, C, N) -> ()`, or `(B,)` with ``reduction="none"``. Raises ValueError when the two do not
    belong together or a sample is NaN. Source: Défossez 2019. Taught on: book/losses/waveform
    """
    return _distance(functional.l1_loss, estimates, sources, reduction)


def mse(estimates: Tensor, sources: Tensor, reduction: str = "mean") -> Tensor:
    """Mean squared error of the samples: (1/N) Σ (x̂ - x)².

    `(B, S, C, N), (B, S, C, N) -> ()`, or `(B,)` with ``reduction="none"``. Raises ValueError when the two do not
    belong together or a sample is NaN. Source: Stoller 2018. Taught on: book/losses/waveform
    """
    return _distance(functional.mse_loss, estimates, sources, reduction)


def sdr(estimates: Tensor, sources: Tensor) -> Tensor:
    """Signal-to-distortion ratio in dB, also called SNR: all that is not the source, at its own level, is distortion.

    10 log10(‖x‖² / ‖x̂ - x‖²), channels and samples together. `(…, C, N), (…, C, N) -> (…)`. It is not the SDR of
    BSS Eval, which forgives a filter of 512 samples. Raises ValueError when the shapes differ. Source: Le Roux 2019.
    Taught on: book/losses/waveform
    """
    estimates, sources = check_waveforms(estimates, sources, least=2)
    x_hat, x = _full(estimates).flatten(-2), _full(sources).flatten(-2)  # (…, C * N)
    return _decibels(x.square().sum(-1), _error(x_hat, x), x.shape[-1])


def si_sdr(estimates: Tensor, sources: Tensor, zero_mean: bool = False) -> Tensor:
    """Scale-invariant signal-to-distortion ratio in dB, channels and samples together.

    The source is scaled to lie as near to the estimate as it can; what remains of the estimate is distortion:
    10 log10(‖αx‖² / ‖x̂ - αx‖²) with α = ⟨x̂, x⟩ / ‖x‖². `(…, C, N), (…, C, N) -> (…)`. With ``zero_mean`` it is the
    SI-SNR of the speech papers. Raises ValueError when the shapes differ. Source: Le Roux 2019.
    Taught on: book/losses/waveform
    """
    estimates, sources = check_waveforms(estimates, sources, least=2)
    x_hat, x = _full(estimates), _full(sources)
    if zero_mean:
        x_hat, x = x_hat - x_hat.mean(-1, keepdim=True), x - x.mean(-1, keepdim=True)
    x_hat, x = x_hat.flatten(-2), x.flatten(-2)  # (…, C * N)
    energy = x.square().sum(-1)  # (…)
    alpha = (x_hat * x).sum(-1) / (energy + EPSILON * x.shape[-1])
    return _decibels(alpha.square() * energy, _error(x_hat, alpha.unsqueeze(-1) * x), x.shape[-1])


def sdr_loss(estimates: Tensor, sources: Tensor, reduction: str = "mean", skip_silent: bool = False) -> Tensor:
    """Negative SDR in dB, averaged over sources: smaller is better.

    `(B, S, C, N), (B, S, C, N) -> ()`, or `(B,)` with ``reduction="none"``. With ``skip_silent``, sources below -90 dB
    are left out of the average, and an item in which all are silent counts 0. Raises ValueError like `l1`.
    Source: Le Roux 2019. Taught on: book/losses/waveform
    """
    estimates, sources = check_waveforms(estimates, sources, reduction)
    values = -_over_sources(sdr(estimates, sources), sources, skip_silent)
    return _reduce(values, estimates, sources, reduction)


def si_sdr_loss(
    estimates: Tensor,
    sources: Tensor,
    reduction: str = "mean",
    zero_mean: bool = False,
    skip_silent: bool = False,
) -> Tensor:
    """Negative SI-SDR in dB, averaged over sources: smaller is better.

    `(B, S, C, N), (B, S, C, N) -> ()`, or `(B,)` with ``reduction="none"``. ``zero_mean`` makes it the SI-SNR loss,
    ``skip_silent`` works as in `sdr_loss`. Raises ValueError like `l1`. Source: Le Roux 2019.
    Taught on: book/losses/waveform
    """
    estimates, sources = check_waveforms(estimates, sources, reduction)
    values = -_over_sources(si_sdr(estimates, sources, zero_mean), sources, skip_silent)
    return _reduce(values, estimates, sources, reduction)


def si_snr_loss(estimates: Tensor, sources: Tensor, reduction: str = "mean", skip_silent: bool = False) -> Tensor:
    """Negative SI-SNR in dB: `si_sdr_loss` after the mean of every channel is subtracted.

    `(B, S, C, N), (B, S, C, N) -> ()`, or `(B,)` with ``reduction="none"``. Raises ValueError like `l1`.
    Source: Luo 2018. Taught on: book/losses/waveform
    """
    return si_sdr_loss(estimates, sources, reduction, True, skip_silent)


def _full(x: Tensor) -> Tensor:
    """Return samples in float32; float64 stays as it is, for checks."""
    return x if x.dtype == torch.float64 else x.float()


def _distance(loss, estimates: Tensor, sources: Tensor, reduction: str) -> Tensor:
    """Apply one of PyTorch's own losses to whole tensors, or item by item."""
    estimates, sources = check_waveforms(estimates, sources, reduction)
    x_hat, x = _full(estimates), _full(sources)
    value = loss(x_hat, x) if reduction == "mean" else loss(x_hat, x, reduction="none").flatten(1).mean(1)
    check_finite(value, estimates, sources)
    return value


def _error(x_hat: Tensor, x: Tensor) -> Tensor:
    """Return the energy of x_hat - x along the last axis, in one pass; differences of energies would cancel."""
    return functional.mse_loss(x_hat, x, reduction="none").sum(-1)


def _decibels(signal: Tensor, distortion: Tensor, count: int) -> Tensor:
    """Return the ratio of two energies in dB; `EPSILON` for each of the `count` samples is added to both."""
    floor = EPSILON * count
    return 10 * torch.log10((signal + floor) / (distortion + floor))


def _over_sources(decibels: Tensor, sources: Tensor, skip_silent: bool) -> Tensor:
    """Average `(B, S)` over S, without the silent sources where asked: `(B,)`."""
    if not skip_silent:
        return decibels.reshape(len(decibels), -1).mean(1)
    heard = ~is_silent(sources)  # (B, S)
    kept = torch.where(heard, decibels, 0.0)
    count = heard.reshape(len(heard), -1).sum(1).clamp(min=1)
    return kept.reshape(len(kept), -1).sum(1) / count


def _reduce(values: Tensor, estimates: Tensor, sources: Tensor, reduction: str) -> Tensor:
    """Return `(B,)` as it is ("none") or its mean ("mean"), after a look for NaN."""
    check_finite(values, estimates, sources)
    return values.mean() if reduction == "mean" else values
