"""A second recipe for systems that missed their goal: would another choice have learned faster?

Some differ from the shipped one in a single choice: they follow the same course, of the same length, and are stopped on
their way, so the two curves can be laid over each other. Others are whole courses: what shipped before, or a choice
that came less far. They are all curves on the validation songs or voices, of one seed: they choose, and prove nothing.
Every run is a job of its own. Writes results/architectures/second_recipes.json.

`python -m tools.results.second_recipes NAME …` does these systems alone and keeps the rows of all others.
"""

import signal
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch.utils.data import Dataset

from sepbook.architectures import create, recipe_of
from sepbook.training.loop import train
from sepbook.training.recipes import by_recipe
from tools.results import _earlier, _edition, _queue
from tools.results._common import clocks, read, write
from tools.results._earlier import Earlier


@dataclass(frozen=True)
class Second:
    """What the second recipe does otherwise, and after how many of the ten looks at validation it is stopped.

    After 0 looks: not at all.
    """

    words: str  # as a legend says it
    config: dict = field(default_factory=dict)  # fields of the system
    recipe: dict = field(default_factory=dict)  # fields of its recipe
    looks: int = 3
    steps: int = 0  # of its whole course; 0: as many as the shipped one has


def before(words: str, earlier: Earlier) -> Second:
    """Return the whole course that shipped before."""
    return Second(words, earlier.config, earlier.recipe, 0, earlier.steps)


SECOND = {
    "chimera": before("magnitudes compared, no tones", _earlier.CHIMERA),
    "conv_tasnet": Second(
        "long filters, further talkers",
        {"filters": 256, "size": 128, "narrow": 96, "skip": 96, "width": 192, "blocks": 5},
        {
            "seconds": 1.5,
            "batch_size": 16,
            "mixing": {"far_first": 3200, "speed": 0.3, "more_talkers": True},
            "augment": ("equalise", "flip_sign"),
            "learning_rate": 3e-3,
        },
        looks=0,
        steps=8500,
    ),
    "danet": before("short windows, eight voices", _earlier.DANET),
    "deep_clustering": before("short windows, eight voices", _earlier.DEEP_CLUSTERING),
    "demucs": before("squared error, fewer steps", _earlier.DEMUCS),
    "denoiser": before("eight voices, in one tone", _earlier.DENOISER),
    "mask_inference": Second("in the order of the data", {"ordered": True}, looks=2),
    "tasnet": before("short segments, eight voices", _earlier.TASNET),
}


class StoppedAt(Dataset):
    """The items of another data set; whoever fetches the last one presses Ctrl-C, and the loop ends after that step."""

    endless = True

    def __init__(self, data, items: int):
        self.data, self.items = data, items
        self.source_names, self.sample_rate, self.channels = data.source_names, data.sample_rate, data.channels

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, number: int) -> dict:
        if number == self.items - 1:
            signal.raise_signal(signal.SIGINT)
        return self.data[number]


def gain_of(row: dict) -> float:
    """Return what a look at the validation data found, in dB."""
    return row["valid_si_sdr_improvement"]


def curve(name: str, folder: Path | None = None, preset: str = "small", steps: int = 0) -> dict:
    """Train by the second recipe, as far as it goes, and return its curve."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    second = SECOND[name]
    steps = steps or second.steps or recipe_of(name, preset).steps["shipped"]
    changes = second.recipe | {"folder": folder, "resume": folder is not None}
    system = create(name, preset, **second.config)
    data, valid, config = by_recipe(system, steps, 0, **changes)
    until = len(data) * second.looks
    with clocks() as time:
        history = train(system, StoppedAt(data, until) if until else data, valid, config)
    if history.steps * config.batch_size < (until or steps * config.batch_size):
        raise KeyboardInterrupt  # somebody else pressed it
    points = [[row["step"], gain_of(row)] for row in history.rows]
    return {"steps": steps, "until": history.steps, "validation": points, **time}


def run(chosen=None) -> None:
    known = read("architectures/second_recipes").get("systems", {})
    rows = {name: row for name, row in known.items() if name in SECOND}
    for name in chosen or SECOND:
        steps = recipe_of(name, "small").steps["shipped"]
        made_of = _edition.of_system(name, "small", steps)
        job = _queue.Job("second_recipe", {**made_of, "second": asdict(SECOND[name])}, name, "small")
        row = _queue.do(job, lambda folder, name=name: curve(name, folder))
        rows[name] = {**row, "choice": asdict(SECOND[name]), "edition": made_of}
        print(name, SECOND[name].words, row["validation"], flush=True)
        write("architectures/second_recipes", {"systems": dict(sorted(rows.items()))}, __spec__.name)


if __name__ == "__main__":
    run(sys.argv[1:])
