"""Ours beside the networks of other packages, forward and a step of training; and what each system costs.

    make bench-public      makes the environment that this needs, and runs this in it

Both sides have the same weights, input and arithmetic, under one PyTorch, on one thread: before a time
is taken, their answers are compared. Times are processor seconds, so that other work on the machine counts less;
the two sides take turns, and what counts is the median of the ratios. A class that cannot be imported is named.
"""

import ctypes
import gc
import os
import re
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

import torch

from sepbook import shapes
from sepbook.architectures import create, names
from tools.bench import _packages as packages
from tools.bench._measure import PAIRS as TURNS
from tools.bench._measure import threads
from tools.bench._pairs import PAIRS, Pair, difference

PINS = {  # what `make bench-public` installs: the last version that has the class
    "openunmix": "1.3.0",
    "asteroid": "0.7.0",
    "asteroid-filterbanks": "0.4.0",
    "torchaudio": "2.11.0",
    "demucs": "2.0.3",
    "denoiser": "0.1.5",
    "nussl": "1.1.9",
    "julius": "0.2.8",  # Demucs computes with it
}
EXACT, LIMIT, AIM = 1e-5, 1.05, 0.77  # largest difference of the answers; ratios of time
SECONDS, RUNS = 4, 3  # of sound, for the real-time factor
COUNTED = 10  # seconds whose operations are counted


def processor_seconds(run) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def compare(ours, theirs, turns: int = TURNS) -> dict:
    """Let two functions take turns; return their median times and the median of the ratios."""
    ours(), theirs()  # warm up
    times = [(processor_seconds(ours), processor_seconds(theirs)) for _ in range(turns)]
    a, b = (median(side) for side in zip(*times, strict=True))
    return {"ours_seconds": a, "theirs_seconds": b, "ratio": median(x / y for x, y in times)}


def step(network, run):
    """Return a function that does one step of training; so small a rate leaves the arithmetic as it is."""
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-9)

    def once():
        optimizer.zero_grad()
        run().square().mean().backward()
        optimizer.step()

    return once


def forward(run):
    @torch.no_grad()
    def once():
        run()

    return once


def measure(pair: Pair) -> dict:
    """Compare answers, then times."""
    apart = difference(pair)
    if apart > EXACT:
        raise ValueError(f"the two answers differ by {apart:.1e}, so there is nothing to compare")
    found = {"what": pair.what, "sound_seconds": pair.seconds, "difference": apart}
    found["parameters"] = sum(p.numel() for p in pair.theirs.parameters())
    found["forward"] = compare(forward(pair.run_ours), forward(pair.run_theirs))
    pair.ours.train(), pair.theirs.train()
    found["training"] = compare(step(pair.ours, pair.run_ours), step(pair.theirs, pair.run_theirs))
    return found


def peak_mb(run) -> float | None:
    """Return by how many megabytes a function's memory rises at most; None where the kernel does not say (Linux)."""
    status, clear = Path("/proc/self/status"), Path("/proc/self/clear_refs")
    if not clear.exists():
        return None
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    clear.write_text("5")  # the peak begins anew
    before = int(re.search(r"VmRSS:\s+(\d+) kB", status.read_text())[1])
    run()
    return (int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1]) - before) * 1024 / 1e6


def costs(name: str) -> dict:
    """Return what the published preset counts, and what the small one takes, for a forward pass of a few seconds."""
    with torch.device("meta"):
        paper = create(name, "paper").eval()
        ledger = shapes.trace(paper, torch.zeros(1, paper.channels, COUNTED * paper.sample_rate))
    small = create(name, "small").eval()
    mixture = 0.1 * torch.randn(1, small.channels, SECONDS * small.sample_rate)
    run = forward(lambda: small(mixture))
    run()
    peak = peak_mb(run)
    best = min(processor_seconds(run) for _ in range(RUNS))
    return {
        "paper_parameters": ledger.parameters,
        "paper_gmac_per_second": ledger.macs / COUNTED / 1e9,
        "small_parameters": sum(p.numel() for p in small.parameters()),
        "small_real_time_factor": best / SECONDS,
        "small_peak_mb": peak,
    }


def versions() -> dict[str, str | None]:
    """Return the version of each package that is installed here, None for the others."""
    found = {}
    for name in PINS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


@threads(1)
def run() -> dict:
    if not os.environ.get("SEPBOOK_BENCH_PUBLIC"):
        print("   needs other packages, in an environment of their own: make bench-public")
        return {"skipped": "make bench-public"}
    found, missing = {}, {}
    for name, make in PAIRS.items():
        torch.manual_seed(0)
        try:
            found[name] = measure(make())
        except packages.Missing as reason:
            missing[name] = str(reason)
            continue
        print(f"   {name}: {found[name]['forward']['ratio']:.2f} {found[name]['training']['ratio']:.2f}", flush=True)
    ratios = {f"{name} {kind}": row[kind]["ratio"] for name, row in found.items() for kind in ("forward", "training")}
    return {
        "pairs": found,
        "missing": missing,
        "systems": {name: costs(name) for name in names()},
        "largest_ratio": max(ratios.values(), default=None),
        "above_limit": {name: ratio for name, ratio in ratios.items() if ratio > LIMIT},
        "limit": LIMIT,
        "aim": AIM,
        "turns": TURNS,
        "threads": 1,
        "time": "processor seconds",
        "versions": versions(),
        "load_at_the_end": os.getloadavg()[0],
    }
