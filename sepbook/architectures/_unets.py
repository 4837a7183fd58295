"""What the U-Nets with something more have in common: the way of the sound, around a network of their own.

It is the way of `unet.UNetSystem`, cut into steps, because these systems train on more than one term.
"""

import math
from dataclasses import replace

import torch
from torch import Tensor, nn

from sepbook.architectures import unet
from sepbook.architectures._names import check_choices
from sepbook.architectures.base import System
from sepbook.building_blocks.stft import ISTFT, STFT, Masking
from sepbook.losses import spectrogram

LABEL_RATE = 100  # frames per second of the labels that a score gives: those of `sepbook.data.mixing`
LOSSES = {"l1": spectrogram.l1, "mse": spectrogram.mse}
LOWEST, HIGHEST = 60.0, 1000.0  # Hz, of the fundamental frequencies that are told apart

# Their small presets have two thirds of the widths of `unet`, so less than half of its work, and one shorter run.
NARROW = {"widths": (16, 28, 44, 76, 96)}
RECIPE = replace(unet.RECIPES["small"], short={}, steps={"lab": 60, "shipped": 1000, "full": 30000})


def at_frames(label: Tensor, T: int, hop: int, sample_rate: int) -> Tensor:
    """Look a label up at the middle of each frame of an STFT: `(…, T at LABEL_RATE) -> (…, T)`; the last one goes on.

    Frame t has its middle at sample `t * hop`. Raises ValueError for a label without frames.
    """
    if label.shape[-1] == 0:
        raise ValueError(f"a label has no frames, {tuple(label.shape)}; it must have {LABEL_RATE} for each second")
    place = torch.arange(T, device=label.device) * hop * LABEL_RATE // sample_rate
    return label[..., place.clamp(max=label.shape[-1] - 1)]


def pitch_band(f0: Tensor, bands: int) -> Tensor:
    """Sort fundamental frequencies in Hz, of any shape, into bands of equal width in semitones: 1 to `bands`.

    0 stays 0: nobody sings. What lies beyond LOWEST or HIGHEST counts as the nearest band. Raises ValueError for
    negative frequencies and NaN.
    """
    if not (f0.isfinite() & (f0 >= 0)).all():
        raise ValueError("f0 holds NaN, infinity or a negative number; it is in Hz, and 0 where nobody sings")
    height = (f0.clamp_min(LOWEST) / LOWEST).log2() / math.log2(HIGHEST / LOWEST)  # 0 to 1
    return torch.where(f0 > 0, 1 + (height * bands).long().clamp(max=bands - 1), 0)


def band_middles(bands: int) -> Tensor:
    """Return the frequency in the middle of each band in Hz, after a 0 for nobody: `(bands + 1,)`."""
    middles = LOWEST * (HIGHEST / LOWEST) ** ((torch.arange(bands) + 0.5) / max(bands, 1))
    return torch.cat([torch.zeros(1), middles])


class MaskingUNet(System):
    """Waveforms in, waveforms out: STFT, a network on the magnitudes, masks on the mixture, inverse STFT.

    `config` has the fields of `unet.Config`. A subclass says how it finds `masks` where its network gives more.
    """

    def __init__(self, config, network: nn.Module):
        super().__init__(config)
        check_choices(config, masks=("sigmoid", "softmax"), scale=("peak", "log"), loss=tuple(LOSSES))
        self.stride = config.hop * 2 ** len(config.widths)  # where a column of the bottom map begins
        self.whole = config.scale == "peak"  # the loudest point of all
        self.stft = STFT(config.n_fft, config.hop)
        self.network = network
        self.masking = Masking()
        self.istft = ISTFT(config.n_fft, config.hop)

    def heard(self, magnitude: Tensor) -> Tensor:
        """Return what the network hears of `(B, C, F, T)` magnitudes: scaled, without the highest bin."""
        if self.config.scale == "log":
            return torch.log1p(magnitude)[:, :, :-1]
        loudest = magnitude.amax((1, 2, 3), keepdim=True).clamp_min(1e-8)
        return (magnitude / loudest)[:, :, :-1]

    def all_bins(self, masks: Tensor) -> Tensor:
        """Give the highest bin the mask of the bin below it: `(B, S, C, F, T) -> (B, S, C, F + 1, T)`."""
        return torch.cat([masks, masks[..., -1:, :]], dim=-2).float()

    def masks(self, magnitude: Tensor) -> Tensor:
        """Estimate one mask per source: `(B, C, F, T) -> (B, S, C, F, T)`, all F bins."""
        return self.all_bins(self.network(self.heard(magnitude)))

    def forward(self, mixture: Tensor, **inputs: Tensor) -> Tensor:
        """Separate `(B, C, N) -> (B, S, C, N)`."""
        self.check_mixture(mixture)
        bins = self.stft(mixture)  # (B, C, F, T) complex
        return self.istft(self.masking(bins, self.masks(bins.abs())), mixture.shape[-1])

    def bins(self, mixture: Tensor, sources: Tensor) -> tuple[Tensor, Tensor]:
        """Check a training item, and return the complex bins `(B, C, F, T)` and `(B, S, C, F, T)`."""
        self.check_mixture(mixture)
        self.check_sources(mixture, sources)
        return self.stft(mixture), self.stft(sources.flatten(1, 2)).unflatten(1, sources.shape[1:3])

    def compare(self, estimates: Tensor, targets: Tensor) -> Tensor:
        """Return the distance of two magnitudes `(B, S, C, F, T)` for each source: `(S,)`."""
        pairs = zip(estimates.unbind(1), targets.unbind(1), strict=True)
        return torch.stack([LOSSES[self.config.loss](estimate, target) for estimate, target in pairs])
