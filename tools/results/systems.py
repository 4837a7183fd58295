"""`python -m tools.results.systems NAME PRESET [--seed N]`: train a system by its recipe, score it, ship its weights.

Writes results/architectures/NAME.json (a part for each preset, in it a part for each number of steps) and, of the
longest run, sepbook/assets/weights/NAME_PRESET.safetensors with its row in the manifest. Interrupted, it goes on where
it was; done, it does nothing again until corpus, code or recipe change.
"""

import argparse
import dataclasses
from pathlib import Path

import torch

from sepbook.architectures import create, names, recipe_of
from sepbook.data.tasks import task
from sepbook.evaluation import oracles
from sepbook.evaluation.metrics import Scores, at_rate, evaluate
from sepbook.training import checkpoint
from sepbook.training.loop import History, train
from sepbook.training.recipes import by_recipe
from tools.results import _edition, _queue, _weights
from tools.results._common import clocks, hardware, read, rounded, write_all

MASKS = {"ratio_1": ("ratio", 1.0), "ratio_2": ("ratio", 2.0), "binary": ("binary", 1.0)}
SEEN = 6  # training songs that are scored too
SEED = 0  # of the runs that are quoted and shipped


def train_one(name: str, preset: str, steps: int, seed: int = SEED, folder: Path | None = None):
    """Train one system as `sepbook train NAME --preset PRESET --steps STEPS` does."""
    torch.manual_seed(seed)
    system = create(name, preset)
    data, valid, config = by_recipe(system, steps, seed, folder=folder, resume=folder is not None)
    with clocks() as time:
        history = train(system, data, valid, config)
    return system, history, time


def summary(scores: Scores, ideal: Scores) -> dict:
    """Return what the pages quote of scores: means by source, the interval over songs, the part of the ideal mask."""
    low, high = scores.interval()
    return {
        **{m: {"mean": scores.mean(m), **scores.per_source(m)} for m in ("si_sdr", "improvement")},
        "interval": {"low": low, "high": high},
        "worst_source": min(scores.per_source().values()),
        "fraction_of_ideal": scores.mean() / ideal.mean(),
        "per_track": scores.as_dict()["per_track"],
    }


def means(ideal: dict[str, Scores]) -> dict:
    """Return the mean improvement of each kind of ideal mask, over all sources and by source."""
    return {key: {"mean": scores.mean(), **scores.per_source()} for key, scores in ideal.items()}


class Measured:
    """The tracks of a task, and the ideal masks on them: what every run of a preset is measured with."""

    def __init__(self, name: str, preset: str):
        system = create(name, preset)
        about = task(system.task)
        self.names, self.rate = system.source_names, system.sample_rate
        self.test, self.seen = about.tracks("test"), about.tracks("train")[:SEEN]
        self.ideal = {key: self.masks(self.test, *mask) for key, mask in MASKS.items()}
        self.ideal_seen = self.masks(self.seen, *MASKS["ratio_1"])
        lower = any(self.rate < track.sample_rate for track in self.test)
        self.own = at_rate(self.test, self.rate) if lower else []
        self.ideal_own = {key: self.masks(self.own, *mask) for key, mask in MASKS.items() if lower}

    def masks(self, tracks, kind: str, p: float) -> Scores:
        """Score ideal masks of one kind."""
        return oracles.evaluate(tracks, self.names, kind, p, progress=False)

    def scores(self, system) -> dict:
        """Score a system at the tracks' rate and, where that is lower, at its own."""
        found = evaluate(system, self.test, progress=False)
        print(found, flush=True)
        content = summary(found, self.ideal["ratio_1"])
        if self.own:
            content["at_system"] = summary(evaluate(system, self.own, progress=False), self.ideal_own["ratio_1"])
        return content

    def content(self) -> dict:
        """Return the scores of the ideal masks, at the tracks' rate and, where it is lower, at the system's."""
        content = {"oracles": means(self.ideal), "oracle_seen": self.ideal_seen.mean()}
        return {**content, "oracles_at_system": means(self.ideal_own)} if self.own else content

    def run(self, system, history: History, time: dict) -> dict:
        """Score a run, on songs that it has seen too, and tell its course."""
        content, on_seen = self.scores(system), evaluate(system, self.seen, progress=False).mean()
        return {
            **content,
            "seen": on_seen,
            "gap_seen_unseen": on_seen - content["improvement"]["mean"],
            "validation": [[row["step"], row["valid_si_sdr_improvement"]] for row in history.rows],
            "loss": [[row["step"], row["loss"]] for row in history.rows],
            "best_step": history.best_step,
            **time,
        }


def job_of(name: str, preset: str, steps: int, seed: int) -> _queue.Job:
    """Return the job of one run."""
    return _queue.Job(f"steps_{steps}", _edition.of_system(name, preset, steps), name, preset, seed)


