"""Healthy and sick runs, as the loop of the book trains them: what `optimization.py` draws its gallery from."""

import math

import torch

from sepbook.losses.waveform import si_sdr
from sepbook.training.loop import TrainConfig, TrainingError, train
from tools.results._common import mean_score
from tools.results._small_runs import SmallSystem, cosine, descend
from tools.results._training_runs import BATCH, BEST_RATE, EPOCH, SEEDS, STEPS, Corpus, line, made, songwise

LOUD_STEP = 60  # the step that meets an item whose samples were never divided by 32768


class Loud:
    """A data set in which the samples of one item are 16-bit integers that nobody has divided by 32768."""

    endless = True

    def __init__(self, data, number: int):
        self.data, self.number, self.source_names = data, number, data.source_names

    def __len__(self):
        return len(self.data)

    def __getitem__(self, number: int):
        item = self.data[number]
        return {key: value * 32768 for key, value in item.items()} if number == self.number else item


class Recording(SmallSystem):
    """Remembers the training losses, which are lost when the loop stops with an error."""

    def loss(self, mixture, sources, **labels):
        terms = self.measure(mixture, sources)
        if self.training:
            self.__dict__.setdefault("seen", []).append(terms["loss"].item())
        return terms

    def measure(self, mixture, sources):
        return SmallSystem.loss(self, mixture, sources)


class WrongSign(Recording):
    """SI-SDR in dB is to be made large. Here somebody has handed it over as a loss, which is made small."""

    def measure(self, mixture, sources):
        return {"loss": si_sdr(self(mixture), sources).mean()}


class Naive(Recording):
    """SI-SDR as it stands in the paper, with nothing to keep it from dividing 0 by 0 where a source is silent."""

    def measure(self, mixture, sources):
        estimates = self(mixture)
        scale = (estimates * sources).sum(-1, keepdim=True) / sources.square().sum(-1, keepdim=True)
        target = scale * sources
        ratio = target.square().sum(-1) / (estimates - target).square().sum(-1)
        return {"loss": -10 * ratio.log10().mean()}


def case(name: str, seed: int, corpus: Corpus) -> dict:
    """Train one run of the gallery; return its curves, its message, and the system."""
    few = corpus.train[:3]
    options = {
        "too_high": {"learning_rate": 0.3},
        "too_low": {"learning_rate": 3e-5},
        "loud": {"clip_norm": 0.5},  # a few times the norms of a healthy run
        "loud_unclipped": {"clip_norm": math.inf},
        "leaking": {"schedule": "constant"},
        "honest": {"schedule": "constant"},
    }.get(name, {})
    kind = {"wrong_sign": WrongSign, "nan": Naive}.get(name, Recording)
    data = corpus.items(seed, few if name in ("leaking", "honest") else None)
    if name.startswith("loud"):
        data = Loud(data, LOUD_STEP * BATCH + 3)
    system, message, rows = made(kind, seed), "", []
    config = TrainConfig(**{"steps": STEPS, "batch_size": BATCH, "learning_rate": BEST_RATE, "seed": seed, **options})
    try:
        rows = train(system, data, corpus.watch(few if name == "leaking" else None), config, progress=False).rows
    except TrainingError as error:
        message = str(error)
    found = {"loss": line(system.seen, 3), "message": message}
    found |= {key: line((row[key] for row in rows), 4) for key in ("step", "valid_si_sdr_improvement") if rows}
    return found | ({} if message else {"scores": songwise(system, corpus)})


def too_early(seed: int, corpus: Corpus) -> dict:
    """A schedule that was to be stepped once per epoch, for ten epochs, and is stepped after each batch."""
    system = made(seed=seed)
    optimizer = torch.optim.Adam(system.parameters(), BEST_RATE)
    fall = cosine(STEPS // EPOCH)
    losses, _, _ = descend(system, optimizer, corpus.items(seed), STEPS, rate=lambda s: fall(min(s, STEPS // EPOCH)))
    return {"loss": line(losses, 3), "message": "", "scores": songwise(system, corpus)}


GALLERY = ("healthy", "too_high", "too_low", "loud", "loud_unclipped", "leaking", "honest", "wrong_sign", "nan")


def gallery(corpus: Corpus) -> dict:
    result = {}
    for name in (*GALLERY, "too_early"):
        runs = [too_early(s, corpus) if name == "too_early" else case(name, s, corpus) for s in SEEDS]
        scores = [run["scores"] for run in runs if "scores" in run]
        result[name] = {**runs[0], "scores": scores, "messages": [run["message"] for run in runs]}
        result[name]["tests"] = [mean_score([row]) for row in scores]
        if scores:
            result[name]["test"] = mean_score(scores)
        print(name, result[name]["tests"], runs[0]["message"], runs[0].get("valid_si_sdr_improvement"), flush=True)
    return result
