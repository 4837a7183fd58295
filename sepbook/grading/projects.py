"""Score a class's projects: each one's weights on the same songs, each in a process of its own, and one table.

Whatever a project holds, it stops no other: what cannot be loaded or takes too long has its reason in the table.
"""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sepbook.grading.report import safe
from sepbook.grading.submissions import student_of

WEIGHTS = "weights.safetensors"
COLUMNS = ("project", "system", "preset", "improvement", "low", "high", "songs", "numbers", "problem", "file")


@dataclass
class Project:
    """The weights of one project, and how they scored in dB."""

    name: str
    path: Path
    problem: str = ""
    about: dict = field(default_factory=dict)  # what `sepbook evaluate --json` says

    @property
    def scores(self) -> dict:
        """The improvement over the mixture: mean, interval, sources; empty where there is none."""
        return self.about.get("scores", {}).get("improvement", {})

    @property
    def mean(self) -> float | None:
        """The mean improvement over songs; None where there is none."""
        return self.scores.get("mean")


def find(folder: Path) -> list[Project]:
    """Return the projects of a folder, one for each folder in it. Raises ValueError for a folder without projects."""
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder. Expected: a folder with a folder for each project.")
    places = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    if not places:
        raise ValueError(f"{folder} holds no projects. Expected: {folder}/PROJECT/{WEIGHTS}, for each project.")
    return [_project(place, folder) for place in places]


def _project(place: Path, folder: Path) -> Project:
    """Return the project in a folder: its weights lie in it or deeper, and there is one file of them."""
    files = sorted(path for path in place.rglob(WEIGHTS) if path.is_file() and not path.is_symlink())
    one = Project(student_of(place / WEIGHTS, folder), files[0] if files else place)
    if len(files) != 1:
        there = ", ".join(str(path.relative_to(place)) for path in files)
        one.problem = f"there are {len(files)} files {WEIGHTS}: {there}" if files else f"there is no file {WEIGHTS}"
    return one


def score(
    folder: Path, data: str, split: str = "test", seconds: float = 1800.0, say: Callable = print
) -> list[Project]:
    """Score all projects of a folder on the songs of `data`; the best one comes first."""
    projects = find(Path(folder))
    for count, one in enumerate(projects, 1):
        if not one.problem:
            _evaluate(one, data, split, seconds)
        said = one.problem or f"{one.mean:.2f} dB better than the mixture"
        say(f"{count} of {len(projects)}: {one.name}: {said}")
    return sorted(projects, key=lambda one: (one.mean is None, -(one.mean or 0.0)))


def _evaluate(one: Project, data: str, split: str, seconds: float) -> None:
    """Let `sepbook evaluate` score it in a process of its own; what goes wrong is its problem, in one line."""
    command = [sys.executable, "-m", "sepbook.cli", "evaluate", "--weights", str(one.path)]
    command += ["--data", data, "--split", split, "--at", "track", "--json", "--quiet"]
    environment = os.environ | {"PYTHONIOENCODING": "utf-8", "PYTHONSAFEPATH": "1"}
    try:
        done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=seconds, env=environment)
    except subprocess.TimeoutExpired:
        one.problem = f"it took longer than {seconds:g} s"
        return
    try:
        one.about = json.loads(done.stdout) if done.returncode == 0 else {}
    except ValueError:
        one.about = {}
    if one.mean is None:
        lines = done.stderr.strip().splitlines() or [f"its process ended with {done.returncode}"]
        one.problem = "no song has a score" if one.about else lines[-1].removeprefix("sepbook: ")[:300]


def write(projects: list[Project], out: Path) -> list[Path]:
    """Write `projects.csv` and `projects.json` into a folder, and return them."""
    out.mkdir(parents=True, exist_ok=True)
    sources = list(dict.fromkeys(name for one in projects for name in one.scores.get("sources", {})))
    table, details = out / "projects.csv", out / "projects.json"
    with table.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file)
        writer.writerow([*COLUMNS, *sources])
        writer.writerows([safe(cell) for cell in _row(one, sources)] for one in projects)
    kept = [{"project": one.name, "problem": one.problem, **one.about} for one in projects]
    details.write_text(json.dumps(kept, indent=1, ensure_ascii=False), encoding="utf-8")
    return [table, details]


def _row(one: Project, sources: list[str]) -> list:
    low, high = one.scores.get("interval") or (None, None)
    each = {name: found["mean"] for name, found in one.scores.get("sources", {}).items()}
    numbers = [_short(number) for number in (one.mean, low, high)]
    songs, about = one.about.get("scores", {}).get("tracks", ""), one.about
    row = [one.name, about.get("system", ""), about.get("preset", ""), *numbers, songs, _numbers(one)]
    return [*row, one.problem, one.path.name, *(_short(each.get(name)) for name in sources)]


def _short(number: float | None) -> float | str:
    return "" if number is None else round(number, 2)


def _numbers(one: Project) -> int | str:
    """Return how many numbers the file of weights holds, statistics of norms included; read from its head alone."""
    if one.problem:
        return ""
    from safetensors import safe_open

    with safe_open(one.path, framework="np") as file:
        return sum(_count(file.get_slice(key).get_shape()) for key in file.keys())  # noqa: SIM118, it is no dict


def _count(shape: list[int]) -> int:
    total = 1
    for size in shape:
        total *= size
    return total
