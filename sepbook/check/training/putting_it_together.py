"""Checks for the lab on putting it together: a file that is a system, where it may be cut, what may be claimed.

Taught on: book/training/putting_it_together
"""

import copy
import math
import warnings
from pathlib import Path

import torch
from torch.utils.data import default_collate

from sepbook import architectures
from sepbook.check import CheckFailure, NotYet, call, exercise, expect_values, is_stub
from sepbook.check._exercise import is_empty
from sepbook.check._inputs import dice, seeded
from sepbook.check.training import four_stems
from sepbook.data import tasks
from sepbook.training.batches import select
from sepbook.training.loop import TrainingError
from sepbook.training.rehearsal import rehearse

BOOK = Path(four_stems.__file__)  # the file that exercise 1 leads to
METHODS = ("masks", "forward", "loss")
STEPS, RATE, FALLS = 40, 3e-3, 0.85


@exercise(
    "Exercise 1: a system in one file",
    hints=(
        "Three methods have dots in them: masks, forward and loss. Begin with masks: which shapes go in and come out?",
        "forward: bins = self.stft(mixture); masks from bins.abs(); self.masking(bins, masks) are the estimates' bins, "
        "and self.istft leads back to samples. loss: the same with magnitudes, against those of the sources.",
        "masks: self.network(torch.log1p(magnitude).flatten(1, 2)), unflattened to (B, S, C, F, T), and softmax over "
        "dim=1. forward: self.istft(self.masking(bins, self.masks(bins.abs())), mixture.shape[-1]). loss: "
        '{"loss": l1(self.masking(magnitude, self.masks(magnitude)), target)}.',
    ),
)
def exercise_1(file):
    """Check the path of a file that holds a system of four stems."""
    system = _made(file)
    with warnings.catch_warnings(record=True) as noted:
        warnings.simplefilter("always")
        data = _items(system)
        try:
            rehearse(system, data)
        except (ValueError, TrainingError) as error:
            raise _failure(error, file) from None
    for note in noted:
        if "stride = " in str(note.message):
            raise _failure(note.message, file, "stride")
    _expect_used(system, file)
    _expect_learning(system, select(default_collate([data[0], data[1]]), data, system))
    return "It keeps to the contract, and it learns. From here on the book treats it like one of its own."


def _made(file):
    """Return the system of a file; NotYet where a method is still empty."""
    if is_empty(file):
        raise NotYet("Give the path of your file.")
    if not isinstance(file, str | Path) or not Path(file).is_file():
        what = "The check wants the path of a file of yours, and there is none."
        raise CheckFailure(what, "Run the cell above: its first line writes the file.", kind="file")
    try:
        name = architectures.adopt(file)
        kind = architectures.module(name).SYSTEM
        if left := [m for m in METHODS if is_stub(getattr(kind, m, lambda: None))]:
            raise NotYet(f"There are still dots in {', '.join(left)}.")
        with seeded(0):
            return architectures.create(name)
    except (ValueError, OSError) as error:
        raise _failure(error, file) from None
    except NotYet:
        raise
    except Exception as error:  # its __init__ breaks
        raise CheckFailure(f"The system cannot be built: {type(error).__name__}: {error}.", kind="built") from None


def _items(system):
    about = tasks.task(architectures.recipe_of(system.name).task)
    return about.training(system.sample_rate, system.channels, seconds=0.5, length=2)


def _failure(error, file, kind: str = "contract") -> CheckFailure:
    words = str(error).replace(f"{Path(file).parent}/", "")
    return CheckFailure(words, kind=kind)


def _expect_used(system, file) -> None:
    """Raise CheckFailure where other weights lead to the same estimates."""
    mixture = torch.randn(1, system.channels, 4000, generator=dice(1))
    other = copy.deepcopy(system)
    with torch.no_grad():
        for number, weight in enumerate(other.parameters()):
            weight.add_(torch.randn(weight.shape, generator=dice(number)))
        same = torch.allclose(system.eval()(mixture), other.eval()(mixture), atol=1e-6)
    if same:
        raise CheckFailure(
            "forward gives the same estimates, whatever the weights are.",
            "Does forward ask the network? It should: what is not asked cannot be heard.",
            "In forward, take the masks from self.masks(bins.abs()).",
            kind="unused",
        )


