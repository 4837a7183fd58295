"""What every experiment needs: tables of scores, clocks, the hardware's name, and one way to write JSON."""

import json
import os
import platform
import re
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean

import torch

from sepbook.data.corpus import songs
from sepbook.evaluation.intervals import compare
from tools.results._edition import ROOT, of_module

RESULTS = ROOT / "results"


def mean_of(rows) -> list[float]:
    """Average rows of equal length: one value per song from one row per seed."""
    return [fmean(column) for column in zip(*rows, strict=True)]


def mean_score(scores) -> float:
    """Average a table (seed, song); a song without a score, None or NaN, is left out."""
    return fmean(value for row in scores for value in row if value is not None and value == value)


def singers(split: str = "test") -> list:
    """Name the voice behind the singer of each song: songs by one voice are not independent."""
    return [song.score.get("voice") for song in songs(split)]


def paired(ours, theirs, voices=None, units: str = "songs") -> dict:
    """Compare two tables (seed, song): mean, interval and verdict of ours - theirs (sepbook.evaluation.intervals)."""
    return compare(ours, theirs, voices, units=units).as_dict()


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
    """Round every float in nested dicts and lists, so that a rerun changes few lines; None where there is no number."""
    if isinstance(value, dict):
        return {k: rounded(v, digits) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(v, digits) for v in value]
    if isinstance(value, float):
        return float(f"{value:.{digits + 2}g}") if value == value else None
    return value


def write(name: str, content: dict, made_by: str | None = None) -> None:
    """Write results/NAME.json, with the hardware and the edition of the experiment that calls (or of `made_by`)."""
    edition = of_module(made_by or sys._getframe(1).f_globals["__spec__"].name)
    write_all(name, {**content, "hardware": hardware(), "edition": edition})


def write_all(name: str, content: dict) -> None:
    """Write results/NAME.json as it is, but for rounding."""
    path = RESULTS / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(rounded(content), indent=1, ensure_ascii=False)
    rows = re.sub(r"\[\s+([^][{}\"]*?)\s+\]", lambda m: "[" + re.sub(r"\s+", " ", m[1]) + "]", text)  # one line each
    path.write_text(rows + "\n", encoding="utf-8")
    print(f"wrote {path}", flush=True)


def read(name: str) -> dict:
    """Read results/NAME.json; empty where there is none yet."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
