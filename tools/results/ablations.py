"""Parts that papers praise, left out: does the small system separate worse without them?

Open-Unmix without the skip around its LSTM; the joint U-Net without its two heads. Both arms of a pair are trained by
the system's own recipe, for equally few steps, five seeds each, and compared by seed, song and voice. What the loop
keeps is chosen on the validation songs. Every run is a job of its own. Writes results/architectures/ablations.json.

`python -m tools.results.ablations NAME …` does these pairs alone and keeps the rows of all others.
"""

import sys
from pathlib import Path

import torch

from sepbook.architectures import create
from sepbook.architectures.base import System
from sepbook.data.corpus import songs
from sepbook.evaluation.metrics import evaluate
from sepbook.training.loop import train
from sepbook.training.recipes import by_recipe
from tools.results import _edition, _queue
from tools.results._common import clocks, mean_score, paired, read, singers, write

SEEDS = (0, 1, 2, 3, 4)
STEPS, FASTER = 300, {"open_unmix": 2}  # under five minutes of one core a run; who has time for more steps
PAIRS = {"open_unmix": ("with the skip", "without it"), "unet_joint": ("with heads", "without them")}


def steps_of(name: str) -> int:
    """Return how many steps both arms of a pair are trained for."""
    return STEPS * FASTER.get(name, 1)


def without_skip(layer, inputs: tuple[torch.Tensor]) -> tuple[torch.Tensor]:
    """Put zeros in place of what goes around the LSTM: the first half of what `fc2` reads, `(T·B, 2H)`."""
    around, through = inputs[0].chunk(2, -1)
    return (torch.cat([torch.zeros_like(around), through], -1),)


def made(name: str, whole: bool, seed: int) -> System:
    """Return a fresh system of a pair, with the part or without it."""
    torch.manual_seed(seed)
    if name == "unet_joint":
        return create(name, "small" if whole else "small_alone")
    system = create(name, "small")
    for network in system.networks.values() if not whole else ():
        network.fc2.register_forward_pre_hook(without_skip)
    return system


def one_run(name: str, whole: bool, seed: int, folder: Path | None = None) -> dict:
    """Train and score one run of a pair."""
    torch.set_num_threads(1)
    system = made(name, whole, seed)
    ingredients = by_recipe(system, steps_of(name), seed, folder=folder, resume=folder is not None)
    with clocks() as time:
        history = train(system, *ingredients)
    if history.stopped == "interrupted":
        raise KeyboardInterrupt
    scores = evaluate(system, songs("test"), progress=False).values()
    return {"scores": scores, "validation": max(r["valid_si_sdr_improvement"] for r in history.rows), **time}


def of_pair(name: str) -> dict:
    """Run a pair, or what is left of it, and return its scores, its verdict and what it cost."""
    edition = {**_edition.of_system(name, "small", steps_of(name)), "tool": _edition.of_module(__spec__.name)}
    runs = {}
    for seed in SEEDS:
        for whole, arm in zip((True, False), PAIRS[name], strict=True):
            job = _queue.Job(f"ablation {arm}".replace(" ", "_"), edition, name, "small", seed)
            row = _queue.do(job, lambda folder, w=whole, s=seed: one_run(name, w, s, folder))
            runs.setdefault(arm, []).append(row)
            print(name, arm, seed, f"{mean_score([row['scores']]):.2f} dB", flush=True)
    arms = {
        arm: {
            "improvement": mean_score([row["scores"] for row in rows]),
            "scores": [row["scores"] for row in rows],  # (seed, song)
            "validation": [row["validation"] for row in rows],
        }
        for arm, rows in runs.items()
    }
    ours, theirs = (arms[arm]["scores"] for arm in PAIRS[name])
    return {
        "steps": steps_of(name),
        "seeds": list(SEEDS),
        "arms": arms,
        "difference": paired(ours, theirs, singers()),
        "cpu_seconds": sum(row["cpu_seconds"] for rows in runs.values() for row in rows),
        "edition": _edition.of_system(name, "small", steps_of(name)),
    }


def run(chosen=None) -> None:
    rows = {name: row for name, row in read("architectures/ablations").get("pairs", {}).items() if name in PAIRS}
    for name in chosen or PAIRS:
        rows[name] = of_pair(name)
        write("architectures/ablations", {"pairs": dict(sorted(rows.items()))}, __spec__.name)


if __name__ == "__main__":
    run(sys.argv[1:])
