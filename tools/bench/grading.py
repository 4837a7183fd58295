"""How long does it take to grade a class? Forty students hand in every lab, solved, as handed out, or doing harm.

Each lab is one run of `sepbook grade`, as a teacher has it week by week, with one notebook at a time. Some answers are
solutions, some are the stubs, and each student does harm once, with one kind of attack after the other. What each
answer is, is known: solutions must earn their marks, and nothing else may. Takes about half an hour on a quiet core.
A lab that is done stands in _build/bench/grading, so a run that was stopped goes on there; a lab whose notebook or
checks have changed since is graded anew, and a change of the grading itself asks for all of them.

Memory is that of all processes of a run together (what several share is counted once), looked at twice a second.
Processor time too, so that of a process that was killed is missing.
"""

import csv
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from itertools import count
from math import gcd
from pathlib import Path
from random import Random
from statistics import median

from sepbook.grading.supervise import descendants
from tests.grading.attacks import KINDS
from tests.grading.folder import hand_in, solved
from tests.labs.reading import LABS, ROOT, numbers, read, tagged

STUDENTS, STUBS = 40, 0.2
EVERY = [name.removesuffix(".ipynb") for name in LABS]
DONE = ROOT / "_build" / "bench" / "grading"
NOTEBOOK = re.compile(r"\d+ of \d+: ")
TICK = os.sysconf("SC_CLK_TCK")


def state(lab: str, root: Path = ROOT) -> str:
    """Return a hash of what decides how a lab is graded: its notebook, its checks, the grading, and the attacks."""
    shared = [path for folder in ("sepbook/check", "sepbook/grading") for path in (root / folder).glob("*.py")]
    own = [root / "notebooks" / f"{lab}.ipynb", root / "sepbook" / "check" / f"{lab}.py"]
    files = sorted({*shared, *own, root / "tests" / "grading" / "attacks.py"})
    parts = (f"{path.relative_to(root)} {path.read_text(encoding='utf-8')}" for path in files if path.is_file())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def attack_of(student: int) -> tuple[str, str]:
    """Return in which lab a student does harm, and how: each kind in turn, and all labs before one has two."""
    step = next(n for n in count(7) if gcd(n, len(EVERY)) == 1)  # else some labs would never have their turn
    return EVERY[student * step % len(EVERY)], list(KINDS)[student % len(KINDS)]


def hand_in_lab(folder: Path, lab: str, students: int, victim: Path) -> dict:
    """Write what a class hands in for a lab; return what each answer is: {(student, exercise): kind}."""
    stubs, made = read(f"{lab}.ipynb"), {}
    for student in range(students):
        dice, name, changes = Random(f"{lab} {student}"), f"student {student:02d}", {}
        where, kind = attack_of(student)
        target = dice.choice(numbers(stubs)) if where == lab else None
        for number in numbers(stubs):
            stub = tagged(stubs, f"exercise-{number}")[0].source
            made[name, number] = "attack" if number == target else "stub" if dice.random() < STUBS else "solution"
            if number == target:
                changes[f"exercise_{number}"] = KINDS[kind].replace("{victim}", str(victim)) + f"\n\n{stub}"
                made[name, number] = kind
            elif made[name, number] == "stub":
                changes[f"exercise_{number}"] = stub
        hand_in(folder, name, solved(lab, **changes), f"{lab.replace('/', '_')}.ipynb")
    return made


def grade(folder: Path, out: Path) -> dict:
    """Run `sepbook grade`, and return its time, its memory and the time at which each notebook was done."""
    command = [sys.executable, "-m", "sepbook.cli", "grade", folder, "--out", out, "--seed", "0"]
    start, peak, spent, done = time.perf_counter(), 0.0, 0.0, []
    job = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    said = (time.perf_counter() - start for line in job.stderr if NOTEBOOK.match(line))
    listener = threading.Thread(target=lambda: done.extend(said))
    listener.start()
    while job.poll() is None:
        time.sleep(0.5)
        every = [job.pid, *descendants(job.pid)]
        peak, spent = max(peak, sum(map(megabytes, every))), max(spent, sum(map(processor_seconds, every)))
    listener.join()
    if job.returncode:
        raise RuntimeError(f"sepbook grade ended with {job.returncode}")
    return {"seconds": time.perf_counter() - start, "cpu_seconds": spent, "peak_mb": peak, "done": done}


