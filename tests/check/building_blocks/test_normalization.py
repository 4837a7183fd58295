"""The checks on normalisation: right answers pass however written, usual mistakes get their own hint."""

import numpy as np
import torch
from torch.nn import functional

from sepbook.check.building_blocks import normalization as check
from tests.check.tables import *  # noqa: F403

EXERCISES = [getattr(check, f"exercise_{number}") for number in range(1, 7)]
SHAPES = ((1, 64, 1), (8, 1, 1), (8, 1, 100))
LEAKS = {name: right for name, (right, _) in check.LEAKS.items()}


def layer_norm(axes=(1, 2), correction=0, root=True, weigh=True, shift=True, eps=1e-5):
    def norm(x, weight, bias):
        variance = x.var(axes, correction=correction, keepdim=True) + eps
        y = (x - x.mean(axes, keepdim=True)) / (variance.sqrt() if root else variance)
        return y * (weight[:, None] if weigh else 1) + (bias[:, None] if shift else 0)

    return norm


def cumulative(x):
    count = x.shape[1] * torch.arange(1, x.shape[2] + 1)
    mean = x.sum(1).cumsum(-1) / count
    variance = x.square().sum(1).cumsum(-1) / count - mean.square()
    return (x - mean[:, None]) / (variance[:, None] + 1e-5).sqrt()


def by_a_loop(x):
    frames = []
    for t in range(x.shape[-1]):
        past = x[..., : t + 1]
        variance, mean = torch.var_mean(past, (1, 2), correction=0, keepdim=True)
        frames.append(((past - mean) / (variance + 1e-5).sqrt())[..., -1])
    return torch.stack(frames, -1)


def batch_norm(keep=0.9, look=True, still=True):
    def norm(x, mean, variance, training):
        y_mean, y_var = (x.mean((0, 2)), x.var((0, 2), correction=0)) if training or not look else (mean, variance)
        y = (x - y_mean[:, None]) / (y_var[:, None] + 1e-5).sqrt()
        if training or not still:
            mean = keep * mean + (1 - keep) * x.mean((0, 2))
            variance = keep * variance + (1 - keep) * x.var((0, 2))
        return y, mean, variance

    return norm


def renewed_first(x, mean, variance, training):
    _, mean, variance = batch_norm()(x, mean, variance, training)
    return batch_norm()(x, mean, variance, False)


def by_torch(x, mean, variance, training):
    mean, variance = mean.clone(), variance.clone()
    return functional.batch_norm(x, mean, variance, training=training), mean, variance


def pca(train, test):
    values, axes = torch.linalg.eigh(torch.cov(train.T, correction=0))
    return (test - train.mean(0)) @ axes / values.sqrt()


def by_cholesky(train, test):
    root = torch.linalg.cholesky(torch.cov(train.T))  # another turn, and divided by n - 1
    return torch.linalg.solve_triangular(root, (test - train.mean(0)).T, upper=False).T


RIGHT = [
    (1, SHAPES),
    (1, tuple(map(torch.Size, SHAPES))),
    (2, layer_norm()),
    (2, lambda x, weight, bias: functional.group_norm(x, 1, weight, bias)),
    (3, cumulative),
    (3, by_a_loop),
    (4, batch_norm()),
    (4, by_torch),
    (5, pca),
    (5, by_cholesky),
    (6, LEAKS),
    (5, lambda train, test: pca(train.double(), test.double())),
    (6, {name: np.bool_(right) for name, right in LEAKS.items()}),
    (6, {name: int(right) for name, right in LEAKS.items()}),
]


WRONG = [
    (1, ((8, 1, 1), (8, 1, 1), (8, 1, 100)), "the mean of global layer norm; you were asked for batch norm"),
    (1, (SHAPES[0], (8, 64, 1), SHAPES[2]), "This is instance norm"),
    (1, (SHAPES[0], SHAPES[1], (8, 100)), "There are 2 sizes, but 3 axes"),
    (2, layer_norm((0, 1, 2)), "over the batch as well"),
    (2, layer_norm((0, 2)), "this is batch norm"),
    (2, layer_norm((2,)), "this is instance norm"),
    (2, layer_norm((1,)), "layer norm of a frame"),
    (2, layer_norm(correction=1), "n - 1"),
    (2, layer_norm(root=False), "square root"),
    (2, layer_norm(shift=False), "the bias is missing"),
    (2, layer_norm(eps=0), "NaN"),
    (2, layer_norm(eps=1e-9), "1e-09 is added to the variance"),
    (
        2,
        lambda x, w, b: (
            (x - x.mean((1, 2), keepdim=True)) / (x.std((1, 2), correction=0, keepdim=True) + 1e-5) * w[:, None]
            + b[:, None]
        ),
        "1e-5 is added to the root",
    ),
    (3, lambda x: by_a_loop(x) if x.any() else x / x, "A song of zeros comes out as NaN"),
    (2, lambda *given: layer_norm()(*given).detach(), "the gradient is cut off"),
    (3, lambda x: functional.group_norm(x, 1), "every frame knows the whole song"),
    (3, lambda x: functional.layer_norm(x.mT, x.shape[1:2]).mT, "each frame knows itself alone"),
    (3, lambda x: cumulative(x.flip(-1)).flip(-1), "time runs backwards"),
    (4, batch_norm(keep=0.1), "the shares are exchanged"),
    (4, batch_norm(look=False), "the batch is measured in evaluation mode too"),
    (4, batch_norm(still=False), "the averages stay"),
    (4, batch_norm(keep=1.0), "nothing is kept of the new batch"),
    (4, lambda x, *rest: x, "should return three tensors"),
    (5, lambda train, test: (test - train.mean(0)) / train.std(0, correction=0), "this is standardising"),
    (5, lambda train, test: pca(test, test), "the test rows were measured"),
    (5, lambda train, test: pca(train, test) + 1, "mean"),
    (5, lambda train, test: pca(train, test)[:, :2], "should have"),
    (6, {**LEAKS, "instance": False}, "Think again about instance"),
    (6, {"instance": True}, "There is no True or False for"),
    (6, {name: str(right) for name, right in LEAKS.items()}, "There is no True or False for"),
    (
        2,
        lambda x, w, b: (
            layer_norm()(x, w, b)
            + x.mean((1, 2), keepdim=True) / (x.var((1, 2), correction=0, keepdim=True) + 1e-5).sqrt() * w[:, None]
        ),
        "the mean is not subtracted",
    ),
    (4, renewed_first, "the averages are renewed first"),
]


def test_the_dots_of_the_stub_are_no_choice(hear):
    assert "not yet" in hear(EXERCISES[5], dict.fromkeys(LEAKS, ...))


def test_the_stub_of_the_lab_has_both_bugs(hear):
    def as_in_the_lab(x, mean, variance, training):
        y, now_mean, now_variance = batch_norm(0.1, look=False)(x, mean, variance, training)
        return y, now_mean, now_variance

    assert "the shares are exchanged" in hear(EXERCISES[3], as_in_the_lab, times=2)
    mended = batch_norm(look=False)
    assert "measured in evaluation mode" in hear(EXERCISES[3], mended, times=2)
