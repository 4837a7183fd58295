"""What real stems do that rendered ones never do, in numbers: they rest, stand alone, leak, clip, and do not add up.

Taught on: book/data/musdb
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

FLOOR = -60.0  # dB below the loudest piece of the mixture: a stem that is softer rests
TAPS = 32  # samples by which a leak may be late
RUN = 3  # samples in a row at the very peak: a converter or limiter that had no more to give


def sounding(sources: Tensor, samples: int, floor: float = FLOOR) -> Tensor:
    """In which pieces each stem sounds: bool (S, pieces), for sources (S, C, N) cut into pieces of `samples`.

    A stem sounds where its mean power over the piece is above `floor` dB, counted from the loudest piece of the
    mixture. What is left over at the end counts as one more piece. Taught on: book/data/musdb
    """
    if samples < 1:
        raise ValueError(f"pieces of {samples} samples; expected 1 or more.")
    mixture = sources.sum(dim=0, keepdim=True)
    power, loudest = _powers(sources, samples), _powers(mixture, samples).max()
    return power > loudest * 10 ** (floor / 10)


def _powers(sound, samples):
    """Mean power of each piece: (S, C, N) -> (S, pieces)."""
    filled = pad(sound.double(), (0, -sound.shape[-1] % samples))
    return filled.unflatten(-1, (-1, samples)).square().mean(dim=(1, 3))


def solos(sounds: Tensor) -> Tensor:
    """How many pieces each stem has for itself: (S,), from bool (S, pieces). Taught on: book/data/musdb."""
    return (sounds & (sounds.sum(dim=0) == 1)).sum(dim=1)


def clipped(sound: Tensor, run: int = RUN) -> int:
    """How many samples of (C, N) are clipped: those in a row of `run` or more at the peak of their channel.

    Music touches its own peak once. A flat top was made by something that could go no further, at whatever level.
    Silence is not clipped. Taught on: book/data/musdb
    """
    peak = sound.abs().amax(dim=-1, keepdim=True)
    count = 0
    for top in (sound >= peak, sound <= -peak):
        flat = (top & (peak > 0)).double()
        if sound.shape[-1] < run:
            return 0
        full = flat.unfold(-1, run, 1).amin(dim=-1)  # (C, N - run + 1): a row of `run` begins here
        inside = torch.nn.functional.max_pool1d(pad(full, (run - 1, run - 1)).unsqueeze(0), run, 1)
        count += int(inside.sum())
    return count


def bleed(stem: Tensor, other: Tensor, taps: int = TAPS) -> float:
    """How loud another source is in a stem (C, N), in dB of that source; -inf where there is nothing of it.

    The leak may be late and coloured: the best filter of `taps` samples is fitted, in each channel. Give it a passage
    in which the stem itself rests; elsewhere chance likeness counts as a leak. Taught on: book/data/musdb
    """
    if stem.shape != other.shape:
        raise ValueError(f"stem {tuple(stem.shape)} and other {tuple(other.shape)}: expected the same (C, N).")
    heard = total = 0.0
    for x, y in zip(stem.double(), other.double(), strict=True):
        late = torch.stack([pad(y, (k, 0))[: len(y)] for k in range(taps)], dim=1)  # (N, taps)
        gram = late.T @ late
        weak = 1e-9 * gram.diagonal().mean()
        h = torch.linalg.solve(gram + weak * torch.eye(taps, dtype=gram.dtype), late.T @ x) if weak > 0 else 0 * late[0]
        heard, total = heard + float((late @ h).square().sum()), total + float(y.square().sum())
    if heard <= 0 or total <= 0:
        return float("-inf")
    return 10 * torch.tensor(heard / total).log10().item()


class Survey(NamedTuple):
    """What was found in a track; shares of its seconds, by stem, and `deviation` as `Track.deviation` gives it.

    Taught on: book/data/musdb
    """

    name: str
    resting: dict
    alone: dict
    clipped: dict
    deviation: object

    def __str__(self):
        lines = [f"{self.name}", f"{'':10}{'rests':>8}{'alone':>8}{'clipped samples':>18}"]
        for stem in self.resting:
            lines.append(f"{stem:10}{self.resting[stem]:>8.0%}{self.alone[stem]:>8.0%}{self.clipped[stem]:>18}")
        if self.deviation is not None:
            lines.append(f"mixture file minus sum of stems: {self.deviation.decibels:.1f} dB")
        return "\n".join(lines)


def survey(track) -> Survey:
    """Look at a track second by second: who rests, who is alone, what clips. Print the result to read it.

    Taught on: book/data/musdb
    """
    sources = track.sources()
    sounds = sounding(sources, track.sample_rate)
    pieces, names = sounds.shape[1], track.stem_names
    resting = dict(zip(names, ((~sounds).sum(1) / pieces).tolist(), strict=True))
    alone = dict(zip(names, (solos(sounds) / pieces).tolist(), strict=True))
    counts = dict(zip(names, map(clipped, sources), strict=True))
    deviation = track.deviation() if hasattr(track, "deviation") else None
    return Survey(track.name, resting, alone, counts, deviation)
