"""Does the denoiser keep up on one core? Twenty seconds of sound in frames of 16 ms; the best of three runs.

Weights are fresh: how long a network takes does not depend on what it has learned.
"""

import torch

from sepbook.architectures import create
from sepbook.evaluation.streaming import Timing, stream
from tools.bench._measure import threads

SECONDS, RUNS = 20, 3
LIMITS = {"paper": 0.8, "small": 0.1, "music": 0.1}  # real-time factor by preset


def timed(system) -> Timing:
    """Stream noise frame by frame, and return what that took."""
    noise = 0.1 * torch.randn(system.channels, SECONDS * system.sample_rate)
    timing = Timing(system.sample_rate, system.latency)
    for _ in stream(system, noise.split(system.stride, dim=-1), timing, level=False):
        pass
    return timing


@threads(1)
def run() -> dict:
    found = {"seconds": SECONDS, "runs": RUNS, "threads": 1}
    for preset, limit in LIMITS.items():
        torch.manual_seed(0)
        system = create("denoiser", preset)
        best = min((timed(system) for _ in range(RUNS)), key=lambda timing: timing.real_time_factor)
        found |= {
            f"{preset}_real_time_factor": best.real_time_factor,
            f"{preset}_limit": limit,
            f"{preset}_frame_ms": 1000 * best.chunk / best.sample_rate,
            f"{preset}_frame_99_percent_ms": 1000 * best.percentile(),
            f"{preset}_latency_ms": 1000 * best.latency / best.sample_rate,
        }
    return found