def megabytes(pid: int) -> float:
    """Return the memory of a process, its share of what several have (Linux)."""
    try:
        rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has ended
        return 0.0
    return sum(int(row.split()[1]) for row in rows if row.startswith("Pss:")) * 1024 / 1e6


def processor_seconds(pid: int) -> float:
    """Return the processor time of a process and of those that it has waited for (Linux)."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, words[11:15])) / TICK


def of_lab(lab: str, students: int) -> dict:
    """Grade what a class hands in for one lab, and compare the marks with what was handed in."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        victim = root / "precious" / "file.txt"
        victim.parent.mkdir()
        victim.write_text("precious")
        made = hand_in_lab(root / "in", lab, students, victim)
        found = grade(root / "in", root / "out")
        with (root / "out" / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
            rows = {(row["student"], row["exercise"]): row for row in csv.DictReader(file)}
        kept = victim.read_text() == "precious"
    assert kept and rows.keys() == made.keys(), f"{lab}: a file is gone, or an answer"
    wrong = [f"{lab} {n}, {who}, {made[who, n]}: {row['status']}, {row['says'][:99]}" for (who, n), row in rows.items()
             if (row["passed"] == "1") != (made[who, n] == "solution")]  # fmt: skip
    marks = Counter(f"{made[key]} > {row['status']}" for key, row in rows.items())
    return {**found, "notebooks": students, "marks": dict(sorted(marks.items())), "not_as_deserved": wrong}


def run(students: int = STUDENTS, labs: list[str] | None = None) -> dict:
    found = {}
    for lab in labs or EVERY:
        kept = DONE / f"{students} {lab.replace('/', ' ')} {state(lab)}.json"
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(json.dumps(of_lab(lab, students)), encoding="utf-8")
        found[lab] = json.loads(kept.read_text(encoding="utf-8"))
        print(f"   {lab}: {found[lab]['seconds']:.0f} s, {'; '.join(found[lab]['not_as_deserved'])}", flush=True)
    return summary(list(found.values())) | {
        "students": students,
        "labs": len(found),
        "labs_there_are": len(EVERY),
        "seconds_of_labs": {lab: one["seconds"] for lab, one in found.items()},
    }


def summary(found: list[dict]) -> dict:
    """Return the sums over all labs."""
    marks = sum((Counter(one["marks"]) for one in found), Counter())
    each = [b - a for one in found for a, b in zip(one["done"], one["done"][1:], strict=False)]
    seconds, notebooks = (sum(one[key] for one in found) for key in ("seconds", "notebooks"))
    solutions = sum(n for name, n in marks.items() if name.startswith("solution"))
    passed = Counter()
    for name, n in marks.items():
        passed[name.split(" > ")[0]] += n * name.endswith("> passed")
    return {
        "notebooks": notebooks,
        "seconds": seconds,
        "cpu_seconds": sum(one["cpu_seconds"] for one in found),
        "seconds_per_notebook": seconds / notebooks,
        "cpu_seconds_per_notebook": sum(one["cpu_seconds"] for one in found) / notebooks,
        "median_seconds_per_notebook": median(each),
        "largest_seconds_per_notebook": max(each),
        "peak_mb": max(one["peak_mb"] for one in found),
        "solutions": solutions,
        "solutions_passed": passed["solution"],
        "stubs_passed": passed["stub"],
        "attacks": sum(n for name, n in marks.items() if name.split(" > ")[0] in KINDS),
        "attacks_passed": sum(n for name, n in passed.items() if name in KINDS),
        "not_as_deserved": [line for one in found for line in one["not_as_deserved"]],
        "marks": dict(sorted(marks.items())),
    }
