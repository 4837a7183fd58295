"""Where the patients of the bug clinic lie: a few seconds of real sound, and a network so small that it learns at once.

Taught on: book/training/bug_clinic
"""

from functools import cache

import torch
from torch import Tensor, nn

from sepbook.building_blocks.stft import ISTFT, STFT
from sepbook.check._inputs import dice
from sepbook.data import corpus
from sepbook.evaluation.metrics import si_sdr_improvement

RATE = corpus.SAMPLE_RATE
N_FFT, HOP = 512, 256
BINS = N_FFT // 2 + 1
stft, istft = STFT(N_FFT, HOP), ISTFT(N_FFT, HOP)


class Tiny(nn.Module):
    """Magnitude (B, C=1, F, T) to logits (B, S, C=1, F, T): three frames at a time, and one hidden layer.

    Taught on: book/training/bug_clinic
    """

    dims = "B C F T -> B S C F T"

    def __init__(self, S: int = 2, H: int = 64, norm: bool = False, dropout: float = 0.0):
        super().__init__()
        first = nn.Conv1d(BINS, H, 3, padding=1)
        self.encoder = nn.Sequential(first, nn.BatchNorm1d(H) if norm else nn.Identity(), nn.ReLU())
        self.dropout, self.last, self.S = nn.Dropout(dropout), nn.Conv1d(H, S * BINS, 1), S

    def encode(self, magnitude: Tensor) -> Tensor:
        """Magnitude (B, C=1, F, T) to features (B, H, T)."""
        return self.dropout(self.encoder(((magnitude[:, 0] + 0.01).log() + 3) / 2))  # near 0 on average

    def decode(self, hidden: Tensor) -> Tensor:
        """Features (B, H, T) to logits (B, S, C=1, F, T)."""
        return self.last(hidden).unflatten(1, (self.S, 1, BINS))

    def forward(self, magnitude: Tensor) -> Tensor:
        """Return logits."""
        return self.decode(self.encode(magnitude))


class Magnitudes(nn.Module):
    """A network (or anything that makes masks of a magnitude) with its masks multiplied on.

    Taught on: book/training/bug_clinic
    """

    def __init__(self, network: nn.Module, masks=None):
        super().__init__()
        self.network = network
        self.masks = masks or (lambda network, magnitude: network(magnitude).softmax(1))

    def forward(self, magnitude: Tensor) -> Tensor:
        """Magnitude (B, C, F, T) to estimated magnitudes (B, S, C, F, T)."""
        return self.masks(self.network, magnitude) * magnitude.unsqueeze(1)


class Sounds(nn.Module):
    """A `Magnitudes` made into a system: mixture (B, C, N) to estimates (B, S, C, N), with the mixture's phase.

    Taught on: book/training/bug_clinic
    """

    def __init__(self, magnitudes: nn.Module):
        super().__init__()
        self.magnitudes = magnitudes

    def forward(self, mixture: Tensor) -> Tensor:
        """Return estimates."""
        bins = stft(mixture)
        phase = bins / bins.abs().clamp(min=1e-8)
        return istft(self.magnitudes(bins.abs()) * phase.unsqueeze(1), mixture.shape[-1])


@cache
def excerpt(number: int, start: float = 5, seconds: float = 4, split: str = "train") -> Tensor:
    """Voice and band of a song: sources (S=2, C=1, N). Taught on: book/training/bug_clinic."""
    stems = corpus.songs(split)[number].sources(start=round(start * RATE), length=round(seconds * RATE))
    return torch.stack([stems[0], stems[1:].sum(0)])


@cache
def talk(numbers: tuple[int, ...], names: tuple[str, ...] = ("t04", "t00")) -> Tensor:
    """Sentences of two talkers at once: sources (S=2, C=1, N). Taught on: book/training/bug_clinic."""
    # Of ten pairs tried with three seeds, the mended loss was ahead each time, by more than 3 dB with six pairs; this
    # is one of the six, taken because the difference can be heard.
    said = {name: [u.samples() for u in corpus.talkers("train") if u.identity == name] for name in names}
    rows = [torch.cat([said[name][n] for n in numbers], dim=-1) for name in names]
    shortest = min(x.shape[-1] for x in rows)
    return torch.stack([0.06 * (x / x.square().mean().sqrt())[:, :shortest] for x in rows])


@cache
def lesson(songs: tuple[int, ...] = (5, 6, 7), starts: tuple[int, ...] = (2, 6, 10, 14)) -> tuple[Tensor, Tensor]:
    """Magnitudes to learn from: mixtures (B, C, F, T), sources (B, S, C, F, T). Taught on: book/training/bug_clinic."""
    sources = torch.stack([excerpt(song, start, 2) for song in songs for start in starts])  # (B, S, C, N)
    return stft(sources.sum(1)).abs(), torch.stack([stft(each).abs() for each in sources])


def batches(steps: int, seed: int = 0, size: int = 4) -> list[tuple[Tensor, Tensor]]:
    """Draw pairs of mixture and sources from the lesson. Taught on: book/training/bug_clinic."""
    mixtures, sources = lesson()
    random = dice(seed)
    picks = [torch.randperm(len(mixtures), generator=random)[:size] for _ in range(steps)]
    return [(mixtures[pick], sources[pick]) for pick in picks]


def gain(estimates: Tensor, sources: Tensor) -> float:
    """SI-SDR improvement in dB, mean of the sources (S, C, N). Taught on: book/training/bug_clinic."""
    return si_sdr_improvement(estimates, sources, sources.sum(0)).mean().item()


def hear(system: nn.Module, sources: Tensor) -> Tensor:
    """Let a system separate the sum of sources (S, C, N): estimates of the same shape, without a gradient.

    Taught on: book/training/bug_clinic
    """
    with torch.no_grad():
        return system(sources.sum(0)[None])[0]
