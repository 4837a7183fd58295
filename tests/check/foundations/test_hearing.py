"""The exercises of the lab on hearing: each usual mistake is recognised, each right answer passes, however written."""

import math

import pytest
import torch

from sepbook.check.foundations import hearing as check
from sepbook.evaluation import metrics
from sepbook.losses import waveform


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


def paired(a, b, t):
    d = a - b
    return d.mean() - t * d.std() / len(d) ** 0.5, d.mean() + t * d.std() / len(d) ** 0.5


def around(a, b, half):
    return (a - b).mean() - half, (a - b).mean() + half


RIGHT = [
    ("exercise_1", si_sdr),
    ("exercise_1", by_angle),
    ("exercise_1", lambda e, x: si_sdr(x, e)),  # the angle between two vectors has no order
    ("exercise_1", lambda e, x: waveform.si_sdr(e, x)),
    ("exercise_1", lambda e, x: metrics.si_sdr(e[None], x[None])),
    ("exercise_2", (30, 30, 24)),
    ("exercise_2", [30.0, 30, 23.98]),
    ("exercise_3", spoil),
    ("exercise_4", fair),
    ("exercise_4", fair_one_by_one),
    ("exercise_5", paired),
    ("exercise_5", lambda a, b, t: torch.stack(paired(a, b, t))),
    ("exercise_5", lambda a, b, t: tuple(map(float, paired(a, b, t)))),
]
WRONG = [
    ("exercise_1", lambda e, x: ratio(x, e - x), "there is no alpha"),
    ("exercise_1", lambda e, x: ratio(x, x - along(x, e)), "scaled to fit the source"),
    ("exercise_1", lambda e, x: ratio(x, e - along(e, x)), "The target is alpha times"),
    ("exercise_1", lambda e, x: -si_sdr(e, x), "the rest stands above"),
    ("exercise_1", lambda e, x: 2 * si_sdr(e, x), "energies are squares already"),
    ("exercise_1", lambda e, x: si_sdr(e, x) * math.log(10), "natural logarithm"),
    ("exercise_1", lambda e, x: 10 ** (si_sdr(e, x) / 10), "logarithm is missing"),
    (
        "exercise_1",
        lambda e, x: torch.stack([si_sdr(a, b) for a, b in zip(e, x, strict=True)]).mean(),
        "one long vector",
    ),
    ("exercise_1", lambda e, x: float(si_sdr(e, x)), "should be a torch tensor"),
    ("exercise_1", lambda e, x: e - x, "axes"),
    ("exercise_2", (60, 60, 54), "10 times the logarithm, not 20"),
    ("exercise_2", (30, 44, 24), "the noise is five times as strong"),
    ("exercise_2", (30, 30, 27), "twice the amplitude"),
    ("exercise_2", (30, 30, 15), "does not multiply"),
    ("exercise_2", (30, 30, 36), "too large"),
    ("exercise_2", 30, "Three numbers"),
    ("exercise_3", lambda x, n, d: spoil(x, n, d, clean=False), "part of the source"),
    ("exercise_3", lambda x, n, d: spoil(x, n, -d), "the sign"),
    ("exercise_3", lambda x, n, d: spoil(x, n, 2 * d), "decibels / 10"),
    ("exercise_3", lambda x, n, d: spoil(x, n, d) - x, "only the noise"),
    ("exercise_3", lambda x, n, d: x + (n - along(n, x)) * 10 ** (-d / 20), "length of the source"),
    (
        "exercise_3",
        lambda x, n, d: x + (spoil(x, n, d, clean=False) - x) - along(spoil(x, n, d, False) - x, x),
        "after",
    ),
    ("exercise_4", lambda s: (torch.stack([waveform.si_sdr(e, x) for e, x in s]).mean(), 0), "the floor of the loss"),
    ("exercise_4", lambda s: fair(s, torch.nanmean), "counts less than the others"),
    ("exercise_4", lambda s: fair(s, lambda s: s.nan_to_num(0).mean()), "counts as 0 dB"),
    ("exercise_4", lambda s: fair(s, torch.mean), "The mean is nan"),
    ("exercise_4", lambda s: (float("nan"), 4), "The mean is nan"),
    ("exercise_4", lambda s: fair(s)[0], "Two things"),
    ("exercise_4", lambda s: fair(s, count=lambda s: 2), "number of songs with silence"),
    ("exercise_4", lambda s: fair(s, count=lambda s: 8), "how many of them sound"),
    ("exercise_4", lambda s: fair(s, count=lambda s: None), "number"),
    ("exercise_5", lambda a, b, t: paired(b, a, t), "swapped"),
    ("exercise_5", lambda a, b, t: paired(a, 0 * b, t), "interval of a alone"),
    ("exercise_5", lambda a, b, t: around(a, b, t * ((a.var() + b.var()) / len(a)) ** 0.5), "nothing is paired"),
    ("exercise_5", lambda a, b, t: around(a, b, t * (a - b).std()), "square root of their number"),
    ("exercise_5", lambda a, b, t: around(a, b, t * (a - b).std() / len(a)), "not by its square root"),
    ("exercise_5", lambda a, b, t: paired(a, b, 1), "t is missing"),
    ("exercise_5", lambda a, b, t: paired(a, b, 1.96), "very many songs"),
    ("exercise_5", lambda a, b, t: around(a, b, t * (a - b).std(correction=0) / len(a) ** 0.5), "it is one less"),
    ("exercise_5", lambda a, b, t: (a - b).mean(), "Two numbers"),
    ("exercise_5", lambda a, b, t: (a, b), "should be numbers"),
]


@pytest.mark.parametrize(("name", "answer"), RIGHT)
def test_right_answers_turn_green(hear, name, answer):
    text = hear(getattr(check, name), answer)
    assert text.startswith("✔"), text


@pytest.mark.parametrize(("name", "answer", "hint"), WRONG)
def test_wrong_answers_get_their_own_hint(hear, name, answer, hint):
    text = hear(getattr(check, name), answer, times=3)
    assert "✔" not in text
    assert hint in text, text


NONSENSE = [None, ..., "text", 3, torch.zeros(2), lambda: None, lambda *a: a[0], lambda *a: None, lambda *a: ("x", "y")]


@pytest.mark.parametrize("answer", NONSENSE)
@pytest.mark.parametrize("name", [f"exercise_{i}" for i in range(1, 6)])
def test_nonsense_never_raises(hear, name, answer):
    text = hear(getattr(check, name), answer)
    assert text and "✔" not in text
