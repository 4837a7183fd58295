"""What every experiment needs: means and intervals, clocks, the hardware's name, and one way to write JSON."""

import json
import os
import platform
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean, stdev

import torch
from scipy.special import stdtrit

from tools.results._edition import ROOT, of_module

RESULTS = ROOT / "results"


def mean_of(rows) -> list[float]:
    """Average rows of equal length: one value per song from one row per seed."""
    return [fmean(column) for column in zip(*rows, strict=True)]


def interval(values) -> dict:
    """Return the mean of values, one per song, its 95 % interval by Student's t, and whether zero lies inside."""
    values = [float(value) for value in values]
    mean, half = fmean(values), float(stdtrit(len(values) - 1, 0.975)) * stdev(values) / len(values) ** 0.5
    return {"mean": mean, "low": mean - half, "high": mean + half, "zero": abs(mean) <= half}


def paired(a, b, songs: bool = False) -> dict:
    """Return the `interval` of a - b over songs, each the mean of its seeds; on request also the differences."""
    gaps = [x - y for x, y in zip(a, b, strict=True)]
    return interval(gaps) | ({"songs": gaps} if songs else {})


def extremes(values) -> dict:
    """Return the mean, the smallest and the largest of values, one per seed."""
    return {"mean": fmean(values), "low": min(values), "high": max(values)}


def hardware() -> dict:
    """Name what the numbers were measured on."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    card = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "gpu": card,
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


@contextmanager
def clocks():
    """Measure wall and processor time in seconds, and the load beside us: yields a dict that is filled at the end."""
    result = {"load_at_start": os.getloadavg()[0]}
    wall, cpu = time.perf_counter(), time.process_time()
    yield result
    result |= {"wall_seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}


def rounded(value, digits: int = 4):
    """Round every float in nested dicts and lists, so that a rerun changes few lines."""
    if isinstance(value, dict):
        return {k: rounded(v, digits) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(v, digits) for v in value]
    return float(f"{value:.{digits + 2}g}") if isinstance(value, float) else value


def write(name: str, content: dict, made_by: str | None = None) -> None:
    """Write results/NAME.json, with the hardware and the edition of the experiment that calls (or of `made_by`)."""
    edition = of_module(made_by or sys._getframe(1).f_globals["__spec__"].name)
    write_all(name, {**content, "hardware": hardware(), "edition": edition})


def write_all(name: str, content: dict) -> None:
    """Write results/NAME.json as it is, but for rounding."""
    path = RESULTS / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(rounded(content), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"wrote {path.relative_to(ROOT)}", flush=True)


def read(name: str) -> dict:
    """Read results/NAME.json; empty where there is none yet."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
