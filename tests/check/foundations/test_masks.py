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


def by_numpy(X, p):
    part = np.abs(X.numpy()) ** p
    return part / np.maximum(part.sum(0), 1e-12)


def by_loops(X):
    masks = torch.zeros(X.shape)
    for c, f, t in np.ndindex(*X.shape[1:]):
        masks[int(X[:, c, f, t].abs().argmax()), c, f, t] = 1
    return masks


def psm_by_product(X):
    Y = X.sum(0)
    return ((X * Y.conj()).real / Y.abs().square()).clamp(0, 1)


def psm(of=lambda X: X / X.sum(0), low=0.0, high=1.0):
    return lambda X: of(X).real.clamp(low, high)


def masked_by_loops(logits, bins):
    masks = logits.exp() / logits.exp().sum(1, keepdim=True)
    return torch.stack([torch.stack([mask * bins[b] for mask in masks[b]]) for b in range(len(bins))])


def applied(axis=1, of=lambda logits: logits):
    return lambda logits, bins: of(logits).softmax(axis) * bins[:, None]


RIGHT = [
    (1, hard(0)),
    (1, lambda X: torch.nn.functional.one_hot(X.abs().argmax(0), len(X)).movedim(-1, 0).float()),
    (1, lambda X: (X.abs() == X.abs().max(0).values).double()),
    (1, lambda X: (X.abs().numpy() == X.abs().numpy().max(0)).astype(np.float32)),
    (1, by_loops),
    (2, lambda X, p: X.abs() ** p / (X.abs() ** p).sum(0).clamp(min=1e-12)),
    (2, lambda X, p: torch.softmax(p * X.abs().clamp(min=1e-20).log(), 0)),
    (2, lambda X, p: X.abs() ** p / ((X.abs() ** p).sum(0, keepdim=True) + 1e-9)),
    (2, oracles.ratio_mask),
    (2, by_numpy),
    (3, "ratio 2"),
    (3, "Ratio 2"),
    (3, " ratio 2 "),
    (3, np.array(["binary", "ratio 1", "ratio 2"])[2]),
    (4, psm()),
    (4, lambda X: (X.abs() / X.sum(0).abs() * (X.angle() - X.sum(0).angle()).cos()).clamp(0, 1)),
    (4, oracles.truncated_phase_sensitive_mask),
    (4, psm_by_product),
    (4, lambda X: np.clip((X.numpy() / X.numpy().sum(0)).real, 0, 1)),
    (5, applied()),
    (5, lambda logits, bins: torch.einsum("bscft,bcft->bscft", logits.softmax(1) + 0j, bins)),
    (5, masked_by_loops),
    (5, lambda logits, bins: logits.double().softmax(1).numpy() * bins.numpy()[:, None]),
]


@pytest.mark.parametrize("answer", ["binary", "ratio 1", 3, "soft", ["x"], torch.ones(2)])
def test_predictions_that_are_wrong_never_raise(hear, answer):
    assert "✘ Exercise 3" in hear(check.exercise_3, answer, times=2)


WRONG = [
    (1, hard(2), "(the axis F), not the loudest source"),
    (1, hard(3), "(the axis T), not the loudest source"),
    (1, hard(1), "(the axis C), not the loudest source"),
    (1, hard(0, torch.real), "the magnitude is X.abs()"),
    (1, lambda X: (X.abs() > X.abs().sum(0) / 2).float(), "half of the sum"),
    (1, lambda X: 1 - hard(0)(X), "where the source is not the loudest"),
    (1, lambda X: hard(0)(X) * X.abs(), "it returns magnitudes"),
    (1, lambda X: hard(0)(X.abs().mean(1, keepdim=True)).expand(X.shape), "the channels were averaged first"),
    (1, lambda X: hard(0)(X[:, :1]).expand(X.shape), "the first channel decides for all channels"),
    (1, lambda X: (X.abs() > X.sum(0).abs() / 2).float(), "half of the mixture"),
    (1, lambda X: X.abs().argmax(0), "has 3 axes"),
    (1, lambda X: X.abs() == X.abs().max(0).values, "True and False"),
    (1, lambda X: (X.abs() > X.abs().sort(0).values[-2]).float(), "no source gets the bin"),
    (2, share(0), "the mask is NaN"),
    (2, lambda X, p: (X.abs() / X.abs().sum(0)) ** p, "after the division"),
    (2, share(0, lambda p: 1), "the power is missing"),
    (2, share(0, lambda p: 2), "p = 2 whatever p is given"),
    (2, share(1), "over the channels (C)"),
    (2, share(2), "over the bins (F)"),
    (2, share(3), "over the frames (T)"),
    (2, lambda X, p: (X.abs() / X.sum(0).abs()) ** p, "do not add up to it"),
    (2, lambda X, p: X.abs() ** p, "nothing was divided"),
    (2, lambda X, p: X.abs().softmax(0), "a softmax of the magnitudes"),
    (2, lambda X, p: X.abs() ** p / X.abs().sum(0) ** p, "the power was taken after"),
    (2, lambda X, p: 1 - oracles.ratio_mask(X, p), "the shares of the others"),
    (2, lambda X, p: X.abs() ** p / X.abs().amax(0) ** p, "the largest one, and not by the sum"),
    (3, "binary", "it gives to one, whole"),
    (3, "ratio 1", "more than its energy deserves"),
    (3, "2", "none of the choices"),
    (3, 2, "is none of the choices: binary, ratio 1, ratio 2"),
    (4, lambda X: (X / X.sum(0)).real, "still there"),
    (4, psm(high=None), "only the values below 0"),
    (4, psm(low=None), "only the values above 1"),
    (4, lambda X: (X / X.sum(0)).abs().clamp(0, 1), "the phase is not heard"),
    (4, lambda X: ((X * X.sum(0)).real / X.sum(0).abs() ** 2).clamp(0, 1), "lacks a conjugate"),
    (4, psm(lambda X: X * X.sum(0).conj() / X.sum(0).abs()), "|Y| must be squared"),
    (4, psm(lambda X: X.real / X.sum(0).real), "real parts were divided by real parts"),
    (4, psm(lambda X: X.sum(0) / X), "mixture and source are swapped"),
    (4, psm(lambda X: X / X.abs().sum(0)), "sum of the magnitudes"),
    (4, psm(lambda X: 1 - X / X.sum(0)), "the part of the others"),
    (4, psm(low=-1.0), "cut at -1"),
    (4, lambda X: (X / X.sum(0)).imag.clamp(0, 1), "across the mixture"),
    (4, lambda X: X / X.sum(0), "complex, but should be real"),
    (5, applied(2), "with one channel every mask is 1"),
    (5, applied(3), "goes over the bins (F)"),
    (5, applied(4), "goes over the frames (T)"),
    (5, applied(0), "songs compete with each other"),
    (5, lambda logits, bins: logits.softmax(1) * bins[:, None].abs(), "the phase is lost"),
    (5, lambda logits, bins: logits.sigmoid() * bins[:, None], "no longer add up to one"),
    (5, lambda logits, bins: logits * bins[:, None], "the logits themselves"),
    (5, applied(of=torch.neg), "gets the smallest mask"),
    (5, lambda logits, bins: logits.softmax(1) * bins[:1, None], "first mixture for all"),
    (5, lambda logits, bins: logits.softmax(1)[:, :, :1] * bins[:, None], "masks of the first channel"),
    (5, lambda logits, bins: logits.softmax(1), "the masks alone"),
    (5, lambda logits, bins: logits.softmax(1) * bins, "stops in"),
]
