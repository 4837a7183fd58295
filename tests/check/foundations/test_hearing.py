"""The exercises of the lab on hearing: each usual mistake is recognised, each right answer passes, however written."""

import math

import numpy as np
import torch

from sepbook.evaluation import metrics
from sepbook.losses import waveform
from tests.check.tables import *  # noqa: F403


def ratio(a, b):
    return 10 * torch.log10(a.square().sum() / b.square().sum())


def along(e, x):
    return (e * x).sum() / (x * x).sum() * x


def si_sdr(e, x):
    return ratio(along(e, x), e - along(e, x))


def by_angle(e, x):
    cosine = torch.cosine_similarity(e.flatten(), x.flatten(), dim=0).double()
    return 10 * torch.log10(cosine**2 / (1 - cosine**2))


def spoil(x, n, decibels, clean=True, factor=None):
    n = n - along(n, x) if clean else n
    return x + n * x.norm() / n.norm() * (10 ** (-decibels / 20) if factor is None else factor)


def per_channel(x, n, decibels):
    n = n - along(n, x)
    return x + n * x.norm(dim=1, keepdim=True) / n.norm(dim=1, keepdim=True) * 10 ** (-decibels / 20)


def spoil_by_numpy(x, n, decibels):
    x, n = x.numpy().astype(float), n.numpy().astype(float)
    n = n - np.vdot(n, x) / np.vdot(x, x) * x
    return x + n * np.sqrt(np.vdot(x, x) / np.vdot(n, n) / 10 ** (decibels / 10))


def spoil_by_projector(x, n, decibels):
    """The part at a right angle, from a QR decomposition."""
    q, r = torch.linalg.qr(torch.stack([x.flatten(), n.flatten()], dim=1).double())
    across = q[:, 1] * r[1, 1].sign()
    return x + (across * x.norm() * 10 ** (-decibels / 20)).view_as(x)


def fair(songs, mean=lambda s: s.nanmean(1).mean(), count=lambda s: int(s.isnan().sum())):
    scores = torch.stack([metrics.si_sdr(e, x) for e, x in songs])
    return mean(scores), count(scores)


def fair_one_by_one(songs):
    means, silent = [], 0
    for estimates, sources in songs:
        found = [float(si_sdr(e, x)) for e, x in zip(estimates, sources, strict=True) if x.any()]
        silent += len(sources) - len(found)
        means.append(sum(found) / len(found))
    return sum(means) / len(means), silent


def paired(a, b, t, **options):
    d = a - b
    half = t * d.std(**options) / len(d) ** 0.5
    return d.mean() - half, d.mean() + half


def paired_by_loops(a, b, t):
    d = [float(x - y) for x, y in zip(a, b, strict=True)]
    mean = sum(d) / len(d)
    half = t * math.sqrt(sum((x - mean) ** 2 for x in d) / (len(d) - 1) / len(d))
    return np.array([mean - half, mean + half])


def around(a, b, half):
    return (a - b).mean() - half, (a - b).mean() + half


