"""The exercises of Chimera's lab: each usual mistake is recognised, each right answer passes."""

import numpy as np
import torch

from tests.check.tables import *  # noqa: F403


def loss_by(masks=lambda a: 1 - a, groups=lambda a: a):
    """Return an answer to exercise 1."""

    def one_loss(masking, clustering, share):
        return masks(share) * masking + groups(share) * clustering

    return one_loss


def loss_by_loop(masking, clustering, share):
    return torch.stack([(1 - share) * m + share * c for m, c in zip(masking, clustering, strict=True)])


def pull_by_loop(first, second):
    total = 0.0
    for gradient in (first, second):
        for number in gradient.flatten().tolist():
            total += number**2
    return torch.tensor(total**0.5)


def pull_in_numpy(first, second):
    return np.linalg.norm(np.concatenate([first.numpy().ravel(), second.numpy()]).astype(np.float64))


def share_by(masks=lambda m: m, groups=lambda c: c, part_of=lambda p: p):
    """Return an answer to exercise 3."""

    def balance(m, c, part):
        m, c, part = masks(m), groups(c), part_of(part)
        return part * m / (part * m + (1 - part) * c)

    return balance


def share_by_ratio(m, c, part):
    return 1 / (1 + (1 - part) / part * c / m)


def share_by_loop(m, c, part):
    found = []
    for masks, groups in zip(m.double(), c.double(), strict=True):
        low, high = 0.0, 1.0
        for _ in range(60):  # halve the interval
            a = (low + high) / 2
            low, high = (a, high) if a * groups < part * ((1 - a) * masks + a * groups) else (low, a)
        found.append(low)
    return torch.tensor(found)


RIGHT = [
    (1, loss_by()),
    (1, loss_by_loop),
    (1, lambda m, c, share: torch.lerp(m, c, share)),
    (1, lambda m, c, share: m + share * (c - m)),
    (2, lambda first, second: (first.square().sum() + second.square().sum()).sqrt()),
    (2, pull_by_loop),
    (2, pull_in_numpy),
    (2, lambda first, second: torch.cat([first.flatten(), second]).norm()),
    (3, share_by()),
    (3, share_by_ratio),
    (3, share_by_loop),
    (3, lambda m, c, part: (part / c) / (part / c + (1 - part) / m)),
]
WRONG = [
    (1, loss_by(masks=lambda a: a, groups=lambda a: 1 - a), "You gave it to the masks"),
    (1, loss_by(masks=lambda a: 1), "the masks count whole"),
    (1, loss_by(groups=lambda a: 1), "the clustering counts whole"),
    (1, loss_by(masks=lambda a: 1, groups=lambda a: 1), "both losses count the same"),
    (1, loss_by(masks=lambda a: 0.5, groups=lambda a: 0.5), "the mean of both"),
    (1, loss_by(masks=lambda a: 0), "the masking loss is left out"),
    (1, loss_by(groups=lambda a: 0), "the clustering loss is left out"),
    (1, lambda m, c, share: (1 - share) * m * share * c, "were multiplied"),
    (1, lambda m, c, share: loss_by()(m, c, share).mean(), "the batch was averaged"),
    (1, lambda m, c, share: loss_by()(m.detach(), c, share), "arrives at input number 1"),
    (1, lambda m, c, share: loss_by()(m, c.detach(), share), "arrives at input number 2"),
    (2, lambda first, second: first.square().sum() + second.square().sum(), "take its root"),
    (2, lambda first, second: first.norm() + second.norm(), "two lengths were added"),
    (2, lambda first, second: first.norm(), "the second layer is left out"),
    (2, lambda first, second: second.norm(), "the first layer is left out"),
    (2, lambda first, second: first.abs().sum() + second.abs().sum(), "sizes were added"),
    (2, lambda first, second: torch.cat([first.flatten(), second]).square().mean().sqrt(), "were averaged"),
    (2, lambda first, second: (first.sum() + second.sum()).abs(), "with their signs"),
    (2, lambda first, second: torch.cat([first.flatten(), second]).abs().max(), "only the largest number"),
    (3, lambda m, c, part: torch.full_like(m, part), "what pulls harder needs less"),
    (3, lambda m, c, part: share_by()(c, m, part), "have changed places"),
    (3, lambda m, c, part: 1 - share_by()(m, c, part), "the share of the masks"),
    (3, share_by(part_of=lambda p: 0.5), "both pull alike"),
    (3, lambda m, c, part: part * m / ((1 - part) * c), "A share is a part of 1"),
    (3, share_by(masks=torch.square, groups=torch.square), "the pulls were squared"),
]
