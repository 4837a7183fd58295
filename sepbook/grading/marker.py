"""The process that marks a notebook: it holds the checks and never runs a student's code.

It asks the student's process to run a cell, takes the answer that the check cell names, and calls the exercise's
check with it. Functions are called over the pipe, so the cases, the expected values and the verdict are out of reach.
"""

import inspect
import random
import tempfile

from sepbook.grading.link import Gone, Link
from sepbook.grading.submissions import Cells
from sepbook.grading.verdicts import (
    ABSENT,
    BROKEN,
    CONTROLS,
    EDITION,
    PASSED,
    TAMPERED,
    TOGETHER,
    WRONG,
    Verdict,
    judge,
    known,
)

NOTHING = "This number stands for a default value of the student's own."


def mark(pipe, results, cells: Cells, skip: list[int], done: list[int], variants: list[int], scratch: str) -> None:
    """Mark all exercises of a notebook but those done; `skip` names cells that must not run again.

    Sends ("begin", number) and ("verdict", …) to `results` (the target of the process).
    """
    tempfile.tempdir = scratch  # where an answer may write, so must the folders be that a check gives it
    link = Link(pipe, ships=True)
    try:
        link.ask("held")  # from now on the other process is there, and its time runs
        results.send(("begin", 0))
        for source in cells.setup:
            link.ask("run", source)
        for number, exercise in enumerate(known()[cells.lab], 1):
            if number in skip:
                continue
            results.send(("begin", number))
            verdict = Verdict(number, exercise.title, apart=f"{cells.lab} {number}" not in TOGETHER)
            try:
                _mark_one(link, cells, verdict, variants, number in done)
            except Gone:
                raise
            except Exception as error:  # an answer that nobody foresaw: the other process may say anything
                verdict.status, verdict.words = WRONG, f"It cannot be checked: {type(error).__name__}: {error!s:.200}"
            if number not in done:
                results.send(("verdict", verdict))
        results.send(("end", 0))
    except Gone as error:
        results.send(("gone", str(error)))


def _mark_one(link: Link, cells: Cells, verdict: Verdict, variants: list[int], done: bool) -> None:
    """Run the cell of one exercise, and judge its answer."""
    number = verdict.number
    if number not in cells.exercises:
        return
    good, _, error = link.ask("run", cells.exercises[number])
    if done:
        return
    wanted = len(inspect.signature(known()[cells.lab][number - 1].check).parameters)
    names = cells.answers.get(number, [])
    if len(names) != wanted:
        verdict.status, verdict.words = EDITION, f"Its check wants {wanted} answers, this notebook gives {len(names)}."
    elif not good:
        verdict.status, verdict.words = BROKEN, error
    elif verdict.apart:
        _judge_apart(link, cells, verdict, names, variants)
    else:
        _judge_together(link, cells, verdict, names, variants)


def _judge_apart(link: Link, cells: Cells, verdict: Verdict, names: list[str], variants: list[int]) -> None:
    answers = []
    for name in names:
        try:
            there, value, about = link.ask("answer", name)
            answers.append(borrowed(value, about) if about else value)
        except Gone:
            raise
        except Exception as error:
            verdict.status, verdict.words = WRONG, f"{name} cannot be checked: {str(error)[:200]}."
            return
        if not there:
            verdict.status, verdict.words = ABSENT, f"There is no {name}."
            return
    verdict.status, verdict.words, verdict.kind = judge(cells.lab, verdict.number, answers, variants)
    link.ask("held")  # a process that ended in the midst of it has given no answer


def borrowed(function, about):
    """Return a function that looks like the student's own: its name, its parameters."""
    if not callable(function):
        return function
    name, empty, rows = about

    def lent(*inputs, **named):
        result = function(*inputs, **named)
        if result is None and empty:
            raise NotImplementedError
        return result

    lent.__name__ = lent.__qualname__ = str(name)[:80]
    if rows is not None:
        kinds, none = list(inspect._ParameterKind), inspect.Parameter.empty
        filled = [(str(name), kinds[kind], NOTHING if default is True else none) for name, kind, default in rows]
        lent.__signature__ = inspect.Signature([inspect.Parameter(n, k, default=d) for n, k, d in filled])
    return lent


def _judge_together(link: Link, cells: Cells, verdict: Verdict, names: list[str], variants: list[int]) -> None:
    """Judge in the student's process, among answers that are certainly wrong: a check that likes those is spoiled."""
    trials = [-1, *range(len(CONTROLS))]
    random.SystemRandom().shuffle(trials)
    for control in trials:
        said = link.ask("together", cells.lab, verdict.number, names, variants, control)
        if not isinstance(said, list) or len(said) != 3:
            verdict.status, verdict.words = TAMPERED, "In this notebook the check gives no verdict any more."
            return
        status, words, kind = (str(part)[:500] for part in said)
        if control < 0:
            verdict.status, verdict.words, verdict.kind = status, words, kind
        elif status == PASSED:
            verdict.status, verdict.words = TAMPERED, "In this notebook the check also likes answers that are wrong."
            return
