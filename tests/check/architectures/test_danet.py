"""The exercises of DANet's lab: each usual mistake is recognised, each right answer passes."""

import numpy as np
import torch
from torch.nn import functional

from tests.check.tables import *  # noqa: F403


def loudest_by(
    rows=lambda x: x.flatten(1), back=lambda t, x: t[:, None, None], count=lambda n, share: share * n, up=True
):
    """Return an answer to exercise 1; `rows` says among which bins the loudest are looked for."""

    def loudest_of(magnitude, share):
        flat = rows(magnitude)
        kept = max(1, round(count(flat.shape[-1], share)))
        least = flat.sort(-1, descending=up).values[..., kept - 1]
        enough = magnitude >= back(least, magnitude) if up else magnitude <= back(least, magnitude)
        return (enough & (magnitude > 0)).float()

    return loudest_of


def loudest_by_topk(magnitude, share):
    flat = magnitude.flatten(1)
    places = flat.topk(round(share * flat.shape[1]), dim=1).indices
    weight = torch.zeros_like(flat).scatter(1, places, 1.0).view_as(magnitude)
    return weight * (magnitude > 0)


def loudest_in_numpy(magnitude, share):
    x = magnitude.numpy().astype(np.float64)
    weight = np.zeros_like(x)
    for item, found in zip(x, weight, strict=True):
        least = np.sort(item, axis=None)[::-1][round(share * item.size) - 1]
        found[(item >= least) & (item > 0)] = 1
    return weight


def loudest_by_counting(magnitude, share):
    flat = magnitude.flatten(1)
    louder = (flat[:, None, :] > flat[:, :, None]).sum(2)  # how many bins are louder than this one
    return (louder < round(share * flat.shape[1])).view_as(magnitude) & (magnitude > 0)


def loudest_of_energy(magnitude, share):
    energy = magnitude.square().flatten(1)
    values = energy.sort(1, descending=True).values
    reached = (values.cumsum(1) < share * values.sum(1, keepdim=True)).sum(1, keepdim=True)
    least = values.gather(1, reached.clamp_max(values.shape[1] - 1))
    return ((energy >= least) & (energy > 0)).float().view_as(magnitude)


def with_silence(magnitude, share):
    flat = magnitude.flatten(1)
    return (magnitude >= flat.sort(1, descending=True).values[:, round(share * flat.shape[1]) - 1, None, None]).float()


def means_by(weigh=lambda w: w, size=lambda own, y, w: own.sum((2, 3)), after=lambda a: a, whose=lambda y: y):
    """Return an answer to exercise 2."""

    def attractors_of(embedding, membership, weight):
        membership, weight = whose(membership), weigh(weight)
        own = membership * weight[:, None]
        sums = torch.einsum("bsft,bftd->bsd", own, embedding)
        return after(sums / size(own, membership, weight).clamp_min(1e-9)[..., None])

    return attractors_of


def means_by_product(embedding, membership, weight):
    own = (membership * weight.unsqueeze(1)).flatten(2)  # (B, S, F * T)
    sizes = own.sum(2, keepdim=True)
    return own @ embedding.flatten(1, 2) / torch.where(sizes > 0, sizes, 1.0)


def means_by_loop(embedding, membership, weight):
    found = []
    for v, y, w in zip(embedding, membership, weight, strict=True):
        for own in y * w:
            found.append((own[..., None] * v).sum((0, 1)) / max(own.sum().item(), 1.0))
    return torch.stack(found).unflatten(0, membership.shape[:2])


def means_in_double(embedding, membership, weight):
    own = membership.double() * weight.double()[:, None]
    sums = (own[..., None] * embedding.double()[:, None]).sum((2, 3))
    return (sums / (own.sum((2, 3)) + 1e-12)[..., None]).float()


def means_of_the_batch(embedding, membership, weight):
    own = membership * weight[:, None]
    sums = torch.einsum("bsft,bftd->sd", own, embedding)
    return (sums / own.sum((0, 2, 3))[:, None]).expand(len(own), -1, -1)


def masks_by(
    share=lambda likeness: likeness.softmax(1),
    points=lambda v: v,
    centres=lambda a: a,
):
    """Return an answer to exercise 3."""

    def masks_of(embedding, attractors):
        return share(torch.einsum("bftd,bsd->bsft", points(embedding), centres(attractors)))

    return masks_of


def unit(x):
    return functional.normalize(x, dim=-1)


def hard(likeness):
    return functional.one_hot(likeness.argmax(1), likeness.shape[1]).movedim(-1, 1).float()


