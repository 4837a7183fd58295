"""How long do the losses on waveforms take, forward and backward, against public implementations? One thread."""

import fast_bss_eval
import torch
from torch.nn import functional
from torchmetrics.functional import audio

from sepbook.losses import waveform
from tools.bench._measure import compare_all, descent, largest_ratio, threads

SHAPE = (8, 4, 1, 48000)  # (B, S, C, N): a batch of three seconds at 16 kHz
PAIRS = 61
LIMIT = 1.10


def rivals() -> dict:
    """Name each comparison; ours takes `(B, S, C, N)`, theirs `(B, S, N)`."""
    return {
        "l1": (waveform.l1, functional.l1_loss),
        "mse": (waveform.mse, functional.mse_loss),
        "sdr_torchmetrics": (waveform.sdr_loss, lambda e, s: -audio.signal_noise_ratio(e, s).mean()),
        "si_sdr_torchmetrics": (
            waveform.si_sdr_loss,
            lambda e, s: -audio.scale_invariant_signal_distortion_ratio(e, s).mean(),
        ),
        "si_snr_torchmetrics": (
            waveform.si_snr_loss,
            lambda e, s: -audio.scale_invariant_signal_noise_ratio(e, s).mean(),
        ),
        "si_sdr_fast_bss_eval": (waveform.si_sdr_loss, lambda e, s: fast_bss_eval.si_sdr_loss(e, s).mean()),
    }


@threads(1)
def run() -> dict:
    random = torch.Generator().manual_seed(0)
    sources = 0.1 * torch.randn(SHAPE, generator=random)
    estimates = sources + 0.03 * torch.randn(SHAPE, generator=random)
    mine, other = estimates.clone().requires_grad_(), estimates[:, :, 0].clone().requires_grad_()
    steps = {
        name: (descent(ours, mine, sources), descent(theirs, other, sources[:, :, 0]))
        for name, (ours, theirs) in rivals().items()
    }
    found = compare_all(steps, PAIRS)
    return found | {"largest_ratio": largest_ratio(found), "pairs": PAIRS, "threads": 1, "limit": LIMIT}
