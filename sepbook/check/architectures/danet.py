"""Checks for the lab on DANet: which bins attract, where the attractors lie, masks from likeness.

Taught on: book/architectures/danet
"""

import torch
from torch import Tensor

from sepbook.check import call, exercise, expect_gradient, expect_values
from sepbook.check._compare import told_apart
from sepbook.check._inputs import about, dice, noise


def _at_least(x: Tensor, least: Tensor) -> Tensor:
    return ((x >= least) & (x > 0)).float()


def _least(x: Tensor, count: int) -> Tensor:
    """Return the smallest of the `count` largest values of each row."""
    return x.sort(-1, descending=True).values[..., count - 1 : count]


@exercise(
    "Exercise 1: which bins attract",
    hints=(
        "Each item has F times T bins. The share says how many of them attract, from the loudest down.",
        "Sort the bins of each item, and read the magnitude of the last one that still belongs to the share. "
        "Every bin that is at least as loud has weight 1, but silence never has.",
        "flat = magnitude.flatten(1); count = round(share * flat.shape[1]); "
        "least = flat.sort(1, descending=True).values[:, count - 1, None, None]; "
        "return ((magnitude >= least) & (magnitude > 0)).float()",
    ),
)
def exercise_1(loudest_of):
    """Check a function of magnitudes `(B, F, T)` and a share: weight `(B, F, T)` of zeros and ones."""
    for seed, shape, share in ((0, (3, 5, 8), 0.4), (1, (4, 6, 10), 0.9), (2, (2, 4, 5), 0.25)):
        B, F, T = shape
        x = (0.1 + torch.rand(*shape, generator=dice(seed))) * 30.0 ** torch.arange(B)[:, None, None]
        x[-1] *= torch.rand(F, T, generator=dice(seed + 3)) < 0.5  # so many bins are silent
        flat, count = x.flatten(1), round(share * F * T)
        least = _least(flat, count)[:, None]  # (B, 1, 1)
        expected = _at_least(x, least)
        energy = flat.square().sort(1, descending=True).values
        reached = (energy.cumsum(1) < share * energy.sum(1, keepdim=True)).sum(1, keepdim=True).clamp_max(F * T - 1)
        known = {
            "the loudest bins of the whole batch were taken. Each item has its own": (
                _at_least(x, _least(x.flatten(), round(share * x.numel())))
            ),
            "the loudest bins of each frame were taken. They are those of the item": (
                _at_least(x, _least(x.mT, max(1, round(share * F))).mT)
            ),
            "the loudest frames of each bin were taken. They are the loudest bins of the item": (
                _at_least(x, _least(x, max(1, round(share * T))))
            ),
            "the softest bins attract in yours": ((x <= -_least(-flat, count)[:, None]) & (x > 0)).float(),
            "so many were left out as should attract": _at_least(x, _least(flat, F * T - count)[:, None]),
            "the limit is a share of the loudest magnitude. It is a share of the number of bins": (
                _at_least(x, (1 - share) * x.amax((1, 2), keepdim=True))
            ),
            "the share is one of the energy in yours. It is one of the number of bins": (
                _at_least(x.square(), energy.gather(1, reached)[:, None])
            ),
            "silent bins attract: where the share reaches down to 0, leave them out": (x >= least).float(),
            "the magnitudes are still there. A weight is 1 or 0": x * expected,
        }
        known = told_apart(known, expected)
        result = call(loudest_of, x, share)
        result = result.float() if isinstance(result, Tensor) and result.dtype == torch.bool else result
        expect_values(result, expected, "B F T", known, about(("B F T", shape)) + f" The share is {share}.")
    return "Soft bins get masks later. But they do not say where a talker lies."


def _means(v: Tensor, y: Tensor, w: Tensor) -> Tensor:
    """Return the weighted mean of each source's embeddings, zeros for a source without any: `(B, S, D)`."""
    own = y * w[:, None]
    return torch.einsum("bsft,bftd->bsd", own, v) / own.sum((2, 3)).clamp_min(1e-9)[..., None]


