"""`python -m tools.results NAME … --try FOLDER`: the same code with few steps, songs and seeds, to see that it runs.

Numbers and weights go below FOLDER; nothing in the repository changes, and nothing counts as done.
"""

import importlib
import sys
from pathlib import Path

from sepbook.data import corpus
from tools.results import _common, _edition

FEW = {
    "SEEDS": (0, 1),
    "STEPS": 20,
    "EPOCH": 10,
    "EVERY": 10,
    "SIZES": (2, 32),
    "EXAMPLES": 64,
    "SAME_STEPS": 2,
    "HOLD_STEPS": 2,
    "FIRST": 2,
    "OWN": 2,
    "LONG": 25,
    "SHORT": 2,
    "TALK_STEPS": 2,
    "LOUD_STEP": 2,
    "SEEN": 1,
    "TRIED": (1.5e-3,),
    "PAIRS_TIMED": 2,
    "LITTLE": 1,
    "SCAPES": 2,
}
SONGS = 3  # of each split


def run(experiment: str, folder: Path) -> None:
    """Run an experiment with the constants of `FEW` in place of its own."""
    module = importlib.import_module(f"tools.results.{experiment}")
    _common.RESULTS, _common.songs = folder, few_songs
    folder.mkdir(parents=True, exist_ok=True)
    for name in _edition.own_modules(module.__name__):
        if name.startswith("tools.results."):
            shrink(sys.modules[name], folder)
    module.run()


def few_songs(split: str) -> list:
    """Return the first songs of a split."""
    return corpus.songs(split)[:SONGS]


def shrink(module, folder: Path) -> None:
    """Replace the constants of a module, and the place of its weights."""
    for name, value in FEW.items():
        if type(getattr(module, name, None)) is type(value):
            setattr(module, name, value)
    if hasattr(module, "songs"):
        module.songs = few_songs
    if weights := getattr(module, "WEIGHTS", None):
        module.WEIGHTS = folder if weights.is_dir() else folder / weights.name
