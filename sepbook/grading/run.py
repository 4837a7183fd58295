"""Grade a folder of notebooks: each one in processes of its own, then a table and a page for each student."""

import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from sepbook.grading.guard import ALL, Limits
from sepbook.grading.student import live
from sepbook.grading.submissions import Submission, find
from sepbook.grading.supervise import context, grade_notebook
from sepbook.grading.verdicts import known

HIDDEN = 2  # sets of cases beside the usual one


@dataclass
class Grades:
    """What a run has found."""

    submissions: list[Submission]
    seed: int
    limits: Limits
    held: list[str] = field(default_factory=list)  # protections that there were

    @property
    def missing(self) -> list[str]:
        """Protections that this machine does not have."""
        return [name for name in ALL if name not in self.held]

    @property
    def students(self) -> dict[str, list[Submission]]:
        """The submissions of each student, by name."""
        names = sorted({one.student for one in self.submissions if one.student}, key=str.casefold)
        return {name: [one for one in self.submissions if one.student == name] for name in names}


def variants_of(seed: int) -> list[int]:
    """Return the sets of cases of a run: the usual one, and hidden ones that depend on the seed."""
    return [0, *Random(seed).sample(range(1, 1_000_000), HIDDEN)]


def protections(limits: Limits) -> list[str]:
    """Return which protections hold here: a process that runs nothing tries them on."""
    import tempfile

    from sepbook.grading.link import Gone, Link

    made = context()
    ours, theirs = made.Pipe()
    with tempfile.TemporaryDirectory(prefix="sepbook-grade-") as scratch:
        process = made.Process(target=live, args=(theirs, limits, scratch))
        process.start()
        theirs.close()
        try:
            return Link(ours).ask("held")
        except Gone:
            raise RuntimeError("this machine cannot hold a notebook's process: it ended before it began") from None
        finally:
            ours.close()
            process.join(10)
            process.kill()


def grade(
    folder: Path, limits: Limits | None = None, seed: int | None = None, jobs: int = 1, say: Callable = print
) -> Grades:
    """Grade all notebooks in a folder and return what was found; nothing is written.

    Raises ValueError for a folder without notebooks.
    """
    limits, seed = limits or Limits(), secrets.randbelow(2**31) if seed is None else seed
    submissions = find(Path(folder), known())
    grades = Grades(submissions, seed, limits, protections(limits))
    for name in grades.missing:
        say(f"note: not on this machine: {name}")
    work = [one for one in submissions if one.cells]
    variants = variants_of(seed)

    def one(submission: Submission) -> Submission:
        submission.verdicts = grade_notebook(submission.cells, limits, variants)
        return submission

    with ThreadPoolExecutor(jobs) as pool:
        for count, found in enumerate(pool.map(one, work), 1):
            say(f"{count} of {len(work)}: {found.student}, {found.lab}: {found.solved} of {len(found.verdicts)}")
    choose(submissions)
    return grades


def choose(submissions: list[Submission]) -> None:
    """Of several submissions of one student and lab, let the best one count; of equal ones, the last by name."""
    best: dict[tuple, Submission] = {}
    for one in submissions:
        one.counts = False
        if one.cells:
            key = (one.student, one.lab)
            if key not in best or one.solved >= best[key].solved:
                best[key] = one
    for one in best.values():
        one.counts = True
