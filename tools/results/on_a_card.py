"""Other recipes for the systems that missed their goal, tried on a graphics card: would another choice have helped?

Each run differs from the shipped one in what its words say, and has a course of its own length with ten looks at
validation songs or voices. They are curves of one seed: they choose, and prove nothing. Nothing of them is shipped, and
no test song is touched. Writes results/architectures/on_a_card.json; without a card it leaves that file alone.

`python -m tools.results.on_a_card NAME …` does these systems alone and keeps the rows of all others.
"""

import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch

from sepbook.architectures import create
from sepbook.training.loop import train
from sepbook.training.recipes import by_recipe
from tools.results import _edition, _queue
from tools.results._common import clocks, read, write
from tools.results._earlier import DANET, DEEP_CLUSTERING, DENOISER, TASNET


@dataclass(frozen=True)
class Try:
    """What is done otherwise, and how many steps the course has."""

    words: str  # as a legend says it
    steps: int
    config: dict = field(default_factory=dict)  # fields of the small preset
    recipe: dict = field(default_factory=dict)  # fields of its recipe


FAR, SAME = {"far_first": 4000}, {"augment": ()}
# Some presets were others then: their windows were half as long, and every talker kept his speed.
SHORT = {"n_fft": 256, "hop": 64, "dropout": 0.3}
SQUARES = {**SHORT, "target": "tpsa", "loss": "mse"}  # of mask inference, which compared magnitudes
PIECES = {"seconds": 1.0, "augment": ("repitch",), "mixing": {}}
CHIMERA = {**SQUARES, "units": 192, "embedding": 10, "clustering": 1.0, "masking": 1.0}
FAR_PIECES = {**PIECES, "mixing": {"far_first": 3200}}
TRIED = {
    "chimera": (
        Try("192 units", 2512, CHIMERA, FAR_PIECES),
        Try(
            "192 units, half dropped, masks count more",
            1692,
            {**CHIMERA, "dropout": 0.5, "clustering": 0.3},
            FAR_PIECES,
        ),
    ),
    "conv_tasnet": (
        Try("short filters, short pieces", 5205, {"size": 20, "blocks": 7}, {"seconds": 1.2, "batch_size": 6}),
        Try("the recipe as shipped", 5772),
    ),
    "danet": (
        Try(
            "short windows, easy pairs longer",
            3535,
            {**DANET.config, "units": 144, "dropout": 0.25},
            {**DANET.recipe, "mixing": {"far_first": 3200}},
        ),
    ),
    "deep_clustering": (
        Try("a dropout of a quarter", 3093, {**DEEP_CLUSTERING.config, "dropout": 0.25}, DEEP_CLUSTERING.recipe),
        Try(
            "200 units, nearly half dropped",
            1836,
            {**DEEP_CLUSTERING.config, "units": 200, "dropout": 0.45},
            DEEP_CLUSTERING.recipe,
        ),
    ),
    "demucs": (
        Try("L1, 17,157 steps", 17157, {"loss": "l1"}),
        Try("squared error, other pitches", 6623, {"loss": "mse"}, {"augment": ("repitch", "flip_sign")}),
    ),
    "denoiser": (
        Try("other pitches, other noises", 6441, {}, {**DENOISER.recipe, "augment": ("repitch", "remix")}),
        Try(
            "and a loss on magnitudes, batches of 16",
            2946,
            {"stft_weight": 0.1},
            {**DENOISER.recipe, "augment": ("repitch", "remix", "flip_sign"), "batch_size": 16},
        ),
    ),
    "mask_inference": (
        Try("192 units", 3782, {**SQUARES, "units": 192}, {**PIECES, "batch_size": 12}),
        Try("160 units, three layers", 3779, {**SQUARES, "units": 160, "layers": 3}, {**PIECES, "batch_size": 12}),
        Try(
            "192 units, two seconds, far pairs first",
            3583,
            {**SQUARES, "units": 192, "dropout": 0.4},
            {**PIECES, "seconds": 2.0, "batch_size": 8, "mixing": FAR},
        ),
    ),
    "spleeter": (
        Try("every song at its own pitch", 1700, {"power": 1.0, "dropout": 0.0}, SAME),
        Try("and a fifth dropped", 1700, {"power": 1.0, "dropout": 0.2}, SAME),
    ),
    "tasnet": (
        Try(
            "short segments, a dropout of 0.3",
            3739,
            {**TASNET.config, "units": 160, "dropout": 0.3},
            TASNET.recipe,
        ),
    ),
    "wave_unet": (
        Try("L1", 3000, {"loss": "l1"}),
        Try("L1, other pitches", 3000, {"loss": "l1"}, {"augment": ("repitch",)}),
    ),
    "wavenet": (Try("3600 steps, flipped signs", 3600, {}, {"augment": ("flip_sign",)}),),
}


def course(name: str, tried: Try, folder: Path | None = None, preset: str = "small", device: str = "cuda") -> dict:
    """Train by a recipe that is tried, and return how its looks at validation went."""
    torch.manual_seed(0)
    system = create(name, preset, **tried.config)
    changes = tried.recipe | {"folder": folder, "resume": folder is not None, "device": device}
    data, valid, config = by_recipe(system, tried.steps, 0, **changes)
    with clocks() as time:
        history = train(system, data, valid, config)
    if history.stopped == "interrupted":
        raise KeyboardInterrupt
    points = [[row["step"], row["valid_si_sdr_improvement"]] for row in history.rows]
    return {"validation": points, "parameters": sum(p.numel() for p in system.parameters()), **time}


def run(chosen=None) -> None:
    if not torch.cuda.is_available():
        print("   there is no card: skipped")
        return
    rows = {name: row for name, row in read("architectures/on_a_card").get("systems", {}).items() if name in TRIED}
    for name in chosen or TRIED:
        rows[name] = []
        for tried in TRIED[name]:
            job = _queue.Job("on_a_card", {"corpus": _edition.of_corpus(), "tried": asdict(tried)}, name, "small")
            row = _queue.do(job, lambda folder, name=name, tried=tried: course(name, tried, folder))
            rows[name].append({**asdict(tried), **row})
        card = torch.cuda.get_device_name()
        write("architectures/on_a_card", {"card": card, "systems": dict(sorted(rows.items()))}, __spec__.name)


if __name__ == "__main__":
    run(sys.argv[1:])
