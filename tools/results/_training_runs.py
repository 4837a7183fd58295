"""What the experiments about training share: the songs in memory, how a run is made, how runs are compared."""

import math

import torch
from scipy.special import stdtrit

from sepbook.data.mixing import Mixtures
from sepbook.evaluation.metrics import evaluate
from tools.results._small_runs import Held, SmallSystem, held

SEEDS = (0, 1, 2)
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


def interval(differences: list[float]) -> dict:
    """Mean and 95 % interval of the mean by Student's t; one difference per song, seeds averaged before."""
    count, mean = len(differences), sum(differences) / len(differences)
    deviation = math.sqrt(sum((d - mean) ** 2 for d in differences) / (count - 1))
    half = float(stdtrit(count - 1, 0.975)) * deviation / math.sqrt(count)
    return {"mean": mean, "low": mean - half, "high": mean + half, "zero_inside": abs(mean) <= half}


def songwise(system, corpus) -> list[float]:
    return evaluate(system.eval(), corpus.test, progress=False).values()


def mean_of(rows: list[list[float]]) -> list[float]:
    """Average rows of equal length: one value per song from one row per seed."""
    return [sum(column) / len(column) for column in zip(*rows, strict=True)]


def mean(values) -> float:
    values = list(values)
    return sum(values) / len(values)
