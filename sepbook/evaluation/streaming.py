"""Run a causal system on a stream, chunk by chunk, in memory that does not grow, and measure whether it keeps up.

What a listener waits for has three parts::

    sound  ├─ chunk ─┤                        it must be complete before it can be fed
                      ├ work ┤                the system computes
    estimates                ├── latency ──┤  and holds back what later sound may still change

As long as the work takes less time than the chunk lasts, the stream never falls behind: its real-time factor is
below 1.

Taught on: book/evaluation/separation
"""

import math
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from sepbook.architectures.streaming import can_stream
from sepbook.evaluation._running import MEMORY, RunningLevel
from sepbook.evaluation.separation import listening

__all__ = ["MEMORY", "StreamError", "Timing", "stream"]

STEP = 0.01  # durations are counted in steps of one per cent: a day of chunks needs no more memory than a second


class StreamError(ValueError):
    """A stream that cannot be taken. Taught on: book/evaluation/separation."""


@dataclass
class Timing:
    """How long the chunks of a stream took. Taught on: book/evaluation/separation."""

    sample_rate: int  # Hz
    latency: int  # samples that the estimates are behind
    chunk: int = 0  # samples of the longest chunk
    samples: int = 0  # of the whole stream
    busy: float = 0.0  # seconds of computing
    counts: Counter = field(default_factory=Counter)  # chunks by their duration, on a scale of steps

    def add(self, samples: int, seconds: float) -> None:
        """Count one chunk."""
        self.chunk, self.samples, self.busy = max(self.chunk, samples), self.samples + samples, self.busy + seconds
        self.counts[round(math.log(max(seconds, 1e-9)) / STEP)] += 1

    @property
    def real_time_factor(self) -> float:
        """Seconds of computing per second of sound: below 1 the system keeps up. NaN for a stream without sound."""
        return self.busy * self.sample_rate / self.samples if self.samples else math.nan

    def percentile(self, share: float = 0.99) -> float:
        """Seconds within which this share of the chunks was done, to one per cent; NaN without chunks."""
        wanted, seen = share * self.counts.total(), 0
        for step in sorted(self.counts):
            seen += self.counts[step]
            if seen >= wanted:
                return math.exp(step * STEP)
        return math.nan

    def __str__(self):
        ms = 1000 / self.sample_rate
        return (
            f"{self.samples / self.sample_rate:.2f} s of sound in {self.busy:.2f} s of computing: "
            f"real-time factor {self.real_time_factor:.3f}\n"
            f"latency {self.latency} samples ({self.latency * ms:.1f} ms), chunk {self.chunk} samples "
            f"({self.chunk * ms:.1f} ms); 99 % of the chunks took at most {1000 * self.percentile():.2f} ms"
        )


def stream(system, chunks: Iterable[Tensor], timing: Timing | None = None, level: bool = True) -> Iterator[Tensor]:
    """Separate a stream of chunks `(C, any n)`: yield estimates `(S, C, m)` as they get ready, at last what was held.

    With `level` the system hears the stream at the level of its training, by a gain that follows the last seconds and
    is undone in the estimates. Without it, what comes out joined together is what the system's `forward` gives for the
    chunks joined together. `timing` counts the chunks. The system is in eval mode meanwhile; no gradients.

    Raises StreamError for a system that cannot stream, and ValueError for chunks that do not fit it or hold NaN or
    infinity, with the sample. Taught on: book/evaluation/separation
    """
    if not can_stream(system):
        raise StreamError(
            f"{system.name or type(system).__name__} cannot stream: to give its first sample it needs sound that is "
            "still to come. sepbook.evaluation.separation.separate takes whole signals"
        )
    device = next((p.device for p in system.parameters()), torch.device("cpu"))
    timing = timing or Timing(system.sample_rate, system.latency)
    running = RunningLevel(system) if level else None
    with listening(system), torch.no_grad():
        state = system.start()
        for chunk in chunks:
            _check_finite(chunk, timing)
            started = time.perf_counter()
            given = running.apply(chunk) if running else chunk
            state, estimates = system.feed(state, given.unsqueeze(0).to(device))  # (1, S, C, m)
            estimates = _finished(estimates, running)
            timing.add(chunk.shape[-1], time.perf_counter() - started)
            yield estimates
        yield _finished(system.flush(state), running)


def _finished(estimates: Tensor, running: RunningLevel | None) -> Tensor:
    """Estimates `(1, S, C, m)` as `(S, C, m)` on the CPU, at the level of the sound."""
    estimates = estimates.squeeze(0).float().cpu()
    return running.undo(estimates) if running else estimates


def _check_finite(chunk: Tensor, timing: Timing) -> None:
    if chunk.isfinite().all():
        return
    channel, at = (~chunk.isfinite()).nonzero()[0].tolist()
    sample = timing.samples + at
    raise StreamError(
        f"the stream holds NaN or infinity, first in channel {channel} at sample {sample} "
        f"({sample / timing.sample_rate:.3f} s). Is it really float32, and from its first byte on? Else replace such "
        "samples by zero"
    )
