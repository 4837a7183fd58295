"""The checks on weighting: right answers pass however written, usual mistakes get their own hint."""

from fractions import Fraction

import numpy as np
import torch

from sepbook.losses.weighting import energies, energy_weights
from tests.check.tables import *  # noqa: F403


def energy(x):
    return x.square().mean((0, 2, 3))


def follow(ratio=lambda a, b: b / a, scale=lambda w: len(w), heat=lambda r, t: r / t):
    def dynamic(before, last, temperature):
        w = heat(ratio(before, last), temperature).softmax(0)
        return scale(w) * w

    return dynamic


def both(share=lambda s: s, mean=torch.mean, cut=lambda m, c: (m, c)):
    def answer(masks, clustering, s):
        m, c = cut(mean(masks), mean(clustering))
        return (1 - share(s)) * m + share(s) * c

    return answer


def no_graph(masks, clustering, s):
    return torch.tensor(both()(masks, clustering, s).item())


def energy_by_loop(x):
    rows = [sum(float(item[s].square().sum()) for item in x) for s in range(x.shape[1])]
    return torch.tensor([max(rows) / row for row in rows])


def energy_in_numpy(x):
    e = np.einsum("bscn,bscn->s", x.numpy(), x.numpy())
    return e.max() / e


def follow_in_numpy(before, last, temperature):
    w = np.exp(last.numpy() / before.numpy() / temperature)
    return w.size * w / w.sum()


def follow_by_loop(before, last, temperature):
    w = [2.718281828 ** (float(b) / float(a) / temperature) for a, b in zip(before, last, strict=True)]
    return torch.tensor([len(w) * x / sum(w) for x in w], dtype=torch.float64)


RIGHT = [
    (1, 1 / 101),
    (1, 0.01),
    (1, np.float64(0.0001 / 0.0101)),
    (1, torch.tensor(1 / 101)),
    (1, Fraction(1, 101)),
    (2, lambda x: energy(x).max() / energy(x)),
    (2, lambda x: energy_weights(energies(x)).float()),
    (2, energy_by_loop),
    (2, energy_in_numpy),
    (3, follow()),
    (3, lambda a, b, t: len(a) * torch.exp(b / a / t) / torch.exp(b / a / t).sum()),
    (3, follow_in_numpy),
    (3, follow_by_loop),
    (4, both()),
    (4, lambda m, c, s: ((1 - s) * m + s * c).mean()),
    (4, lambda m, c, s: torch.lerp(m, c, s).sum() / len(m)),
    (4, lambda m, c, s: torch.stack([m.double().mean(), c.double().mean()]) @ torch.tensor([1 - s, s]).double()),
]
WRONG = [
    (1, 0.5, "Equal shares"),
    (1, 1 / 11, "as in L1"),
    (1, 0.1, "ratio of the amplitudes. The errors are squared"),
    (1, 100 / 101, "the share of the loud one"),
    (1, 1 / 21, "20 dB is not a factor of 20"),
    (1, 1e-4, "Divide it by the sum of both"),
    (1, "little", "should be one number"),
    (2, lambda x: (energy(x).max() / energy(x)).sqrt(), "amplitudes instead of energies"),
    (2, lambda x: energy(x) / energy(x).max(), "upside down"),
    (2, lambda x: energy(x).min() / energy(x), "at most 1"),
    (2, lambda x: energy(x).mean() / energy(x), "the loudest has less than 1"),
    (2, lambda x: (1 / energy(x)) / (1 / energy(x)).sum(), "divided by the sum"),
    (2, lambda x: energy(x[:, :, :1]).max() / energy(x[:, :, :1]), "only one channel"),
    (2, lambda x: energy(x[:1]).max() / energy(x[:1]), "only the first item"),
    (2, lambda x: x.var((0, 2, 3)).max() / x.var((0, 2, 3)), "that is the variance"),
    (2, lambda x: x.abs().mean((0, 2, 3)).max() / x.abs().mean((0, 2, 3)), "the sizes are averaged"),
    (2, lambda x: 10 * (energy(x).max() / energy(x)).log10(), "in decibels"),
    (2, lambda x: x.square().mean((1, 2, 3)), "S (source) is"),
    (3, follow(ratio=lambda a, b: a / b), "upside down"),
    (3, follow(scale=lambda w: 1), "add up to 1"),
    (3, follow(scale=lambda w: 2), "whatever the number of sources"),
    (3, follow(ratio=lambda a, b: b), "the losses themselves"),
    (3, follow(heat=lambda r, t: r * t), "multiplied by the temperature"),
    (3, follow(heat=lambda r, t: r), "the temperature does not enter"),
    (3, follow(ratio=lambda a, b: b - a), "the difference of the losses"),
    (3, lambda a, b, t: len(a) * (b / a) / (b / a).sum(), "no softmax"),
    (4, both(mean=torch.sum), "grows with B"),
    (4, both(share=lambda s: 1 - s), "belongs to the clustering"),
    (4, lambda m, c, s: m.mean() + c.mean(), "both terms count whole"),
    (4, both(share=lambda s: 0.5), "both terms count half"),
    (4, lambda m, c, s: m.mean() + s * c.mean(), "the masks' term counts whole"),
    (4, both(mean=lambda x: x[0]), "only the first item"),
    (4, both(cut=lambda m, c: (m, c.detach())), "the clustering loss sends no gradient"),
    (4, both(cut=lambda m, c: (m.detach(), c)), "the masks loss sends no gradient"),
    (4, no_graph, "no gradient arrives anywhere"),
    (4, lambda m, c, s: m, "3 numbers"),
]