RIGHT = [
    (1, si_sdr),
    (1, by_angle),
    (1, lambda e, x: si_sdr(x, e)),  # the angle between two vectors has no order
    (1, lambda e, x: waveform.si_sdr(e, x)),
    (1, lambda e, x: metrics.si_sdr(e[None], x[None])),
    (2, (30, 30, 24)),
    (2, [30.0, 30, 23.98]),
    (3, spoil),
    (4, fair),
    (4, fair_one_by_one),
    (5, paired),
    (5, lambda a, b, t: torch.stack(paired(a, b, t))),
    (5, lambda a, b, t: tuple(map(float, paired(a, b, t)))),
    (2, torch.tensor([30.0, 30.0, 24.0])),
    (2, np.array([30, 30, 24])),
    (4, lambda s: fair(s, lambda s: np.float32(s.nanmean(1).mean()))),
    (
        4,
        lambda s: fair(
            s, lambda s: torch.stack([row[~row.isnan()].mean() for row in s]).mean(), lambda s: s.isnan().sum()
        ),
    ),
    (3, spoil_by_numpy),
    (3, lambda x, n, d: spoil(x.double(), n.double(), d)),
    (3, lambda x, n, d: spoil(x, -3 * n, d)),
    (3, spoil_by_projector),
    (5, lambda a, b, t: paired(a.numpy(), b.numpy(), t, ddof=1)),
    (5, paired_by_loops),
]
WRONG = [
    (1, lambda e, x: ratio(x, e - x), "there is no alpha"),
    (1, lambda e, x: ratio(x, x - along(x, e)), "scaled to fit the source"),
    (1, lambda e, x: ratio(x, e - along(e, x)), "The target is alpha times"),
    (1, lambda e, x: -si_sdr(e, x), "the rest stands above"),
    (1, lambda e, x: 2 * si_sdr(e, x), "energies are squares already"),
    (1, lambda e, x: si_sdr(e, x) * math.log(10), "natural logarithm"),
    (1, lambda e, x: 10 ** (si_sdr(e, x) / 10), "logarithm is missing"),
    (
        1,
        lambda e, x: torch.stack([si_sdr(a, b) for a, b in zip(e, x, strict=True)]).mean(),
        "one long vector",
    ),
    (1, lambda e, x: float(si_sdr(e, x)), "should be a torch tensor"),
    (1, lambda e, x: si_sdr(e - e.mean(-1, keepdim=True), x - x.mean(-1, keepdim=True)), "The mean was taken away"),
    (1, lambda e, x: torch.nan_to_num(si_sdr(e[:1], x[:1])), "first channel alone"),
    (1, lambda e, x: e - x, "has 2 axes"),
    (2, (60, 60, 54), "10 times the logarithm, not 20"),
    (2, (30, 44, 24), "the noise is five times as strong"),
    (2, (30, 30, 27), "twice the amplitude"),
    (2, (30, 30, 15), "does not multiply"),
    (2, (30, 30, 36), "too large"),
    (2, 30, "Three numbers"),
    (3, lambda x, n, d: spoil(x, n, d, clean=False), "part of the source"),
    (3, lambda x, n, d: spoil(x, n, -d), "the sign"),
    (3, lambda x, n, d: spoil(x, n, 2 * d), "decibels / 10"),
    (3, lambda x, n, d: spoil(x, n, d) - x, "only the noise"),
    (3, lambda x, n, d: x + n - along(n, x), "not scaled at all"),
    (3, per_channel, "each channel got a factor"),
    (
        3,
        lambda x, n, d: torch.cat([spoil(a[None], b[None], d) for a, b in zip(x, n, strict=True)]),
        "each channel is an estimate",
    ),
    (3, lambda x, n, d: x + (n - along(n, x)) * 10 ** (-d / 20), "length of the source"),
    (
        3,
        lambda x, n, d: x + (spoil(x, n, d, clean=False) - x) - along(spoil(x, n, d, False) - x, x),
        "cleaned after it had been scaled",
    ),
    (4, lambda s: (torch.stack([waveform.si_sdr(e, x) for e, x in s]).mean(), 0), "the floor of the loss"),
    (4, lambda s: fair(s, torch.nanmean), "counts less than the others"),
    (4, lambda s: fair(s, lambda s: s.nan_to_num(0).mean()), "counts as 0 dB"),
    (4, lambda s: fair(s, torch.mean), "The mean is nan"),
    (4, lambda s: (float("nan"), 4), "The mean is nan"),
    (4, lambda s: fair(s)[0], "Two things"),
    (4, lambda s: fair(s, lambda s: s[:, 0].nanmean()), "the first source of each song alone"),
    (4, lambda s: fair(s, lambda s: s.nanmean(1).median()), "The mean is asked for"),
    (4, lambda s: fair(s, lambda s: s[~s.isnan().any(1)].mean()), "left out as a whole"),
    (4, lambda s: fair(s, lambda s: s[0].nanmean()), "first song alone"),
    (4, lambda s: fair(s, count=len), "That is the number of songs."),
    (4, lambda s: fair(s, count=lambda s: int((s == float("nan")).sum())), "equal to nothing"),
    (4, lambda s: fair(s, count=lambda s: 4), "It is about the number of silent sources"),
    (4, lambda s: fair(s, count=lambda s: 2), "number of songs with silence"),
    (4, lambda s: fair(s, count=lambda s: 8), "how many of them sound"),
    (4, lambda s: fair(s, count=lambda s: None), "But thing number 2 is None"),
    (5, lambda a, b, t: paired(b, a, t), "swapped"),
    (5, lambda a, b, t: paired(a, 0 * b, t), "interval of a alone"),
    (5, lambda a, b, t: around(a, b, t * ((a.var() + b.var()) / len(a)) ** 0.5), "nothing is paired"),
    (5, lambda a, b, t: around(a, b, t * (a - b).std()), "square root of their number"),
    (5, lambda a, b, t: around(a, b, t * (a - b).std() / len(a)), "not by its square root"),
    (5, lambda a, b, t: paired(a, b, 1), "t is missing"),
    (5, lambda a, b, t: paired(a, b, 1.96), "very many songs"),
    (5, lambda a, b, t: around(a, b, t * (a - b).std(correction=0) / len(a) ** 0.5), "it is one less"),
    (5, lambda a, b, t: (a - b).mean(), "Two numbers"),
    (5, lambda a, b, t: around(a, b, t * a.std() / len(a) ** 0.5), "Take the standard deviation of the differences"),
    (5, lambda a, b, t: around(a, b, t * (a - b).var() / len(a) ** 0.5), "the variance was used"),
    (5, lambda a, b, t: paired(a, b, -t), "high stands before low"),
    (5, lambda a, b, t: paired(a, b, 2.571), "It is about 11 songs"),
    (5, lambda a, b, t: (a, b), "should be numbers"),
    (2, ("30", "30", "24"), "Take the quotation marks away"),
    (4, lambda s: fair(s, count=lambda s: "4"), "should be one number"),
]
