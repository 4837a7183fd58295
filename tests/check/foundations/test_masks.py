"""The exercises of the lab on masks: each usual mistake is recognised, each right answer passes, however written."""

import numpy as np
import pytest
import torch

from sepbook.check.foundations import masks as check
from sepbook.evaluation import oracles
from tests.check.tables import *  # noqa: F403


def hard(axis, values=torch.abs):
    """Return an answer that marks the largest values along an axis."""
    return lambda X: (values(X) == values(X).amax(axis, keepdim=True)).float()


def share(axis, p_of=lambda p: p):
    """Return an answer that shares along an axis, with a power of its own."""

    def answer(X, p):
        part = X.abs() ** p_of(p)
        return part / part.sum(axis, keepdim=True)

    return answer


RIGHT = [
    (1, hard(0)),
    (1, lambda X: torch.nn.functional.one_hot(X.abs().argmax(0), len(X)).movedim(-1, 0).float()),
    (1, lambda X: (X.abs() == X.abs().max(0).values).double()),
    (1, lambda X: (X.abs().numpy() == X.abs().numpy().max(0)).astype(np.float32)),
    (2, lambda X, p: X.abs() ** p / (X.abs() ** p).sum(0).clamp(min=1e-12)),
    (2, lambda X, p: torch.softmax(p * X.abs().clamp(min=1e-20).log(), 0)),
    (2, lambda X, p: X.abs() ** p / ((X.abs() ** p).sum(0, keepdim=True) + 1e-9)),
    (2, oracles.ratio_mask),
    (3, "ratio 2"),
    (4, lambda X: (X / X.sum(0)).real.clamp(0, 1)),
    (4, lambda X: (X.abs() / X.sum(0).abs() * (X.angle() - X.sum(0).angle()).cos()).clamp(0, 1)),
    (4, oracles.truncated_phase_sensitive_mask),
    (5, lambda logits, bins: torch.softmax(logits, 1) * bins[:, None]),
    (5, lambda logits, bins: torch.einsum("bscft,bcft->bscft", logits.softmax(1) + 0j, bins)),
]


def stub(*_):
    """Do nothing, as the lab's own stubs."""
    ...


@pytest.mark.parametrize("answer", ["binary", "ratio 1", 3, "soft", ["x"], torch.ones(2)])
def test_predictions_that_are_wrong_never_raise(hear, answer):
    assert "✘ Exercise 3" in hear(check.exercise_3, answer, times=2)


WRONG = [
    (1, hard(2), "(the axis F), not the loudest source"),
    (1, hard(3), "(the axis T), not the loudest source"),
    (1, hard(0, torch.real), "the magnitude is X.abs()"),
    (1, lambda X: (X.abs() > X.abs().sum(0) / 2).float(), "half of the sum"),
    (1, lambda X: 1 - hard(0)(X), "where the source is not the loudest"),
    (1, lambda X: X.abs().argmax(0), "has 3 axes"),
    (1, lambda X: X.abs() == X.abs().max(0).values, "True and False"),
    (1, lambda X: (X.abs() > X.abs().sort(0).values[-2]).float(), "no source gets the bin"),
    (2, share(0), "the mask is NaN"),
    (2, lambda X, p: (X.abs() / X.abs().sum(0)) ** p, "after the division"),
    (2, share(0, lambda p: 1), "the power is missing"),
    (2, share(1), "over the channels (C)"),
    (2, share(2), "over the bins (F)"),
    (2, lambda X, p: (X.abs() / X.sum(0).abs()) ** p, "do not add up to it"),
    (2, lambda X, p: X.abs() ** p, "The shape is right, the values are not"),
    (4, lambda X: (X / X.sum(0)).real, "still there"),
    (4, lambda X: (X / X.sum(0)).real.clamp(min=0), "only the values below 0"),
    (4, lambda X: (X / X.sum(0)).abs().clamp(0, 1), "the phase is not heard"),
    (4, lambda X: ((X * X.sum(0)).real / X.sum(0).abs() ** 2).clamp(0, 1), "lacks a conjugate"),
    (4, lambda X: X / X.sum(0), "complex, but should be real"),
    (5, lambda logits, bins: logits.softmax(2) * bins[:, None], "with one channel every mask is 1"),
    (5, lambda logits, bins: logits.softmax(3) * bins[:, None], "goes over the bins (F)"),
    (5, lambda logits, bins: logits.softmax(1) * bins[:, None].abs(), "the phase is lost"),
    (5, lambda logits, bins: logits.sigmoid() * bins[:, None], "no longer add up to one"),
]
