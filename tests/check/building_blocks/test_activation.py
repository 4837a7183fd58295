"""The checks on activations: right answers pass however written, usual mistakes get their own hint."""

import torch
from torch.nn import functional

from tests.check.tables import *  # noqa: F403


def halves(function, axis=1):
    return lambda x: function(*x.chunk(2, axis))


def waves(middle=torch.relu, end=lambda x: x):
    return lambda x, into, out: end(middle(x.mT @ into.T) @ out.T)


def written_over(x, slope):
    y = x.clone()
    y[y < 0] = (slope[:, None] * y)[y < 0]
    return y


RIGHT = [
    (1, (4, 48, 200)),
    (1, torch.Size([4, 48, 200])),
    (2, lambda x, slope: torch.where(x > 0, x, slope[:, None] * x)),
    (2, functional.prelu),
    (2, lambda x, slope: x.relu() - slope.view(1, -1, 1) * (-x).relu()),
    (3, halves(lambda a, b: a * b.sigmoid())),
    (3, lambda x: functional.glu(x, 1)),
    (4, lambda x: x.softmax(1)),
    (4, lambda x: x.exp() / x.exp().sum(1, keepdim=True)),
    (5, waves()),
    (5, lambda x, into, out: torch.einsum("nk,bkt->btn", out, torch.einsum("kh,bht->bkt", into, x).relu())),
]
WRONG = [
    (1, (4, 96, 200), "The GLU is still to come"),
    (1, (4, 96, 100), "GLU over time"),
    (1, (4, 16, 200), "comes out of the convolution"),
    (1, (48, 200), "but 3 axes"),
    (2, lambda x, slope: torch.where(x > 0, x, slope * x), "meet the last axis"),
    (2, lambda x, slope: x.relu(), "cut away"),
    (2, lambda x, slope: torch.maximum(x, slope[:, None] * x), "only for slopes up to 1"),
    (2, lambda x, slope: slope[:, None] * x, "those above 0 too"),
    (2, lambda x, slope: torch.where(x > 0, x, slope.detach()[:, None] * x), "input number 2"),
    (3, functional.glu, "time was halved"),
    (3, halves(lambda a, b: b * a.sigmoid()), "the first half opens"),
    (3, halves(lambda a, b: a * b), "no sigmoid"),
    (3, lambda x: x[:, ::2] * x[:, 1::2].sigmoid(), "every other feature"),
    (3, lambda x: x * x.sigmoid(), "instead of 3"),
    (4, lambda x: x.softmax(3), "the bins share"),
    (4, lambda x: x.softmax(0), "songs of the batch"),
    (4, lambda x: x.softmax(-1), "the frames share"),
    (4, torch.sigmoid, "each mask for itself"),
    (4, lambda x: x.log_softmax(1), "logarithms"),
    (5, waves(end=torch.relu), "half of each wave"),
    (5, waves(lambda x: x, torch.relu), "in the middle nothing bends"),
    (5, waves(lambda x: x), "two products are one"),
    (5, waves(end=torch.tanh), "bends every peak"),
    (5, waves(torch.sigmoid), "in the middle is a sigmoid"),
    (2, written_over, "the gradient cannot be taken"),
]
