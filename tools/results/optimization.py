"""Short runs of a small network: healthy and sick ones, rates, batch sizes, early stopping, averaged weights.

All are real trainings on the built-in corpus, one thread, five seeds. Writes results/training/optimization.json.
Curves are kept as text, one number per point, so that the file stays readable.
"""

import copy
from statistics import fmean as mean

import torch

from sepbook.training import checkpoint
from sepbook.training.device import choose
from sepbook.training.loop import TrainConfig, train
from sepbook.training.validation import validate
from tools.results._common import clocks, mean_score, singers, write
from tools.results._gallery import LOUD_STEP, gallery
from tools.results._small_runs import SmallSystem, batch_of, cosine, descend, length
from tools.results._training_runs import BATCH, BEST_RATE, EPOCH, SECONDS, SEEDS, STEPS, Corpus, line, made, songwise

RATES = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
SIZES = (2, 4, 6, 8, 12, 16, 32)
SIZE_RATES = (1e-3, 3e-3, 1e-2)
EXAMPLES, SAME_STEPS = 1600, 100
PATIENCES = (1, 2, 4)


class Diary(SmallSystem):
    """Keeps its weights at the end of every epoch."""

    def epoch_end(self, terms):
        self.__dict__.setdefault("pages", []).append(copy.deepcopy(self.state_dict()))


def stuck(corpus: Corpus) -> dict:
    """Forty steps at a hundred times the good rate: how many masks are all but 0 or 1, and what gradient is left?"""
    shares, norms = [], []
    for seed in SEEDS:
        system, data = made(seed=seed), corpus.items(seed)
        optimizer = torch.optim.Adam(system.parameters(), 100 * BEST_RATE)
        norms.append(descend(system, optimizer, data, 40, clip=5.0)[1])
        with torch.no_grad():
            masks = system.network(length(system.stft(batch_of(data, 50, BATCH)["mixture"])))
        shares.append(((masks < 1e-3) | (masks > 1 - 1e-3)).double().mean().item())
    return {"saturated": min(shares), "first_norms": line(norms[0][:6]), "last_norm": max(n[-1] for n in norms)}


# --- rates, schedules, averages ---------------------------------------------------------------------------


def rates(corpus: Corpus) -> dict:
    """Each rate, constant or falling; for the constant ones also the average of the weights. Validation chooses."""
    found = {way: {} for way in ("constant", "averaged", "cosine")}

    def measured(system):
        watched = validate(system.eval(), corpus.watch(), choose("cpu"), BATCH)["valid_si_sdr_improvement"]
        return songwise(system, corpus), watched

    for rate in RATES:
        rows = {way: [] for way in found}
        for seed in SEEDS:
            for way, factor, decay in (("constant", None, 0.98), ("cosine", cosine(STEPS), None)):
                system = made(seed=seed)
                optimizer = torch.optim.Adam(system.parameters(), rate)
                average = descend(system, optimizer, corpus.items(seed), STEPS, rate=factor, clip=5.0, decay=decay)[2]
                rows[way].append(measured(system))
                if average:
                    with average.in_use():
                        rows["averaged"].append(measured(system))
        for way in found:
            watched = mean([score for _, score in rows[way]])
            found[way][f"{rate:g}"] = {"valid": watched, "scores": [scores for scores, _ in rows[way]]}
        print(rate, {way: mean_score(found[way][f"{rate:g}"]["scores"]) for way in found}, flush=True)
    best = {way: max(row, key=lambda rate: row[rate]["valid"]) for way, row in found.items()}
    means = {way: {rate: mean_score(row["scores"]) for rate, row in rows.items()} for way, rows in found.items()}
    at = best["constant"]  # one rate for all three, chosen in validation
    return {
        **means,
        "chosen": best,
        "same_rate": float(at),
        "scores": {way: rows[at]["scores"] for way, rows in found.items()},
        "scores_at_own_rate": {way: rows[best[way]]["scores"] for way, rows in found.items()},
    }


def optimizers(corpus: Corpus) -> dict:
    """Plain SGD, momentum and Adam: each with the best of its rates (seed 0, in validation), then all seeds."""
    kinds = {
        "sgd": (lambda p, r: torch.optim.SGD(p, r), (1.0, 3.0, 10.0, 30.0)),
        "momentum": (lambda p, r: torch.optim.SGD(p, r, momentum=0.9), (0.3, 1.0, 3.0, 10.0)),
        "adam": (torch.optim.Adam, (1e-3, 3e-3, 1e-2)),
    }
    result = {}
    for name, (make, grid) in kinds.items():

        def run(rate, seed, make=make):
            system = made(seed=seed)
            losses = descend(system, make(system.parameters(), rate), corpus.items(seed), STEPS, rate=cosine(STEPS))[0]
            score = validate(system.eval(), corpus.watch(), choose("cpu"), BATCH)["valid_si_sdr_improvement"]
            return losses, score, system

        first = {rate: run(rate, 0) for rate in grid}
        best = max(grid, key=lambda rate: first[rate][1])
        runs = [first[best], *(run(best, seed) for seed in SEEDS[1:])]
        scores = [songwise(system, corpus) for _, _, system in runs]
        result[name] = {"rate": best, "tried": list(grid), "loss": line(runs[0][0], 3), "test": mean_score(scores)}
        result[name]["scores"] = scores
        print(name, best, result[name]["test"], {rate: first[rate][1] for rate in grid}, flush=True)
    return result


# --- batch sizes ------------------------------------------------------------------------------------------


