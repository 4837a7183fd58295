"""The checks on dropout: right answers pass however written, usual mistakes get their own hint."""

import torch
from torch.nn import functional

from sepbook.check.building_blocks import dropout as check
from tests.check.tables import *  # noqa: F403


def drop(scale=lambda r: 1 / (1 - r), keep=lambda u, r: u >= r, sizes=lambda x: x.shape, seed=None, asks=True):
    def answer(x, rate, training=True):
        if asks and not training:
            return x
        if seed is not None:
            torch.manual_seed(seed)
        return x * keep(torch.rand(sizes(x)), rate) * scale(rate)

    return answer


def mask(place="features", asks=True):
    def mask_of(x, into, out, rate, training):
        training = training if asks else True
        h = (x @ into.T).relu()
        if place in ("features", "both"):
            h = functional.dropout(h, rate, training)
        y = (h @ out.T).sigmoid()
        return functional.dropout(y, rate, training) if place in ("mask", "both") else y

    return mask_of


def per(*axes):
    return lambda x: [1 if i in axes else n for i, n in enumerate(x.shape)]


def in_evaluation(x, rate, training):
    return x * (torch.rand(x.shape) >= rate) / (1 - rate) if training else x * (1 - rate)


def few_kept(x, into, out, rate, training):
    features = (x @ into.T).relu()
    return ((features * (torch.rand(features.shape) < rate) / (1 - rate) if training else features) @ out.T).sigmoid()


RIGHT = [
    (1, (8, 32, 1, 1)),
    (1, torch.Size([8, 32, 1, 1])),
    (2, drop()),
    (2, functional.dropout),
    (2, lambda x, rate, training: x * torch.full_like(x, 1 - rate).bernoulli() / (1 - rate) if training else x),
    (3, drop(sizes=per(2, 3))),
    (3, functional.dropout2d),
    (4, mask()),
    (2, lambda x, rate, training: functional.dropout(x.double(), rate, training)),
    (3, lambda x, rate: functional.dropout2d(x.double(), rate)),
    (4, lambda *given: mask()(*given).double()),
]
WRONG = [
    (1, (8, 32, 128, 100), "every value draws for itself"),
    (1, (1, 32, 1, 1), "all items would lose the same"),
    (1, (32, 1, 1), "but 4 axes"),
    (2, drop(scale=lambda r: 1), "its old size"),
    (2, drop(scale=lambda r: 1 / r), "divided by rate"),
    (2, drop(keep=lambda u, r: u < r), "the share that should be kept"),
    (2, drop(sizes=per(0)), "All items of the batch"),
    (2, drop(seed=0), "Two calls drop the same"),
    (2, drop(asks=False), "With training=False values were dropped"),
    (2, in_evaluation, "as if training had not enlarged them"),
    (2, lambda x, rate, training: x, "nothing was dropped"),
    (2, lambda x, rate, training: functional.dropout(x.detach(), rate, training), "gradient"),
    (3, drop(), "each value draws for itself"),
    (3, drop(sizes=per(3)), "each bin"),
    (3, drop(sizes=per(2)), "each frame"),
    (3, drop(sizes=per(0, 2, 3)), "All items of the batch"),
    (4, mask("both"), "The mask itself was dropped"),
    (4, mask("mask"), "The mask itself was dropped"),
    (4, mask(asks=False), "third argument"),
    (4, mask("nowhere"), "no feature was dropped"),
    (
        4,
        lambda x, a, b, rate, t: functional.dropout((x @ a.T).relu() @ b.T, rate, t).sigmoid(),
        "after the second product",
    ),
    (
        4,
        lambda x, a, b, r, t: (functional.dropout1d((x @ a.T).relu().T, r, t).T @ b.T).sigmoid(),
        "All items of the batch",
    ),
    (
        4,
        lambda x, a, b, r, t: (functional.dropout1d((x @ a.T).relu(), r, t) @ b.T).sigmoid(),
        "all of its features or none",
    ),
    (4, few_kept, "a share of 0.7"),
]


def test_the_notebooks_random_numbers_go_on(hear):
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)
    hear(check.exercise_2, drop())
    assert torch.equal(torch.rand(3), expected)
