"""What `sepbook train` does between its options and the training loop."""

import math
import os
import sys
from contextlib import redirect_stdout
from pathlib import Path

import torch

from sepbook import architectures
from sepbook.cli._loading import BUILT_IN, begin_with, find_task
from sepbook.training import checkpoint
from sepbook.training.loop import train
from sepbook.training.recipes import by_recipe
from sepbook.training.rehearsal import rehearse

INTERRUPTED = 130


def run_training(name, preset, fields, weights, task, data, allow_missing, steps, seed, changes, progress) -> int:
    """Train by the recipe, save weights.safetensors, say what comes next; return the exit code.

    `changes` are the options that were given; what is None is left to the recipe.
    """
    rate = changes["learning_rate"]
    if rate is not None and not 0 < rate < math.inf:
        raise ValueError(f"--learning-rate {rate}: expected a number above 0, for example 0.002")
    torch.manual_seed(seed)
    system = begin_with(name, preset, fields, weights)
    about = find_task(system, task, data, allow_missing)
    changes = {field: value for field, value in changes.items() if value is not None}
    changes.setdefault("folder", Path("runs") / f"{system.name}_{system.preset}")
    mixtures, valid, config = by_recipe(system, steps, seed, about, **changes)
    if system.name in architectures.OWN:
        rehearse(system, mixtures)
    if valid is None:
        print(f"sepbook: note: {data} has no folder 'valid': the last weights are kept.", file=sys.stderr)
    if config.resume and not (Path(config.folder) / "last.safetensors").exists():
        print(f"sepbook: note: {config.folder} holds no run to go on with: this is a new one.", file=sys.stderr)
    with redirect_stdout(sys.stderr):  # what it says on the way is for people; the path below is for programs too
        history = train(system, mixtures, valid, config, progress)
    saved = Path(config.folder) / "weights.safetensors"
    if int(os.environ.get("RANK", 0)) == 0:  # under torchrun one process writes for all
        checkpoint.save_weights(saved, system, steps=history.steps, seed=seed, task=about.name)
        print(saved)
    if history.stopped == "interrupted":
        print(f"sepbook: step {history.steps} of {config.steps}. Go on with --resume.", file=sys.stderr)
        return INTERRUPTED
    own = f" --system {name}" if system.name in architectures.OWN else ""
    own += "" if data == BUILT_IN else f" --data {data}"
    print(f"How good is it?  sepbook evaluate --weights {saved}{own}", file=sys.stderr)
    return 0
