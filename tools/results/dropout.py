"""Dropout against none: a small network on little music, where it overfits, and on all of it, where it does not.

The same convolutional network (`SmallSystem` with dropout between its layers) is trained with each rate on three songs
and on all training songs, five seeds each, equal steps. Every EVERY steps the loss on the validation songs is
measured in both modes. Writes results/building_blocks/dropout.json.
"""

import torch
from torch import Tensor, nn

from sepbook.building_blocks.dropout import Dropout
from sepbook.data.mixing import Mixtures
from sepbook.evaluation.metrics import evaluate
from tools.results._common import clocks, mean_score, singers, write
from tools.results._small_runs import FrameMasks, SmallSystem, batch_of, cosine, held

STEPS, BATCH, SECONDS, EVERY = 300, 8, 1.0, 20
RATES, SEEDS = (0.0, 0.3, 0.6), (0, 1, 2, 3, 4)
LITTLE = 3  # songs


class DroppedMasks(FrameMasks):
    """`FrameMasks` with dropout after each activation."""

    def __init__(self, bins: int, sources: int, rate: float, width: int = 160):
        super().__init__(bins, sources, width)
        self.dropout = Dropout(rate)

    def forward(self, magnitude: Tensor) -> Tensor:
        """Return masks that add up to one: `(B, 1, F, T) -> (B, S, 1, F, T)`."""
        x = self.dropout(self.look(magnitude[:, 0].log1p()).relu())  # (B, H, T)
        x = self.dropout(self.think(x).relu())
        return self.tell(x).unflatten(1, (self.sources, 1, -1)).softmax(dim=1)


def network(rate: float, seed: int) -> SmallSystem:
    torch.manual_seed(seed)
    system = SmallSystem()
    system.network = DroppedMasks(257, len(system.source_names), rate)
    return system


@torch.no_grad()
def measured(system, batches, training: bool) -> float:
    """Return the mean loss over batches, with dropout on or off."""
    system.train(training)
    value = sum(system.loss(**batch)["loss"].item() for batch in batches) / len(batches)
    system.train()
    return value


def run_one(rate: float, seed: int, songs, valid) -> tuple[SmallSystem, dict]:
    system = network(rate, seed)
    data = Mixtures(songs, SECONDS, incoherent=0.0, gain_db=(0.0, 0.0), flip=False, seed=seed)
    seen = [batch_of(data, step, BATCH) for step in range(3)]  # drawn from the songs that it trains on
    optimizer = torch.optim.Adam(system.parameters(), 2e-3)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, cosine(STEPS))
    curve = {"steps": [], "training": [], "seen": [], "valid": [], "valid_wrong_mode": []}
    total = 0.0
    for step in range(STEPS):
        loss = system.loss(**batch_of(data, step, BATCH))["loss"]
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(system.parameters(), 5.0)
        optimizer.step()
        schedule.step()
        total += loss.item()
        if (step + 1) % EVERY == 0:
            row = (step + 1, total / EVERY, measured(system, seen, False))
            row += (measured(system, valid, False), measured(system, valid, True))
            for name, value in zip(curve, row, strict=True):
                curve[name].append(value)
            total = 0.0
    return system.eval(), curve


def run() -> None:
    train_songs, test = held("train"), held("test")
    unseen = Mixtures(held("valid"), SECONDS, incoherent=0.0, gain_db=(0.0, 0.0), flip=False, seed=1)
    valid = [batch_of(unseen, step, BATCH) for step in range(3)]
    content = {"steps": STEPS, "batch": BATCH, "seconds": SECONDS, "seeds": list(SEEDS), "rates": list(RATES)}
    content |= {"songs": {"little": LITTLE, "all": len(train_songs)}, "voices": singers(), "runs": {}}
    with clocks() as spent:
        for size, songs in {"little": train_songs[:LITTLE], "all": train_songs}.items():
            for rate in RATES:
                runs = [run_one(rate, seed, songs, valid) for seed in SEEDS]
                scores = [evaluate(system, test, progress=False).values() for system, _ in runs]
                content["runs"][f"{size} {rate}"] = {
                    "improvement_db": mean_score(scores),
                    "scores": scores,
                    "curves": [curve for _, curve in runs],
                }
                print(size, rate, f"{mean_score(scores):.2f} dB", flush=True)
    write("building_blocks/dropout", {**content, **spent})


if __name__ == "__main__":
    run()
