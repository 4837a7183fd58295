"""Long work, one job after the other: what is done stays done, and what was interrupted goes on where it was.

A job is known by system, preset, arm, seed and edition: after a change of corpus, code or recipe it is another one. Its
row lies in _build/runs/KEY.json and its training in the folder _build/runs/KEY; `make clean` forgets them all.
"""

import dataclasses
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tools.results._edition import ROOT, digest

RUNS = ROOT / "_build" / "runs"


@dataclass(frozen=True)
class Job:
    """One run. An experiment that is no system's has its name as arm."""

    arm: str
    edition: dict = field(hash=False)
    system: str = ""
    preset: str = ""
    seed: int = 0

    @property
    def key(self) -> str:
        """The name of its row and folder."""
        known = digest(dataclasses.asdict(self))
        return "_".join([*filter(None, (self.system, self.preset, self.arm)), str(self.seed), known])

    @property
    def folder(self) -> Path:
        """Where its training lies."""
        return RUNS / self.key


def row_of(job: Job) -> dict | None:
    """Return the row of a job that is done; None for any other, such as one whose row is damaged."""
    try:
        row = json.loads((RUNS / f"{job.key}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return row if row.get("job") == dataclasses.asdict(job) else None


def do(job: Job, work: Callable[[Path], dict | None]) -> dict | None:
    """Return what `work(folder)` returned when this job was done, or do it now."""
    if row := row_of(job):
        print(f"   done before: {job.key}", flush=True)
        return row["content"]
    began = time.process_time()
    content = work(job.folder)
    row = {"job": dataclasses.asdict(job), "cpu_seconds": time.process_time() - began, "content": content}
    RUNS.mkdir(parents=True, exist_ok=True)
    part = RUNS / f".{job.key}.part"
    part.write_text(json.dumps(row, indent=1), encoding="utf-8")
    os.replace(part, RUNS / f"{job.key}.json")
    return content
