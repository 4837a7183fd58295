"""The exercises of the lab on oracles: each usual mistake is recognised, each right answer passes, however written."""

import math

import numpy as np
import torch

from tests.check.tables import *  # noqa: F403


def direction(Y):
    return Y / Y.abs().clamp_min(1e-12)


def by_loops(X, Y):
    made = torch.zeros_like(X)
    for s in range(len(X)):
        for at in Y.abs().nonzero():
            place = tuple(at)
            made[(s, *place)] = X[(s, *place)].abs() * Y[place] / Y[place].abs()
    return made


def by_angles(X, Y):
    return torch.polar(X.abs(), Y.angle()) * (Y.abs() > 0)


def by_numpy(X, Y):
    X, Y = X.numpy().astype(complex), Y.numpy().astype(complex)
    return np.abs(X) * Y / np.maximum(np.abs(Y), 1e-30)


def shares(power, axis=0, silent=None, p=1.0):
    total = power.pow(p).sum(axis, keepdim=True)
    share = power.pow(p) / total.clamp_min(1e-30)
    silence = power.sum(0, keepdim=True) == 0
    return torch.where(silence, 1 / len(power) if silent is None else silent, share)


def shares_by_numpy(power):
    power = power.numpy().astype(float)
    total = power.sum(0)
    return np.where(total > 0, power / np.where(total > 0, total, 1), 1 / len(power))


def shares_by_loops(power):
    total = sum(one for one in power)
    rows = [torch.where(total > 0, one / torch.where(total > 0, total, 1.0), 1 / len(power)) for one in power]
    return torch.stack(rows)


def two_means(g):
    return g.nanmean(1).nanmean(), g.nanmean(0).nanmean()


def means_by_loops(g):
    def mean(values):
        values = [float(v) for v in values if not math.isnan(v)]
        return sum(values) / len(values)

    return mean([mean(row) for row in g]), mean([mean(row) for row in g.T])


def reach(x, low, rate, half=0.5, say=lambda good, bad: 10 * torch.log10(good / bad), p=2):
    e = torch.fft.rfft(x).abs() ** p
    below = torch.fft.rfftfreq(len(x), 1 / rate) < half * low
    return say(e[below].sum(), e[~below].sum())


def reach_by_numpy(x, low, rate):
    x = x.numpy().astype(float)
    e, f = np.abs(np.fft.rfft(x)) ** 2, np.fft.rfftfreq(len(x), 1 / rate)
    return 10 * np.log10(e[f < low / 2].sum() / e[f >= low / 2].sum())


def reach_by_estimate(x, low, rate):
    """Build the perfect estimate, and score it."""
    X = torch.fft.rfft(x.double())
    X[torch.fft.rfftfreq(len(x), 1 / rate) >= low / 2] = 0
    e = torch.fft.irfft(X, len(x))
    target = (e @ x.double()) / x.double().square().sum() * x.double()
    return 10 * torch.log10(target.square().sum() / (e - target).square().sum())


