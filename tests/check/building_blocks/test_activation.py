"""The checks on activations: right answers pass however written, usual mistakes get their own hint."""

import numpy as np
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


def bent(below=lambda x, slope: slope * x, above=lambda x, slope: x):
    def bend(x, slope):
        return torch.where(x > 0, above(x, slope[:, None]), below(x, slope[:, None]))

    return bend


def feature_by_feature(x, slope):
    rows = [torch.where(row > 0, row, a * row) for row, a in zip(x.unbind(1), slope, strict=True)]
    return torch.stack(rows, dim=1)


def winner(x):
    return functional.one_hot(x.argmax(1), x.shape[1]).movedim(-1, 1).float()


def by_numpy(x, into, out):
    return np.einsum("nk,bkt->btn", out.numpy(), np.maximum(np.einsum("kh,bht->bkt", into.numpy(), x.numpy()), 0))


SHAPE = (4, 48, 200)
RIGHT = [
    (1, SHAPE),
    (1, list(SHAPE)),
    (1, torch.Size(SHAPE)),
    (1, np.array(SHAPE)),
    (1, (4.0, np.int64(48), 200)),
    (2, bent()),
    (2, functional.prelu),
    (2, feature_by_feature),
    (2, lambda x, slope: bent()(x.double(), slope.double())),
    (2, lambda x, slope: x.relu() - slope.view(1, -1, 1) * (-x).relu()),
    (3, halves(lambda a, b: a * b.sigmoid())),
    (3, lambda x: functional.glu(x, 1)),
    (3, lambda x: x[:, : x.shape[1] // 2] / (1 + (-x[:, x.shape[1] // 2 :]).exp())),
    (3, lambda x: functional.glu(x.double(), 1)),
    (4, lambda x: x.softmax(1)),
    (4, lambda x: x.exp() / x.exp().sum(1, keepdim=True)),
    (4, lambda x: functional.softmax(x.double(), dim=-4)),
    (4, lambda x: torch.stack([(one[:, None] - x).neg().exp().sum(1).reciprocal() for one in x.unbind(1)], dim=1)),
    (5, waves()),
    (5, by_numpy),
    (5, lambda x, into, out: waves()(x.double(), into.double(), out.double())),
    (5, lambda x, into, out: torch.einsum("nk,bkt->btn", out, torch.einsum("kh,bht->bkt", into, x).relu())),
]
WRONG = [
    (1, (4, 96, 200), "The GLU is still to come"),
    (1, (4, 96, 100), "GLU over time"),
    (1, (4, 192, 200), "it does not double"),
    (1, (4, 16, 200), "comes out of the convolution"),
    (1, (2, 96, 200), "halve the batch"),
    (1, (4, 48, 198), "loses no frame"),
    (1, (48, 200), "but 3 axes"),
    (2, lambda x, slope: torch.where(x > 0, x, slope * x), "meet the last axis"),
    (2, lambda x, slope: x.relu(), "cut away"),
    (2, lambda x, slope: torch.maximum(x, slope[:, None] * x), "only for slopes up to 1"),
    (2, lambda x, slope: slope[:, None] * x, "those above 0 too"),
    (2, bent(above=lambda x, slope: slope * x, below=lambda x, slope: x), "works on what is above 0"),
    (2, bent(below=lambda x, slope: slope.expand_as(x)), "the slope is taken instead of slope times x"),
    (2, bent(below=lambda x, slope: -slope * x), "the sign below 0 is turned"),
    (2, bent(below=lambda x, slope: slope[0] * x), "the slope of the first"),
    (2, bent(above=lambda x, slope: 0 * x), "above 0 there is nothing left"),
    (2, lambda x, slope: torch.where(x > 0, x, slope.detach()[:, None] * x), "input number 2"),
    (2, written_over, "the gradient cannot be taken"),
    (3, functional.glu, "time was halved"),
    (3, halves(lambda a, b: b * a.sigmoid()), "the first half opens"),
    (3, halves(lambda a, b: a * b), "no sigmoid"),
    (3, halves(lambda a, b: a * b.tanh()), "the gate is a tanh"),
    (3, halves(lambda a, b: a * b.relu()), "the gate is a ReLU"),
    (3, halves(lambda a, b: a * (1 - b.sigmoid())), "open where it should be shut"),
    (3, halves(lambda a, b: a.sigmoid() * b.sigmoid()), "bends the values as well"),
    (3, halves(lambda a, b: a), "there is no gate"),
    (3, lambda x: x[:, ::2] * x[:, 1::2].sigmoid(), "every other feature"),
    (3, lambda x: x[:, :3] * x[:, 3:6].sigmoid(), "H (hidden or convolution feature) is 3 instead of 5"),
    (3, lambda x: x * x.sigmoid(), "H (hidden or convolution feature) is 6 instead of 3"),
    (4, lambda x: x.softmax(3), "the bins share"),
    (4, lambda x: x.softmax(0), "songs of the batch"),
    (4, lambda x: x.softmax(-1), "the frames share"),
    (4, lambda x: x.softmax(2), "the channels share"),
    (4, torch.sigmoid, "each mask for itself"),
    (4, lambda x: x.log_softmax(1), "logarithms"),
    (4, lambda x: x.exp(), "exp without division"),
    (4, lambda x: x / x.sum(1, keepdim=True), "without exp"),
    (4, lambda x: (-x).softmax(1), "the largest logit gets the smallest mask"),
    (4, winner, "the winner takes all"),
    (4, lambda x: torch.full_like(x, 1 / x.shape[1]), "the same share, whatever the logits"),
    (4, lambda x: x[:, :, :1].softmax(1).expand_as(x), "of the first audio channel are used for all"),
    (5, waves(end=torch.relu), "half of each wave"),
    (5, waves(lambda x: x, torch.relu), "in the middle nothing bends"),
    (5, waves(lambda x: x), "two products are one"),
    (5, waves(end=torch.tanh), "bends every peak"),
    (5, waves(lambda x: x, torch.tanh), "no bend in the middle"),
    (5, waves(torch.sigmoid), "in the middle is a sigmoid"),
    (5, waves(torch.tanh), "in the middle is a tanh"),
    (5, waves(torch.abs), "the size is taken in the middle"),
    (5, lambda x, into, out: waves(lambda y: y)(x.relu(), into, out), "the bend comes before the first product"),
    (5, lambda x, into, out: waves()(x, into, out).mT, "N (sample) is 5 instead of 4"),
]
