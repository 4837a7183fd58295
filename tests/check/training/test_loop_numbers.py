"""The exercises on the loop that reckon: items of a step, the end of a run, the time of a step."""

import math

import numpy as np
import torch

from tests.check.tables import (  # noqa: F401
    test_right_answers_are_right_for_other_cases_too,
    test_right_answers_turn_green,
    test_wrong_answers_get_their_own_hint,
)


def items(first, count=lambda B, size: B, stride=lambda size: 1):
    """Return an answer to exercise 2."""
    return lambda step, B, rank, size: [first(step, B, rank, size) + k * stride(size) for k in range(count(B, size))]


def right(step, B, rank, size):
    return (step * size + rank) * B


def items_by_counting(step, B, rank, size):
    """Deal out all items from zero on."""
    at = 0
    for _ in range(step + 1):
        for process in range(size):
            mine, at = list(range(at, at + B)), at + B
            if process == rank:
                kept = mine
    return kept


def stop(scores, patience):
    best, highest = 0, -math.inf
    for epoch, score in enumerate(scores, 1):
        if score > highest:
            best, highest = epoch, score
        if patience and epoch - best >= patience:
            return best, epoch
    return best, len(scores)


def stop_with(better=lambda score, high: score > high, over=lambda epoch, best, patience: epoch - best >= patience,
              give=lambda best, last: (best, last), zero=True):  # fmt: skip
    """Return an answer to exercise 3, with some of its usual mistakes."""

    def run(scores, patience):
        best, high, last = 0, -math.inf, len(scores)
        for epoch, score in enumerate(scores, 1):
            if better(score, high):
                best, high = epoch, score
            if (patience or not zero) and over(epoch, best, patience):
                last = epoch
                break
        return give(best, last)

    return run


def low(scores, patience):
    found = stop_with(lambda score, high: high == -math.inf or score < high)
    return found(scores, patience)


def in_a_row(scores, patience):
    best, high, falls, before = 0, -math.inf, 0, -math.inf
    for epoch, score in enumerate(scores, 1):
        if score > high:
            best, high = epoch, score
        falls, before = 0 if score > before else falls + 1, score
        if patience and falls >= patience:
            return best, epoch
    return best, len(scores)


def future(scores, patience):
    _, last = stop(scores, patience)
    return 1 + int(np.nanargmax(scores)), last


def stop_by_slices(scores, patience):
    """Look at every beginning of the scores."""
    clean = [-math.inf if math.isnan(score) else score for score in scores]
    for end in range(1, len(clean) + 1):
        best = 1 + clean[:end].index(max(clean[:end]))
        if end == len(clean) or (patience > 0 and end - best >= patience):
            return [best, end]


def stop_in_numpy(scores, patience):
    scores = np.nan_to_num(np.array(scores), nan=-np.inf)
    best = np.array([int(scores[: k + 1].argmax()) for k in range(len(scores))])
    over = np.flatnonzero(np.arange(len(scores)) - best >= (patience or np.inf))
    last = over[0] if len(over) else len(scores) - 1
    return np.array([best[last], last]) + 1


def stop_in_torch(scores, patience):
    left, best, high = patience, 0, torch.tensor(-math.inf)
    for k, score in enumerate(torch.tensor(scores)):
        left -= 1
        if score > high:
            best, high, left = k, score, patience
        if left == 0 and patience:
            break
    return torch.tensor([best + 1, k + 1])


def seconds(step, item, B, workers):
    return step + B * item if workers == 0 else max(step, B * item / workers)


def seconds_in_numpy(step, item, B, workers):
    data = np.divide(B * item, max(workers, 1))
    return np.where(workers > 0, np.maximum(step, data), np.add(step, data))


def seconds_with_waiting(step, item, B, workers):
    """The step, and what is waited for."""
    if not workers:
        return torch.tensor([step, B * item], dtype=torch.float64).sum()
    return step + max(0.0, B * item / workers - step)


def seconds_by_rate(step, item, B, workers):
    """Batches a second: of the data, and of the step; the slower one counts."""
    if workers < 1:
        return step + item * B
    return 1 / min(1 / step, workers / item / B)


def share(item, B, workers):
    return B * item / max(1, workers)


