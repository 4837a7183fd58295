"""What the experiments about training share: the songs in memory, how a run is made, how runs are compared."""

import torch

from sepbook.data.mixing import Mixtures
from sepbook.evaluation.metrics import evaluate
from tools.results._small_runs import Held, SmallSystem, held

SEEDS = (0, 1, 2, 3, 4)
STEPS, BATCH, SECONDS = 200, 8, 0.5
EPOCH = 20  # steps between validations
BEST_RATE = 3e-3
AS_IT_IS = {"incoherent": 0.0, "gain_db": (0.0, 0.0)}


class Corpus:
    """All songs, decoded once, and the data sets made of them."""

    def __init__(self):
        self.train, self.valid, self.test = held("train"), held("valid"), held("test")

    def items(self, seed: int, tracks: list[Held] | None = None, batch: int = BATCH):
        return Mixtures(tracks or self.train, SECONDS, EPOCH * batch, seed=seed, **AS_IT_IS)

    def watch(self, tracks: list[Held] | None = None, seconds: float = 2.0, items: int = 8):
        return Mixtures(tracks or self.valid, seconds, items, seed=99, **AS_IT_IS)


def line(values, digits: int = 4) -> str:
    """Write numbers as one line of text."""
    return " ".join(f"{value:.{digits}g}" for value in values)


def made(kind=SmallSystem, seed: int = 0):
    torch.manual_seed(seed)
    return kind()


def songwise(system, corpus) -> list[float]:
    return evaluate(system.eval(), corpus.test, progress=False).values()
