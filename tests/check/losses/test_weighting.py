"""The checks on weighting: right answers pass however written, usual mistakes get their own hint."""

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


RIGHT = [
    (1, 1 / 101),
    (1, 0.01),
    (2, lambda x: energy(x).max() / energy(x)),
    (2, lambda x: energy_weights(energies(x)).float()),
    (3, follow()),
    (3, lambda a, b, t: len(a) * torch.exp(b / a / t) / torch.exp(b / a / t).sum()),
    (4, both()),
    (4, lambda m, c, s: ((1 - s) * m + s * c).mean()),
]
WRONG = [
    (1, 0.5, "Equal shares"),
    (1, 0.1, "The errors are squared"),
    (1, 3, "too large"),
    (2, lambda x: (energy(x).max() / energy(x)).sqrt(), "amplitudes instead of energies"),
    (2, lambda x: energy(x) / energy(x).max(), "upside down"),
    (2, lambda x: energy(x).min() / energy(x), "at most 1"),
    (2, lambda x: x.square().mean((1, 2, 3)), "S (source)"),
    (3, follow(ratio=lambda a, b: a / b), "upside down"),
    (3, follow(scale=lambda w: 1), "add up to 1"),
    (3, follow(ratio=lambda a, b: b), "not their ratio"),
    (3, follow(heat=lambda r, t: r * t), "multiplied by the temperature"),
    (4, both(mean=torch.sum), "grows with B"),
    (4, both(share=lambda s: 1 - s), "belongs to the clustering"),
    (4, both(cut=lambda m, c: (m, c.detach())), "the clustering loss sends no gradient"),
    (4, both(cut=lambda m, c: (m.detach(), c)), "the masks loss sends no gradient"),
    (4, no_graph, "no gradient arrives anywhere"),
    (4, lambda m, c, s: m, "3 numbers"),
    (3, follow(heat=lambda r, t: r), "the temperature does not enter"),
    (3, follow(ratio=lambda a, b: b - a), "the difference of the losses"),
]