def _expect_learning(system, batch: dict) -> None:
    """Raise CheckFailure unless a few steps on two items bring the loss down, and the estimates nearer."""
    learner = copy.deepcopy(system)
    before = _distance(learner, batch)
    optimizer, losses = torch.optim.Adam(learner.train().parameters(), RATE), []
    with seeded(0):
        for _ in range(STEPS):
            loss = learner.loss(**batch)["loss"]
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    if not losses[-1] < losses[0] - (1 - FALLS) * abs(losses[0]):
        raise CheckFailure(
            f"In {STEPS} steps on the same two items the loss goes from {losses[0]:.3g} to {losses[-1]:.3g} only.",
            "What does the loss compare? It should be 0 where the masked mixture has the sources' magnitudes.",
            "l1(self.masking(magnitude, masks), target), with target from the sources.",
            kind="loss",
        )
    if not _distance(learner, batch) < before:
        raise CheckFailure(
            "The loss falls, but the estimates move away from the sources.",
            "Compare estimate s with source s: are they in one order, and is everything compared that is heard?",
            "Do the same in loss as in forward, with magnitudes in place of bins.",
            kind="away",
        )


def _distance(system, batch: dict) -> float:
    """Return how far the estimates lie from the sources."""
    with torch.no_grad():
        return float((system.eval()(batch["mixture"]) - batch["sources"]).abs().mean())


STRIDES = {
    "the hop is left out": lambda hop, strides: _product(strides),
    "the layers' strides are left out": lambda hop, strides: hop,
    "the strides are added to each other. Two layers that keep every second frame keep every fourth": (
        lambda hop, strides: hop * sum(strides)
    ),
    "only the largest stride counts here. Each layer keeps a part of what the one before it has kept": (
        lambda hop, strides: hop * max(strides)
    ),
    "the last stride alone is counted": lambda hop, strides: hop * strides[-1],
    "the hop is added to the strides": lambda hop, strides: hop + _product(strides),
}


def _networks() -> list[tuple[int, tuple[int, ...]]]:
    """Return hops, and the strides of layers behind them."""
    random, cases = dice(2), []
    for count in (3, 2, 4, 3):
        strides = (torch.randperm(4, generator=random) + 2)[:count].tolist()
        cases.append((int(torch.randint(10, 300, (), generator=random)), (*strides, 3)))
    return cases


def _product(numbers) -> int:
    return int(torch.tensor(numbers).prod())


def _row(values) -> torch.Tensor:
    try:
        return torch.tensor([float(value) for value in values], dtype=torch.float64)
    except (TypeError, ValueError, RuntimeError):
        what = "The function should return one number: samples."
        raise CheckFailure(what, "Look at the return.", kind="number") from None


@exercise(
    "Exercise 2: where a song may be cut",
    hints=(
        "A shift by the hop moves every frame by one. A layer of stride 2 keeps every second frame: by how many frames "
        "may it be shifted?",
        "Each further layer counts in units of what the one before it has kept: multiply.",
        "return hop * math.prod(strides)",
    ),
)
def exercise_2(stride_of):
    """Check a function (hop, strides of the layers along time) -> stride of the system in samples."""
    cases = _networks()
    given = _row([call(stride_of, *case) for case in cases])
    right = _row([hop * _product(strides) for hop, strides in cases])
    known = {words: _row([wrong(*case) for case in cases]) for words, wrong in STRIDES.items()}
    where = "The cases are " + "; ".join(f"hop {hop}, strides {strides}" for hop, strides in cases) + "."
    expect_values(given, right, "case", known, where)
    return "So a strided layer doubles the number in the file, and the code around it never has to know why."


