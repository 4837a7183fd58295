"""Stereo songs at 44.1 kHz with a network per target, after Open-Unmix: a recurrent layer that reads both ways.

Each bin is brought to mean 0 and deviation 1 by statistics of the training songs.
"""

from dataclasses import dataclass

import torch
from torch import nn

from sepbook.architectures.base import System
from sepbook.architectures.recipe import Recipe
from sepbook.building_blocks.stft import ISTFT, STFT, Masking
from sepbook.losses.spectrogram import mse


@dataclass(frozen=True)
class Config:
    source_names: tuple[str, ...] = ("vocals", "drums", "bass", "other")  # S, one network each
    sample_rate: int = 44100  # Hz
    channels: int = 2  # C
    n_fft: int = 2048  # samples per window
    hop: int = 512  # samples between windows
    width: int = 64  # H


PRESETS = {"small": Config(), "tiny": Config(n_fft=512, hop=256, width=16)}
RECIPES = {"small": Recipe(task="songs", seconds=6.0, learning_rate=2e-3, schedule="plateau")}


class Target(nn.Module):
    """The mask of one target."""

    def __init__(self, config: Config):
        super().__init__()
        rows, H = config.channels * (config.n_fft // 2 + 1), config.width
        self.squeeze, self.expand = nn.Linear(rows, H), nn.Linear(H, rows)
        self.recurrent = nn.LSTM(H, H // 2, bidirectional=True, batch_first=True)

    def forward(self, x):
        rows = x.flatten(1, 2).transpose(1, 2)  # (B, T, C·F)
        hidden, _ = self.recurrent(self.squeeze(rows).tanh())  # (B, T, H)
        return self.expand(hidden).sigmoid().transpose(1, 2).unflatten(1, x.shape[1:3])  # (B, C, F, T)


class Targets(System):
    """As many networks as sources; none knows of the others."""

    whole = True  # the recurrent layer begins at the end, too

    def __init__(self, config: Config):
        super().__init__(config)
        self.stride, F = config.hop, config.n_fft // 2 + 1
        self.stft, self.istft, self.masking = STFT(config.n_fft, config.hop), ISTFT(config.n_fft, config.hop), Masking()
        self.networks = nn.ModuleDict({name: Target(config) for name in config.source_names})
        self.register_buffer("mean", torch.zeros(F, 1))
        self.register_buffer("deviation", torch.ones(F, 1))

    def masked(self, bins):  # (B, C, F, T) -> (B, S, C, F, T)
        x = (bins.abs() - self.mean) / self.deviation  # (B, C, F, T)
        return self.masking(bins, torch.stack([network(x) for network in self.networks.values()], dim=1).float())

    def forward(self, mixture, **inputs):
        self.check_mixture(mixture)
        return self.istft(self.masked(self.stft(mixture)), mixture.shape[-1])  # (B, S, C, N)

    def loss(self, mixture, sources, **labels):
        self.check_mixture(mixture)
        self.check_sources(mixture, sources)
        target = self.stft(sources.flatten(1, 2)).abs().unflatten(1, sources.shape[1:3])  # (B, S, C, F, T)
        return {"loss": mse(self.masked(self.stft(mixture).abs()), target)}

    def prepare(self, loader):
        rows = torch.cat([self.stft(b["mixture"]).abs().movedim(2, 0).flatten(1) for b in loader], 1)  # (F, B·C·T)
        self.mean.copy_(rows.mean(1, keepdim=True))
        self.deviation.copy_(rows.std(1, keepdim=True).clamp_min(1e-4))


SYSTEM = Targets
