"""The exercises of the spectrogram losses' lab: each usual mistake is recognised, each right answer passes."""

import numpy as np
import torch

from sepbook.losses import spectrogram
from tests.check.tables import *  # noqa: F403


def tpsa(mixture, sources):
    Y = mixture.unsqueeze(1)
    part = sources.abs() * torch.cos(sources.angle() - Y.angle())
    return part.clamp(min=0).minimum(Y.abs())


def by_mask(mixture, sources, tiny=1e-12):
    size = mixture[:, None].abs()
    return ((sources * mixture[:, None].conj()).real / (size**2 + tiny**2)).clamp(0, 1) * size


def tpsa_by_loop(mixture, sources):
    """One source after the other, by the product with the conjugate."""
    size = mixture.abs()
    rows = [
        ((source * mixture.conj()).real / size.clamp(min=1e-12)).clamp(min=0).minimum(size)
        for source in sources.unbind(1)
    ]
    return torch.stack(rows, 1)


def log_loss(floors=(0.01, 0.01), wide=True, size=torch.abs, factor=20.0, end=torch.mean):
    """Return an answer to exercise 3, with some of its mistakes."""

    def answer(masks, mixture, sources):
        estimates = masks * (mixture.abs().unsqueeze(1) if wide else mixture.abs())
        error = factor * (torch.log10(estimates + floors[0]) - torch.log10(sources.abs() + floors[1]))
        return end(size(error), (1, 2, 3, 4))

    return answer


def from_package(masks, mixture, sources):
    return spectrogram.spectrum_approximation(masks, mixture, sources, "msa", spectrogram.log_magnitude, "none")


def item_by_item(masks, mixture, sources):
    rows = zip(masks, mixture.abs(), sources.abs(), strict=True)
    return torch.stack([(20 * ((m * y + 0.01) / (z + 0.01)).log10()).abs().mean() for m, y, z in rows])


def by_natural_log(masks, mixture, sources):
    estimates = torch.einsum("bscft,bcft->bscft", masks, mixture.abs())
    levels = [x.add(0.01).log() * 20 / np.log(10) for x in (estimates, sources.abs())]
    return (levels[0] - levels[1]).abs().flatten(1).sum(1) / masks[0].numel()


def hides_nan(masks, mixture, sources):
    right = log_loss()(masks, mixture, sources)
    return torch.where(masks.sum() > 0, right, (masks[:, 0] * mixture.abs() * 0).log().sum())


def beside_the_channels(masks, mixture, sources):
    """The new axis stands behind C, where it does no harm to a recording of one channel."""
    levels = [20 * torch.log10(x + 0.01) for x in (masks * mixture.abs().unsqueeze(2), sources.abs())]
    return (levels[0] - levels[1]).abs().flatten(1).mean(1)


def best(mixture, target, axis=-1, low=0.0, high=1.0):
    Y = mixture.abs().unsqueeze(1)
    return ((Y * target).sum(axis, keepdim=True) / Y.square().sum(axis, keepdim=True)).clamp(low, high)


def by_least_squares(mixture, target):
    Y = mixture.abs().unsqueeze(1).expand_as(target).unsqueeze(-1)  # (B, S, C, F, T, 1)
    return torch.linalg.lstsq(Y, target.unsqueeze(-1)).solution.squeeze(-1).clamp(0, 1)


def best_in_numpy(mixture, target):
    Y, Z = mixture.abs().numpy(), target.numpy()
    M = np.einsum("bcft,bscft->bscf", Y, Z) / (Y**2).sum(-1)[:, None]
    return M.clip(0, 1)[..., None]


def best_by_loop(mixture, target):
    rows = [best(mixture[b : b + 1], target[b : b + 1]) for b in range(len(mixture))]
    return torch.cat(rows)


def Y(mixture):
    return mixture[:, None].abs()


def mean(x):
    return x.mean(-1, keepdim=True)


def equal_energy(mixture, target):
    return (mean(target**2) / mean(Y(mixture) ** 2)).sqrt().clamp(0, 1)


