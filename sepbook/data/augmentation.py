"""Augmentation: make more songs out of those there are, batch by batch, where the batch lies.

::

    sources (B, S, C, N) ─ repitch ─ shift ─ equalise ─ flip_sign ─ flip_channels ─ scale ─ remix ─ (B, S, C, N')
                                                                            the mixture is their sum ┘

Each is a module that takes all stems of a batch and a generator of random numbers, and does nothing in eval mode.
`Augment` puts some of them in a row, as the recipe names them, and draws from (seed, number of the batch) alone: a run
that goes on after a stop draws what it would have drawn. Only small numbers are drawn, on the CPU, so that they are
the same on every device; the sound stays where it is.

Source: Uhlich et al. 2017; Défossez et al. 2019 (Demucs) for the numbers that stand here, but for those of `equalise`.
Taught on: book/data/corpus
"""

import difflib
import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from sepbook.data._repitching import repitched

TINY = torch.finfo(torch.float32).tiny  # nothing is divided by less, so that silence stays silent


class FlipSign(nn.Module):
    """Turn the sign of each source of each item, or not: `(B, S, C, N) -> (B, S, C, N)`. It sounds the same.

    Taught on: book/data/corpus
    """

    def forward(self, sources: Tensor, random: torch.Generator) -> Tensor:
        """Flip half of all sources."""
        if not self.training:
            return sources
        return sources * (2 * _coins(sources, random) - 1)


class FlipChannels(nn.Module):
    """Exchange left and right of each source of each item, or not; mono stays: `(B, S, C, N) -> (B, S, C, N)`.

    Taught on: book/data/corpus
    """

    def forward(self, sources: Tensor, random: torch.Generator) -> Tensor:
        """Flip half of all sources."""
        if not self.training or sources.shape[2] == 1:
            return sources
        return torch.where(_coins(sources, random) > 0, sources.flip(2), sources)


class Scale(nn.Module):
    """Make each source of each item louder or softer, by factors between `low` and `high`.

    `(B, S, C, N) -> (B, S, C, N)`. Taught on: book/data/corpus
    """

    def __init__(self, low: float = 0.25, high: float = 1.25):
        super().__init__()
        if not 0 < low <= high < math.inf:
            raise ValueError(f"scale between {low} and {high}: expected factors above 0, the lower one first")
        self.low, self.high = low, high

    def forward(self, sources: Tensor, random: torch.Generator) -> Tensor:
        """Multiply each source by a factor of its own."""
        if not self.training:
            return sources
        factor = torch.rand(*sources.shape[:2], 1, 1, generator=random)
        return sources * (self.low + (self.high - self.low) * factor).to(sources)


class Equalise(nn.Module):
    """Give each source of each item a tone of its own, as another microphone would: `(B, S, C, N) -> (B, S, C, N)`.

    A smooth filter of zero phase: `points` gains of up to `decibels` up or down, evenly spaced from 0 Hz to half the
    sample rate, with straight lines between them. All channels have one filter, and the power stays. Raises ValueError
    for numbers that make no such filter. Source: Schlüter and Grill 2015, whose random filters have one bump each.
    Taught on: book/data/corpus
    """

    def __init__(self, decibels: float = 6.0, points: int = 8):
        super().__init__()
        if not (0 <= decibels <= 40 and points >= 2):
            raise ValueError(f"equalise: {decibels} dB at {points} points; expected 0 to 40 dB, at 2 points or more")
        self.decibels, self.points = decibels, points

    def forward(self, sources: Tensor, random: torch.Generator) -> Tensor:
        """Filter each source by itself."""
        if not self.training:
            return sources
        sound = sources.float()  # there is no transform of half precision
        drawn = torch.rand(*sound.shape[:2], self.points, generator=random).to(sound)
        gains = self.decibels * (2 * drawn - 1)  # dB at the points
        bins = torch.fft.rfft(sound)  # (B, S, C, F)
        gains = functional.interpolate(gains, bins.shape[-1], mode="linear", align_corners=True)
        made = torch.fft.irfft(bins * 10 ** (gains.unsqueeze(2) / 20), sound.shape[-1])
        power, after = (x.square().sum((2, 3), keepdim=True) for x in (sound, made))
        return (made * (power / after.clamp_min(TINY)).sqrt()).to(sources.dtype)


class Shift(nn.Module):
    """Begin each source of each item at a place of its own, up to `seconds` later: `(B, S, C, N) -> (B, S, C, N')`.

    N' is shorter by those seconds, and in eval mode too: then the end is cut off. With `same`, all sources of an item
    begin at one place. Raises ValueError for items that are too short. Taught on: book/data/corpus
    """

    def __init__(self, sample_rate: int, seconds: float = 1.0, same: bool = False):
        super().__init__()
        self.most, self.same = round(seconds * sample_rate), same
        if self.most < 1:
            raise ValueError(f"shift: seconds is {seconds}; expected at least one sample at {sample_rate} Hz")

    def forward(self, sources: Tensor, random: torch.Generator) -> Tensor:
        """Cut each source out of its item."""
        B, S, _, N = sources.shape
        length = _shorter(N, N - self.most, "shift")
        if not self.training:
            return sources[..., :length]
        first = torch.randint(self.most + 1, (B, 1 if self.same else S, 1, 1), generator=random)
        place = first.to(sources.device) + torch.arange(length, device=sources.device)
        return sources.gather(-1, place.expand(*sources.shape[:3], length))


