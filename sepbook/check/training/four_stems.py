"""Four stems by masks on a spectrogram: a system of one's own, as the page and the lab write it.

::

    mixture (B, C, N) ── STFT ── bins (B, C, F, T) ───────────────────── times ── inverse STFT ── (B, S, C, N)
                                   └─ log magnitude ── network ── masks ───┘

Taught on: book/training/putting_it_together
"""

from dataclasses import dataclass

import torch
from torch import nn

from sepbook.architectures.base import System
from sepbook.architectures.recipe import Recipe
from sepbook.building_blocks.stft import ISTFT, STFT, Masking
from sepbook.losses.spectrogram import l1


@dataclass(frozen=True)
class Config:
    """What can be chosen. Taught on: book/training/putting_it_together."""

    source_names: tuple[str, ...] = ("vocals", "drums", "bass", "other")  # S
    sample_rate: int = 16000  # Hz
    channels: int = 1  # C
    n_fft: int = 512  # samples per window
    hop: int = 256  # samples between windows
    width: int = 96  # H
    dilations: tuple[int, ...] = (1, 3, 9)  # frames between what a layer looks at; one layer each


PRESETS = {"small": Config(), "tiny": Config(width=16, dilations=(1,))}
RECIPES = {"small": Recipe("songs", seconds=1.5, learning_rate=3e-3, steps={"lab": 60, "shipped": 1500, "full": 15000})}


class FourStems(System):
    """Waveforms in, waveforms out. Taught on: book/training/putting_it_together."""

    def __init__(self, config: Config):
        super().__init__(config)
        self.stride = config.hop
        self.stft, self.istft = STFT(config.n_fft, config.hop), ISTFT(config.n_fft, config.hop)
        self.masking = Masking()
        features, S = config.channels * (config.n_fft // 2 + 1), len(config.source_names)  # C·F
        layers = []
        for i, d in enumerate(config.dilations):
            wide = config.width if i else features
            layers += [nn.Conv1d(wide, config.width, 3, padding=d, dilation=d), nn.ReLU()]
        self.network = nn.Sequential(*layers, nn.Conv1d(config.width, S * features, 1))

    def masks(self, magnitude):
        """Return masks that add up to one: `(B, C, F, T) -> (B, S, C, F, T)`."""
        x = torch.log1p(magnitude).flatten(1, 2)  # (B, C·F, T)
        x = self.network(x).float()  # (B, S·C·F, T)
        x = x.unflatten(1, (len(self.source_names), *magnitude.shape[1:3]))  # (B, S, C, F, T)
        return x.softmax(dim=1) if len(self.source_names) > 1 else x.sigmoid()

    def forward(self, mixture, **inputs):
        """Separate: `(B, C, N) -> (B, S, C, N)`."""
        self.check_mixture(mixture)
        bins = self.stft(mixture)  # (B, C, F, T)
        return self.istft(self.masking(bins, self.masks(bins.abs())), mixture.shape[-1])

    def loss(self, mixture, sources, **labels):
        """Return the mean distance between masked and true magnitudes."""
        self.check_mixture(mixture)
        self.check_sources(mixture, sources)
        magnitude = self.stft(mixture).abs()  # (B, C, F, T)
        target = self.stft(sources.flatten(1, 2)).abs().unflatten(1, sources.shape[1:3])  # (B, S, C, F, T)
        return {"loss": l1(self.masking(magnitude, self.masks(magnitude)), target)}


SYSTEM = FourStems
