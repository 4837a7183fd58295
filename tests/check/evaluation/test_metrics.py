"""The exercises of the lab on metrics: each usual mistake is recognised, each right answer passes, however written."""

import math

import numpy as np
import torch
from torch.nn.functional import interpolate, pad

from sepbook import audio
from sepbook.evaluation import bss_eval, metrics
from tests.check.tables import *  # noqa: F403


def ratio(a, b):
    return 10 * torch.log10(a.square().sum() / b.square().sum())


def delays(x, taps):
    return torch.stack([pad(x, (k, 0))[: len(x)] for k in range(taps)], dim=1)


def nearest(copies, e):
    return (copies @ torch.linalg.lstsq(copies, e[:, None]).solution)[:, 0]


def forgiving(e, x, taps, copies=delays, say=lambda own, e, x: ratio(own, e - own)):
    return say(nearest(copies(x, taps), e), e, x)


def by_normal_equations(e, x, taps):
    a, e = delays(x, taps).double(), e.double()
    own = a @ torch.linalg.solve(a.T @ a, a.T @ e)
    return ratio(own, e - own)


def by_numpy(e, x, taps):
    e, x = e.numpy().astype(float), x.numpy().astype(float)
    a = np.stack([np.r_[np.zeros(k), x[: len(x) - k]] for k in range(taps)], axis=1)
    own = a @ np.linalg.lstsq(a, e, rcond=None)[0]
    return 10 * np.log10((own**2).sum() / ((e - own) ** 2).sum())


def by_angles(e, x, taps):
    """Of an orthonormal basis of the copies, the estimate's share."""
    q, _ = torch.linalg.qr(delays(x, taps).double())
    inside = (q.T @ e.double()).square().sum()
    return 10 * torch.log10(inside / (e.double().square().sum() - inside))


def each_alone(e, x, taps):
    own = sum((e @ c) / (c @ c) * c for c in delays(x, taps).T)
    return ratio(own, e - own)


def hide(e, x, window, bad=lambda e, x: (e - x).square().sum() > x.square().sum(), put=None):
    hidden = e.clone()
    for start in range(0, e.shape[-1] - window + 1, window):
        part = slice(start, start + window)
        if bad(e[:, part], x[:, part]):
            hidden[:, part] = 0 if put is None else put[:, part]
    return hidden


def hide_all_at_once(e, x, window):
    whole = e.shape[-1] // window * window
    cut = [y[:, :whole].unflatten(-1, (-1, window)) for y in (e, x)]  # (C, T, window)
    good = (cut[0] - cut[1]).square().sum((0, 2)) <= cut[1].square().sum((0, 2))
    kept = good.float().repeat_interleave(window)
    return torch.cat([e[:, :whole] * kept, e[:, whole:]], dim=-1)


