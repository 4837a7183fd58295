"""The exercises of the lab on conditioning: usual mistakes are recognised, right answers pass, however written."""

import numpy as np
import torch
from torch.nn import functional

from sepbook.architectures.unet_conditioned import FiLM
from tests.check.tables import *  # noqa: F403


def wide(knob):
    return knob[:, :, None, None]


def film_by_loop(x, scale, shift):
    rows = [torch.stack([(1 + scale[b, h]) * x[b, h] + shift[b, h] for h in range(x.shape[1])]) for b in range(len(x))]
    return torch.stack(rows)


def film_by_einsum(x, scale, shift):
    return x + torch.einsum("bh,bhft->bhft", scale, x) + shift.view(*shift.shape, 1, 1)


def between(one, other, much, S):
    wish = torch.zeros(S)
    wish[one], wish[other] = 1 - much, much
    return wish


def wanted(bins, condition):
    return (condition[:, :, None, None, None] * bins).sum(1, keepdim=True).abs()


def wanted_by_loop(bins, condition):
    total = torch.zeros_like(bins[:, :1])
    for b in range(len(bins)):
        for s in range(bins.shape[1]):
            total[b, 0] += condition[b, s] * bins[b, s]
    return (total.real.square() + total.imag.square()).sqrt()


RIGHT = [
    (1, 520),
    (1, 520.0),
    (1, np.int64(520)),
    (1, torch.tensor(2 * (16 + 28 + 44 + 76 + 96))),
    (2, lambda x, scale, shift: (1 + wide(scale)) * x + wide(shift)),
    (2, lambda x, scale, shift: FiLM("residual")(x, scale[..., None], shift[..., None])),
    (2, film_by_loop),
    (2, film_by_einsum),
    (3, between),
    (3, lambda one, other, much, S: torch.lerp(torch.eye(S)[one], torch.eye(S)[other], much)),
    (3, lambda one, other, much, S: (1 - much) * np.eye(S)[one] + much * np.eye(S)[other]),
    (3, lambda one, other, much, S: torch.tensor([(i == one) * (1 - much) + (i == other) * much for i in range(S)])),
    (4, wanted),
    (4, wanted_by_loop),
    (4, lambda bins, condition: torch.einsum("bscft,bs->bcft", bins, condition + 0j).abs()[:, None]),
    (4, lambda bins, condition: np.abs((bins.numpy() * condition.numpy()[:, :, None, None, None]).sum(1))[:, None]),
]
WRONG = [
    (1, 260, "Those are the scales"),
    (1, 10, "That is the simple form"),
    (1, 5, "the number of blocks"),
    (1, 192, "the knobs of the lowest block"),
    (1, 96, "the maps of the lowest block"),
    (1, 1040, "The decoder has no knobs"),
    (1, 2080, "The sources share the knobs"),
    (1, 522, "is not turned; only what the blocks make"),
    (2, lambda x, scale, shift: wide(scale) * x + wide(shift), "the 1 is missing"),
    (2, lambda x, scale, shift: (1 + wide(scale)) * (x + wide(shift)), "the shift is scaled too"),
    (2, lambda x, scale, shift: (1 + wide(scale)) * x - wide(shift), "the shift is subtracted"),
    (2, lambda x, scale, shift: (1 + wide(scale)) * x, "there is no shift"),
    (2, lambda x, scale, shift: (1 + wide(shift)) * x + wide(scale), "scale and shift are swapped"),
    (2, lambda x, scale, shift: (1 - wide(scale)) * x + wide(shift), "subtracted from 1"),
    (2, lambda x, scale, shift: wide(scale).exp() * x + wide(shift), "an exponent here"),
    (2, lambda x, scale, shift: (1 + wide(scale[:1])) * x + wide(shift[:1]), "knobs of the first one"),
    (2, lambda x, scale, shift: functional.leaky_relu((1 + wide(scale)) * x + wide(shift), 0.2), "leaky ReLU stands"),
    (2, lambda x, scale, shift: (1 + scale) * x + shift, "must match the size"),
    (2, lambda x, scale, shift: ((1 + wide(scale)) * x + wide(shift)).detach(), "gradient is cut off"),
    (2, lambda x, scale, shift: (1 + wide(scale.detach())) * x + wide(shift), "No gradient arrives at input number 2"),
    (3, lambda one, other, much, S: between(other, one, much, S), "the two are swapped"),
    (3, lambda one, other, much, S: torch.eye(S)[one] + much * torch.eye(S)[other], "`one` keeps its 1"),
    (3, lambda one, other, much, S: between(one, other, 0.5, S), "how far the way has been walked"),
    (3, lambda one, other, much, S: much * torch.eye(S)[other], "only `other` is asked for"),
    (3, lambda one, other, much, S: (1 - much) * torch.eye(S)[one], "only `one` is asked for"),
    (3, lambda one, other, much, S: torch.ones(S) / S, "everybody is asked for at once"),
    (3, lambda one, other, much, S: between(one, other, much, 4), "should have (S=3)"),
    (4, lambda bins, c: (c[:, :, None, None, None] * bins.abs()).sum(1, keepdim=True), "magnitudes are added"),
    (4, lambda bins, c: (c[:, :, None, None, None] * bins).mean(1, keepdim=True).abs(), "mean over the sources"),
    (4, lambda bins, c: bins.sum(1, keepdim=True).abs(), "that is the mixture"),
    (4, lambda bins, c: wanted(bins, c).square(), "the power is returned"),
    (4, lambda bins, c: (c[:, :, None, None, None] * bins).abs(), "nothing is added up"),
    (4, lambda bins, c: bins[torch.arange(len(c)), c.argmax(1)][:, None].abs(), "with the largest number is kept"),
    (4, lambda bins, c: wanted(bins, c[:1].expand_as(c)), "the condition of the first one"),
    (4, lambda bins, c: (c[:, :, None, None, None] * bins).sum(1, keepdim=True).real, "the real part"),
    (4, lambda bins, c: wanted(bins, c.square()), "the numbers are squared"),
]
