"""Ours beside the networks of other packages on a card: a forward pass and a step of training, and the compiled step.

    SEPBOOK_BENCH_PUBLIC=1 python -m tools.bench public_card     where the other packages can be imported

As in `tools.bench.public`, but in seconds of the clock, each time waited for until the card has done its work, and with
four seconds of sound, since a card is idle with less. Skipped where there is no card.
"""

import os
from contextlib import contextmanager
from statistics import median

import torch

from sepbook.building_blocks.normalization import GlobalLayerNorm
from sepbook.training.device import matrix_products
from tools.bench import _packages as packages
from tools.bench._measure import PAIRS as TURNS
from tools.bench._measure import seconds
from tools.bench._pairs import PAIRS, difference
from tools.bench.public import EXACT, forward, step, versions

SOUND = 4.0  # seconds
TURNS_BEFORE = 3  # kernels are chosen, and the step is compiled


def waited(run):
    """Return a function that does the same, and waits for the card."""

    def once():
        run()
        torch.cuda.synchronize()

    return once


def take_turns(runs: dict) -> dict:
    """Let functions take turns; return the median seconds of each, and the median of each ratio to the last one."""
    runs = {name: waited(run) for name, run in runs.items()}
    for _ in range(TURNS_BEFORE):
        for run in runs.values():
            run()
    times = {name: [] for name in runs}
    for _ in range(TURNS):
        for name, run in runs.items():
            times[name].append(seconds(run))
    *others, last = times
    ratios = {f"{name}_ratio": median(a / b for a, b in zip(times[name], times[last], strict=True)) for name in others}
    return {**{f"{name}_seconds": median(t) for name, t in times.items()}, **ratios}


@contextmanager
def one_kernel():
    """Let the global norm be one operation on a card too, as it is elsewhere, for the length of a `with` block."""
    way = GlobalLayerNorm.on_many_processors
    GlobalLayerNorm.on_many_processors = lambda self, x: torch.group_norm(x, 1, self.weight, self.bias, self.eps)
    try:
        yield
    finally:
        GlobalLayerNorm.on_many_processors = way


def measure(make, compiled: bool = True) -> dict:
    """Compare answers, then times."""
    torch.manual_seed(0)
    torch._dynamo.reset()
    pair = make(seconds=SOUND)
    pair.ours.cuda(), pair.theirs.cuda()
    pair.mixture = pair.mixture.cuda()
    apart = difference(pair)
    if apart > EXACT:
        raise ValueError(f"the two answers differ by {apart:.1e}, so there is nothing to compare")
    found = {"what": pair.what, "sound_seconds": SOUND, "difference": apart}
    found["forward"] = take_turns({"ours": forward(pair.run_ours), "theirs": forward(pair.run_theirs)})
    pair.ours.train(), pair.theirs.train()
    steps = {"ours": step(pair.ours, pair.run_ours), "theirs": step(pair.theirs, pair.run_theirs)}
    if compiled:
        fast = torch.compile(pair.ours, dynamic=False)
        steps = {"compiled": step(pair.ours, lambda: fast(pair.mixture)), **steps}
    found["training"] = take_turns(steps)
    return found


def run() -> dict:
    if not (torch.cuda.is_available() and os.environ.get("SEPBOOK_BENCH_PUBLIC")):
        print("   there is no card, or other packages are not asked for: skipped")
        return {"skipped": "there was no card, or SEPBOOK_BENCH_PUBLIC was not set"}
    found, missing, single = {}, {}, {}
    torch.backends.cudnn.allow_tf32 = False  # answers are compared to many digits
    with matrix_products("highest"):
        for name, make in PAIRS.items():
            try:
                found[name] = measure(make)
            except packages.Missing as reason:
                missing[name] = str(reason)
                continue
            print(f"   {name}: {found[name]}", flush=True)
            if any(isinstance(part, GlobalLayerNorm) for part in make().ours.modules()):
                with one_kernel():
                    row = measure(make, compiled=False)
                single[name] = {kind: row[kind]["ours_ratio"] for kind in ("forward", "training")}
    torch.backends.cudnn.allow_tf32 = True
    content = {"card": torch.cuda.get_device_name(), "pairs": found, "missing": missing, "one_kernel": single}
    return {**content, "turns": TURNS, "versions": versions()}