def hide_by_numpy(e, x, window):
    hidden, error = e.numpy().copy(), (e - x).numpy()
    for t in range(e.shape[-1] // window):
        part = slice(t * window, t * window + window)
        hidden[:, part] *= (error[:, part] ** 2).sum() <= (x.numpy()[:, part] ** 2).sum()
    return hidden


def hide_by_metric(e, x, window):
    return hide(e, x, window, lambda a, b: metrics.sdr(a[None], b[None]).item() < 0)


def hide_in_pieces(e, x, window, **options):
    """The last piece too."""
    more = -e.shape[-1] % window
    return hide(pad(e, (0, more)), pad(x, (0, more)), window, **options)[:, : e.shape[-1]]


def two_ways(s):
    return s.nanquantile(0.5, dim=1).nanquantile(0.5), s.nanmean(1).nanmean()


def two_ways_by_loops(s):
    songs = [[float(v) for v in row if not math.isnan(v)] for row in s]
    songs = [row for row in songs if row]
    return np.median([np.median(row) for row in songs]), sum(sum(r) / len(r) for r in songs) / len(songs)


def two_rates(e, x, low, rate, score=metrics.si_sdr, up=None):
    down = audio.resample(x, rate, low)
    up = audio.resample(e, low, rate)[..., : x.shape[-1]] if up is None else up
    return score(e[None], down[None]), score(up[None], x[None])


def at_full(e, x, low, rate):
    return two_rates(e, x, low, rate)[1]


def repeated(e, x, low, rate):
    return e.repeat_interleave(rate // low, -1)[:, : x.shape[-1]]


def drawn(e, x, low, rate):
    return interpolate(e[None], scale_factor=rate // low, mode="linear")[0][:, : x.shape[-1]]


def limited(x, low, rate):
    return audio.resample(audio.resample(x, rate, low), low, rate)[:, : x.shape[-1]]


def decimated(e, x, low, rate):
    few = x[:, :: rate // low][:, : e.shape[-1]]
    return metrics.si_sdr(e[None, :, : few.shape[-1]], few[None])


def unresampled(e, x):
    n = min(e.shape[-1], x.shape[-1])
    return metrics.si_sdr(e[None, :, :n], x[None, :, :n])


def by_bss_eval(e, x, taps):
    own = bss_eval.project(e[None, None], x[None, None], taps, ridge=0)[0, 0, : len(e)]
    return ratio(own, e - own)


RIGHT = [
    (1, forgiving),
    (1, by_normal_equations),
    (1, by_numpy),
    (1, by_angles),
    (1, lambda e, x, taps: forgiving(e.double(), x.double(), taps).item() * torch.ones(1)),
    (2, (20, 6, -6)),
    (2, [20.0, 6.02, -6.02]),
    (2, torch.tensor([20, 6.0206, -6.0206])),
    (2, np.array([20, 6, -6])),
    (3, hide),
    (3, hide_all_at_once),
    (3, hide_by_numpy),
    (3, hide_by_metric),
    (4, two_ways),
    (4, two_ways_by_loops),
    (4, lambda s: (np.nanmedian(np.nanquantile(s.numpy()[:-1], 0.5, axis=1)), two_ways(s)[1].item())),
    (4, lambda s: torch.stack(two_ways(s))),
    (5, two_rates),
    (5, lambda *given: tuple(float(v) for v in two_rates(*given))),
    (5, lambda e, x, low, rate: two_rates(e.double(), x.double(), low, rate)),
    (5, lambda *given: torch.cat(two_rates(*given))),
]
WRONG = [
    (1, lambda e, x, taps: -forgiving(e, x, taps), "what is wrong stands above"),
    (1, lambda e, x, taps: forgiving(e, x, 1), "with one factor"),
    (1, lambda e, x, taps: ratio(x, e - x), "Nothing is forgiven"),
    (1, lambda e, x, taps: forgiving(e, x, taps + 1), "one tap too many"),
    (1, lambda e, x, taps: forgiving(e, x, max(1, taps - 1)), "one tap too few"),
    (
        1,
        lambda e, x, taps: forgiving(e, x, taps, lambda x, taps: torch.stack([x.roll(k) for k in range(taps)], dim=1)),
        "Let zeros come in",
    ),
    (
        1,
        lambda e, x, taps: forgiving(
            e, x, taps, lambda x, taps: torch.stack([pad(x, (0, k))[k:] for k in range(taps)], dim=1)
        ),
        "the copies come early",
    ),
    (1, lambda e, x, taps: forgiving(e, x, taps, say=lambda own, e, x: ratio(x, e - own)), "the source stands above"),
    (1, lambda e, x, taps: forgiving(e, x, taps, say=lambda own, e, x: ratio(e, e - own)), "the estimate stands above"),
    (1, each_alone, "solve for all at once"),
    (1, lambda e, x, taps: 2 * forgiving(e, x, taps), "energies are squares already"),
    (1, lambda e, x, taps: forgiving(e, x, taps) * math.log(10), "natural logarithm"),
    (1, lambda e, x, taps: 10 ** (forgiving(e, x, taps) / 10), "logarithm is missing"),
    (2, (14, 6, -6), "A gain is free in SI-SDR"),
    (2, (10, 6, -6), "does not see the gain at all"),
    (2, (20, 100, -6), "half of it is missing"),
    (2, (20, 3, -6), "a quarter of the energy"),
    (2, (20, 0, -6), "the SDR of silence"),
    (2, (20, 12, -6), "Twice too much"),
    (2, (20, 6, 100), "A negative factor is free"),
    (2, (20, 6, 0), "Upside down is worse"),
    (2, (20, 6, 6), "mind the sign"),
    (3, lambda e, x, w: hide(e, x, w, lambda a, b: (a - b).square().sum() <= b.square().sum()), "the bad ones kept"),
    (3, lambda e, x, w: 0 * e, "everything is silent"),
    (3, lambda e, x, w: e, "nothing was hidden"),
    (3, lambda e, x, w: hide(e, x, w, lambda a, b: metrics.si_sdr(a[None], b[None]).item() < 0), "SI-SDR was asked"),
    (3, lambda e, x, w: hide(e, x, w, lambda a, b: a.square().sum() > b.square().sum()), "the error that counts"),
    (
        3,
        lambda e, x, w: hide(e, x, w, lambda a, b: (a - b).square().sum() > a.square().sum()),
        "SDR compares it with the source",
    ),
    (3, hide_in_pieces, "which is no whole frame"),
    (3, lambda e, x, w: hide(e, x, w, put=x), "where zeros belong"),
    (3, lambda e, x, w: hide(e, x, w)[:, hide(e, x, w).abs().sum(0) > 0], "were cut out"),
    (
        3,
        lambda e, x, w: hide(e, x, w, lambda a, b: (a - b)[0].square().sum() > b[0].square().sum()),
        "only the first channel",
    ),
    (4, lambda s: two_ways(s)[::-1], "the median comes first"),
    (4, lambda s: (s.nanquantile(0.5), s.nanmean()), "all frames were pooled"),
    (4, lambda s: (s.nanmedian(1).values.nanmedian(), two_ways(s)[1]), "the lower of the two in the middle"),
    (4, lambda s: two_ways(s.nan_to_num(0.0)), "was counted as 0 dB"),
    (4, lambda s: two_ways(s[~s.isnan().any(1)]), "were left out as a whole"),
    (4, lambda s: two_ways(s.T), "over songs first"),
    (4, lambda s: (two_ways(s)[0], s.nanmean(1).nanquantile(0.5)), "averaged by a median"),
    (4, lambda s: (s.nanquantile(0.5, dim=1).nanmean(), two_ways(s)[1]), "averaged by a mean"),
    (4, lambda s: (s.quantile(0.5, dim=1).median(), s.mean()), "A number is nan"),
    (5, lambda *given: two_rates(*given)[::-1], "the low rate comes first"),
    (5, lambda *given: (two_rates(*given)[0],) * 2, "both were scored at the low rate"),
    (5, lambda *given: (two_rates(*given)[1],) * 2, "both were scored at the song's rate"),
    (5, lambda *given: (decimated(*given), at_full(*given)), "treble folds down"),
    (5, lambda *given: two_rates(*given, up=repeated(*given)), "samples were repeated"),
    (5, lambda *given: two_rates(*given, up=drawn(*given)), "lines were drawn"),
    (
        5,
        lambda e, x, low, rate: (
            two_rates(e, x, low, rate)[0],
            two_rates(e, limited(x, low, rate), low, rate)[1],
        ),
        "lost its treble",
    ),
    (5, lambda e, x, low, rate: (two_rates(e, x, low, rate)[0], unresampled(e, x)), "is not at the time"),
    (5, lambda *given: two_rates(*given, score=metrics.sdr), "this is the SDR"),
]
