"""The exercises of Open-Unmix' lab: each usual mistake is recognised, each right answer passes, however written."""

import numpy as np
import torch

from tests.check.tables import *  # noqa: F403


def moments(magnitude):
    x = magnitude.mean(1)
    return -x.mean((0, 2)), 1 / x.std((0, 2), correction=0)


def moments_by_hand(magnitude):
    x = magnitude.double().mean(1).transpose(0, 1).flatten(1)  # (F, B·T)
    mean = x.sum(1) / x.shape[1]
    return [-mean, (x.square().mean(1) - mean**2) ** -0.5]


def moments_in_numpy(magnitude):
    x = magnitude.numpy().mean(1)
    return -x.mean((0, 2)), 1 / x.std((0, 2))


def moments_with(shift=lambda x: -x.mean((0, 2)), scale=lambda x: 1 / x.std((0, 2), correction=0)):
    return lambda magnitude: (shift(magnitude.mean(1)), scale(magnitude.mean(1)))


def both_channels(magnitude):
    return moments(magnitude)[0], 1 / magnitude.std((0, 1, 3), correction=0)


def first_item(magnitude):
    return -magnitude[0].mean((0, 2)), moments(magnitude)[1]


def estimate(join=lambda a, b: torch.cat([a, b], -1), gain=torch.relu, end=lambda x, y: x * y):
    """Return an answer to exercise 3 that joins, bounds or ends in its own way."""

    def answer(squeeze, read, unfold, magnitude):
        a = squeeze(magnitude.permute(3, 0, 1, 2))
        return end(gain(unfold(join(a, read(a)))).permute(1, 2, 3, 0), magnitude)

    return answer


def with_einsum(squeeze, read, unfold, magnitude):
    a = squeeze(torch.einsum("bcft->tbcf", magnitude))
    gain = unfold(torch.cat((a, read(a)), dim=2)).clamp(min=0)
    return torch.einsum("tbcf,bcft->bcft", gain, magnitude)


def frames_forgotten(squeeze, read, unfold, magnitude):
    a = squeeze(magnitude.permute(3, 0, 1, 2))
    return unfold(torch.cat([a, read(a)], -1)).relu()


def step(mixture, magnitudes):
    power = magnitudes.square()
    return power / power.sum(0).clamp_min(1e-10) * mixture


def step_with_where(mixture, magnitudes):
    power = magnitudes.double() ** 2
    total = power.sum(0, keepdim=True)
    return torch.where(total > 0, power / torch.where(total > 0, total, 1.0), 0.0) * mixture


def step_in_numpy(mixture, magnitudes):
    power = magnitudes.numpy() ** 2
    return power / (power.sum(0) + 1e-12) * mixture.numpy()


def step_in_a_loop(mixture, magnitudes):
    total = sum(m**2 for m in magnitudes) + 1e-10
    return torch.stack([m**2 / total * mixture for m in magnitudes])


def without_floor(mixture, magnitudes):
    return magnitudes**2 / (magnitudes**2).sum(0) * mixture


def shared(power=2, axis=0, finish=lambda share, mixture: share * mixture):
    """Return an answer to exercise 4 with one thing done otherwise."""

    def answer(mixture, magnitudes):
        power_ = magnitudes**power
        return finish(power_ / power_.sum(axis, keepdim=True).clamp_min(1e-10), mixture)

    return answer


def with_phase(mixture, magnitudes):
    return torch.polar(magnitudes, mixture.angle().expand_as(magnitudes))


def twice(mixture, magnitudes):
    return step(mixture, step(mixture, magnitudes).abs())


RIGHT = [
    (1, (257, 514, 64)),
    (1, [257.0, 514, 64]),
    (1, np.array([257, 514, 64])),
    (1, torch.tensor([257, 514, 64])),
    (2, moments),
    (2, moments_by_hand),
    (2, moments_in_numpy),
    (2, moments_with(lambda x: -x.mean(2).mean(0), lambda x: x.var((0, 2), correction=0).rsqrt())),
    (3, estimate()),
    (3, with_einsum),
    (3, estimate(lambda a, b: torch.stack([a, b], -2).flatten(-2), lambda x: (x + x.abs()) / 2)),
    (3, estimate(end=lambda x, y: torch.einsum("bcft,bcft->bcft", y, x))),
    (4, step),
    (4, step_with_where),
    (4, step_in_numpy),
    (4, step_in_a_loop),
]
WRONG = [
    (1, (256, 512, 64), "Bin 0 counts too"),
    (1, (257, 257, 64), "gets the bins of both"),
    (1, (257, 514, 128), "both directions together"),
    (1, (513, 1026, 64), "all bins"),
    (1, (257, 514, 256), "half of H"),
    (1, (128, 256, 64), "not twice that"),
    (2, moments_with(shift=lambda x: x.mean((0, 2))), "the mean has to go"),
    (2, moments_with(shift=lambda x: -x.mean().expand(x.shape[1])), "each bin has its own"),
    (2, moments_with(shift=lambda x: -x.sum((0, 2))), "instead of the mean"),
    (2, first_item, "the first item alone"),
    (2, moments_with(scale=lambda x: x.std((0, 2), correction=0)), "one over it is wanted"),
    (2, moments_with(scale=lambda x: 1 / x.var((0, 2), correction=0)), "a root is missing"),
    (2, moments_with(scale=lambda x: 1 / x.std((0, 2))), "divided by one less"),
    (2, moments_with(scale=lambda x: 1 / x.mean((0, 2))), "one over the mean"),
    (2, both_channels, "both channels together"),
    (2, lambda x: moments(x)[0], "two things"),
    (2, lambda x: (x.mean((0, 1)), x.std((0, 1))), "has 2 axes"),
    (3, estimate(lambda a, b: torch.cat([b, a], -1)), "stands before the skip"),
    (3, estimate(lambda a, b: torch.cat([a, a], -1)), "the skip stands there twice"),
    (3, estimate(lambda a, b: torch.cat([b, b], -1)), "the skip is missing"),
    (3, estimate(gain=lambda x: x), "magnitudes below 0"),
    (3, estimate(gain=torch.sigmoid), "a sigmoid in place of the ReLU"),
    (3, estimate(end=lambda x, y: x), "that is the gain"),
    (3, estimate(end=lambda x, y: x * y * y), "multiplied twice"),
    (3, estimate(end=lambda x, y: (x * y).detach()), "gradient"),
    (3, frames_forgotten, "has shape"),
    (3, lambda squeeze, read, unfold, x: torch.full_like(x, torch.nan), "holds NaN or infinity"),
    (4, shared(1), "The filter shares powers"),
    (4, with_phase, "nothing was shared"),
    (4, shared(finish=lambda share, mixture: share * mixture.abs() + 0j), "the phase is lost"),
    (4, shared(finish=lambda share, mixture: share + 0j), "without the mixture"),
    (4, shared(axis=2), "over frames instead of sources"),
    (4, shared(axis=1), "over bins instead of sources"),
    (4, twice, "two steps"),
    (4, without_floor, "holds NaN or infinity"),
    (4, lambda mixture, m: step(mixture, m)[0], "has 2 axes"),
]
