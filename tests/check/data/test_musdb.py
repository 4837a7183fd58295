import math

import numpy as np
import torch

from tests.check.tables import *  # noqa: F403


def sounding(sources, samples, floor):
    pieces = sources.unfold(-1, samples, samples)
    loudest = pieces.sum(0).square().mean(dim=(0, 2)).max()
    return pieces.square().mean(dim=(1, 3)) > loudest * 10 ** (floor / 10)


def sounding_numpy(sources, samples, floor):
    x = sources.numpy().reshape(*sources.shape[:2], -1, samples)
    loudest = (x.sum(0) ** 2).mean(axis=(0, 2)).max()
    return (x**2).mean(axis=(1, 3)) > loudest * 10 ** (floor / 10)


def sounding_loop(sources, samples, floor):
    count = sources.shape[-1] // samples
    cut = [sources[..., k * samples : (k + 1) * samples] for k in range(count)]
    loudest = max(float(x.sum(0).square().mean()) for x in cut)
    return torch.tensor(
        [[float(x[s].square().mean()) > loudest * 10 ** (floor / 10) for x in cut] for s in range(len(sources))]
    )


def sounding_decibels(sources, samples, floor):
    pieces = sources.double().reshape(*sources.shape[:2], -1, samples)
    level = 10 * pieces.square().mean(dim=(1, 3)).log10()
    return level - 10 * pieces.sum(0).square().mean(dim=(0, 2)).max().log10() > floor


def otherwise(power=lambda p: p.square().mean(dim=(1, 3)), loudest=None, scale=10, floor=None):
    def sounding_otherwise(sources, samples, given):
        pieces = sources.unfold(-1, samples, samples)
        whole = pieces.sum(0).square().mean(dim=(0, 2))
        base = loudest(pieces, whole) if loudest else whole.max()
        return power(pieces) > base * 10 ** ((given if floor is None else floor) / scale)

    return sounding_otherwise


def first_channel(sources, samples, floor):
    return sounding(sources[:, :1], samples, floor)


def turn_down(sources):
    return sources / max(1.0, float(sources.sum(0).abs().max()))


def turn_down_if(sources):
    peak = sources.sum(0).abs().max()
    if peak > 1:
        return sources * (1 / peak)
    return sources


def leak(stem, other):
    return 20 * torch.log10(((stem * other).sum() / other.square().sum()).abs())


def leak_numpy(stem, other):
    g = np.vdot(stem.numpy(), other.numpy()) / np.vdot(other.numpy(), other.numpy())
    with np.errstate(divide="ignore"):
        return 20 * np.log10(abs(g))


def leak_math(stem, other):
    g = abs(float(stem.flatten() @ other.flatten()) / float(other.flatten() @ other.flatten()))
    return 20 * math.log10(g) if g > 0 else -math.inf


def leak_lstsq(stem, other):
    g = torch.linalg.lstsq(other.reshape(-1, 1).double(), stem.reshape(-1, 1).double()).solution
    return 20 * g.abs().log10()[0, 0]


def decibels(g):
    return 20 * torch.as_tensor(g).abs().log10()


RIGHT = [
    (1, (86, 14, 50)),
    (1, [86, 14, 50]),
    (1, torch.Size([86, 14, 50])),
    (1, np.array([86.0, 14, 50])),
    (2, sounding),
    (2, sounding_numpy),
    (2, sounding_loop),
    (2, sounding_decibels),
    (3, turn_down),
    (3, turn_down_if),
    (3, lambda x: x.double() / x.double().sum(0).abs().max().clamp_min(1)),
    (3, lambda x: x.numpy() / max(1, np.abs(x.numpy().sum(0)).max())),
    (4, leak),
    (4, leak_numpy),
    (4, leak_math),
    (4, leak_lstsq),
]
WRONG = [
    (1, (100, 14, 50), "a leak"),
    (1, (100, 0, 50), "nothing says when to stop"),
    (1, (86, 14, 64), "do not go to test"),
    (1, (100, 14, 36), "Nothing is taken from test"),
    (1, (86, 50, 14), "The order is train, valid, test"),
    (1, (136, 14, 0), "not learned from"),
    (1, (90, 10, 50), "a list of names"),
    (2, lambda x, n, f: ~sounding(x, n, f), "who rests"),
    (2, otherwise(scale=20), "With 20 the floor"),
    (2, first_channel, "first channel alone"),
    (2, otherwise(loudest=lambda p, w: 1.0), "The floor is absolute"),
    (2, otherwise(loudest=lambda p, w: w), "its own mixture"),
    (2, otherwise(floor=-60), "Use `floor`"),
    (2, lambda x, n, f: x.unfold(-1, n, n).square().mean(dim=(1, 3)) > 0, "only whether something is there"),
    (2, lambda x, n, f: sounding(x, n, f).T, "S (source)"),
    (2, lambda x, n, f: sounding(x, n, f) if x.any() else torch.ones(2, 2), "In a silent song"),
    (3, lambda x: x.clamp(-1, 1), "cut off"),
    (3, lambda x: x / x.abs().amax(dim=(1, 2), keepdim=True).clamp_min(1), "gain of its own"),
    (3, lambda x: x / x.sum(0).abs().max().clamp_min(1e-12), "made louder"),
    (3, lambda x: x / x.abs().max().clamp_min(1), "loudest stem decides"),
    (3, lambda x: x / x.sum(0).max().clamp_min(1), "take abs() first"),
    (3, lambda x: x / x.sum(0).abs().amax(-1, keepdim=True).clamp_min(1), "moves to one side"),
    (3, lambda x: x / x.abs().amax(dim=(1, 2)).sum().clamp_min(1), "Add first"),
    (3, lambda x: x, "Nothing was changed"),
    (3, lambda x: turn_down(x).sum(0), "2 axes"),
    (4, lambda s, o: leak(s, o) / 2, "20 times"),
    (4, lambda s, o: -leak(s, o), "softer than its source"),
    (4, lambda s, o: leak(o, s), "energy of the stem"),
    (4, lambda s, o: 10 * (s.square().sum() / o.square().sum()).log10(), "its own noise too"),
    (4, lambda s, o: leak(s[:1], o[:1]), "first channel alone"),
    (4, lambda s, o: decibels((s * o).sum() / (s.norm() * o.norm())), "That is the correlation"),
    (4, lambda s, o: ((s * o).sum() / o.square().sum()).abs(), "Make decibels"),
    (4, lambda s, o: decibels((s * o).sum()), "not divided by the energy"),
    (4, lambda s, o: leak(s, o) if s.any() else torch.tensor(-99.0), "should be -inf"),
]
