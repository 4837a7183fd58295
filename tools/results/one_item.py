"""Can the network do it at all? Every small system learns one item of three seconds, and nothing else.

What a system does not reach here, no amount of data would bring; what it reaches here and not on unseen songs, is a
matter of data and steps. A system of masks is measured by the ideal mask of its kind on the same item, any other by
decibels alone. Each system is a job of its own. Writes results/architectures/one_item.json.

`python -m tools.results.one_item NAME …` does these systems alone and keeps the rows of all others.
"""

import sys

import torch
from torch.utils.data import Dataset

from sepbook.architectures import create, names
from sepbook.evaluation.oracles import separate_ideal
from sepbook.losses.silence import is_silent
from sepbook.training.loop import train
from sepbook.training.recipes import by_recipe
from sepbook.training.validation import improvement
from tools.results import _edition, _queue
from tools.results._common import clocks, read, write

SECONDS, BATCH = 3.0, 2  # of the item; how often a step sees it: one kind of norm needs more than one
STEPS, EVERY = 1000, 50  # steps, and after how many the gain is looked at
LOUD = 1e-4  # least mean square of every source in the item: each has to be there
SONG_MASKS = ("open_unmix", "spleeter", "unet", "unet_conditioned", "unet_joint", "unet_multisource")
TALKER_MASKS = ("chimera", "danet", "deep_clustering", "mask_inference")
KINDS = {**dict.fromkeys(SONG_MASKS, "ratio"), **dict.fromkeys(TALKER_MASKS, "binary")}


class Same(Dataset):
    """One item as a data set of any length."""

    def __init__(self, item: dict, like, length: int):
        self.item, self.length = item, length
        self.source_names, self.sample_rate, self.channels = like.source_names, like.sample_rate, like.channels

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, number: int) -> dict:
        return self.item


def full_item(data, source_names) -> dict:
    """Return the first item in which each of these sources sounds."""
    rows = [list(data.source_names).index(name) for name in source_names]
    for number in range(len(data)):
        sources = data[number]["sources"][rows]  # (S, C, N)
        if sources.square().mean((1, 2)).min() > LOUD and not is_silent(sources[None]).any():
            return data[number]
    raise ValueError("no item holds all sources")


def ideal_gain(item: dict, data, source_names, kind: str) -> float:
    """Return the mean improvement of ideal masks on an item, in dB."""
    rows = [list(data.source_names).index(name) for name in source_names]
    sources, mixture = item["sources"][rows], item["mixture"]
    estimates = separate_ideal(sources, kind, mixture=mixture)
    return improvement(estimates[None], sources[None], mixture[None]).mean().item()


def learn(name: str, steps: int = STEPS) -> dict:
    """Train the small preset of a system on one item, by its own recipe but for the data; return its gains."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    system = create(name, "small")
    changes = {"seconds": SECONDS, "batch_size": BATCH, "augment": (), "patience": 0, "average": 0.0}
    data, _, config = by_recipe(system, steps, 0, **changes)
    item = full_item(data, system.source_names)
    again, once = Same(item, data, EVERY * BATCH), Same(item, data, 1)
    with clocks() as time:
        history = train(system, again, once, config)
    gains = [[row["step"], row["valid_si_sdr_improvement"]] for row in history.rows]
    found = {"steps": steps, "gains": gains, "gain": max(gain for _, gain in gains), **time}
    if name in KINDS:
        ideal = ideal_gain(item, data, system.source_names, KINDS[name])
        found |= {"mask": KINDS[name], "ideal": ideal, "fraction": found["gain"] / ideal}
    print(f"{name}: {found}", flush=True)
    return found


def run(chosen=None) -> None:
    rows = {name: row for name, row in read("architectures/one_item").get("systems", {}).items() if name in names()}
    for name in chosen or names():
        made_of = _edition.of_system(name, "small", STEPS)
        edition = {**made_of, "tool": _edition.of_module(__spec__.name)}
        row = _queue.do(_queue.Job("one_item", edition, name, "small"), lambda folder, name=name: learn(name))
        rows[name] = {**row, "edition": made_of}
        write("architectures/one_item", {"seconds": SECONDS, "systems": dict(sorted(rows.items()))}, __spec__.name)


if __name__ == "__main__":
    run(sys.argv[1:])
