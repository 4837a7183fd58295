"""Bring a stream to the level that a system was trained at, without knowing what is still to come.

A file can be measured whole before its first sample is separated (`sepbook.evaluation._level`). A stream cannot: its
level is that of the last seconds, each sample forgotten little by little, and the gain follows it. What the system
returns gets the gain of its own sample undone, so the estimates have the level of the sound.

Taught on: book/evaluation/separation
"""

import numpy as np
import torch
from torch import Tensor

from sepbook.evaluation._level import LEVELS

MEMORY = 3.0  # seconds after which a sample counts a third of what it did
TRUST = 0.05  # seconds of sound that the level of training counts for at the start, when nothing has been heard
DOUBT = 0.2  # seconds after which it counts a third of that
LARGEST = 1000.0  # gain, 60 dB: silence is not made loud without end


class RunningLevel:
    """The gain of every sample of a stream, the same however the stream is cut into chunks.

    Taught on: book/evaluation/separation
    """

    def __init__(self, system):
        from scipy.signal import lfilter  # takes a moment to load: now, and not when the sound is there

        self.filter = lfilter
        self.wanted = 10 ** (LEVELS.get(getattr(system, "task", "songs"), LEVELS["songs"]) / 20)
        self.keep = float(np.exp(-1 / (MEMORY * system.sample_rate)))  # of a sample's weight, one sample later
        self.rate, self.heard = system.sample_rate, 0  # Hz; samples so far
        self.sums = [0.0], [0.0]  # of squares, and of their weights
        self.waiting = torch.ones(0)  # gains of samples whose estimates are still to come

    def apply(self, chunk: Tensor) -> Tensor:
        """Samples `(C, n)` at the level of training."""
        if chunk.dim() != 2 or chunk.shape[-1] == 0:  # the system says what is wrong with its shape
            return chunk
        square = chunk.detach().double().square().mean(0).cpu().numpy()  # (n,)
        sums = []
        for past, values in zip(self.sums, (square, np.ones_like(square)), strict=True):
            found, rest = self.filter([1.0], [1.0, -self.keep], values, zi=past)
            past[:] = rest
            sums.append(found)
        seconds = (self.heard + np.arange(len(square))) / self.rate
        self.heard += len(square)
        guess = TRUST * self.rate * np.exp(-seconds / DOUBT)  # the weight of the level of training
        level = np.sqrt((sums[0] + guess * self.wanted**2) / (sums[1] + guess))  # (n,)
        gains = torch.from_numpy(np.minimum(self.wanted / np.maximum(level, 1e-12), LARGEST)).float()
        self.waiting = torch.cat([self.waiting, gains])
        return chunk * gains.to(chunk.device)

    def undo(self, estimates: Tensor) -> Tensor:
        """Estimates `(S, C, m)` of the next m samples, at the level of the sound."""
        m = estimates.shape[-1]
        gains, self.waiting = self.waiting[:m], self.waiting[m:]
        return estimates / gains.to(estimates.device)
