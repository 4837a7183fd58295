"""The loop against the bare step: what `train` costs beyond forward, backward, clipping and Adam.

Both take the same batches from memory, in turns, in one process with one thread, without validation and checkpoints.
"""

from statistics import median

import torch
from torch.nn.utils import clip_grad_norm_

from sepbook.architectures import create
from sepbook.training.loop import TrainConfig, train
from tools.bench._measure import seconds, threads

STEPS, BATCH, SAMPLES, ITEMS, PAIRS = 12, 4, 16000, 64, 9


class Ready:
    """Items that are there already."""

    endless = True

    def __init__(self, system):
        self.source_names = system.source_names
        generator = torch.Generator().manual_seed(0)
        sources = 0.1 * torch.randn(8, len(self.source_names), system.channels, SAMPLES, generator=generator)
        self.kept = [{"mixture": x.sum(0), "sources": x} for x in sources]

    def __len__(self):
        return ITEMS

    def __getitem__(self, i):
        return self.kept[i % len(self.kept)]


def bare(system, data) -> None:
    """The step and nothing else."""
    optimizer = torch.optim.Adam(system.parameters(), 1e-3)
    system.train()
    for step in range(STEPS):
        batch = torch.utils.data.default_collate([data[step * BATCH + i] for i in range(BATCH)])
        optimizer.zero_grad()
        system.loss(batch["mixture"], batch["sources"])["loss"].backward()
        clip_grad_norm_(system.parameters(), 5.0)
        optimizer.step()


def once() -> tuple[float, float]:
    """Seconds of the loop and of the bare steps, from the same weights."""
    system = create("unet")
    data = Ready(system)
    state = {key: value.clone() for key, value in system.state_dict().items()}
    config = TrainConfig(steps=STEPS, batch_size=BATCH, learning_rate=1e-3, schedule="constant", device="cpu")
    ours = seconds(lambda: train(system, data, None, config, progress=False))
    system.load_state_dict(state)
    return ours, seconds(lambda: bare(system, data))


@threads(1)
def run() -> dict:
    once()
    times = [once() for _ in range(PAIRS)]
    return {
        "loop_seconds_per_step": median(ours for ours, _ in times) / STEPS,
        "bare_seconds_per_step": median(theirs for _, theirs in times) / STEPS,
        "ratio": median(ours / theirs for ours, theirs in times),
        "steps": STEPS,
        "batch": BATCH,
        "pairs": PAIRS,
        "threads": 1,
    }
