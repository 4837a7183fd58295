"""The exercises of the lab on separation: each usual mistake is recognised, each right answer passes."""

import math

import numpy as np
import torch

from tests.check.tables import *  # noqa: F403


def rms(x):
    return x.square().mean().sqrt()


def at_level(system, x, wanted, level=rms, undo=True):
    size = level(x)
    gain = torch.where(torch.as_tensor(size) > 0, wanted / size, 1.0)
    return system(x * gain) / gain if undo else system(x * gain)


def at_level_by_norm(system, x, wanted):
    gain = wanted * x.numel() ** 0.5 / float(x.norm()) if x.any() else 1.0
    return system(gain * x) / gain


def at_level_in_decibels(system, x, wanted):
    level = float(x.double().square().mean())
    if level == 0:
        return system(x)
    decibels = 20 * math.log10(wanted) - 10 * math.log10(level)
    gain = 10 ** (decibels / 20)
    return system(x * gain) / gain


def at_level_by_numpy(system, x, wanted):
    level = float(np.sqrt(np.mean(x.numpy() ** 2)))
    gain = wanted / level if level else 1.0
    return (system(gain * x) / gain).numpy()


def rise(fade):
    return (torch.arange(fade) + 0.5) / fade


def weights(overlap, edge, rise=rise):
    return torch.cat([torch.zeros(edge), rise(overlap - 2 * edge), torch.ones(edge)])


def weights_clamped(overlap, edge):
    return ((torch.arange(overlap) + 0.5 - edge) / (overlap - 2 * edge)).clamp(0, 1)


def weights_by_loop(overlap, edge):
    fade = overlap - 2 * edge
    return torch.tensor([min(max((n - edge + 0.5) / fade, 0.0), 1.0) for n in range(overlap)])


def count(N, length, overlap):
    return 1 + max(0, math.ceil((N - length) / (length - overlap)))


def count_by_loop(N, length, overlap):
    chunks, end = 1, length
    while end < N:
        chunks, end = chunks + 1, end + length - overlap
    return chunks


def by_channel(mono, x):
    return mono(x[:, None])[:, :, 0].transpose(0, 1)


RIGHT = [
    (1, at_level),
    (1, at_level_by_norm),
    (1, at_level_in_decibels),
    (1, at_level_by_numpy),
    (2, weights),
    (2, weights_clamped),
    (2, weights_by_loop),
    (2, lambda overlap, edge: weights_clamped(overlap, edge).numpy()),
    (3, count),
    (3, count_by_loop),
    (3, lambda N, length, overlap: float(count(N, length, overlap))),
    (3, lambda N, length, overlap: max(1, -(-(N - overlap) // (length - overlap)))),
    (4, by_channel),
    (4, lambda mono, x: torch.stack([mono(one[None, None])[0, :, 0] for one in x], dim=1)),
    (4, lambda mono, x: torch.cat([mono(one[None, None])[0] for one in x], dim=1)),
    (4, lambda mono, x: by_channel(mono, x.double()).numpy()),
]
WRONG = [
    (1, lambda s, x, w: at_level(s, x, w, undo=False), "was not undone"),
    (1, lambda s, x, w: s(x * w / rms(x)) * w / rms(x), "once more instead of being undone"),
    (1, lambda s, x, w: s(x), "nothing was done to the level"),
    (1, lambda s, x, w: at_level(s, x, 1.0, lambda x: w / rms(x)), "upside down"),
    (1, lambda s, x, w: at_level(s, x, w, lambda x: x.square().mean(1, keepdim=True).sqrt()), "a gain of its own"),
    (1, lambda s, x, w: at_level(s, x, w, lambda x: x.abs().max()), "the peak was brought"),
    (1, lambda s, x, w: at_level(s, x, w, lambda x: x.abs().mean()), "the mean of absolute values"),
    (1, lambda s, x, w: at_level(s, x, w, lambda x: x.square().mean()), "the root is missing"),
    (1, lambda s, x, w: at_level(s, x, w, lambda x: x.norm()), "the sum of squares"),
    (1, lambda s, x, w: at_level(s, x, 1.0), "wanted is ignored"),
    (1, lambda s, x, w: s(x * w / rms(x)) * rms(x) / w, "has no level"),
    (2, lambda o, e: 1 - weights(o, e), "weights of the old chunk"),
    (2, lambda o, e: rise(o), "the edges of the chunks are heard"),
    (2, lambda o, e: weights(o, e, lambda n: torch.arange(n) / n), "one sample too early"),
    (2, lambda o, e: weights(o, e, lambda n: torch.linspace(0, 1, n)), "two samples more"),
    (2, lambda o, e: (torch.arange(o) >= o / 2).float(), "a jump clicks"),
    (2, lambda o, e: weights(o, e, lambda n: torch.full((n,), 0.5)), "a mean, with two jumps"),
    (2, lambda o, e: weights(o, e, lambda n: rise(n).sqrt()), "in energy, not in amplitude"),
    (2, lambda o, e: rise(o - 2 * e), "the edges are missing"),
    (2, lambda o, e: torch.minimum(weights(o, e), weights(o, e).flip(0)), "up and down again"),
    (3, lambda N, length, overlap: -(-N // length), "the chunks overlap"),
    (3, lambda N, length, overlap: -(-N // (length - overlap)), "not a hop only"),
    (3, lambda N, length, overlap: 1 + max(0, (N - length) // (length - overlap)), "rounded down: what is left"),
    (3, lambda N, length, overlap: 1 + max(0, (N - length) // (length - overlap) + 1), "one too many"),
    (3, lambda N, length, overlap: 1 + max(0, -(-(N - length) // overlap)), "taken for the hop"),
    (3, lambda N, length, overlap: count(N, length, overlap) - 1, "the first chunk is missing"),
    (3, lambda N, length, overlap: 1 + math.ceil((N - length) / (length - overlap)), "shorter than a chunk"),
    (3, lambda N, length, overlap: max(1, 1 + (N - length) / (length - overlap)), "round up"),
    (4, lambda mono, x: mono(x[:, None])[:, :, 0], "S and C are to be swapped"),
    (4, lambda mono, x: mono(x.mean(0)[None, None])[0].expand(3, *x.shape), "the image is lost"),
    (4, lambda mono, x: mono(x.mean(0)[None, None])[0], "no longer there"),
    (4, lambda mono, x: by_channel(mono, x).mean(1, keepdim=True).expand(3, *x.shape), "averaged over channels"),
    (4, lambda mono, x: by_channel(mono, x)[:, :1].expand(3, *x.shape), "used for all"),
    (4, lambda mono, x: by_channel(mono, x).flip(1), "in the reverse order"),
    (4, lambda mono, x: mono(x[:, None])[:, :, 0].reshape(3, *x.shape), "cuts the numbers elsewhere"),
    (4, lambda mono, x: by_channel(mono, x)[:, :, None], "the axis of one channel"),
]
