"""Checks of the lab on the training loop: a plain loop, its items, when it stops, what it waits for.

Taught on: book/training/loop
"""

import math

import torch
from torch import Tensor

from sepbook.check import CheckFailure, NotYet, call, exercise, expect_values
from sepbook.check._exercise import is_empty
from sepbook.check._inputs import dice
from sepbook.check.training._plain_loop import exercise_1
from sepbook.check.training._resuming import exercise_5

__all__ = ["exercise_1", "exercise_2", "exercise_3", "exercise_4", "exercise_5", "exercise_6"]


def _numbers(given, count: int, what: str) -> Tensor:
    """Return an answer's numbers as a row. Raises CheckFailure, which says `what` it should be."""
    try:
        row = torch.as_tensor([float(x) for x in given] if count != 1 else [float(given)], dtype=torch.float64)
    except (TypeError, ValueError, RuntimeError):
        raise CheckFailure(f"{what} But it is {given!r:.60}.", "Look at the return.", kind="type") from None
    return row


def _items(step: int, B: int, rank: int, size: int, how: str = "") -> Tensor:
    """Return the numbers of the items of a process, and with other words for `how` those of the usual mistakes."""
    first = {
        "alone": step * B,
        "overlap": (step + rank) * B,
        "no others": step * size * B,
        "turned": (rank * size + step) * B,
        "rank from 1": (step * size + rank - 1) * B,
        "step from 1": ((step - 1) * size + rank) * B,
        "no batch": step * size + rank,
        "every": step * size * B + rank,
        "all": step * size * B,
    }.get(how, (step * size + rank) * B)
    count = {"all": size * B, "one more": B + 1, "one less": B - 1}.get(how, B)
    return first + torch.arange(count, dtype=torch.float64) * (size if how == "every" else 1)


ITEM_MISTAKES = {
    "the other processes are forgotten: it is right for one process alone": "alone",
    "the next step takes items that another process has had. A step uses up size * batch_size items": "overlap",
    "all processes take the same items: rank is not used": "no others",
    "rank and step are swapped. The step goes round slowest": "turned",
    "rank counts from 1 here. It begins with 0": "rank from 1",
    "step counts from 1 here. It begins with 0": "step from 1",
    "the first number is not multiplied by batch_size": "no batch",
    "each takes every size-th item. That is fair too, but here each takes neighbours": "every",
    "it takes the items of all processes": "all",
    "there is one item too many: range() leaves out its end": "one more",
    "there is one item too few: range() leaves out its end": "one less",
}


@exercise(
    "Exercise 2: which items, in which step, in which process",
    hints=(
        "Together, the processes use up size * batch_size items in a step. Where does the step begin, and where the "
        "part of this process?",
        "Write down what each process gets in step 0 and in step 1, with batch_size 2 and size 3.",
        "first = (step * size + rank) * batch_size; return list(range(first, first + batch_size)).",
    ),
)
def exercise_2(items_of):
    """Check a function (step, batch_size, rank, size) -> list of item numbers."""
    random = dice(2)
    for size in (3, 1, 4):
        step, B = (int(torch.randint(2, 9, (), generator=random)) for _ in range(2))
        step, rank = step + size, size - 1  # step differs from rank and size
        what = f"The function should return a list of {B} item numbers."
        given = call(items_of, step, B, rank, size)
        given = _numbers(given, B, what)
        right = _items(step, B, rank, size)
        known = {words: _items(step, B, rank, size, how) for words, how in ITEM_MISTAKES.items()}
        known = {words: row for words, row in known.items() if not torch.equal(row, right)}
        where = f"It is about step {step}, batches of {B}, and process {rank} of {size}."
        expect_values(given, right, "item", known, where)
    return "It depends on nothing but these four numbers. That is what makes a run repeatable."


def _stop(scores: list[float], patience: int, how: str = "") -> tuple[int, int]:
    """Return the best epoch and the number of epochs, and with other words for `how` those of the usual mistakes."""
    best, high, last, before, falls = 0, -math.inf, len(scores), -math.inf, 0
    for epoch, score in enumerate(scores, 1):
        better = {"low": score < high or epoch == 1, "later": score >= high, "nan": not score <= high}
        if better.get(how, score > high):
            best, high = epoch, score
        falls, before = 0 if score > before else falls + 1, score
        waited = {"row": falls, "start": epoch, "late": epoch - best - 1, "early": epoch - best + 1}
        wanted = patience > 0 if how != "zero" else True
        if wanted and how != "never" and waited.get(how, epoch - best) >= patience:
            last = epoch
            break
    if how == "future":
        best = 1 + max(range(len(scores)), key=lambda i: -math.inf if math.isnan(scores[i]) else scores[i])
    if how == "last":
        best = last
    shift = 1 if how == "from 0" else 0
    return (last, best) if how == "turned" else (best - shift, last - shift)