RIGHT = [
    (1, lambda X, Y: X.abs() * direction(Y)),
    (1, by_loops),
    (1, by_angles),
    (1, by_numpy),
    (2, shares),
    (2, shares_by_numpy),
    (2, shares_by_loops),
    (2, lambda power: shares(power.double())),
    (3, ("r", "p", "n")),
    (3, ["R", "P", "N"]),
    (3, "rpn"),
    (3, (" r", "p ", "n")),
    (4, two_means),
    (4, means_by_loops),
    (4, lambda g: torch.stack(two_means(g))),
    (4, lambda g: (np.nanmean(np.nanmean(g.numpy(), 1)), np.nanmean(np.nanmean(g.numpy(), 0)))),
    (5, reach),
    (5, reach_by_numpy),
    (5, lambda x, low, rate: reach(x.double(), low, rate)[None]),
    (5, lambda x, low, rate: torch.tensor(reach(x, low, rate).item())),
]
WRONG = [
    (1, lambda X, Y: X, "the source itself"),
    (1, lambda X, Y: Y.abs() * direction(X), "the roles are swapped"),
    (1, lambda X, Y: X.abs() + 0j, "no phase at all"),
    (1, lambda X, Y: X.abs() * Y, "was not divided by its length"),
    (1, lambda X, Y: X.abs() / X.abs().sum(0).clamp_min(1e-12) * Y, "this is the ratio mask"),
    (1, lambda X, Y: X.abs() * direction(Y).conj(), "turned the wrong way"),
    (1, lambda X, Y: X.abs().square() * direction(Y), "the magnitude was squared"),
    (1, lambda X, Y: X.abs()[:1].expand_as(X.real) * direction(Y), "only the first source"),
    (1, lambda X, Y: X.abs() * direction(Y)[:1], "the first channel for all channels"),
    (1, lambda X, Y: X.abs() * direction(X * Y.conj()), "the difference of phases"),
    (1, lambda X, Y: X.abs() * Y / Y.abs(), "NaN or infinity"),
    (2, lambda v: shares(v, p=0.5), "the ratio mask with p = 1"),
    (2, lambda v: shares(v, p=2), "squared once more"),
    (2, lambda v: torch.where(v.sum(0) > 0, v / (v.sum(0) - v).clamp_min(1e-30), 1 / len(v)), "with the others only"),
    (2, lambda v: shares(v, 1), "the sum goes over the channels"),
    (2, lambda v: shares(v, 2), "the sum goes over the bins"),
    (2, lambda v: shares(v, 3), "the sum goes over the frames"),
    (2, lambda v: shares(v, silent=0.0), "all get nothing"),
    (2, lambda v: shares(v, silent=1.0), "each gets all"),
    (2, lambda v: (v == v.amax(0)).float(), "this is the binary mask"),
    (2, lambda v: v.softmax(0), "this is a softmax"),
    (2, lambda v: 1 - shares(v), "one minus the share"),
    (2, lambda v: v / v.sum(0), "NaN or infinity"),
    (3, ("b", "p", "n"), "not only 0 and 1"),
    (3, ("p", "p", "n"), "A softmax is neither"),
    (3, ("n", "p", "n"), "a relative among the oracles"),
    (3, ("r", "b", "n"), "A ReLU mask is soft"),
    (3, ("r", "r", "n"), "A ratio mask ends at 1"),
    (3, ("r", "n", "n"), "the best real mask of each bin"),
    (3, ("r", "p", "b"), "neither bins nor masks"),
    (3, ("r", "p", "r"), "nothing about what is left to gain"),
    (3, ("r", "p", "p"), "does not limit it"),
    (4, lambda g: two_means(g)[::-1], "by song comes first"),
    (4, lambda g: (g.nanmean(), g.nanmean()), "all values were pooled"),
    (4, lambda g: (two_means(g)[0],) * 2, "both are by song"),
    (4, lambda g: (two_means(g)[1],) * 2, "both are by stem"),
    (4, lambda g: (two_means(g)[0], g.nanmean()), "by song is right"),
    (4, lambda g: (g.nanmean(), two_means(g)[1]), "by stem is right"),
    (4, lambda g: two_means(g.nan_to_num(0.0)), "counted as 0 dB"),
    (4, lambda g: two_means(g[~g.isnan().any(1)]), "left out as a whole"),
    (4, lambda g: (g.mean(1).mean(), g.mean(0).mean()), "A number is nan"),
    (5, lambda x, low, rate: reach(x, low, rate, half=1.0), "A rate of low ends at half"),
    (5, lambda *given: -reach(*given), "what is lost below"),
    (5, lambda *given: reach(*given, say=lambda a, b: 10 * torch.log10((a + b) / b)), "the whole sound stands above"),
    (5, lambda *given: reach(*given, say=lambda a, b: 10 * torch.log10(a / (a + b))), "The loss belongs below"),
    (5, lambda *given: reach(*given, p=1), "Energies are their squares"),
    (5, lambda *given: 2 * reach(*given, p=1), "amplitudes do not"),
    (5, lambda *given: 2 * reach(*given), "energies are squares already"),
    (5, lambda *given: reach(*given) * math.log(10), "natural logarithm"),
    (5, lambda *given: reach(*given, say=lambda a, b: a / b), "logarithm is missing"),
]
