"""The simplest system: a spectrogram goes in, one mask comes out. Whatever a system must state is here, and no more.

::

    mixture (B, C, N) ── STFT ── bins (B, C, F, T) ──────────────────────── times ── inverse STFT ── (B, 1, C, N)
                                   └─ log magnitude ── network ── mask (B, 1, C, F, T) ─┘
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
    """Everything that defines the system."""

    source_names: tuple[str, ...] = ("vocals",)  # S
    sample_rate: int = 16000  # Hz
    channels: int = 1  # C
    n_fft: int = 512  # samples per window
    hop: int = 128  # samples between windows
    width: int = 128  # H


PRESETS = {"small": Config(), "tiny": Config(width=16)}
RECIPES = {"small": Recipe(task="vocals", learning_rate=3e-3)}


class OneVoice(System):
    """Masks on a spectrogram. The network sees three frames at a time."""

    def __init__(self, config: Config):
        super().__init__(config)
        self.stride = config.hop  # at its multiples a chunk has the same frames as the whole
        self.stft, self.istft = STFT(config.n_fft, config.hop), ISTFT(config.n_fft, config.hop)
        self.masking = Masking()
        rows = config.channels * (config.n_fft // 2 + 1)  # C·F
        self.network = nn.Sequential(
            nn.Conv1d(rows, config.width, 3, padding=1),
            nn.ReLU(),
            nn.Conv1d(config.width, len(config.source_names) * rows, 1),
            nn.Sigmoid(),
        )

    def masks(self, magnitude):
        """Masks `(B, S, C, F, T)` from the mixture's magnitude `(B, C, F, T)`."""
        x = torch.log1p(magnitude).flatten(1, 2)  # (B, C·F, T)
        x = self.network(x)  # (B, S·C·F, T)
        return x.unflatten(1, (-1, *magnitude.shape[1:3])).float()  # (B, S, C, F, T)

    def forward(self, mixture, **inputs):
        """Separate `(B, C, N) -> (B, S, C, N)`."""
        self.check_mixture(mixture)
        bins = self.stft(mixture)  # (B, C, F, T)
        estimates = self.masking(bins, self.masks(bins.abs()))  # (B, S, C, F, T)
        return self.istft(estimates, mixture.shape[-1])  # (B, S, C, N)

    def loss(self, mixture, sources, **labels):
        """Compare magnitudes: those of the masked mixture with those of the sources."""
        self.check_mixture(mixture)
        self.check_sources(mixture, sources)
        magnitude = self.stft(mixture).abs()  # (B, C, F, T)
        target = self.stft(sources.flatten(1, 2)).abs().unflatten(1, sources.shape[1:3])  # (B, S, C, F, T)
        return {"loss": l1(self.masking(magnitude, self.masks(magnitude)), target)}


SYSTEM = OneVoice
