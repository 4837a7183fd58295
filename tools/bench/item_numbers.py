"""What it costs to say which items make a batch, in data sets of a thousand and of a million items."""

import time
from statistics import median

from sepbook.training.batches import ItemNumbers
from sepbook.training.config import TrainConfig

BATCH, STEPS = 8, 2000


def milliseconds(size: int, endless: bool) -> float:
    """Median over five runs of the time per step, the drawing of the round's order included."""
    data = type("Data", (), {"endless": endless, "__len__": lambda self: size})()
    times = []
    for seed in range(5):
        numbers = ItemNumbers(data, TrainConfig(steps=STEPS, batch_size=BATCH, seed=seed))
        start = time.perf_counter()
        assert sum(1 for _ in numbers) == STEPS * BATCH
        times.append((time.perf_counter() - start) * 1e3 / STEPS)
    return median(times)


def run() -> dict:
    sizes = {"thousand": 10**3, "million": 10**6}
    found = {f"{name}_items_milliseconds_per_step": milliseconds(size, False) for name, size in sizes.items()}
    return {**found, "endless_milliseconds_per_step": milliseconds(10**6, True), "batch": BATCH, "steps": STEPS}
