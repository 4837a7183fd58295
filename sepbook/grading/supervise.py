"""Watch over the two processes of a notebook: give them their time, end them, and go on after what has failed."""

import multiprocessing
import os
import shutil
import signal
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from sepbook.grading.guard import Limits
from sepbook.grading.marker import mark
from sepbook.grading.student import live
from sepbook.grading.submissions import Cells
from sepbook.grading.verdicts import ENDED, SLOW, Verdict, known

START = 300.0  # seconds that two processes may take to begin on a busy machine


def context():
    """Return how processes are made: forks of one that has imported everything, or new ones where there is no fork."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    made = multiprocessing.get_context("forkserver")
    made.set_forkserver_preload(["sepbook.grading.preloaded"])
    return made


class Round:
    """Two processes for one notebook: the student's and the marker's."""

    def __init__(self, cells: Cells, limits: Limits, skip, done, variants):
        made = context()
        self.scratch = tempfile.mkdtemp(prefix="sepbook-grade-")
        theirs, ours = made.Pipe()
        self.results, told = made.Pipe(duplex=False)
        given = (ours, told, cells, list(skip), list(done), list(variants), self.scratch)
        self.student = made.Process(target=live, args=(theirs, limits, self.scratch), daemon=False)
        self.marker = made.Process(target=mark, args=given, daemon=False)
        self.student.start()
        self.marker.start()
        for end in (theirs, ours, told):
            end.close()  # so that a pipe ends when its process does

    def next(self, until: float):
        """Return what the marker tells next; ("late", 0) when the time is over, ("gone", why) when it has ended."""
        try:
            if self.results.poll(max(0.0, until - time.monotonic())):
                return self.results.recv()
        except (EOFError, OSError):
            return "gone", "the marker has ended"
        return "late", 0

    def used(self) -> float | None:
        """Return the seconds of a processor that both processes have used; None where that cannot be told."""
        pids = [pid for process in (self.student, self.marker) for pid in (process.pid, *descendants(process.pid))]
        try:
            fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
        except OSError:
            return None
        return sum(int(row[11]) + int(row[12]) for row in fields) / os.sysconf("SC_CLK_TCK")

    def end(self) -> None:
        """End both processes and all that the student's has started, and remove what it has written."""
        for process in (self.marker, self.student):
            for pid in (*descendants(process.pid), process.pid):
                with suppress(OSError):
                    os.kill(pid, signal.SIGKILL) if hasattr(signal, "SIGKILL") else process.kill()
        with suppress(OSError, AttributeError):
            os.killpg(self.student.pid, signal.SIGKILL)
        for process in (self.marker, self.student):
            process.join(5)
        self.results.close()
        shutil.rmtree(self.scratch, ignore_errors=True)


def descendants(pid: int) -> list[int]:
    """Return the processes that a process has started, the deepest first (Linux; elsewhere none)."""
    with suppress(OSError):
        tasks = Path(f"/proc/{pid}/task").iterdir()
        children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
        return [below for child in children for below in (*descendants(child), child)]
    return []


def grade_notebook(cells: Cells, limits: Limits, variants: list[int]) -> list[Verdict]:
    """Return a verdict for every exercise of a lab, whatever its notebook does."""
    verdicts = {n: Verdict(n, exercise.title) for n, exercise in enumerate(known()[cells.lab], 1)}
    skip, done, end = set(), set(), time.monotonic() + limits.patience * limits.notebook
    while len(done) < len(verdicts) and time.monotonic() < end:
        now = _one_round(cells, limits, skip, done, variants, verdicts, end)
        if now is None:
            break
        number, status, words = now
        if number == 0:  # the set-up itself: nothing can be graded
            for n in verdicts.keys() - done:
                verdicts[n].status, verdicts[n].words = status, f"in the set-up cells: {words}"
            return list(verdicts.values())
        if number not in done:
            verdicts[number].status, verdicts[number].words = status, words
        skip.add(number)
        done.add(number)
    for n in verdicts.keys() - done:
        if n in cells.exercises and time.monotonic() >= end:
            verdicts[n].status, verdicts[n].words = SLOW, "The time for the notebook was over."
    return list(verdicts.values())


def _one_round(cells, limits, skip, done, variants, verdicts, end):
    """Mark until the end (then None), or until something fails: which exercise it was, its status and words."""
    work = Round(cells, limits, skip, done, variants)
    number, until, last, before = 0, time.monotonic() + START, 0.0, 0.0
    try:
        while True:
            kind, *rest = work.next(until)
            now, used = time.monotonic(), work.used()
            if kind == "begin":
                number, until, before = rest[0], now + limits.seconds, used or 0.0
                last = min(now + limits.patience * limits.seconds, end)
            elif kind == "late" and now < last and used is not None and used - before < limits.seconds:
                until = min(now + max(0.2, limits.seconds - (used - before)), last)
            elif kind == "verdict":
                verdicts[number] = rest[0]
                done.add(number)
            elif kind == "end":
                return None
            elif kind == "late":
                return number, SLOW, f"It was ended after {limits.seconds:g} s of work, or much longer by the clock."
            else:
                return number, ENDED, f"The notebook's process ended: {rest[0]}."
    finally:
        work.end()