STOP_MISTAKES = {
    "a lower score is taken for the better one. These are decibels": "low",
    "of equal scores it keeps the later one. Only a better one counts": "later",
    "it takes NaN for an improvement. Compare with >, which is never true for NaN": "nan",
    "it compares with the epoch before. Compare with the best one so far": "row",
    "it counts from the first epoch. Patience counts from the best one": "start",
    "it stops one epoch too late: >= patience, not >": "late",
    "it stops one epoch too early": "early",
    "with patience 0 it stops too. 0 means: never stop early": "zero",
    "it never stops early": "never",
    "its best epoch lies after the end: scores that were never measured are looked at": "future",
    "the last epoch is given as the best one": "last",
    "epochs count from 0 here. They begin with 1": "from 0",
    "the two numbers are swapped": "turned",
}


def _curves() -> list[tuple[list[float], int]]:
    """Return cases of scores that rise and then wobble, with ties and gaps, and a patience."""
    random, cases = dice(3), []
    for patience in (2, 3, 1, 0, 2, 4, 3, 2):
        rise = torch.tensor([1.0, 1, 2, 3, 3, 3, 3, 3, 3, 3, 3, 4])
        scores = (rise + torch.randint(0, 4, (12,), generator=random)).tolist()
        if patience in (2, 4):
            scores[int(torch.randint(2, 4, (), generator=random))] = math.nan
        cases.append((scores, patience))
    return cases


@exercise(
    "Exercise 3: when to stop",
    hints=(
        "Two numbers have to be remembered while the epochs go by: the best score, and the epoch that had it.",
        "After each epoch, in this order: is the score better than the best? Then: how many epochs ago was the best?",
        "for epoch, score in enumerate(scores, 1): if score > highest: highest, best = score, epoch; then if patience "
        "and epoch - best >= patience: return best, epoch. After the loop: return best, len(scores).",
    ),
)
def exercise_3(stop):
    """Check a function (scores, patience) -> (best epoch, number of epochs that were run)."""
    cases = _curves()
    right = torch.tensor([_stop(*case) for case in cases], dtype=torch.float64)
    what = "The function should return two numbers: the best epoch, and the number of epochs."
    rows = [_numbers(call(stop, list(scores), patience), 2, what) for scores, patience in cases]
    if any(len(row) != 2 for row in rows):
        raise CheckFailure(what, "Look at the return.", "return best, epoch", kind="pair")
    given = torch.stack(rows)
    known = {words: _answers(cases, how) for words, how in STOP_MISTAKES.items()}
    where = ""
    if wrong := [case for case, a, b in zip(cases, given, right, strict=True) if not torch.equal(a, b)]:
        scores = ", ".join(f"{score:g}" for score in wrong[0][0])
        where = f"The first case that differs: patience {wrong[0][1]}, scores {scores}."
    expect_values(given, right, "case number", known, where)
    return "The best weights are those of the first number, and the second says what it cost to know."


def _answers(cases: list, how: str) -> Tensor:
    return torch.tensor([_stop(*case, how) for case in cases], dtype=torch.float64)


FILE = (1, 3, 4)
WRONG_FILES = {
    (2, 4, 5): "Slopes are counted. backward() makes them anew in each step, so nobody keeps them.",
    (1, 2, 3): "Adam keeps two averages for each weight: of the slope, and of its square.",
    (1, 3, 3): "The average of the weights is a second set of weights, and the next step depends on it.",
    (1, 1, 1): "Only the weights are counted. What does an optimiser remember from step to step?",
    (1, 1, 2): "Adam's memory is missing. What does it remember from step to step?",
    (2, 3, 4): "Plain SGD, without momentum, remembers nothing. Only the weights themselves are left.",
    (1, 3, 5): "The average is one more set of weights, not two.",
    (1, 3, 6): "The average of the weights is not trained: Adam keeps nothing about it.",
    (4, 12, 16): "These are bytes. The question is about numbers, of four bytes each.",
    (0, 2, 3): "The weights themselves are missing.",
}


