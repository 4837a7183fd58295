"""A system of one's own, `sepbook.check.training.four_stems`, trained as `sepbook train` does, and a project with it.

The project asks one question: does it help to look further, with equal weights and work? The variant's three layers
look 1, 3 and 9 frames apart, the baseline's 1, 1 and 1; five seeds, equal steps and items. Writes
results/training/putting_it_together.json and the weights that the page plays.
"""

import torch

from sepbook import architectures
from sepbook.architectures import create
from sepbook.check.training import four_stems
from sepbook.data.tasks import task
from sepbook.evaluation import oracles
from sepbook.evaluation.metrics import evaluate
from sepbook.training import checkpoint
from sepbook.training.loop import train
from sepbook.training.recipes import by_recipe
from tools.results._common import clocks, mean_score, paired, write

ARMS = {"near": (1, 1, 1), "far": (1, 3, 9)}  # dilations
SEEDS, STEPS, LONG = (0, 1, 2, 3, 4), 600, 1500
WEIGHTS = checkpoint.WEIGHTS / "four_stems.safetensors"


def trained(name: str, steps: int, seed: int, dilations):
    """Train as `sepbook train FILE --steps STEPS --seed SEED --set dilations=…` does."""
    torch.manual_seed(seed)
    system = create(name, dilations=dilations)
    data, valid, config = by_recipe(system, steps, seed)
    history = train(system, data, valid, config, progress=False)
    return system, history


def arm(name: str, dilations, tracks: dict) -> dict:
    """Return the scores of all seeds on the validation songs and on the test songs, (seed, song) each."""
    rows = {split: [] for split in tracks}
    for seed in SEEDS:
        system, _ = trained(name, STEPS, seed, dilations)
        for split, songs in tracks.items():
            rows[split].append(evaluate(system, songs, progress=False).values())
        print(f"{dilations}, seed {seed}: {mean_score(rows['valid'][-1:]):.2f} dB", flush=True)
    return {split: {"mean": mean_score(found), "scores": found} for split, found in rows.items()}


def long_run(name: str, tests) -> dict:
    """Train the system that the page plays, keep its weights in 16 bits, and score them as they are then."""
    system, history = trained(name, LONG, 0, ARMS["far"])
    checkpoint.save_weights(WEIGHTS, system, half=True, steps=LONG, seed=0, task="songs")
    scores = evaluate(checkpoint.load_weights(WEIGHTS), tests, progress=False)
    print(scores, flush=True)
    low, high = scores.interval()
    return {
        "steps": LONG,
        "improvement": {"mean": scores.mean(), **scores.per_source()},
        "interval": {"low": low, "high": high},
        "validation": [[row["step"], row["valid_si_sdr_improvement"]] for row in history.rows],
        "parameters": sum(p.numel() for p in system.parameters()),
    }


def run() -> None:
    torch.set_num_threads(1)  # sums in one order: the same weights on any number of cores
    name, about = architectures.adopt(four_stems.__file__), task("songs")
    tracks = {split: about.tracks(split) for split in ("valid", "test")}
    with clocks() as spent:
        long = long_run(name, tracks["test"])
        arms = {key: arm(name, dilations, tracks) for key, dilations in ARMS.items()}
    ideal = oracles.evaluate(tracks["test"], four_stems.Config().source_names, "ratio", 1.0, progress=False)
    content = {"steps": STEPS, "seeds": list(SEEDS), "long": long, "arms": arms, "far_over_near": {}}
    for split, songs in tracks.items():
        voices = [song.score.get("voice") for song in songs]  # songs by one voice are not independent
        far, near = (arms[key][split]["scores"] for key in ("far", "near"))
        content["far_over_near"][split] = paired(far, near, voices)
    content["ideal_ratio_mask"] = {"mean": ideal.mean(), **ideal.per_source()}
    write("training/putting_it_together", {**content, **spent})


if __name__ == "__main__":
    run()
