"""Two tiny systems that differ in kind from the U-Net, and data for any system.

They prove that the contracts hold for more than the system they were written beside: `talkers` works on waveforms,
its sources come in any order, and its loss searches the permutation; `conditioned` takes labels and reweighs its
sources at the end of each epoch.
"""

import math
from dataclasses import dataclass
from types import SimpleNamespace

import torch
from torch import nn

from sepbook import architectures
from sepbook.architectures.base import System
from sepbook.architectures.recipe import Recipe
from sepbook.losses.permutation import permutation_invariant
from sepbook.losses.spectrogram import l1
from sepbook.losses.waveform import si_sdr_loss


@dataclass(frozen=True)
class TalkersConfig:
    source_names: tuple[str, ...] = ("talker_1", "talker_2")
    sample_rate: int = 8000
    channels: int = 1
    filters: int = 32
    kernel: int = 16


class Talkers(System):
    """A learned filter bank, masks on its outputs, and a learned way back."""

    ordered = False

    def __init__(self, config):
        super().__init__(config)
        S, K = len(config.source_names), config.filters
        self.stride = config.kernel // 2
        self.encoder = nn.Conv1d(1, K, config.kernel, stride=config.kernel // 2)
        self.network = nn.Sequential(nn.Conv1d(K, K, 3, padding=1), nn.PReLU(), nn.Conv1d(K, S * K, 1), nn.Sigmoid())
        self.decoder = nn.ConvTranspose1d(K, 1, config.kernel, stride=config.kernel // 2, bias=False)

    def forward(self, mixture, **inputs):
        self.check_mixture(mixture)
        B, _, N = mixture.shape
        S, hop = len(self.source_names), self.config.kernel // 2
        padded = nn.functional.pad(mixture, (hop, hop + -N % hop))
        code = self.encoder(padded).relu()  # (B, K, T)
        masks = self.network(code).unflatten(1, (S, -1))  # (B, S, K, T)
        estimates = self.decoder((masks * code.unsqueeze(1)).flatten(0, 1))  # (B·S, 1, N)
        return estimates[..., hop : hop + N].unflatten(0, (B, S))

    def loss(self, mixture, sources, **labels):
        self.check_mixture(mixture)
        self.check_sources(mixture, sources)
        value, _ = permutation_invariant(si_sdr_loss, self(mixture), sources)
        return {"loss": value.mean()}


@dataclass(frozen=True)
class ConditionedConfig:
    source_names: tuple[str, ...] = ("vocals", "drums", "other")
    sample_rate: int = 8000
    channels: int = 2
    width: int = 8


class Conditioned(System):
    """One filter per condition; voice activity weighs the loss, the epoch's terms weigh the sources."""

    stride = 1

    def __init__(self, config):
        super().__init__(config)
        S = len(config.source_names)
        self.network = nn.Conv1d(config.channels, config.channels * config.width, 9, padding=4)
        self.film = nn.Embedding(S, config.channels * config.width)
        self.out = nn.Conv1d(config.channels * config.width, config.channels, 1)
        self.register_buffer("weights", torch.ones(S))
        self.register_buffer("scale", torch.ones(()))

    def forward(self, mixture, condition=None, **inputs):
        self.check_mixture(mixture)
        conditions = range(len(self.source_names)) if condition is None else [condition]
        hidden = self.network(mixture / self.scale)  # (B, H, N)
        gains = (self.film.weight[i].view(1, -1, 1) for i in conditions)
        return torch.stack([self.out((hidden * gain).tanh()) * self.scale for gain in gains], dim=1)

    def loss(self, mixture, sources, vocal_activity=None, **labels):
        self.check_mixture(mixture)
        self.check_sources(mixture, sources)
        estimates = self(mixture)
        terms = [l1(estimates[:, i], sources[:, i], "none") for i in range(sources.shape[1])]  # S x (B,)
        if vocal_activity is not None:
            terms[0] = terms[0] * (0.5 + vocal_activity.mean(1))
        terms = torch.stack([term.mean() for term in terms])
        named = {name: term.detach() for name, term in zip(self.source_names, terms, strict=True)}
        return {"loss": (self.weights * terms).mean(), **named}

    def prepare(self, loader):
        total = torch.stack([batch["mixture"].square().mean() for batch in loader]).mean().sqrt()
        self.scale.copy_(total.clamp_min(1e-4))

    def epoch_end(self, terms):
        values = torch.tensor([terms[name] for name in self.source_names])
        self.weights.copy_((len(values) * torch.softmax(values / values.mean(), 0)).to(self.weights.device))


TINY = {
    "talkers": SimpleNamespace(
        Config=TalkersConfig,
        PRESETS={"small": TalkersConfig()},
        RECIPES={"small": Recipe("talkers")},
        SYSTEM=Talkers,
    ),
    "conditioned": SimpleNamespace(
        Config=ConditionedConfig,
        PRESETS={"small": ConditionedConfig()},
        RECIPES={"small": Recipe("songs")},
        SYSTEM=Conditioned,
    ),
}
ALL = (*architectures.names(), *TINY)


def register(monkeypatch):
    """Make `create` and checkpoints know the tiny systems for the length of a test."""
    real, real_names = architectures.module, architectures.names
    monkeypatch.setattr(architectures, "names", lambda: (*real_names(), *TINY))
    monkeypatch.setattr(architectures, "module", lambda name: TINY[name] if name in TINY else real(name))


class Synthetic:
    """Endless items for any system: each source is a tone with noise in a band of its own."""

    endless = True

    def __init__(self, system, items=16, samples=8000, seed=0):
        self.source_names, self.rate, self.channels = system.source_names, system.sample_rate, system.channels
        self.items, self.samples, self.seed = items, samples, seed

    def __len__(self):
        return self.items

    def __getitem__(self, i):
        generator = torch.Generator().manual_seed(self.seed * 10_000 + i)
        time = torch.arange(self.samples) / self.rate
        sources = []
        for s in range(len(self.source_names)):
            frequency = 200 * 2**s * (1 + 0.2 * torch.rand(1, generator=generator))
            tone = torch.sin(2 * math.pi * frequency * time + 6 * torch.rand(1, generator=generator))
            noise = torch.randn(self.channels, self.samples, generator=generator)
            sources.append(0.2 * tone + 0.01 * noise)
        sources = torch.stack(sources)  # (S, C, N)
        frames = self.samples * 100 // self.rate
        activity = (torch.rand(frames, generator=generator) > 0.3).float()
        f0 = torch.full((frames,), 200.0)
        return {"mixture": sources.sum(0), "sources": sources, "vocal_activity": activity, "f0": f0}


def batch(system, B=2, samples=8000, seed=0):
    """One collated batch for a system."""
    return torch.utils.data.default_collate([Synthetic(system, samples=samples, seed=seed)[i] for i in range(B)])
