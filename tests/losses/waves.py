"""What the tests of losses on waveforms and of permutations share: the losses, and estimates of sources."""

import pytest
import torch

from sepbook.losses import waveform

LOSSES = {
    "l1": waveform.l1,
    "mse": waveform.mse,
    "sdr": waveform.sdr_loss,
    "si_sdr": waveform.si_sdr_loss,
    "si_snr": waveform.si_snr_loss,
}
RATIOS = [name for name in LOSSES if name not in ("l1", "mse")]
every = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)


def pair(seed, noise=0.3, shape=(3, 2, 2, 200), dtype=torch.float64):
    """Return estimates and sources `(B, S, C, N)`."""
    random = torch.Generator().manual_seed(seed)
    sources = torch.randn(shape, generator=random, dtype=dtype)
    return sources + noise * torch.randn(shape, generator=random, dtype=dtype), sources


def squared(estimates, sources, reduction="none"):
    """A loss in double precision, for gradcheck."""
    return (estimates - sources).square().flatten(1).mean(1)
