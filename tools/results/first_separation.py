"""The run of the first lab, looked at on its way: what the U-Net makes of unseen songs after 0, 50, 150 and 350 steps.

Writes results/first_separation.json (the loss of every step, and scores at each stop), and for each stop and stem some
seconds of the estimate, results/first_separation/STEPS_STEM.mp3: the page's training replay plays them.
"""

from itertools import count

import torch

from sepbook import audio
from sepbook.architectures import create
from sepbook.architectures.base import System
from sepbook.data.corpus import songs
from sepbook.evaluation.metrics import evaluate
from sepbook.evaluation.separation import separate
from sepbook.training.loop import train
from sepbook.training.recipes import by_recipe
from tools.results import _common
from tools.results._common import clocks, write

STOPS = (0, 50, 150)  # steps after which the run is looked at, and after its last
STEPS = 350
SEED = 0
SONG, BEGIN, SECONDS = 2, 10.0, 4.0  # of the test songs, the one that the page plays; all stems sound here


def look(system: System, steps: int) -> dict:
    """Score a system on the unseen songs, and write what it makes of the excerpt."""
    song = songs("test")[SONG]
    begin, end = (round(seconds * song.sample_rate) for seconds in (BEGIN, BEGIN + SECONDS))
    estimates = separate(system, song.mixture(), song.sample_rate)[..., begin:end]  # (S, C, N)
    folder = _common.RESULTS / "first_separation"
    folder.mkdir(parents=True, exist_ok=True)
    for name, estimate in zip(system.source_names, estimates, strict=True):
        (folder / f"{steps}_{name}.mp3").write_bytes(audio.mp3_bytes(estimate, song.sample_rate))
    scores = evaluate(system, songs("test"), progress=False)
    return {"steps": steps, "improvement": {"mean": scores.mean(), **scores.per_source()}}


def look_on_the_way(system: System) -> list[dict]:
    """Let a system be looked at before the step that follows each stop. The looks change nothing of the run."""
    loss, steps, looks = system.loss, count(), []

    def looked(**batch):
        if system.training and (done := next(steps)) in STOPS:  # validation asks for the loss too, and is no step
            system.eval()
            looks.append(look(system, done))
            system.train()
        return loss(**batch)

    system.loss = looked
    return looks


def run() -> None:
    """Train as the first lab does, and stop to look."""
    torch.set_num_threads(1)  # sums in one order: the same weights on any number of cores
    torch.manual_seed(SEED)
    system = create("unet", "small")
    looks = look_on_the_way(system)
    with clocks() as time:
        history = train(system, *by_recipe(system, STEPS, SEED))
    looks.append(look(system, STEPS))
    about = {"song": SONG, "begin": BEGIN, "seconds": SECONDS, "steps": STEPS, "seed": SEED, "kept": history.best_step}
    write("first_separation", {**about, "loss": history.losses, "stops": looks, **time})
