"""A small system and a short loop for experiments about training: many real runs in few minutes.

`tools/results/optimization.py` uses them, and the page shows the network and the loop from here.
"""

import math

import torch
from torch import Tensor, nn

from sepbook.architectures.base import System
from sepbook.architectures.unet import Config
from sepbook.building_blocks.stft import ISTFT, STFT, Masking
from sepbook.data.corpus import SOURCES, songs
from sepbook.losses import spectrogram
from sepbook.training.averaging import WeightAverage


class FrameMasks(nn.Module):
    """Three convolutions along time: a frame's masks follow from nine frames of the mixture."""

    dims = "B C F T -> B S C F T"

    def __init__(self, bins: int, sources: int, width: int = 64):
        super().__init__()
        self.sources = sources
        self.look = nn.Conv1d(bins, width, 3, padding=1)
        self.think = nn.Conv1d(width, width, 3, padding=3, dilation=3)
        self.tell = nn.Conv1d(width, sources * bins, 1)

    def forward(self, magnitude: Tensor) -> Tensor:
        """Return masks that add up to one: `(B, 1, F, T) -> (B, S, 1, F, T)`."""
        x = self.look(magnitude[:, 0].log1p()).relu()  # (B, H, T): the bins are the features
        x = self.think(x).relu()
        x = self.tell(x).unflatten(1, (self.sources, 1, -1))  # (B, S, C, F, T)
        return x.softmax(dim=1)


class SmallSystem(System):
    """Waveforms in, waveforms out, with `FrameMasks` in between; L1 on masked magnitudes."""

    def __init__(self, source_names=SOURCES):
        super().__init__(Config(source_names=tuple(source_names), sample_rate=16000, n_fft=512, hop=256))
        self.stft, self.istft, self.masking = STFT(512, 256), ISTFT(512, 256), Masking()
        self.stride = self.stft.hop
        self.network = FrameMasks(257, len(self.source_names))

    def forward(self, mixture: Tensor, **inputs: Tensor) -> Tensor:
        """Separate `(B, C, N) -> (B, S, C, N)`."""
        bins = self.stft(mixture)
        return self.istft(self.masking(bins, self.network(bins.abs())), mixture.shape[-1])

    def magnitudes(self, mixture: Tensor, sources: Tensor) -> tuple[Tensor, Tensor]:
        """Return masked and true magnitudes, both `(B, S, C, F, T)`."""
        magnitude = length(self.stft(mixture))
        target = length(self.stft(sources.flatten(1, 2))).unflatten(1, sources.shape[1:3])
        return self.masking(magnitude, self.network(magnitude)), target

    def loss(self, mixture: Tensor, sources: Tensor, **labels: Tensor) -> dict[str, Tensor]:
        """Return the mean distance between masked and true magnitudes."""
        return {"loss": spectrogram.l1(*self.magnitudes(mixture, sources))}


def length(bins: Tensor) -> Tensor:
    """Return the magnitudes of complex bins: like `abs`, several times as fast, for what needs no gradient."""
    return torch.view_as_real(bins).square().sum(-1).sqrt()


class Held:
    """A track whose stems (or others, as `data`) lie in memory: what data sets and scores ask of one."""

    def __init__(self, track, data: Tensor | None = None):
        self.name, self.stem_names, self.sample_rate = track.name, tuple(SOURCES), track.sample_rate
        self.data = track.sources(SOURCES) if data is None else data  # (S, C, N)
        self.channels, self.length, self.score = self.data.shape[1], self.data.shape[2], None
        self.seconds = self.length / self.sample_rate

    def sources(self, names=None, start=0, length=None) -> Tensor:
        index = [self.stem_names.index(name) for name in names or self.stem_names]
        return self.data[..., start : None if length is None else start + length][index]

    def mixture(self) -> Tensor:
        return self.data.sum(0)


def held(split: str) -> list[Held]:
    """Decode all songs of a split once."""
    return [Held(track) for track in songs(split)]


def batch_of(data, step: int, size: int) -> dict[str, Tensor]:
    """Return the items of a step, stacked along B."""
    items = [data[step * size + i] for i in range(size)]
    return {key: torch.stack([item[key] for item in items]) for key in ("mixture", "sources")}


def descend(system: System, optimizer, data, steps: int, batch: int = 8, rate=None, clip=math.inf, decay=None):
    """Train for some steps with any optimiser; return losses, gradient norms and, with a decay, the weight average.

    `rate` maps the step to a factor on the learning rate.
    """
    average = WeightAverage(system, decay) if decay else None
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate or (lambda step: 1.0))
    losses, norms = [], []
    for step in range(steps):
        loss = system.loss(**batch_of(data, step, batch))["loss"]
        optimizer.zero_grad()
        loss.backward()
        norms.append(nn.utils.clip_grad_norm_(system.parameters(), clip).item())
        optimizer.step()
        schedule.step()
        if average:
            average.update()
        losses.append(loss.item())
    return losses, norms, average


def cosine(steps: int):
    """Return the factor of half a cosine: from 1 at step 0 to 0 after the last one."""
    return lambda step: 0.5 * (1 + math.cos(math.pi * step / steps))