def steps_of(name: str, preset: str) -> list[int]:
    """Return how many steps the quoted runs have: the first lab's where there is one, and the shipped weights'."""
    steps = recipe_of(name, preset).steps
    return sorted({steps[run] for run in ("first", "shipped") if run in steps})


def one_run(measured: Measured, name: str, preset: str, steps: int, seed: int) -> dict:
    """Train and score one run, or return what it gave when it was done."""

    def work(folder: Path) -> dict:
        system, history, time = train_one(name, preset, steps, seed, folder)
        if history.stopped == "interrupted":
            raise KeyboardInterrupt
        notes = {"steps": steps, "seed": seed, "corpus": "train", "licence": "MIT"}
        checkpoint.save_weights(folder / "half.safetensors", system, half=True, **notes)
        return {"mixing": dict(recipe_of(name, preset).at(steps).mixing), **measured.run(system, history, time)}

    return _queue.do(job_of(name, preset, steps, seed), work)


def ship(measured: Measured, name: str, preset: str, steps: int, seed: int) -> dict:
    """Put the weights of a run, in 16 bits, where they ship from; score them as they are there."""
    file = f"{name}_{preset}.safetensors"
    half = job_of(name, preset, steps, seed).folder / "half.safetensors"
    (checkpoint.WEIGHTS / file).write_bytes(half.read_bytes())
    system = checkpoint.load_weights(checkpoint.WEIGHTS / file, expect=name)
    scores = measured.scores(system)
    parameters = sum(p.numel() for p in system.parameters())
    result = {"file": f"architectures/{name}.json", "improvement": rounded(scores["improvement"]["mean"])}
    about = {"kind": "system", "system": name, "preset": preset, "task": system.task, "steps": steps, "seed": seed}
    _weights.record(file, _edition.of_system(name, preset, steps), **about, result=result)
    return {**scores, "steps": steps, "parameters": parameters}


def of_preset(name: str, preset: str) -> dict:
    """Return all that is measured of a preset, and ship the weights of its longest run."""
    measured, all_steps = Measured(name, preset), steps_of(name, preset)
    recipe = dataclasses.asdict(recipe_of(name, preset))
    content = {"recipe": {"seed": SEED, **recipe}, **measured.content()}
    content |= {f"steps_{steps}": one_run(measured, name, preset, steps, SEED) for steps in all_steps}
    content["shipped"] = ship(measured, name, preset, all_steps[-1], SEED)
    return {**content, "hardware": hardware(), "edition": edition_of(name, preset)}


def of_seed(name: str, preset: str, seed: int, part: dict) -> dict:
    """Return the part of a preset with the runs of one more seed, which is for comparisons and is not shipped."""
    known = {key: value for key, value in part.get("edition", {}).items() if key != "stamp"}
    if known != edition_of(name, preset):
        raise SystemExit(f"results/architectures/{name}.json, {preset}: not of today's edition; run seed {SEED} first")
    measured = Measured(name, preset)
    runs = {f"steps_{steps}": one_run(measured, name, preset, steps, seed) for steps in steps_of(name, preset)}
    return {**part, "seeds": {**part.get("seeds", {}), str(seed): runs}}


def edition_of(name: str, preset: str) -> dict:
    """Return the edition of all that is measured of a preset: that of each number of steps."""
    return {f"steps_{steps}": _edition.of_system(name, preset, steps) for steps in steps_of(name, preset)}


def measure(name: str, preset: str, seed: int = SEED) -> None:
    """Train and score a preset, and write its part of the results; of the first seed, ship the weights too."""
    torch.set_num_threads(1)  # sums in one order: the same weights on any number of cores
    there = read(f"architectures/{name}")
    part = of_preset(name, preset) if seed == SEED else of_seed(name, preset, seed, there.get(preset, {}))
    write_all(f"architectures/{name}", {**there, preset: part})


def score_again(name: str, preset: str) -> None:
    """Score the shipped weights by the evaluation as it is now, and write that part of the results alone."""
    torch.set_num_threads(1)
    there = read(f"architectures/{name}")
    shipped, scores = there[preset]["shipped"], Measured(name, preset).scores(checkpoint.shipped(name, preset))
    print(f"{shipped['improvement']['mean']:.4f} dB, now {scores['improvement']['mean']:.4f} dB", flush=True)
    part = {**there[preset], "shipped": rounded({**shipped, **scores})}
    write_all(f"architectures/{name}", {**there, preset: part})
    _weights.result(f"{name}_{preset}.safetensors", rounded(scores["improvement"]["mean"]))


def run() -> None:
    """Do the small preset of every system."""
    for name in names():
        print(f"-- {name} small", flush=True)
        measure(name, "small")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=names())
    parser.add_argument("preset", nargs="?", default="small")
    parser.add_argument("--seed", type=int, default=SEED, help="another seed adds runs to compare")
    parser.add_argument("--score-again", action="store_true", help="of the shipped weights, where only scoring changed")
    given = parser.parse_args()
    score_again(given.name, given.preset) if given.score_again else measure(given.name, given.preset, given.seed)
