"""How long do the losses on spectrograms take, forward and backward, against their formulas? One thread."""

import torch
from torch.nn import functional

from sepbook.building_blocks.stft import STFT
from sepbook.losses import spectrogram, waveform
from tools.bench._measure import compare_all, descent, threads

SHAPE = (8, 4, 1, 32000)  # (B, S, C, N): a batch of two seconds at 16 kHz
PAIRS = 31
FLOOR = spectrogram.FLOOR


def plain_log(e, s):
    return spectrogram.DECIBELS * ((e + FLOOR).log() - (s + FLOOR).log()).abs().mean()


def plain_tpsa(masks, Y, S):
    target = S.abs() * torch.cos(S.angle() - Y.angle()[:, None])
    return functional.l1_loss(masks * Y.abs()[:, None], target.clamp(min=0).minimum(Y.abs()[:, None]))


def ours_tpsa(masks, Y, S):
    return spectrogram.spectrum_approximation(masks, Y, S, "tpsa", spectrogram.l1)


@threads(1)
def run() -> dict:
    random = torch.Generator().manual_seed(0)
    sources = 0.1 * torch.randn(SHAPE, generator=random)
    estimates = (sources + 0.03 * torch.randn(SHAPE, generator=random)).requires_grad_()
    S = STFT()(sources.flatten(1, 2)).unflatten(1, SHAPE[1:3])  # (B, S, C, F, T)
    Y = S.sum(1)
    masks = torch.rand(S.shape, generator=random).requires_grad_()
    guess, truth = (masks.detach() * Y.abs()[:, None]).requires_grad_(), S.abs()
    rivals = {
        "l1": (descent(spectrogram.l1, guess, truth), descent(functional.l1_loss, guess, truth)),
        "mse": (descent(spectrogram.mse, guess, truth), descent(functional.mse_loss, guess, truth)),
        "log": (descent(spectrogram.log_magnitude, guess, truth), descent(plain_log, guess, truth)),
        "l1_tpsa": (descent(ours_tpsa, masks, Y, S), descent(plain_tpsa, masks, Y, S)),
        "multi_against_si_sdr": (
            descent(spectrogram.multi_resolution, estimates, sources),
            descent(waveform.si_sdr_loss, estimates, sources),
        ),
    }
    return compare_all(rivals, PAIRS) | {"pairs": PAIRS, "threads": 1}
