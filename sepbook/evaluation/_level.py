"""Bring a song to the level that a system was trained at, and its estimates back.

A network is no linear system: at a tenth of the level it separates worse, and a constant that is added to all
samples looks to it like a very loud, very low tone. So the offset is taken off, the whole song gets one gain, and
the estimates get the gain undone. What a system makes of a song then no longer depends on how loud it was recorded.

Taught on: book/evaluation/separation
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor

# Level of what systems are trained on, in dB: the mean square of the items of each task, rounded.
# `tests/evaluation/test_level.py` measures them again.
LEVELS = {"songs": -17.0, "vocals": -17.0, "folder": -17.0, "talkers": -21.5, "speech_noise": -24.0}
SMALL = 0.01  # an offset below this part of the level is left as it is
CHANCE = 5  # and one below this many standard errors: sounds of finite length have a mean by chance
SILENCE = 1e-5  # a song below this level (-100 dB) is not made louder
QUIET = 1e-3  # and a chunk below this one says nothing of the level of estimates: a system's own hum may be louder


class Level(NamedTuple):
    """What is taken off the samples `(C, 1)`, and the factor that they then get."""

    offset: Tensor
    gain: float

    def apply(self, samples: Tensor) -> Tensor:
        """Samples `(C, N)` at the level of training."""
        return (samples - self.offset) * self.gain

    def undo(self, estimates: Tensor) -> Tensor:
        """Estimates `(S, C, N)` at the level of the song."""
        return estimates / self.gain


def level_of(system) -> float:
    """The level in dB that a system was trained at; weights that others trained bring theirs, as `trained_level`."""
    own = getattr(system, "trained_level", None)
    return LEVELS.get(getattr(system, "task", "songs"), LEVELS["songs"]) if own is None else own


def measure(system, blocks: Iterable[Tensor]) -> Level:
    """The Level for a song that comes in blocks `(C, any n)`, in bounded memory."""
    count, total, power = 0, 0.0, 0.0
    for block in blocks:
        block = block.detach().double()
        count += block.shape[-1]
        total = total + block.sum(-1, keepdim=True)  # (C, 1)
        power = power + block.square().sum(-1, keepdim=True)
    mean, square = total / max(count, 1), power / max(count, 1)
    least = max(SMALL, CHANCE / math.sqrt(max(count, 1)))
    offset = torch.where(mean.square() > least**2 * square, mean, torch.zeros_like(mean))
    level = math.sqrt(float((square - 2 * offset * mean + offset.square()).clamp_min(0).mean()))
    wanted = 10 ** (level_of(system) / 20)
    return Level(offset.float(), wanted / level if level > SILENCE else 1.0)


def factor_of(estimates: Tensor, mixture: Tensor) -> float | None:
    """The factor with which the sum of estimates `(S, C, N)` comes nearest to the mixture `(C, N)`.

    None where the mixture, at the level of training, is too quiet to tell, or the estimates are silent.
    """
    total = estimates.sum(0)
    power = float(total.square().mean())
    if power <= SILENCE**2 or float(mixture.square().mean()) <= QUIET**2:
        return None
    return float((mixture * total).mean()) / power
