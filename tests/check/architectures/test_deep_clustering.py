"""The exercises of deep clustering's lab: each usual mistake is recognised, each right answer passes."""

import numpy as np
import torch
from torch.nn import functional

from tests.check.tables import *  # noqa: F403


def points_by(bend=torch.tanh, length=lambda v: v.norm(dim=-1, keepdim=True), bias=True):
    """Return an answer to exercise 1."""

    def points_of(features, weight, own, D):
        v = bend(functional.linear(features, weight, own if bias else None)).unflatten(-1, (-1, D))
        return (v / length(v)).transpose(1, 2)

    return points_of


def points_by_einsum(features, weight, bias, D):
    H = features.shape[-1]
    v = torch.einsum("bth,fdh->bftd", features, weight.view(-1, D, H)) + bias.view(-1, 1, D)
    return functional.normalize(v.tanh(), dim=-1)


def points_by_loop(features, weight, bias, D):
    v = (features @ weight.T + bias).tanh()
    bins = [v[..., D * f : D * f + D] for f in range(v.shape[-1] // D)]  # each (B, T, D)
    return torch.stack([b / b.square().sum(-1, keepdim=True).sqrt() for b in bins], 1)


def length_first(features, weight, bias, D):
    v = functional.linear(features, weight, bias).unflatten(-1, (-1, D))
    return functional.normalize(v, dim=-1).tanh().transpose(1, 2)


def dimensions_first(features, weight, bias, D):
    v = functional.linear(features, weight, bias).tanh().unflatten(-1, (D, -1)).permute(0, 3, 1, 2)
    return functional.normalize(v, dim=-1)


def reshaped(features, weight, bias, D):
    B, T, _ = features.shape
    return functional.normalize(functional.linear(features, weight, bias).tanh().reshape(B, -1, T, D), dim=-1)


def votes_by(factor=20.0, axes=(1, 2), silent=0.0):
    """Return an answer to exercise 2."""

    def votes_of(magnitude, below):
        loudest = magnitude.amax(axes, keepdim=True)
        return ((magnitude >= loudest * 10 ** (-below / factor)) & (magnitude > silent)).float()

    return votes_of


def votes_in_decibels(magnitude, below):
    levels = 20 * magnitude.log10()  # of silence: minus infinity
    return (levels >= levels.flatten(1).max(1).values[:, None, None] - below) & (magnitude > 0)


def votes_in_numpy(magnitude, below):
    x = magnitude.numpy().astype(np.float64)
    loudest = x.max(axis=(1, 2), keepdims=True)
    return np.where((x >= loudest * 10 ** (-below / 20)) & (loudest > 0), 1.0, 0.0)


def votes_by_loop(magnitude, below):
    found = torch.zeros_like(magnitude)
    for item, votes in zip(magnitude, found, strict=True):
        if item.max() > 0:
            votes[item / item.max() >= 10 ** (-below / 20)] = 1
    return found


def round_by(choose=lambda x, c: torch.cdist(x, c).argmin(1), weigh=lambda w: w, count=lambda own, w: own * w):
    """Return an answer to exercise 3."""

    def one_round(points, weight, centres):
        weight = weigh(weight)[:, None]
        own = functional.one_hot(choose(points, centres), len(centres)).float()  # (N, S)
        return (own * weight).T @ points / count(own, weight).sum(0)[:, None]

    return one_round


def round_by_loop(points, weight, centres):
    labels = (points[:, None] - centres).square().sum(-1).argmin(1)
    moved = []
    for s in range(len(centres)):
        mine = labels == s
        moved.append((weight[mine, None] * points[mine]).sum(0) / weight[mine].sum())
    return torch.stack(moved)


def round_in_numpy(points, weight, centres):
    x, w, c = (t.numpy() for t in (points, weight, centres))
    labels = ((x[:, None] - c) ** 2).sum(-1).argmin(1)
    return np.stack([np.average(x[labels == s], axis=0, weights=w[labels == s]) for s in range(len(c))])


RIGHT = [
    (1, points_by()),
    (1, points_by_einsum),
    (1, points_by_loop),
    (1, points_by(length=lambda v: v.square().sum(-1, keepdim=True).sqrt())),
    (2, votes_by()),
    (2, votes_in_decibels),
    (2, votes_in_numpy),
    (2, votes_by_loop),
    (3, round_by()),
    (3, round_by_loop),
    (3, round_in_numpy),
    (3, round_by(choose=lambda x, c: (c.square().sum(1) - 2 * x @ c.T).argmin(1))),
]
WRONG = [
    (1, points_by(length=lambda v: 1), "no length of 1"),
    (1, points_by(bend=lambda v: v), "the tanh is missing"),
    (1, length_first, "before the tanh"),
    (1, points_by(bend=torch.sigmoid), "a sigmoid keeps"),
    (1, points_by(length=lambda v: v.norm(dim=2, keepdim=True)), "along the bins"),
    (1, points_by(length=lambda v: v.square().sum(-1, keepdim=True)), "The length is the root"),
    (1, dimensions_first, "the F values of a dimension"),
    (1, reshaped, "does not exchange axes"),
    (1, points_by(bias=False), "the bias is missing"),
    (1, lambda *given: points_by()(*given).transpose(1, 2), "has shape"),
    (1, lambda features, *rest: points_by()(features.detach(), *rest), "the gradient is cut off"),
    (2, votes_by(factor=10.0), "no power"),
    (2, votes_by(axes=(0, 1, 2)), "Each item has its own"),
    (2, votes_by(axes=(1,)), "of each frame"),
    (2, votes_by(axes=(2,)), "the loudest frame of each bin"),
    (2, lambda x, below: (x >= 10 ** (-below / 20)).float(), "compared with 0 dB"),
    (2, votes_by(silent=-1.0), "silence votes"),
    (2, lambda x, below: 1 - votes_by()(x, below), "the soft bins"),
    (2, lambda x, below: x * votes_by()(x, below), "A vote is 1 or 0"),
    (2, lambda x, below: votes_by()(x, below).flatten(1), "2 axes"),
    (3, round_by(weigh=torch.ones_like), "the weights are ignored"),
    (3, round_by(weigh=lambda w: (w > 0).float()), "count alike"),
    (3, round_by(count=lambda own, w: own), "by the number of points"),
    (3, round_by(count=lambda own, w: torch.full_like(own, 1 / len(own))), "not divided at all"),
    (3, round_by(choose=lambda x, c: torch.cdist(x, c).argmax(1)), "the farthest centre"),
    (3, round_by(choose=lambda x, c: (x @ c.T).argmax(1)), "largest inner product"),
    (3, lambda x, w, c: ((w[:, None] * x).sum(0) / w.sum()).expand(len(c), -1), "the mean of all points"),
    (3, lambda x, w, c: c, "nothing has moved"),
    (3, lambda x, w, c: torch.cdist(x, c).argmin(1), "should have 2"),
]
