"""The exercises of the clustering lab: each usual mistake is recognised, each right answer passes, however written."""

import numpy as np
import torch
from torch.nn.functional import one_hot

from sepbook.losses.clustering import audible, kmeans, kmeans_masks, membership
from tests.check.tables import *  # noqa: F403


def shapes(layer=(129 * 20,), gram=(8, 20, 20), cross=(8, 20, 3)):
    return layer, gram, cross


def low_rank(power=1.0, middle=-2, last=1, total="square", square=torch.square, cut=False):
    """Return an answer to exercise 2, with some of its mistakes."""

    def answer(embedding, membership, weight):
        v = embedding.detach() if cut else embedding
        w = weight.unsqueeze(-1) ** power
        parts = [square(a.mT @ (w * b)).sum((1, 2)) for a, b in ((v, v), (v, membership), (membership, membership))]
        value = parts[0] + middle * parts[1] + last * parts[2]
        return value / {"square": weight.sum(1) ** 2, "once": weight.sum(1), "none": 1, "count": v.shape[1] ** 2}[total]

    return answer


def naive(embedding, membership, weight):
    error = (embedding @ embedding.mT - membership @ membership.mT).square()
    pairs = weight[:, :, None] * weight[:, None, :]
    return (pairs * error).sum((1, 2)) / pairs.sum((1, 2))


def by_einsum(v, y, w):
    tables = [torch.einsum("bn,bni,bnj->bij", w, a, b) for a, b in ((v, v), (v, y), (y, y))]
    return sum(k * x.square().sum((1, 2)) for k, x in zip((1, -2, 1), tables, strict=True)) / w.sum(1) ** 2


def item_by_item(v, y, w):
    return torch.cat([low_rank()(*(x[None] for x in item)) for item in zip(v, y, w, strict=True)])


def in_float64(v, y, w):
    return low_rank()(v.double(), y.double(), w.double())


def targets(columns="all", weigh="right"):
    """Return an answer to exercise 3, with some of its mistakes."""

    def answer(magnitudes):
        S, mixture = magnitudes.shape[1], magnitudes.sum(1)
        share = magnitudes / mixture.clamp_min(1e-20).unsqueeze(1)
        y = one_hot(magnitudes.argmax(1), S).movedim(-1, 1)
        y = {
            "one": y[:, :1],
            "softest": one_hot(magnitudes.argmin(1), S).movedim(-1, 1),
            "shares": share,
            "half": share > 0.5,
            "own": magnitudes == magnitudes.amax((2, 3), keepdim=True),
        }.get(columns, y)
        loudest = mixture.amax((1, 2), keepdim=True)
        limit = {
            "batch": mixture.max() / 100,
            "power": loudest / 1e4,
            "20 dB": loudest / 10,
            "frame": mixture.amax(1, True) / 100,
        }.get(weigh, loudest / 100)
        w = mixture >= limit
        w = {"every": w | True, "zero": mixture > 0, "turned": ~w}.get(weigh, w)
        return y, w.float()

    return answer


def by_the_loudest(magnitudes):
    peak = magnitudes.amax(1)
    return targets()(magnitudes)[0], peak >= peak.amax((1, 2), keepdim=True) / 100


def targets_by_loops(magnitudes):
    y, w = torch.zeros(magnitudes.shape, dtype=torch.int64), torch.zeros(magnitudes[:, 0].shape, dtype=torch.bool)
    for b, item in enumerate(magnitudes):
        mixture = item.sum(0)
        for s in range(len(item)):
            y[b, s] = (item[s] == item.max(0).values) & (y[b, :s].sum(0) == 0)
        w[b] = 20 * torch.log10(mixture / mixture.max() + 1e-12) >= -40
    return y, w


def targets_in_numpy(magnitudes):
    x = magnitudes.numpy()
    S, mixture = x.shape[1], x.sum(1)
    y = np.arange(S)[:, None, None] == x.argmax(1)[:, None]
    return y.astype(float), (mixture >= 0.01 * mixture.max((1, 2), keepdims=True)).astype(float)


def targets_from_package(magnitudes):
    return membership(magnitudes.unsqueeze(2)), audible(magnitudes.sum(1, keepdim=True))


def masks(how="right"):
    """Return an answer to exercise 4, with some of its mistakes."""

    def answer(embedding, S, weight):
        F, T, D = embedding.shape
        v, w = (embedding.transpose(0, 1), weight.T) if how == "frames" else (embedding, weight)
        w = {"no weight": torch.ones_like(w), "turned weight": w.T}.get(how, w)
        v = v * w.unsqueeze(-1) if how == "weighted points" else v
        labels, _ = kmeans(v.reshape(F * T, D), S, w.flatten())
        if how == "labels":
            return labels.view(F, T)
        if how == "expanded":
            return labels.view(F, T).expand(S, F, T)
        table = one_hot(labels, S).float()
        found = table.view(S, F, T) if how == "reshaped" else table.T.reshape(S, F, T)
        return {"audible": found * weight, "other names": found.flip(0), "last": found.movedim(0, -1)}.get(how, found)

    return answer