@exercise(
    "Exercise 2: the attractors",
    hints=(
        "An attractor is the mean of the embeddings of its source's bins, where each bin counts by its weight.",
        "own = membership * weight[:, None] is (B, S, F, T). Sum own times embedding over F and T, and divide by the "
        "sum of own. Of a source without any bin that sum is 0: let its attractor be 0.",
        'own = membership * weight[:, None]; sums = torch.einsum("bsft,bftd->bsd", own, embedding); '
        "return sums / own.sum((2, 3)).clamp_min(1e-9)[..., None]",
    ),
)
def exercise_2(attractors_of):
    """Check a function of embedding `(B, F, T, D)`, membership `(B, S, F, T)`, weight `(B, F, T)`: `(B, S, D)`."""
    for seed, (B, S, F, T, D) in ((0, (2, 2, 5, 6, 4)), (1, (3, 3, 4, 7, 5))):
        owner = torch.randint(0, S, (B, F, T), generator=dice(seed))
        owner[-1].clamp_(max=S - 2)  # the last source of the last item has no bin
        y = torch.nn.functional.one_hot(owner, S).movedim(-1, 1).float()
        v = (noise(B, F, T, D, seed=seed + 2) + owner[..., None]).tanh().requires_grad_()
        w = torch.randint(0, 3, (B, F, T), generator=dice(seed + 4)).float()
        x, own = v.detach(), y * w[:, None]
        sums = torch.einsum("bsft,bftd->bsd", own, x)
        expected = _means(x, y, w)
        known = {
            "the weights are ignored: soft bins attract as much as loud ones": _means(x, y, torch.ones_like(w)),
            "bins without weight are left out, but the others count alike": _means(x, y, (w > 0).float()),
            "the weights are in the sum, and missing in what it is divided by": (
                sums / y.sum((2, 3)).clamp_min(1e-9)[..., None]
            ),
            "the weighted sum was not divided at all": sums,
            "it is divided by the weights of all bins. Divide by those of the source": (
                sums / w.sum((1, 2))[:, None, None]
            ),
            "it is divided by the number of all bins. Divide by the weights of the source": sums / (F * T),
            "the attractors were brought to length 1. Their length makes masks sharp": (
                torch.nn.functional.normalize(expected, dim=-1)
            ),
            "the mean runs over the whole batch. Each item has attractors of its own": (
                sums.sum(0, keepdim=True) / own.sum((0, 2, 3)).clamp_min(1e-9)[:, None]
            ).expand(B, S, D),
            "every source has the mean of all bins: the membership does not enter": (_means(x, torch.ones_like(y), w)),
        }
        where = about(embedding=("B F T D", (B, F, T, D)), membership=("B S F T", (B, S, F, T)))
        result = call(attractors_of, v, y, w)
        expect_values(result, expected, "B S D", known, where + " One source of the last item has no bin.")
        expect_gradient(result, v)
    return "They are computed anew for each mixture, and the gradient runs through them."


def _shares(v: Tensor, a: Tensor) -> Tensor:
    return torch.einsum("bftd,bsd->bsft", v, a)


@exercise(
    "Exercise 3: masks from likeness",
    hints=(
        "How alike a bin and an attractor are, their inner product says. Of each bin there are S of them.",
        "The inner products are (B, S, F, T): sum over D. A softmax over the sources makes shares of them.",
        'likeness = torch.einsum("bftd,bsd->bsft", embedding, attractors); return likeness.softmax(1)',
    ),
)
def exercise_3(masks_of):
    """Check a function of embedding `(B, F, T, D)` and attractors `(B, S, D)`: masks `(B, S, F, T)`."""
    for seed, (B, S, F, T, D) in ((0, (2, 2, 4, 5, 6)), (1, (3, 3, 5, 6, 4))):
        v, a = noise(B, F, T, D, seed=seed).tanh().requires_grad_(), noise(B, S, D, seed=seed + 3).requires_grad_()
        x, centres = v.detach(), a.detach()
        likeness = _shares(x, centres)
        expected = likeness.softmax(1)
        unit = torch.nn.functional.normalize
        distances = (x[:, None] - centres[:, :, None, None]).square().sum(-1)  # (B, S, F, T)
        known = {
            "these are the inner products. The softmax is missing": likeness,
            "a sigmoid makes each mask by itself. Here the shares of a bin are to add up to one": likeness.sigmoid(),
            "the softmax runs over the bins of a frame. Let it run over the sources": likeness.softmax(2),
            "the softmax runs over the frames. Let it run over the sources": likeness.softmax(3),
            "each bin went whole to one source. Shares are asked for": (
                torch.zeros_like(likeness).scatter_(1, likeness.argmax(1, keepdim=True), 1.0)
            ),
            "distances decide in yours, where inner products should": (-distances).softmax(1),
            "the embeddings were brought to length 1. Their length says how sure the network is": (
                _shares(unit(x, dim=-1), centres).softmax(1)
            ),
            "the attractors were brought to length 1. Their length says how sure the network is": (
                _shares(x, unit(centres, dim=-1)).softmax(1)
            ),
            "cosines are compared in yours: keep the lengths": (
                _shares(unit(x, dim=-1), unit(centres, dim=-1)).softmax(1)
            ),
            "the inner products were divided by the root of D, as attention does. DANet does not": (
                (likeness / D**0.5).softmax(1)
            ),
            "the inner products are divided by their sum. They may be negative: take a softmax": (
                likeness / likeness.sum(1, keepdim=True)
            ),
            "the sources stand last in yours": expected.movedim(1, -1),
        }
        where = about(embedding=("B F T D", (B, F, T, D)), attractors=("B S D", (B, S, D)))
        result = call(masks_of, v, a)
        expect_values(result, expected, "B S F T", known, where)
        expect_gradient(result * noise(B, S, F, T, seed=seed + 6), v, a)  # shares alone add up to a constant
    return "A bin that is equally like two attractors is shared equally."