def masks_by_product(embedding, attractors):
    B, F, T, D = embedding.shape
    likeness = embedding.reshape(B, F * T, D) @ attractors.mT  # (B, F * T, S)
    return functional.softmax(likeness, dim=-1).mT.reshape(B, -1, F, T)


def masks_by_loop(embedding, attractors):
    powers = [(embedding * a[:, None, None]).sum(-1).exp() for a in attractors.unbind(1)]  # S times (B, F, T)
    return torch.stack([power / sum(powers) for power in powers], 1)


def masks_in_double(embedding, attractors):
    likeness = (embedding.double()[:, None] * attractors.double()[:, :, None, None]).sum(-1)
    return (likeness - likeness.logsumexp(1, keepdim=True)).exp().float()


def masks_by_distance(embedding, attractors):
    return (-(embedding[:, None] - attractors[:, :, None, None]).square().sum(-1)).softmax(1)


def attention(embedding, attractors):
    return masks_by(lambda likeness: (likeness / embedding.shape[-1] ** 0.5).softmax(1))(embedding, attractors)


RIGHT = [
    (1, loudest_by()),
    (1, loudest_by_topk),
    (1, loudest_in_numpy),
    (1, loudest_by_counting),
    (2, means_by()),
    (2, means_by_product),
    (2, means_by_loop),
    (2, means_in_double),
    (3, masks_by()),
    (3, masks_by_product),
    (3, masks_by_loop),
    (3, masks_in_double),
]
WRONG = [
    (1, loudest_by(rows=torch.flatten, back=lambda t, x: t), "Each item has its own"),
    (1, loudest_by(rows=lambda x: x.mT, back=lambda t, x: t[:, None]), "of each frame"),
    (1, loudest_by(rows=lambda x: x, back=lambda t, x: t[..., None]), "the loudest frames of each bin"),
    (1, loudest_by(up=False), "the softest bins"),
    (1, loudest_by(count=lambda n, share: n - round(share * n)), "left out as should attract"),
    (
        1,
        lambda x, share: ((x >= (1 - share) * x.amax((1, 2), keepdim=True)) & (x > 0)).float(),
        "of the loudest magnitude",
    ),
    (1, loudest_of_energy, "one of the energy"),
    (1, with_silence, "silent bins attract"),
    (1, lambda x, share: x * loudest_by()(x, share), "A weight is 1 or 0"),
    (1, lambda x, share: loudest_by()(x, share).flatten(1), "2 axes"),
    (2, means_by(weigh=torch.ones_like), "the weights are ignored"),
    (2, means_by(weigh=lambda w: (w > 0).float()), "count alike"),
    (2, means_by(size=lambda own, y, w: y.sum((2, 3))), "missing in what it is divided by"),
    (2, means_by(size=lambda own, y, w: torch.ones_like(own[..., 0, 0])), "not divided at all"),
    (2, means_by(size=lambda own, y, w: w.sum((1, 2))[:, None].expand_as(own[..., 0, 0])), "weights of all bins"),
    (2, means_by(size=lambda own, y, w: torch.full_like(own[..., 0, 0], w[0].numel())), "number of all bins"),
    (2, means_by(after=unit), "length 1"),
    (2, means_of_the_batch, "the whole batch"),
    (2, means_by(whose=torch.ones_like), "the membership does not enter"),
    (2, lambda v, y, w: means_by(size=lambda own, y, w: own.sum((2, 3)))(v, y, w).mT, "has shape"),
    (2, lambda v, y, w: means_by()(v.detach(), y, w), "the gradient is cut off"),
    (
        2,
        lambda v, y, w: torch.einsum("bsft,bftd->bsd", y * w[:, None], v) / (y * w[:, None]).sum((2, 3))[..., None],
        "holds NaN or infinity",
    ),
    (3, masks_by(lambda likeness: likeness), "The softmax is missing"),
    (3, masks_by(torch.sigmoid), "each mask by itself"),
    (3, masks_by(lambda likeness: likeness.softmax(2)), "over the bins of a frame"),
    (3, masks_by(lambda likeness: likeness.softmax(3)), "over the frames"),
    (3, masks_by(hard), "Shares are asked for"),
    (3, masks_by_distance, "distances decide"),
    (3, masks_by(points=unit), "the embeddings were brought"),
    (3, masks_by(centres=unit), "the attractors were brought"),
    (3, masks_by(points=unit, centres=unit), "cosines"),
    (3, attention, "as attention does"),
    (3, masks_by(lambda likeness: likeness / likeness.sum(1, keepdim=True)), "They may be negative"),
    (3, lambda v, a: masks_by()(v, a).movedim(1, -1), "the sources stand last"),
    (3, lambda v, a: masks_by()(v.detach(), a), "No gradient arrives"),
]
