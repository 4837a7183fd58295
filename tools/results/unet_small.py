"""Train the small U-Net for the book: 350 steps (the first lab) and 3000 (the weights that ship), seed 0.

Writes results/unet/small.json and sepbook/assets/weights/unet_small.safetensors.
"""

import torch

from sepbook.architectures import create
from sepbook.data.corpus import songs
from sepbook.data.mixing import Mixtures
from sepbook.evaluation.metrics import Scores, evaluate, score
from sepbook.evaluation.oracles import separate_ideal
from sepbook.training import checkpoint
from sepbook.training.loop import TrainConfig, train
from tools.results._common import clocks, write

SEED, BATCH, SECONDS = 0, 8, 3.0
SHORT, LONG = 350, 3000  # steps


# A short run learns most from real songs as they are; a long one would learn them by heart, so it mixes anew.
MIXING = {SHORT: {"incoherent": 0.0, "gain_db": (0.0, 0.0)}, LONG: {"incoherent": 0.5, "gain_db": (-4.0, 2.0)}}


def data(steps: int):
    training = Mixtures(songs("train"), seconds=SECONDS, length=steps * BATCH // 10, seed=SEED, **MIXING[steps])
    validation = Mixtures(songs("valid"), seconds=10.0, length=16, incoherent=0.0, gain_db=(0.0, 0.0), seed=1)
    return training, validation


def train_one(steps: int):
    torch.manual_seed(SEED)
    system = create("unet", "small")
    training, validation = data(steps)
    with clocks() as time:
        history = train(system, training, validation, TrainConfig(steps=steps, batch_size=BATCH, seed=SEED))
    return system, history, time


def summary(scores: Scores, oracle: Scores) -> dict:
    low, high = scores.interval()
    means = {m: {"mean": scores.mean(m), **scores.per_source(m)} for m in ("si_sdr", "improvement")}
    return {
        **means,
        "interval": {"low": low, "high": high},
        "worst_source": min(scores.per_source().values()),
        "fraction_of_ideal": scores.mean() / oracle.mean(),
        "per_track": scores.as_dict()["per_track"],
    }


def ideal(tracks, kind: str, p: float = 1.0) -> Scores:
    names = tracks[0].stem_names
    return score(lambda track: separate_ideal(track.sources(names), kind, p), tracks, names, title=f"{kind} {p}")


def run() -> None:
    torch.set_num_threads(1)  # sums in one order: the same weights on any number of cores
    test, seen = songs("test"), songs("train")[:6]
    oracles = {
        "ratio_1": ideal(test, "ratio", 1.0),
        "ratio_2": ideal(test, "ratio", 2.0),
        "binary": ideal(test, "binary"),
    }
    oracle_seen = ideal(seen, "ratio", 1.0)
    content = {
        "recipe": {"seed": SEED, "batch": BATCH, "seconds": SECONDS, "learning_rate": TrainConfig().learning_rate},
        "oracles": {name: {"mean": s.mean(), **s.per_source()} for name, s in oracles.items()},
        "oracle_seen": oracle_seen.mean(),
    }
    for steps in (SHORT, LONG):
        system, history, time = train_one(steps)
        scores = evaluate(system, test, progress=False)
        print(scores, flush=True)
        on_seen = evaluate(system, seen, progress=False)
        content[f"steps_{steps}"] = {
            "mixing": MIXING[steps],
            **summary(scores, oracles["ratio_1"]),
            "seen": summary(on_seen, oracle_seen)["improvement"]["mean"],
            "gap_seen_unseen": on_seen.mean() - scores.mean(),
            "validation": [[row["step"], row["valid_si_sdr_improvement"]] for row in history.rows],
            "loss": [[row["step"], row["loss"]] for row in history.rows],
            "best_step": history.best_step,
            **time,
        }
    notes = {"steps": LONG, "seed": SEED, "corpus": "train", "licence": "MIT"}
    checkpoint.save_weights(checkpoint.WEIGHTS / "unet_small.safetensors", system, half=True, **notes)
    shipped = evaluate(checkpoint.shipped("unet"), test, progress=False)
    parameters = sum(p.numel() for p in system.parameters())
    content["shipped"] = {**summary(shipped, oracles["ratio_1"]), "steps": LONG, "parameters": parameters}
    write("unet/small", content)