class Remix(nn.Module):
    """Let sources of different items meet: in groups of `group` items, each source is dealt anew.

    `(B, S, C, N) -> (B, S, C, N)`. The source `still` keeps its place, and so the labels that follow it: who meets whom
    is left to chance all the same. What remains of the batch is a smaller group. Taught on: book/data/corpus
    """

    def __init__(self, group: int = 4, still: int = 0):
        super().__init__()
        if group < 2:
            raise ValueError(f"remix: group is {group}; expected 2 items or more")
        self.group, self.still = group, still

    def forward(self, sources: Tensor, random: torch.Generator) -> Tensor:
        """Deal the sources of each group."""
        if not self.training:
            return sources
        B, S = sources.shape[:2]
        order = torch.arange(B)[:, None].repeat(1, S)  # (B, S): which item a source comes from
        for start in range(0, B, self.group):
            size = min(self.group, B - start)
            for s in set(range(S)) - {self.still % S}:
                order[start : start + size, s] = start + torch.randperm(size, generator=random)
        return sources[order.to(sources.device), torch.arange(S, device=sources.device)]


class Repitch(nn.Module):
    """Play some items higher or lower and, apart from that, faster or slower: `(B, S, C, N) -> (B, S, C, N')`.

    Up to `semitones` and up to `tempo` (0.12: 12 %), the same for all sources of an item, so that they stay in tune;
    a share `chance` of all items. N' = N / (1 + tempo), for the others too. A phase vocoder stretches, a windowed
    sinc resamples. Raises ValueError for items that are too short. Taught on: book/data/corpus
    """

    def __init__(self, sample_rate: int, semitones: float = 2.0, tempo: float = 0.12, chance: float = 0.2):
        super().__init__()
        if not (0 <= semitones <= 12 and 0 <= tempo <= 0.5 and 0 <= chance <= 1):
            raise ValueError(
                f"repitch by {semitones} semitones, tempo {tempo}, chance {chance}: expected 0 to 12, 0 to 0.5, 0 to 1"
            )
        self.semitones, self.tempo, self.chance = semitones, tempo, chance
        self.n_fft = 2 ** round(math.log2(0.05 * sample_rate))  # samples, about 50 ms

    def forward(self, sources: Tensor, random: torch.Generator) -> Tensor:
        """Change some items; cut all to one length."""
        N = sources.shape[-1]
        length = _shorter(N, int(N / (1 + self.tempo)), "repitch")
        out = sources[..., :length].clone()
        if not self.training:
            return out
        drawn = torch.rand(len(sources), 3, generator=random, dtype=torch.float64).tolist()
        for item, (chance, pitch, tempo) in enumerate(drawn):
            if chance < self.chance:
                ratio = 2 ** (self.semitones * (2 * pitch - 1) / 12)
                changed = repitched(sources[item], ratio, 1 + self.tempo * (2 * tempo - 1), self.n_fft)
                out[item] = functional.pad(changed, (0, max(0, length - changed.shape[-1])))[..., :length]
        return out


KINDS = {
    "repitch": Repitch,
    "shift": Shift,
    "equalise": Equalise,
    "flip_sign": FlipSign,
    "flip_channels": FlipChannels,
    "scale": Scale,
    "remix": Remix,
}
MOVES = ("repitch", "shift")  # these move sources in time, away from their labels


class Augment(nn.Module):
    """Some augmentations in a row, by their names: a batch of all stems -> the same kind of batch, mixed anew.

    A batch is a dict with mixture (B, C, N), sources (B, S, C, N) and perhaps labels of what the vocals do. Raises
    ValueError for an unknown name; for labels, where sources would be moved away from them; and for talkers, where
    remixing might let one meet himself. Taught on: book/data/corpus
    """

    def __init__(self, names, sample_rate: int, source_names=("vocals",), seed: int = 0):
        super().__init__()
        self.names, self.seed = check_names(names), seed
        if "remix" in names and any(name.startswith("talker") for name in source_names):
            raise ValueError(
                "remix would let a talker meet himself: leave it out; items of talkers are drawn anew anyway"
            )
        still = list(source_names).index("vocals") if "vocals" in source_names else 0
        given = {"repitch": (sample_rate,), "shift": (sample_rate,), "remix": (4, still)}
        self.steps = nn.ModuleList(KINDS[name](*given.get(name, ())) for name in self.names)

    def forward(self, batch: dict, number: int) -> dict:
        """Augment batch `number` of a run."""
        labels = ", ".join(name for name in batch if name not in ("mixture", "sources"))
        if labels and (moving := [name for name in self.names if name in MOVES]):
            raise ValueError(f"{moving[0]} moves sources in time, away from their labels ({labels}): leave it out")
        entropy = np.random.SeedSequence([self.seed, number]).generate_state(1, np.uint64)[0]
        random, sources = torch.Generator().manual_seed(int(entropy >> np.uint64(1))), batch["sources"]
        for step in self.steps:
            sources = step(sources, random)
        return {**batch, "mixture": sources.sum(1), "sources": sources}


def check_names(names) -> tuple[str, ...]:
    """Return names of augmentations; raise ValueError for one that does not exist. Taught on: book/data/corpus."""
    for name in names:
        if name not in KINDS:
            near = difflib.get_close_matches(str(name), KINDS, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else "."
            raise ValueError(f"augmentation {name!r} is unknown{hint} Choose from: {', '.join(KINDS)}")
    return tuple(names)


def _coins(sources: Tensor, random: torch.Generator) -> Tensor:
    """0 or 1 for each source of each item, `(B, S, 1, 1)`."""
    return torch.randint(2, (*sources.shape[:2], 1, 1), generator=random).to(sources)


def _shorter(N: int, length: int, name: str) -> int:
    if length < 1:
        raise ValueError(f"{name} leaves nothing of items of {N} samples: draw longer ones (seconds of the recipe)")
    return length
