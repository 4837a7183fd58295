"""Can the network do it at all? Every small system learns one item of three seconds, and nothing else.

What a system does not reach here, no amount of data would bring; what it reaches here and not on unseen songs, is a
matter of data and steps. A system of masks is measured by the ideal mask of its kind, in its own STFT, on the same
item; any other by decibels alone. Each system is a job of its own. Writes results/architectures/one_item.json.

`python -m tools.results.one_item NAME …` does these systems alone and keeps the rows of all others.
"""

import sys

import torch
from torch.nn import functional
from torch.utils.data import Dataset

from sepbook.architectures import create, names
from sepbook.building_blocks.stft import ISTFT
from sepbook.evaluation import oracles
from sepbook.losses.silence import is_silent
from sepbook.training.loop import train
from sepbook.training.recipes import by_recipe
from sepbook.training.validation import improvement
from tools.results import _edition, _queue
from tools.results._common import clocks, read, write
from tools.results._edition import digest

SECONDS, BATCH = 3.0, 2  # of the item; how often a step sees it: one kind of norm needs more than one
STEPS, EVERY = 1000, 50  # steps, and after how many the gain is looked at
LOUD = 1e-4  # least mean square of every source in the item: each has to be there
SONG_MASKS = ("open_unmix", "spleeter", "unet", "unet_conditioned", "unet_joint", "unet_multisource")
PHASE = "truncated_phase_sensitive"  # what these two learn from
KINDS = {**dict.fromkeys(SONG_MASKS, "ratio"), "danet": "binary", "deep_clustering": "binary"}
KINDS |= {"chimera": PHASE, "mask_inference": PHASE}
IDEAL = {
    "ratio": oracles.ratio_mask,
    "binary": oracles.binary_mask,
    PHASE: oracles.truncated_phase_sensitive_mask,
}


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


def ideal_gain(system, sources: torch.Tensor, mixture: torch.Tensor, kind: str) -> float:
    """Return what ideal masks gain in a system's own STFT, in dB: sources `(S, C, N)`, mixture `(C, N)`."""
    masks = IDEAL[kind](system.stft(sources))  # (S, C, F, T)
    back = getattr(system, "istft", None) or ISTFT(system.config.n_fft, system.config.hop)
    estimates = back(masks * system.stft(mixture[None]), mixture.shape[-1])
    return improvement(estimates[None], sources[None], mixture[None]).mean().item()


def prepared(name: str, steps: int = STEPS):
    """Return a fresh system, its one item, the data that it comes from, and how to train on it."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    system = create(name, "small")
    changes = {"seconds": SECONDS, "batch_size": BATCH, "augment": (), "patience": 0, "average": 0.0}
    data, _, config = by_recipe(system, steps, 0, **changes)
    return system, full_item(data, system.source_names), data, config


def measured(name: str, found: dict) -> dict:
    """Add the gain of the ideal mask to what a system gained, and the part of it that was reached."""
    if name not in KINDS:
        return found
    system, item, data, _ = prepared(name)
    rows = [list(data.source_names).index(source) for source in system.source_names]
    ideal = ideal_gain(system, item["sources"][rows], item["mixture"], KINDS[name])
    return {**found, "mask": KINDS[name], "ideal": ideal, "fraction": found["gain"] / ideal}


def in_silence(item: dict, margin: int) -> dict:
    """Put silence on both sides of an item: a system that compares the middle of what it is given learns all of it."""
    return {key: functional.pad(item[key], (margin, margin)) for key in ("mixture", "sources")} if margin else item


def learn(name: str, steps: int = STEPS) -> dict:
    """Train the small preset of a system on one item, by its own recipe but for the data; return its gains."""
    system, item, data, config = prepared(name, steps)
    again, once = Same(in_silence(item, getattr(system, "context", 0)), data, EVERY * BATCH), Same(item, data, 1)
    with clocks() as time:
        history = train(system, again, once, config)
    gains = [[row["step"], row["valid_si_sdr_improvement"]] for row in history.rows]
    return {"steps": steps, "gains": gains, "gain": max(gain for _, gain in gains), **time}


def run(chosen=None) -> None:
    rows = {name: row for name, row in read("architectures/one_item").get("systems", {}).items() if name in names()}
    for name in chosen or names():
        edition = _edition.of_system(name, "small", STEPS)
        course = {"seconds": SECONDS, "batch": BATCH, "every": EVERY}
        job = _queue.Job("one_item", {**edition, "course": digest(course)}, name, "small")
        rows[name] = {**_queue.do(job, lambda folder, name=name: learn(name)), "edition": edition}
        print(f"{name}: {rows[name]['gain']:.1f} dB", flush=True)
    found = {name: measured(name, row) for name, row in sorted(rows.items())}
    write("architectures/one_item", {"seconds": SECONDS, "systems": found}, __spec__.name)


if __name__ == "__main__":
    run(sys.argv[1:])