RIGHT = [
    (2, items(right)),
    (2, lambda step, B, rank, size: range(right(step, B, rank, size), right(step, B, rank, size) + B)),
    (2, lambda step, B, rank, size: np.arange(B) + right(step, B, rank, size)),
    (2, lambda step, B, rank, size: torch.arange((step + 1) * size * B).view(-1, size, B)[step, rank]),
    (2, items_by_counting),
    (3, stop),
    (3, stop_by_slices),
    (3, stop_in_numpy),
    (3, stop_in_torch),
    (6, seconds),
    (6, seconds_in_numpy),
    (6, seconds_with_waiting),
    (6, seconds_by_rate),
]
WRONG = [
    (2, items(lambda step, B, rank, size: step * B), "the other processes are forgotten"),
    (2, items(lambda step, B, rank, size: (step + rank) * B), "that another process has had"),
    (2, items(lambda step, B, rank, size: step * size * B), "rank is not used"),
    (2, items(lambda step, B, rank, size: (rank * size + step) * B), "rank and step are swapped"),
    (2, items(lambda step, B, rank, size: (step * size + rank - 1) * B), "rank counts from 1"),
    (2, items(lambda step, B, rank, size: ((step - 1) * size + rank) * B), "step counts from 1"),
    (2, items(lambda step, B, rank, size: step * size + rank), "not multiplied by batch_size"),
    (2, items(lambda step, B, rank, size: step * size * B + rank, stride=lambda size: size), "every size-th item"),
    (2, items(lambda s, B, rank, size: s * size * B, count=lambda B, size: B * size), "the items of all processes"),
    (2, items(right, count=lambda B, size: B + 1), "one item too many"),
    (2, items(right, count=lambda B, size: B - 1), "one item too few"),
    (2, right, "item numbers. But it is"),
    (3, low, "a lower score is taken"),
    (3, stop_with(lambda score, high: score >= high), "of equal scores it keeps the later one"),
    (3, stop_with(lambda score, high: not score <= high), "takes NaN for an improvement"),
    (3, in_a_row, "compares with the epoch before"),
    (3, stop_with(over=lambda epoch, best, patience: epoch >= patience), "counts from the first epoch"),
    (3, stop_with(over=lambda epoch, best, patience: epoch - best > patience), "one epoch too late"),
    (3, stop_with(over=lambda epoch, best, patience: epoch - best + 1 >= patience), "one epoch too early"),
    (3, stop_with(zero=False), "with patience 0 it stops too"),
    (3, stop_with(over=lambda *x: False), "it never stops early"),
    (3, future, "its best epoch lies after the end"),
    (3, stop_with(give=lambda best, last: (last, last)), "the last epoch is given as the best one"),
    (3, stop_with(give=lambda best, last: (best - 1, last - 1)), "epochs count from 0 here"),
    (3, stop_with(give=lambda best, last: (last, best)), "the two numbers are swapped"),
    (3, stop_with(give=lambda best, last: best), "two numbers: the best epoch"),
    (6, lambda step, item, B, workers: step + share(item, B, workers), "step and data are added"),
    (6, lambda step, item, B, workers: max(step, share(item, B, workers)), "with 0 workers, the longer one is taken"),
    (6, lambda step, item, B, workers: seconds(step, item, 1, workers), "batch_size is not used"),
    (6, lambda step, item, B, workers: min(step, share(item, B, workers)), "the shorter one is taken"),
    (6, lambda s, i, B, workers: max(s, B * i * workers) if workers else s + B * i, "more workers make it slower"),
    (6, lambda s, i, B, workers: max(s, B * i) if workers else s + B * i, "the workers are not used"),
    (6, lambda s, i, B, w: max(s, math.ceil(B / w) * i) if w else s + B * i, "rounded up to whole items"),
    (6, lambda s, i, B, w: max(s, B * i / (w + 1)) if w else s + B * i, "counted as one more worker"),
    (6, lambda step, item, B, workers: step, "the data are left out"),
    (6, lambda step, item, B, workers: share(item, B, workers), "the step itself is left out"),
    (6, lambda step, item, B, workers: B / seconds(step, item, B, workers), "items per second"),
    (6, lambda step, item, B, workers: B * item / workers, "ZeroDivisionError"),
]
