"""Losses on waveforms. SI-SDR, the measure of most tables, and its negative, which can be trained on.

Taught on: book/losses/waveform
"""

import torch
from torch import Tensor

from sepbook.losses.spectrogram import check_pair, reduce

EPSILON = 1e-10  # energy per sample, added to both energies: -100 dB against full scale


def si_sdr(estimates: Tensor, sources: Tensor, zero_mean: bool = False) -> Tensor:
    """Scale-invariant signal-to-distortion ratio in dB, channels and samples together.

    ``sources (…, C, N)`` is scaled to lie as near to the estimate as it can; what remains of the estimate is
    distortion: 10 log10(‖αs‖² / ‖ŝ − αs‖²) with α = ⟨ŝ, s⟩ / ‖s‖². `(…, C, N), (…, C, N) -> (…)`.

    Computed in float32 with `EPSILON` · C · N added to each energy, so that silence in either signal gives a
    finite value and a finite gradient. With ``zero_mean`` it is the SI-SNR of the speech papers.
    Source: Le Roux 2019. Raises ValueError when the shapes differ. Taught on: book/losses/waveform
    """
    check_pair(estimates, sources)
    estimates, sources = estimates.float(), sources.float()
    if zero_mean:
        estimates = estimates - estimates.mean(-1, keepdim=True)
        sources = sources - sources.mean(-1, keepdim=True)
    floor = EPSILON * sources.shape[-1] * sources.shape[-2]
    energy = sources.square().sum((-2, -1), keepdim=True)  # (…, 1, 1)
    scale = (estimates * sources).sum((-2, -1), keepdim=True) / (energy + floor)
    target = scale * sources
    signal = target.square().sum((-2, -1)) + floor
    distortion = (estimates - target).square().sum((-2, -1)) + floor
    return 10 * torch.log10(signal / distortion)


def si_sdr_loss(estimates: Tensor, sources: Tensor, reduction: str = "mean", zero_mean: bool = True) -> Tensor:
    """Negative SI-SDR in dB, averaged over sources: smaller is better.

    `(B, S, C, N), (B, S, C, N) -> ()`, or `(B,)` with reduction="none". Source: Luo 2018.
    Taught on: book/losses/waveform
    """
    check_pair(estimates, sources, reduction)
    return reduce(-si_sdr(estimates, sources, zero_mean).flatten(1).mean(1), reduction)