RIGHT = [
    (1, tpsa),
    (1, by_mask),
    (1, spectrogram.tpsa),
    (1, tpsa_by_loop),
    (1, lambda y, s: tpsa(y, s).numpy()),
    (2, (2, 1, 0.5)),
    (2, [2.0, 1.0, 0.5]),
    (2, torch.tensor([2, 1, 0.5])),
    (2, np.array([2, 2 * np.cos(np.pi / 3), 0.5])),
    (3, log_loss()),
    (3, from_package),
    (3, item_by_item),
    (3, by_natural_log),
    (4, (1 / 11, 10 / 11)),
    (4, (0.091, 0.909)),
    (4, torch.tensor([0.0909, 0.909])),
    (4, np.array([10 / 110, 100 / 110])),
    (5, best),
    (5, by_least_squares),
    (5, best_in_numpy),
    (5, best_by_loop),
]
WRONG = [
    (1, lambda y, s: s.abs(), "this is MSA"),
    (1, spectrogram.psa, "nothing is cut off"),
    (1, lambda y, s: spectrogram.psa(y, s).minimum(Y(y)), "still negative in places"),
    (1, lambda y, s: spectrogram.psa(y, s).clamp(min=0), "above |Y| in places"),
    (1, lambda y, s: spectrogram.psa(y, s).clamp(0, 1), "cut off at 1"),
    (1, lambda y, s: tpsa(y.conj(), s), "the angles were added"),
    (1, lambda y, s: tpsa(y, s) / Y(y), "this is the mask"),
    (1, lambda y, s: torch.cos(s.angle() - y[:, None].angle()), "the cosine alone"),
    (1, lambda y, s: -tpsa(y, s), "The sign is the other way round"),
    (1, lambda y, s: by_mask(y, s, 0), "In two bins everything is silent"),
    (1, lambda y, s: tpsa(y, s)[:, 0], "has 4 axes"),
    (1, lambda y, s: s.abs() * torch.cos(s.angle() - y.angle()), "stops in"),
    (2, (0.5, 1, 0.5), "MSA asks for the source"),
    (2, (1, 1, 0.5), "does not know the angle"),
    (2, (2, 1.732, 0.5), "the part across"),
    (2, (2, -1.905, 0.5), "the cosine of 60 radians"),
    (2, (2, 0.25, 0.5), "mixture times the cosine"),
    (2, (2, -1, 0.5), "PSA is the shadow"),
    (2, (2, 1, 1), "more than the mixture has"),
    (2, (2, 1, 0.25), "The cosine is in PSA already"),
    (2, (2, 1, 0), "between 0 and |Y|"),
    (2, (2, 1), "The answer is 3 numbers"),
    (2, ("two", 1, 0.5), "should be one number"),
    (3, log_loss((0, 0), False, torch.clone), "the floor is not in both, and errors cancel"),
    (3, log_loss((0, 0)), "floor of 0.01 is not in both"),
    (3, log_loss((0.01, 0)), "the logarithm of the estimates alone"),
    (3, log_loss((0, 0.01)), "the logarithm of the sources alone"),
    (3, log_loss(size=torch.clone), "take the absolute value before the mean"),
    (3, lambda *x: log_loss(size=torch.clone)(*x).abs(), "the absolute value is taken of the mean"),
    (3, log_loss(wide=False), "the mixture of item 0 was multiplied with source 0"),
    (3, log_loss(factor=10), "10 log10 belongs to energies"),
    (3, log_loss(factor=20 * np.log(10)), "the natural one"),
    (3, log_loss(size=torch.square), "the differences are squared"),
    (3, log_loss(end=torch.sum), "the bins are added up"),
    (3, beside_the_channels, "stops in"),
    (3, lambda m, y, s: from_package(m, y, s).mean(), "has 0 axes"),
    (3, lambda m, y, s: from_package(m.detach(), y, s), "the gradient is cut off"),
    (3, hides_nan, "the gradient holds NaN"),
    (4, (0.1, 0.91), "the outlier itself included"),
    (4, (9.09, 90.9), "in per cent"),
    (4, (10 / 11, 1 / 11), "That is the share of MSE"),
    (4, (0.99, 0.91), "There are 1000 bins"),
    (4, (1 / 11, 1 / 11), "MSE squares each error first"),
    (4, (1 / 11, 1 / 101), "squared one by one and then added up"),
    (4, (1 / 11, 0.76), "That is with roots"),
    (4, (1 / 11, 10), "at most 1"),
    (4, 0.1, "The answer is 2 numbers"),
    (4, (1 / 11, "most"), "should be one number"),
    (5, lambda y, z: mean(z / Y(y)).clamp(0, 1), "the mean of the ratios"),
    (5, lambda y, z: (mean(z) / mean(Y(y))).clamp(0, 1), "ratio of the means"),
    (5, lambda y, z: best(y, z, low=None, high=9.0), "below 0 or above 1"),
    (5, lambda y, z: best(y, z, low=None), "below 0 in places"),
    (5, lambda y, z: best(y, z, high=None), "above 1 in places"),
    (5, lambda y, z: best(y, z, low=-9.0).abs(), "have lost their sign"),
    (5, lambda y, z: best(y, z.clamp(min=0).minimum(Y(y))), "the target was cut off first"),
    (5, lambda y, z: (mean(Y(y) * z) / mean(z**2)).clamp(0, 1), "upside down"),
    (5, equal_energy, "makes the energies equal"),
    (5, lambda y, z: best(y, z, (-2, -1)).expand(*z.shape[:-1], 1), "each bin may have its own"),
    (5, lambda y, z: best(y, z)[..., 0], "has 4 axes"),
    (5, lambda y, z: (z / Y(y)).clamp(0, 1), "T (frame) is"),
]
