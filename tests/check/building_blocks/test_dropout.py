"""The checks on dropout: right answers pass however written, usual mistakes get their own hint."""

import numpy as np
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


def with_kept(kept_of, divide=lambda rate: 1 - rate):
    """Return an answer to exercise 4 that draws with `kept_of(features, rate)`."""

    def mask_of(x, into, out, rate, training):
        features = (x @ into.T).relu()
        if training:
            features = features * kept_of(features, rate) / divide(rate)
        return (features @ out.T).sigmoid()

    return mask_of


def by_numpy(x, into, out, rate, training):
    features = np.maximum(x.numpy() @ into.numpy().T, 0)
    if training:
        chance = np.random.default_rng(torch.randint(2**31, (1,)).item())
        features = features * (chance.random(features.shape) >= rate) / (1 - rate)
    return 1 / (1 + np.exp(-features @ out.numpy().T))


def value_by_value(x, rate, training):
    drawn = [[0.0 if torch.rand(()) < rate else 1 / (1 - rate) for _ in row] for row in x]
    return x * torch.tensor(drawn) if training else x


def feature_by_feature(x, rate):
    items = [torch.stack([part * (torch.rand(1) >= rate).item() for part in item]) for item in x]
    return torch.stack(items) / (1 - rate)


SHAPE = (8, 32, 1, 1)
RIGHT = [
    (1, SHAPE),
    (1, list(SHAPE)),
    (1, torch.Size(SHAPE)),
    (1, np.array(SHAPE)),
    (1, (8.0, 32, 1, np.int64(1))),
    (2, drop()),
    (2, functional.dropout),
    (2, value_by_value),
    (2, lambda x, rate, training: x * torch.full_like(x, 1 - rate).bernoulli() / (1 - rate) if training else x),
    (2, lambda x, rate, training: functional.dropout(x.double(), rate, training)),
    (3, drop(sizes=per(2, 3))),
    (3, functional.dropout2d),
    (3, feature_by_feature),
    (3, lambda x, rate: torch.einsum("bhft,bh->bhft", x, functional.dropout(torch.ones(x.shape[:2]), rate))),
    (3, lambda x, rate: functional.dropout2d(x.double(), rate)),
    (4, mask()),
    (4, with_kept(lambda h, rate: torch.rand(h.shape) >= rate)),
    (4, by_numpy),
    (4, lambda *given: mask()(*given).double()),
]
WRONG = [
    (1, (8, 32, 128, 100), "every value draws for itself"),
    (1, (8, 32, 128, 1), "only the frames share"),
    (1, (1, 32, 1, 1), "all items would lose the same"),
    (1, (8, 1, 1, 1), "lose all of its features, or none"),
    (1, (1, 1, 128, 100), "they share"),
    (1, (32, 1, 1), "but 4 axes"),
    (2, drop(scale=lambda r: 1), "its old size"),
    (2, drop(scale=lambda r: 1 / r), "divided by rate"),
    (2, drop(scale=lambda r: 1 - r), "multiplied by 1 - rate"),
    (2, drop(scale=lambda r: 1 + r), "multiplied by 1 + rate"),
    (2, drop(scale=lambda r: (1 - r) ** -0.5), "that keeps the energy"),
    (2, drop(keep=lambda u, r: u < r), "the share that should be kept"),
    (2, drop(keep=lambda u, r: torch.randn(u.shape) >= r), "normally distributed"),
    (2, drop(keep=lambda u, r: u >= 0.25), "the rate is not asked for"),
    (2, drop(sizes=per(0)), "All items of the batch"),
    (2, drop(sizes=per(1)), "loses all of its features or none"),
    (2, drop(seed=0), "Two calls drop the same"),
    (2, drop(asks=False), "With training=False values were dropped"),
    (2, in_evaluation, "as if training had not enlarged them"),
    (2, lambda x, rate, training: functional.dropout(x, rate) if training else x / (1 - rate), "nothing was dropped"),
    (2, lambda x, rate, training: functional.dropout(x, rate) * training, "as if all were dropped"),
    (2, lambda x, rate, training: x, "In training nothing was dropped"),
    (2, lambda x, rate, training: x * (not training), "In training everything was dropped"),
    (2, lambda x, rate, training: functional.dropout(x.detach(), rate, training), "gradient"),
    (3, drop(), "each value draws for itself"),
    (3, drop(sizes=per(3)), "each bin"),
    (3, drop(sizes=per(2)), "each frame"),
    (3, drop(sizes=per(0, 2, 3)), "All items of the batch"),
    (3, drop(sizes=per(1, 2, 3)), "loses all of its features or none"),
    (3, drop(sizes=per(2, 3), seed=0), "Two calls drop the same"),
    (3, drop(sizes=per(2, 3), scale=lambda r: 1), "its old size"),
    (3, drop(sizes=per(2, 3), keep=lambda u, r: u < r), "the share that should be kept"),
    (3, lambda x, rate: functional.dropout2d(x, 0.25), "the rate is not asked for"),
    (4, mask("both"), "The mask itself was dropped"),
    (4, mask("mask"), "The mask itself was dropped"),
    (4, mask(asks=False), "third argument"),
    (4, mask("nowhere"), "no feature was dropped."),
    (4, lambda x, a, b, r, t: mask("nowhere")(functional.dropout(x, r, t), a, b, r, t), "yet the mask changes"),
    (4, with_kept(lambda h, rate: torch.rand(h.shape) >= rate, lambda rate: 1), "have their old size"),
    (4, with_kept(lambda h, rate: torch.rand(h.shape) < rate), "the share that should be kept"),
    (4, with_kept(lambda h, rate: torch.rand(h.shape) >= 0.25), "the rate is not asked for"),
    (4, with_kept(lambda h, rate: torch.rand(h.shape[1:]) >= rate), "All items of the batch"),
    (4, with_kept(lambda h, rate: torch.rand(len(h), 1) >= rate), "all of its features or none"),
    (
        4,
        lambda x, a, b, rate, t: functional.dropout((x @ a.T).relu() @ b.T, rate, t).sigmoid(),
        "after the second product",
    ),
]


def test_the_notebooks_random_numbers_go_on(hear):
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)
    hear(check.exercise_2, drop())
    assert torch.equal(torch.rand(3), expected)