@exercise(
    "Exercise 4: predict what is in the file",
    hints=(
        "What does the next step depend on? The weights first; then whatever the optimiser remembers of each.",
        "Plain SGD has no memory. Adam has the mean of the slope and the mean of its square.",
        "Weights: 1. Adam adds 2. A moving average of the weights adds 1 more.",
    ),
)
def exercise_4(numbers):
    """Check a prediction: numbers per weight in last.safetensors, with SGD, with Adam, with Adam and an average."""
    if is_empty(numbers):
        raise NotYet("Write your three numbers in place of the dots.")
    row = _numbers(numbers, 3, "The answer should be three numbers, one for each run.")
    if len(row) != 3:
        raise CheckFailure(
            f"There are {len(row)} numbers, but three runs.", "SGD, Adam, Adam and average.", kind="count"
        )
    given = tuple(row.tolist())
    if given in WRONG_FILES:
        raise CheckFailure(f"{numbers} is not the answer.", WRONG_FILES[given], kind=str(given), known=True)
    for name, a, b in zip(("SGD", "Adam", "Adam and an average"), given, FILE, strict=True):
        if a != b:
            raise CheckFailure(f"The number for {name} is too {'large' if a > b else 'small'}.", kind="number")
    return "So the file of a run with Adam is three times as large as the weights alone."


def _seconds(step: float, item: float, B: int, workers: int, how: str = "") -> float:
    """Return the seconds of a step, and with other words for `how` those of the usual mistakes."""
    if how == "rate":
        return B / _seconds(step, item, B, workers)
    made = (item if how == "no batch" else B * item) / max(1, workers + (how == "helps"))
    made = {"times": B * item * max(1, workers), "whole": math.ceil(B / max(1, workers)) * item}.get(how, made)
    made = B * item if how == "no workers" else made
    if how in ("never", "least", "step", "data"):
        return {"never": max(step, made), "least": min(step, made), "step": step, "data": made}[how]
    return step + made if workers == 0 or how == "always" else max(step, made)


SECOND_MISTAKES = {
    "with workers, step and data are added. They happen at the same time: the longer one counts": "always",
    "with 0 workers, the longer one is taken. The loop itself makes the items then, so both are added": "never",
    "batch_size is not used. A step needs as many items": "no batch",
    "the shorter one is taken. The step has to wait for the longer one": "least",
    "more workers make it slower here. They share the items: divide": "times",
    "the workers are not used. They share the items": "no workers",
    "it is rounded up to whole items. Workers run ahead, so shares count": "whole",
    "the loop is counted as one more worker. It trains meanwhile": "helps",
    "the data are left out": "step",
    "the step itself is left out": "data",
    "these are items per second. The question is about seconds per step": "rate",
}


@exercise(
    "Exercise 6: what a step takes",
    hints=(
        "Two things: making a batch, and the step itself. When do they happen one after the other?",
        "First write down how long a batch takes to make: batch_size items, shared by the workers.",
        "With workers == 0: step + batch_size * item. Else: max(step, batch_size * item / workers).",
    ),
)
def exercise_6(seconds_of_step):
    """Check a function (step, item, batch_size, workers) -> mean seconds of a step."""
    random, cases = dice(6), []
    for workers, ratio in ((0, 0.7), (3, 4.0), (2, 0.3), (0, 2.0), (5, 2.5), (4, 1.3)):
        B = 7 + workers + int(torch.randint(0, 3, (), generator=random)) * 2
        step = 0.02 + 0.1 * float(torch.rand((), generator=random))
        cases.append((step, ratio * step * max(1, workers) / B, B, workers))
    right = torch.tensor([_seconds(*case) for case in cases], dtype=torch.float64)
    what = "The function should return one number: seconds."
    given = torch.cat([_numbers(call(seconds_of_step, *case), 1, what) for case in cases])
    known = {
        words: torch.tensor([_seconds(*case, how) for case in cases], dtype=torch.float64)
        for words, how in SECOND_MISTAKES.items()
    }
    wrong = [case for case, a, b in zip(cases, given, right, strict=True) if not torch.isclose(a, b, rtol=1e-5)]
    where = "The first case that differs: step {:.3f} s, item {:.4f} s, batch_size {}, workers {}.".format(
        *(wrong or cases)[0]
    )
    expect_values(given, right, "case", known, where)
    return "Where the second term is the larger one, a faster card changes nothing."