def _report(valid: dict, test: dict, how: str = "") -> tuple[str, float]:
    """Return the name of the variant and its result; with other words for `how`, those of the usual mistakes."""
    scores = test if how == "by test" else valid
    by = {"by best": max, "by worst": min, "first seed": lambda row: row[0]}.get(how, lambda row: sum(row) / len(row))
    name = (min if how == "lowest" else max)(scores, key=lambda key: by(scores[key]))
    row = valid[name] if how == "valid result" else test[name]
    return name, max(row) if how == "best test" else sum(row) / len(row)


REPORTS = {
    "it is chosen by the test songs. What was used for a choice cannot be its test": "by test",
    "it is chosen by the best seed of each variant. One lucky seed says little: take the mean": "by best",
    "it is chosen by the worst seed of each variant": "by worst",
    "it is chosen by the first seed alone": "first seed",
    "the lowest score is chosen. More decibels are better": "lowest",
    "the validation score is reported. It is the luckiest of those that were looked at": "valid result",
    "the best seed on the test songs is reported. The result is the mean over seeds": "best test",
}
VALID = {"plain": [5.0, 5.4, 5.2], "wide": [5.9, 5.6, 6.2], "lucky": [4.0, 8.0, 3.5], "deep": [5.4, 6.1, 5.9]}
TEST = {"plain": [4.8, 5.1, 5.4], "wide": [5.2, 5.0, 5.7], "lucky": [4.1, 5.0, 4.0], "deep": [6.4, 5.9, 5.9]}
FIRST = {"one": [3.0, 1.0], "two": [1.5, 2.0], "three": [0.0, 4.6]}
SECOND = {"one": [1.0, 1.5], "two": [3.0, 3.2], "three": [2.0, 2.2]}


@exercise(
    "Exercise 3: what is reported",
    hints=(
        "Two questions, two piles of songs: which variant (validation), and how good is it (test)?",
        "name = the key of valid with the highest mean over seeds. Then look at test[name], once.",
        "name = max(valid, key=lambda n: sum(valid[n]) / len(valid[n])), and then return name, "
        "sum(test[name]) / len(test[name]).",
    ),
)
def exercise_3(report):
    """Check a function (valid, test), each {variant: [a score for each seed]} -> (name, result)."""
    cases = [(_raised(valid), _raised(test)) for valid, test in ((VALID, TEST), (FIRST, SECOND))]
    given = [_pair(call(report, *case), case[0]) for case in cases]
    right = [_report(*case) for case in cases]
    if _alike(given, right):
        return "One look at the test songs, for one variant: that is the number that you may expect again."
    for words, how in REPORTS.items():
        if _alike(given, [_report(*case, how) for case in cases]):
            raise CheckFailure(f"Not quite: {words}.", kind=how, known=True)
    for (name, number), (best, result) in zip(given, right, strict=True):
        if name != best:
            raise CheckFailure(f"report names {name!r}: another variant has the highest mean.", kind="name")
        if not math.isclose(number, result, abs_tol=1e-6):
            raise CheckFailure(f"report gives {name!r} the result {number:.3f}, expected {result:.3f}.", kind="result")


def _raised(scores: dict) -> dict:
    """Return the scores of other songs: all better by as much."""
    more = round(float(torch.rand((), generator=dice(3))), 2)
    return {name: [score + more for score in row] for name, row in scores.items()}


def _pair(answer, valid: dict) -> tuple[str, float]:
    if not isinstance(answer, tuple | list) or len(answer) != 2 or answer[0] not in valid:
        what = f"report should return a pair: one of {', '.join(valid)}, and a number."
        raise CheckFailure(what, "Look at the return.", "return name, result", kind="pair")
    return answer[0], float(_row(answer[1:])[0])


def _alike(given: list, other: list) -> bool:
    return all(a[0] == b[0] and math.isclose(a[1], b[1], abs_tol=1e-6) for a, b in zip(given, other, strict=True))
