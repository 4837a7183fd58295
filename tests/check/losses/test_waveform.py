"""The exercises of the waveform losses' lab: each usual mistake is recognised, each right answer passes."""

import numpy as np
import torch

from sepbook.losses import waveform
from tests.check.tables import *  # noqa: F403


def ratio(e, s, axes=(-2, -1), over="s", factor=10.0, log=torch.log10):
    energy = {"s": s, "e": e}[over].square().sum(axes, keepdim=True)
    target = (e * s).sum(axes, keepdim=True) / energy * s
    return factor * log(target.square().sum(axes) / (e - target).square().sum(axes))


def mixed(above="target", minus="target", axes=(-2, -1)):
    """Return an answer to exercise 1 with one part taken wrongly; `axes` are those of alpha."""

    def answer(e, s):
        target = (e * s).sum(axes, keepdim=True) / s.square().sum(axes, keepdim=True) * s
        upper, lower = {"target": target, "source": s, "estimate": e}[above], {"target": e - target, "source": e - s}
        return 10 * torch.log10(upper.square().sum((-2, -1)) / lower[minus].square().sum((-2, -1)))

    return answer


def by_angle(e, s):
    e, s = e.flatten(-2), s.flatten(-2)
    cosine = torch.cosine_similarity(e, s, dim=-1, eps=1e-12).square()
    return 10 * torch.log10(cosine / (1 - cosine))


def by_einsum(e, s):
    dot, ss, ee = (torch.einsum("bscn,bscn->bs", a, b) for a, b in ((e, s), (s, s), (e, e)))
    return -10 * torch.log10(ee * ss / dot**2 - 1)


def by_loop(e, s):
    return torch.stack([torch.stack([ratio(a, b) for a, b in zip(x, y, strict=True)]) for x, y in zip(e, s)])  # noqa: B905


def centre(x, axis=-1):
    return x - x.mean(axis, keepdim=True)


def loss(axis=-1, sign=-1, which="es", end=torch.mean):
    """Return an answer to exercise 3, with some of its bugs."""

    def si_snr_loss(e, s):
        e, s = centre(e, axis) if "e" in which else e, centre(s, axis) if "s" in which else s
        return sign * end(ratio(e, s))

    return si_snr_loss


def one_pair_after_the_other(e, s):
    values = [-ratio(centre(a), centre(b)) for a, b in zip(e.flatten(0, 1), s.flatten(0, 1), strict=True)]
    return sum(values) / len(values)


def skipping(tiny=1e-12, sign=-1, count="heard", limit=1e-9, measure=lambda s: s.square().mean((-2, -1))):
    """Return an answer to exercise 4, with some of its mistakes."""

    def sdr_loss(e, s):
        signal, error = s.square().sum((-2, -1)) + tiny, (e - s).square().sum((-2, -1)) + tiny
        heard = measure(s) > limit
        heard = heard & heard.all(0) if count == "everywhere" else heard
        kept = torch.where(heard, sign * 10 * torch.log10(signal / error), 0.0)
        return {"all": kept.mean(1), "sum": kept.sum(1)}.get(count, kept.sum(1) / heard.sum(1).clamp(min=1))

    return sdr_loss


def one_by_one(e, s):
    values = []
    for guess, truth in zip(e, s, strict=True):
        heard = [-waveform.sdr(g, t) for g, t in zip(guess, truth, strict=True) if t.square().mean() > 1e-9]
        values.append(torch.stack(heard).mean() if heard else 0 * guess.sum())
    return torch.stack(values)


def by_weights(e, s):
    heard = (s.square().mean((-2, -1)) > 1e-9).double()
    levels = [(x.square().sum((-2, -1)) + 1e-12).log() for x in (e - s, s)]
    return 10 / np.log(10) * (heard * (levels[0] - levels[1])).sum(1) / (heard.sum(1) + (heard.sum(1) == 0))


def with_alpha(e, s):
    alpha = (e * s).sum((-2, -1), keepdim=True) / (s.square().sum((-2, -1), keepdim=True) + 1e-12)
    return skipping()(e, torch.where(s.square().mean((-2, -1), keepdim=True) > 1e-9, alpha * s, s))


