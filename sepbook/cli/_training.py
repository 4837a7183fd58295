"""What `sepbook train` does between its options and the training loop."""

import math
import os
import sys
from contextlib import redirect_stdout
from pathlib import Path

import torch

from sepbook.cli._loading import create_system, load_tracks
from sepbook.data.mixing import Mixtures
from sepbook.training import checkpoint
from sepbook.training.loop import TrainConfig, train

EPOCHS = 10  # how often a run looks at the validation songs …
EPOCH_STEPS = 35  # … but not more often than this
VALID_ITEMS = 32
INTERRUPTED = 130


def run_training(name, preset, fields, data, seconds, allow_missing, settings, progress) -> int:
    """Train, save weights.safetensors, say what comes next; return the exit code."""
    config = TrainConfig(**settings)
    if not 0 < config.learning_rate < math.inf:
        raise ValueError(f"--learning-rate {config.learning_rate}: expected a number above 0, for example 0.002")
    torch.manual_seed(config.seed)
    system = create_system(name, preset, fields)
    mixtures, valid = make_data(system, data, seconds, allow_missing, config)
    if config.resume and not (Path(config.folder) / "last.safetensors").exists():
        print(f"sepbook: note: {config.folder} holds no run to go on with: this is a new one.", file=sys.stderr)
    with redirect_stdout(sys.stderr):  # what it says on the way is for people; the path below is for programs too
        history = train(system, mixtures, valid, config, progress)
    weights = Path(config.folder) / "weights.safetensors"
    if int(os.environ.get("RANK", 0)) == 0:  # under torchrun one process writes for all
        checkpoint.save_weights(weights, system, steps=history.steps, seed=config.seed)
        print(weights)
    if history.stopped == "interrupted":
        print(f"sepbook: step {history.steps} of {config.steps}. Go on with --resume.", file=sys.stderr)
        return INTERRUPTED
    print(f"How good is it?  sepbook evaluate --weights {weights}", file=sys.stderr)
    return 0


def make_data(system, data, seconds, allow_missing, config):
    """Random mixtures to train on, and fixed ones to choose the best weights by (None without such songs)."""
    format = {"sample_rate": system.sample_rate, "channels": system.channels, "allow_missing": allow_missing}
    epoch = min(config.steps, max(EPOCH_STEPS, config.steps // EPOCHS))
    tracks = load_tracks(data, "train", **format)
    mixtures = Mixtures(tracks, seconds, epoch * config.batch_size, seed=config.seed)
    if data != "corpus" and not (Path(data) / "valid").is_dir():
        print(f"sepbook: note: {data} has no folder 'valid': the last weights are kept.", file=sys.stderr)
        return mixtures, None
    valid = load_tracks(data, "valid", **format)
    return mixtures, Mixtures(valid, seconds, VALID_ITEMS, incoherent=0.0, gain_db=(0.0, 0.0), flip=False)