def masks_by_comparison(embedding, S, weight):
    labels, _ = kmeans(embedding.flatten(0, 1), S, weight.flatten())
    return torch.stack([labels.view(weight.shape) == s for s in range(S)])


def masks_in_numpy(embedding, S, weight):
    """The nearest centre of each bin, found by hand."""
    _, centres = kmeans(embedding.flatten(0, 1), S, weight.flatten())
    distance = np.linalg.norm(embedding.numpy()[..., None, :] - centres.numpy(), axis=-1)  # (F, T, S)
    return np.moveaxis(distance == distance.min(-1, keepdims=True), -1, 0)


RIGHT = [
    (1, shapes()),
    (1, ([2580], torch.Size([8, 20, 20]), torch.tensor([8, 20, 3]))),
    (1, (np.array([2580]), np.array([8, 20, 20]), np.array([8, 20, 3]))),
    (1, ((2580.0,), [8.0, 20, 20], (8, 20.0, 3))),
    (2, low_rank()),
    (2, by_einsum),
    (2, item_by_item),
    (2, in_float64),
    (3, targets()),
    (3, targets_by_loops),
    (3, targets_in_numpy),
    (3, targets_from_package),
    (4, masks()),
    (4, masks("other names")),
    (4, masks_by_comparison),
    (4, masks_in_numpy),
    (4, lambda v, S, w: kmeans_masks(v[None], S, w[None], seed=5)[0, :, 0]),
]
WRONG = [
    (1, shapes((100 * 129 * 20,)), "all frames at once"),
    (1, shapes((20,)), "the embedding of one bin"),
    (1, shapes((129,)), "one number for each bin, a mask"),
    (1, shapes((129 * 3,)), "whatever the number of sources"),
    (1, shapes((2000,)), "one bin in all frames"),
    (1, shapes((129, 20)), "2 sizes, but 1 axes"),
    (1, shapes(gram=(8, 12900, 12900)), "the table of all pairs"),
    (1, shapes(gram=(8, 12900, 20)), "That is V itself"),
    (1, shapes(gram=(1, 20, 20)), "each item has its own table"),
    (1, shapes(cross=(8, 3, 20)), "the other way round"),
    (1, shapes(cross=(8, 20, 20)), "That is VᵀV again"),
    (1, shapes(cross=(8, 12900, 3)), "That is Y itself"),
    (1, shapes(cross=(8, 20)), "2 sizes, but 3 axes"),
    (2, naive, "a number for each pair of the 40 bins"),
    (2, low_rank(power=0, total="count"), "the weight does not enter"),
    (2, low_rank(power=0), "only in what is divided by"),
    (2, low_rank(power=2), "it counts w, not w²"),
    (2, low_rank(total="none"), "a sum over pairs"),
    (2, low_rank(total="once"), "pairs have two"),
    (2, low_rank(total="count"), "the number of pairs, not by the square"),
    (2, low_rank(middle=-1), "belongs there twice"),
    (2, low_rank(middle=2), "has the wrong sign"),
    (2, low_rank(last=0), "YᵀWY is missing"),
    (2, low_rank(square=lambda x: x), "not their squares"),
    (2, low_rank(cut=True), "the gradient is cut off"),
    (2, lambda *x: low_rank()(*x).mean(), "has 0 axes"),
    (3, targets("one"), "The membership has one column"),
    (3, targets("one", "every"), "Both rows hold a 0"),
    (3, targets("softest"), "the softest source"),
    (3, targets("shares"), "these are shares, not a decision"),
    (3, targets("half"), "more than half of it"),
    (3, targets("own"), "compared with its own loudest bin"),
    (3, targets(weigh="every"), "every bin counts"),
    (3, targets(weigh="batch"), "the loudest bin of the whole batch"),
    (3, targets(weigh="power"), "0.0001 belongs to powers"),
    (3, targets(weigh="20 dB"), "0.1 are -20 dB"),
    (3, by_the_loudest, "where their sum, the mixture"),
    (3, targets(weigh="frame"), "every pause has a loudest bin"),
    (3, targets(weigh="zero"), "only the bins that are exactly zero"),
    (3, targets(weigh="turned"), "the comparison is turned round"),
    (3, lambda x: targets()(x)[0], "should return two things"),
    (3, lambda x: (targets()(x)[0].movedim(1, -1), targets()(x)[1]), "should have (B=2, S=2"),
    (4, masks("reshaped"), "mixes bins with sources"),
    (4, masks("frames"), "the axes F and T were exchanged"),
    (4, masks("audible"), "the label of the nearest centre"),
    (4, masks("expanded"), "these are the labels, not masks"),
    (4, masks("no weight"), "the weight is ignored"),
    (4, masks("turned weight"), "silent bins move the centres"),
    (4, masks("weighted points"), "multiplied onto the points"),
    (4, masks("labels"), "has 2 axes"),
    (4, masks("last"), "should have (S=2, F=10, T=14)"),
]