RIGHT = [
    (1, ratio),
    (1, by_angle),
    (1, by_einsum),
    (1, by_loop),
    (1, waveform.si_sdr),
    (2, (0, 0.5)),
    (2, [0.0, 1 / 2]),
    (2, (1e-9, 0.5)),
    (2, torch.tensor([0.0, 0.5])),
    (2, np.array([0, 0.5])),
    (3, loss()),
    (3, waveform.si_snr_loss),
    (3, one_pair_after_the_other),
    (3, lambda e, s: -by_angle(centre(e), centre(s)).mean()),
    (4, skipping()),
    (4, one_by_one),
    (4, by_weights),
    (4, lambda e, s: waveform.sdr_loss(e, s, "none", skip_silent=True)),
]
WRONG = [
    (1, waveform.sdr, "alpha is missing"),
    (1, lambda e, s: ratio(e, s, over="e"), "divided by the energy of the estimate"),
    (1, lambda e, s: ratio(e, s, factor=20), "20 log10 belongs to a ratio of amplitudes"),
    (1, lambda e, s: ratio(e, s, factor=1), "one bel is ten decibels"),
    (1, lambda e, s: ratio(e, s, log=torch.log), "the natural one"),
    (1, lambda e, s: ratio(e, s, axes=-1).mean(-1), "each channel has an alpha and a ratio"),
    (1, mixed(axes=-1), "each channel has an alpha of its own"),
    (1, mixed(minus="source"), "the error is e − s"),
    (1, mixed("source"), "the source itself stands above the line"),
    (1, mixed("estimate"), "the estimate stands above the line"),
    (1, lambda e, s: ratio(centre(e), centre(s)), "the means were subtracted"),
    (1, lambda e, s: -ratio(e, s), "The sign is the other way round"),
    (1, lambda e, s: ratio(e, s).mean(1), "has 1 axes"),
    (1, lambda e, s: ratio(e, s).detach(), "the gradient is cut off"),
    (1, lambda e, s: ratio(e, s).tolist(), "type list"),
    (2, (1, 0.5), "louder or quieter"),
    (2, (90, 0.5), "an angle. Asked for is its cosine"),
    (2, (0.7, 0.5), "Which way does nothing change"),
    (2, (0, 1), "but its slope is not"),
    (2, (0, 2), "a long vector is turned less by the same step"),
    (2, (0, 4), "it is a length, not an energy"),
    (2, (0, 0.25), "That would be energies"),
    (2, (0, 0.3), "the ratio of lengths"),
    (2, (0, 0.5, 1), "a pair of numbers"),
    (2, ("zero", 0.5), "should be one number"),
    (3, loss(0, 1), "over the batch, and the sign is still missing"),
    (3, loss(0), "still taken over the batch"),
    (3, loss(-1, 1), "a good estimate has a large value"),
    (3, loss((-2, -1)), "each channel has its own"),
    (3, loss(2), "taken over the channels, axis 2"),
    (3, loss(1), "taken over the sources, axis 1"),
    (3, loss(which=""), "no mean is subtracted"),
    (3, loss(which="e"), "from the estimates only"),
    (3, loss(which="s"), "from the sources only"),
    (3, loss(end=torch.sum), "added up, where their mean is wanted"),
    (3, lambda e, s: loss()(e[:1], s[:1]), "item 0 alone"),
    (3, lambda e, s: waveform.si_snr_loss(e, s, "none"), "has 1 axes"),
    (4, skipping(tiny=0), "the gradient holds NaN"),
    (4, skipping(sign=1), "a loss is the negative"),
    (4, skipping(count="all"), "should not count at all"),
    (4, skipping(count="sum"), "added up, where their mean is wanted"),
    (4, skipping(count="everywhere"), "silent in one item is left out of all"),
    (4, skipping(limit=1e-6), "the threshold is higher than 1e-9"),
    (4, skipping(limit=1e-10), "the threshold is lower than 1e-9"),
    (4, skipping(measure=lambda s: s.square().mean((-2, -1)).sqrt()), "or not a mean square"),
    (4, lambda e, s: waveform.sdr_loss(e, s, "none"), "the silent sources are still in it"),
    (4, lambda e, s: -waveform.sdr(e, s).log().mean(1), "holds NaN or infinity"),
    (4, lambda e, s: skipping()(e, s).detach(), "the gradient is cut off"),
    (4, lambda e, s: skipping()(e, s).mean(), "has 0 axes"),
]
