"""The exercises of the lab on several sources: usual mistakes are recognised, right answers pass, however written."""

import numpy as np
import torch
from torch import nn

from sepbook.losses.weighting import DynamicWeights, over_sources
from tests.check.tables import *  # noqa: F403

AXES = (0, 2, 3, 4)


def each_by_loop(x, y):
    return torch.stack([(x[:, s] - y[:, s]).abs().mean() for s in range(x.shape[1])])


def schedule(losses, temperature, first=2, before=2, last=1, scale=None, rate=lambda r, t: r / t):
    rows = []
    for e in range(len(losses)):
        if e < first:
            rows.append(torch.ones(losses.shape[1]))
            continue
        ratio = losses[e - last] / losses[e - before]
        rows.append((scale or losses.shape[1]) * rate(ratio, temperature).softmax(0))
    return torch.stack(rows)


def by_module(losses, temperature):
    dynamic, rows = DynamicWeights(losses.shape[1], temperature), []
    for row in losses:
        rows.append(dynamic.weights.clone())
        dynamic.update(row)
    return torch.stack(rows)


def in_numpy(losses, temperature):
    x = losses.numpy().astype(float)
    w = np.ones_like(x)
    y = np.exp(x[1:-1] / x[:-2] / temperature)
    w[2:] = x.shape[1] * y / y.sum(1, keepdims=True)
    return w


def at_once(losses, temperature):
    later = losses.shape[1] * (losses[1:-1] / losses[:-2] / temperature).softmax(1)
    return torch.cat([torch.ones_like(losses[:2]), later])


def early(losses, temperature):
    longer = torch.cat([losses, losses[-1:]])
    return schedule(longer, temperature)[1:]


def zeros_first(losses, temperature):
    w = schedule(losses, temperature)
    w[:2] = 0
    return w


def ones(losses, temperature):
    return torch.ones_like(losses)


def against_the_first(losses, temperature):
    w = torch.ones_like(losses)
    for e in range(2, len(losses)):
        w[e] = losses.shape[1] * (losses[e - 1] / losses[0] / temperature).softmax(0)
    return w


RIGHT = [
    (1, 801),
    (1, 801.0),
    (1, np.int64(801)),
    (1, sum(p.numel() for p in nn.ConvTranspose2d(32, 1, 5).parameters())),
    (2, lambda x, y: (x - y).abs().mean(AXES)),
    (2, each_by_loop),
    (2, lambda x, y: torch.nn.functional.l1_loss(x, y, reduction="none").transpose(0, 1).flatten(1).mean(1)),
    (2, lambda x, y: torch.maximum(x - y, y - x).double().mean(AXES)),
    (3, lambda losses, w: (w.detach() * losses).mean()),
    (3, over_sources),
    (3, lambda losses, w: losses @ w.detach() / len(w)),
    (3, lambda losses, w: sum(losses[s] * w[s].item() for s in range(len(w))) / len(w)),
    (4, schedule),
    (4, by_module),
    (4, in_numpy),
    (4, at_once),
]
WRONG = [
    (1, 800, "Each output has a bias too"),
    (1, 26, "The last block reads 32"),
    (1, 161, "A kernel has two axes"),
    (1, 401, "two halves"),
    (1, 3204, "all of the last block"),
    (1, 2403, "what three more masks cost"),
    (1, 833, "One bias for each output"),
    (1, 803, "Batch norm does not follow"),
    (2, lambda x, y: (x - y).square().mean(AXES), "the squared error"),
    (2, lambda x, y: (x - y).mean(AXES), "what is too much hides"),
    (2, lambda x, y: (x - y).abs().sum(AXES), "a sum instead of a mean"),
    (2, lambda x, y: (x - y).abs().mean((1, 2, 3, 4)), "left for each item"),
    (2, lambda x, y: (x - y).abs().mean().reshape(1), "one loss for all sources"),
    (2, lambda x, y: (x - y)[:1].abs().mean(AXES), "only the first item"),
    (2, lambda x, y: (x - y)[..., :1].abs().mean(AXES), "only the first frame"),
    (2, lambda x, y: (x - y).square().mean(AXES).sqrt(), "the root of the mean square"),
    (2, lambda x, y: (x - y).abs().amax(AXES), "the largest error"),
    (2, lambda x, y: (x - y).abs().mean(AXES) / y.mean(AXES), "divided by the level"),
    (2, lambda x, y: (x - y).abs().mean(AXES).detach(), "gradient is cut off"),
    (3, lambda losses, w: (w * losses).mean(), "a gradient arrives at the weights"),
    (3, lambda losses, w: losses.mean(), "the weights are not used"),
    (3, lambda losses, w: (w.detach() * losses).sum(), "the sum is not divided by S"),
    (3, lambda losses, w: (w * losses).sum() / w.sum(), "by the sum of the weights"),
    (3, lambda losses, w: (losses / w).mean(), "divided by the weights"),
    (3, lambda losses, w: (losses + w).mean(), "the weights are added"),
    (3, lambda losses, w: (w.square() * losses).mean(), "the weights are squared"),
    (3, lambda losses, w: (w.softmax(0) * losses).sum(), "a softmax was taken"),
    (3, lambda losses, w: (w.detach() * losses.detach()).mean(), "gradient is cut off"),
    (4, lambda losses, t: schedule(losses, t, 3, 3, 2), "one epoch too late"),
    (4, early, "one epoch too early"),
    (4, lambda losses, t: schedule(losses, t, before=1, last=2), "the ratio is upside down"),
    (4, lambda losses, t: schedule(losses, t, scale=1), "not to S"),
    (4, zeros_first, "the first two epochs have zeros"),
    (4, lambda losses, t: schedule(losses, 1.0), "the temperature does not enter"),
    (4, lambda losses, t: schedule(losses, t, rate=lambda r, t: r * t), "multiplied by the temperature"),
    (4, against_the_first, "compared with the first one"),
]
