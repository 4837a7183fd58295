"""Fair timing: two candidates take turns in one process, and the medians are compared."""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import torch

PAIRS = 9


def seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def compare(ours: Callable, theirs: Callable, pairs: int = PAIRS) -> dict:
    """Interleave two functions and return the median time of each in seconds, and their ratio."""
    ours(), theirs()  # warm up
    times = [(seconds(ours), seconds(theirs)) for _ in range(pairs)]
    a, b = median(t[0] for t in times), median(t[1] for t in times)
    return {"ours_seconds": a, "theirs_seconds": b, "ratio": median(x / y for x, y in times), "pairs": pairs}


def compare_all(rivals: dict[str, tuple[Callable, Callable]], pairs: int) -> dict:
    """Compare each pair of functions, one after the other: `NAME_ours_seconds`, `NAME_theirs_seconds`, `NAME_ratio`."""
    found = {name: compare(ours, theirs, pairs) for name, (ours, theirs) in rivals.items()}
    return {f"{name}_{key}": value for name, row in found.items() for key, value in row.items() if key != "pairs"}


def largest_ratio(found: dict) -> float:
    return max(value for key, value in found.items() if key.endswith("_ratio"))


def descent(loss: Callable, estimates, *others) -> Callable:
    """Return a function that computes `loss(estimates, *others)` and its gradient."""

    def once():
        estimates.grad = None
        loss(estimates, *others).backward()

    return once


@contextmanager
def threads(count: int):
    """Let PyTorch work on so many threads; also a decorator."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


# A new process starts with the peak of the one that made it in its accounts; the kernel's own notes begin anew.
REPORT = """
import atexit, shutil, sys
atexit.register(lambda to=sys.argv.pop(): shutil.copyfile("/proc/self/status", to))
"""


def child(code: str, threads: int, *arguments: str) -> dict:
    """Run Python code in a fresh process; return its wall time, processor time and peak memory (Linux only).

    Times are the best of one run: the caller repeats and takes the median.
    """
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "GOMP_SPINCOUNT": "0"}
    with tempfile.TemporaryDirectory() as folder:
        status_file = Path(folder) / "status"
        start = time.perf_counter()
        job = subprocess.Popen([sys.executable, "-c", REPORT + code, *arguments, str(status_file)], env=environment)
        _, status, usage = os.wait4(job.pid, 0)
        wall = time.perf_counter() - start
        if status:
            raise RuntimeError(f"the measured process failed with status {status}")
        peak = re.search(r"VmHWM:\s+(\d+) kB", status_file.read_text())
    return {
        "wall_seconds": wall,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_mb": int(peak[1]) * 1024 / 1e6,
    }


def medians(runs: list[dict]) -> dict:
    return {key: median(run[key] for run in runs) for key in runs[0]}