def batch_run(corpus: Corpus, size: int, rate: float, steps: int, seed: int):
    system = made(seed=seed)
    optimizer = torch.optim.Adam(system.parameters(), rate)
    descend(system, optimizer, corpus.items(seed), steps, batch=size, rate=cosine(steps), clip=5.0)
    score = validate(system.eval(), corpus.watch(), choose("cpu"), BATCH)["valid_si_sdr_improvement"]
    return score, songwise(system, corpus)


def batch_sizes(corpus: Corpus) -> dict:
    """Each size at its best rate (seed 0, in validation): with equal examples seen, then with equal steps."""
    result = {"examples": {}, "steps": {}}
    for size in SIZES:
        first = {r: batch_run(corpus, size, r, EXAMPLES // size, 0) for r in SIZE_RATES}
        rate = max(first, key=lambda r: first[r][0])
        seen = [first[rate], *(batch_run(corpus, size, rate, EXAMPLES // size, seed) for seed in SEEDS[1:])]
        again = [batch_run(corpus, size, rate, SAME_STEPS, seed) for seed in SEEDS]
        for way, runs in (("examples", seen), ("steps", again)):
            scores = [row for _, row in runs]
            result[way][str(size)] = {"rate": rate, "test": mean_score(scores), "scores": scores}
            print(way, size, result[way][str(size)], flush=True)
    return result


# --- early stopping ---------------------------------------------------------------------------------------


def stop_at(scores: list[float], patience: int) -> tuple[int, int]:
    """Return (epoch of the kept weights, epoch of the stop), as the loop would choose them."""
    best = 0
    for epoch, score in enumerate(scores):
        if score > scores[best]:
            best = epoch
        elif epoch - best >= patience:
            return best, epoch
    return best, len(scores) - 1


def early_stopping(corpus: Corpus) -> dict:
    """The last weights, the best in validation, and those that several patiences would keep; the rate is constant.

    Validation is 80 s long here, five times as long as elsewhere, since all depends on it.
    """
    result = {}
    for name, tracks in (("few", corpus.train[:3]), ("many", None)):
        rows = []
        for seed in SEEDS:
            system, valid = made(Diary, seed), corpus.watch(seconds=5.0, items=16)
            config = TrainConfig(steps=2 * STEPS, batch_size=BATCH, schedule="constant", seed=seed)
            history = train(system, corpus.items(seed, tracks), valid, config, progress=False)
            scores = [row["valid_si_sdr_improvement"] for row in history.rows]
            if seed == 0:
                result[name] = {"valid": line(scores)}
            choice = {"last": (len(scores) - 1,) * 2, "best": (scores.index(max(scores)), len(scores) - 1)}
            choice |= {f"patience_{p}": stop_at(scores, p) for p in PATIENCES}
            measured = {}
            for kept in {kept for kept, _ in choice.values()}:
                system.load_state_dict(system.pages[kept])
                measured[kept] = songwise(system, corpus)
            rows.append({way: (measured[kept], (end + 1) * EPOCH) for way, (kept, end) in choice.items()})
        for way in rows[0]:
            scores = [row[way][0] for row in rows]
            result[name][way] = {"test": mean_score(scores), "steps": mean(row[way][1] for row in rows)}
            result[name][way]["scores"] = scores
        print(name, result[name], flush=True)
    return result


# --- a slice through a network's surface ------------------------------------------------------------------


def lengths(kernels: torch.Tensor) -> torch.Tensor:
    """Return the length of each entry of the first axis, ready for broadcasting."""
    return kernels.flatten(1).norm(dim=1).view(-1, 1, 1, 1)


def slice_of_unet(corpus: Corpus, points: int = 21, reach: float = 1.0) -> dict:
    """Return the loss of the shipped U-Net in two random directions, each kernel's as long as the kernel."""
    system = checkpoint.shipped("unet")
    excerpt = corpus.test[2].sources(start=5 * 16000, length=2 * 16000)[None]
    kernels = [p for p in system.parameters() if p.dim() == 4]
    at = [p.detach().clone() for p in kernels]
    generator = torch.Generator().manual_seed(0)
    directions = []
    for _ in range(2):
        random = [torch.randn(p.shape, generator=generator) for p in at]
        directions.append([r * lengths(p) / lengths(r) for p, r in zip(at, random, strict=True)])
    places = torch.linspace(-reach, reach, points).tolist()
    rows = []
    with torch.no_grad():
        for b in places:
            row = []
            for a in places:
                for p, w, d, e in zip(kernels, at, *directions, strict=True):
                    p.copy_(w + a * d + b * e)
                row.append(system.loss(excerpt.sum(1), excerpt)["loss"].item())
            rows.append(line(row))
    return {"reach": reach, "points": points, "rows": rows}


def run() -> None:
    torch.set_num_threads(1)
    corpus = Corpus()
    content = {
        "seeds": list(SEEDS),
        "voices": singers(),
        "steps": STEPS,
        "batch": BATCH,
        "seconds": SECONDS,
        "epoch": EPOCH,
    }
    content |= {"loud_step": LOUD_STEP, "examples": EXAMPLES, "same_steps": SAME_STEPS, "steps_long": 2 * STEPS}
    content["parameters"] = sum(p.numel() for p in SmallSystem().parameters())
    parts = (gallery, stuck, optimizers, rates, early_stopping, batch_sizes, slice_of_unet)
    for part in parts:
        with clocks() as time:
            content[part.__name__] = part(corpus)
        content[part.__name__]["cpu_seconds"] = time["cpu_seconds"]
        print(part.__name__, time, flush=True)
    write("training/optimization", content)
