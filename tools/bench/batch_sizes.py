"""How many items a second does one training step take, by batch size? The book's small U-Net; one thread."""

import statistics
import time

import torch

from sepbook.architectures import create
from tools.bench._measure import threads

SIZES = (1, 2, 3, 4, 6, 7, 8, 12, 15, 16)
SECONDS = 1.0  # of sound in an item
ROUNDS = 9


def stepper(size: int):
    """Return a function that makes one training step with a batch of this size."""
    torch.manual_seed(0)
    system = create("unet", "small").train()
    optimizer = torch.optim.Adam(system.parameters(), 1e-3)
    sources = 0.1 * torch.randn(size, len(system.source_names), 1, round(SECONDS * system.sample_rate))

    def once():
        optimizer.zero_grad()
        system.loss(sources.sum(1), sources)["loss"].backward()
        optimizer.step()

    return once


@threads(1)
def run() -> dict:
    steps = {size: stepper(size) for size in SIZES}
    times = {size: [] for size in SIZES}
    for round_ in range(ROUNDS + 1):  # the first round warms up
        for size, step in steps.items():
            started = time.perf_counter()
            step()
            if round_:
                times[size].append(time.perf_counter() - started)
    rates = {size: size / statistics.median(spent) for size, spent in times.items()}
    found = {f"items_per_second_{size}": rate for size, rate in rates.items()}
    # A size between two powers of two, against the mean of its neighbours: 1 means that being a power is no merit.
    found |= {f"ratio_{m}": 2 * rates[m] / (rates[a] + rates[b]) for a, m, b in ((2, 3, 4), (4, 6, 8), (8, 12, 16))}
    return found | {"rounds": ROUNDS, "threads": 1, "seconds": SECONDS}
