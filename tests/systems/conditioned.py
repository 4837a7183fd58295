"""A system that takes labels: a condition says which source is wanted, and voice activity weighs the loss.

It measures the level of its training data before the first step, and weighs its sources anew after each epoch.
"""

from dataclasses import dataclass

import torch
from torch import nn

from sepbook.architectures.base import System
from sepbook.architectures.recipe import Recipe
from sepbook.losses.spectrogram import l1


@dataclass(frozen=True)
class Config:
    """Everything that defines the system."""

    source_names: tuple[str, ...] = ("vocals", "drums", "other")  # S
    sample_rate: int = 8000  # Hz
    channels: int = 2  # C
    width: int = 8  # H per audio channel


PRESETS = {"small": Config()}
RECIPES = {"small": Recipe(task="songs")}


class Conditioned(System):
    """One set of filters for all sources; each condition has gains of its own for their outputs."""

    stride = 1

    def __init__(self, config: Config):
        super().__init__(config)
        S, C, H = len(config.source_names), config.channels, config.channels * config.width
        self.network = nn.Conv1d(C, H, 9, padding=4)
        self.gains = nn.Embedding(S, H)
        self.out = nn.Conv1d(H, C, 1)
        self.register_buffer("weights", torch.ones(S))
        self.register_buffer("scale", torch.ones(()))

    def forward(self, mixture, condition=None, **inputs):
        """Separate `(B, C, N) -> (B, S, C, N)`; with a condition, that source alone: S = 1."""
        self.check_mixture(mixture)
        conditions = range(len(self.source_names)) if condition is None else [condition]
        hidden = self.network(mixture / self.scale)  # (B, H, N)
        gains = (self.gains.weight[i].view(1, -1, 1) for i in conditions)  # S x (1, H, 1)
        return torch.stack([self.out((hidden * gain).tanh()).float() * self.scale for gain in gains], dim=1)

    def loss(self, mixture, sources, vocal_activity=None, **labels):
        """Distance of the samples, source by source; where the voice sings it counts more."""
        self.check_mixture(mixture)
        self.check_sources(mixture, sources)
        estimates = self(mixture)  # (B, S, C, N)
        terms = [l1(estimates[:, i], sources[:, i], "none") for i in range(sources.shape[1])]  # S x (B,)
        if vocal_activity is not None:
            terms[0] = terms[0] * (0.5 + vocal_activity.mean(1))
        terms = torch.stack([term.mean() for term in terms])  # (S,)
        named = {name: term.detach() for name, term in zip(self.source_names, terms, strict=True)}
        return {"loss": (self.weights * terms).mean(), **named}

    def prepare(self, loader):
        """Measure the level of the training data."""
        level = torch.stack([batch["mixture"].square().mean() for batch in loader]).mean().sqrt()
        self.scale.copy_(level.clamp_min(1e-4))

    def epoch_end(self, terms):
        """Give more weight to the sources whose loss is large."""
        values = torch.tensor([terms[name] for name in self.source_names])  # (S,)
        self.weights.copy_((len(values) * torch.softmax(values / values.mean(), 0)).to(self.weights.device))


SYSTEM = Conditioned
