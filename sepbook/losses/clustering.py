"""Losses on embeddings: bins of one source are to lie together, bins of two sources apart.

A network gives each bin of the mixture a vector of D numbers, its embedding. Nothing says where a source is to lie,
only which bins are to be alike. So the order of the sources does not matter, and neither does a rotation::

    embedding (B, F, T, D) ─┐
    membership (B, S, F, T) ─┼─> deep_clustering, class_balanced, whitened_kmeans, graph_laplacian ──> loss
    weight (B, F, T) ────────┘
                                 and after training:  kmeans_masks ──> masks (B, S, C=1, F, T)

All sums over bins are in float64, whatever comes in: near its minimum the loss is a small difference of large numbers.

Taught on: book/losses/clustering
"""

import torch
from torch import Tensor

from sepbook._given import as_samples, as_tensor, check_bins, check_together
from sepbook.losses._embeddings import check_clustering, check_values
from sepbook.losses._finite import check_all
from sepbook.losses._gram import double, grams
from sepbook.losses._kmeans import kmeans, kmeans_masks
from sepbook.losses.spectrogram import mse

__all__ = [
    "attractor_masks",
    "attractors",
    "audible",
    "class_balanced",
    "deep_attractor",
    "deep_clustering",
    "graph_laplacian",
    "kmeans",
    "kmeans_masks",
    "magnitude_weight",
    "membership",
    "whitened_kmeans",
]

TINY = 1e-300  # a source without weight has a size of 0: nothing is divided by that
RIDGE = 1e-6  # share of a Gram matrix's trace that is added to its diagonal before it is inverted


def membership(source_magnitudes: Tensor) -> Tensor:
    """Say which source each bin belongs to, the loudest one, as a one-hot table.

    `(B, S, C, F, T) -> (B, S, F, T)` of zeros and ones. Channels count together, by their energy. In a silent bin the
    answer means nothing: give it no weight. Raises ValueError for other axes, and NotFiniteError for NaN.
    Source: Hershey 2016. Taught on: book/losses/clustering
    """
    energy = _energy(source_magnitudes, "B S C F T").sum(2)  # (B, S, F, T)
    return torch.zeros_like(energy).scatter_(1, energy.argmax(1, keepdim=True), 1.0)


def audible(magnitude: Tensor, below: float = 40.0) -> Tensor:
    """Give weight 1 to the bins of the mixture that are at most `below` dB softer than its loudest, 0 to the others.

    `(B, C, F, T) -> (B, F, T)`. In a silent item all weights are 0. Raises ValueError like `membership`.
    Source: Hershey 2016. Taught on: book/losses/clustering
    """
    if not 0 <= below < float("inf"):
        raise ValueError(f"below is {below}; expected decibels of 0 or more, such as 40")
    energy = _energy(magnitude, "B C F T").sum(1)  # (B, F, T)
    loudest = energy.amax((1, 2), keepdim=True)
    return ((energy >= loudest * 10 ** (-below / 10)) & (loudest > 0)).to(energy.dtype)


def magnitude_weight(magnitude: Tensor) -> Tensor:
    """Weigh each bin of the mixture by its share of all magnitudes of the item.

    `(B, C, F, T) -> (B, F, T)`, which sums to 1, or is 0 in a silent item. Raises ValueError like `membership`.
    Source: Wang 2018. Taught on: book/losses/clustering
    """
    size = _energy(magnitude, "B C F T").sum(1).sqrt()  # (B, F, T)
    return size / size.sum((1, 2), keepdim=True).clamp(min=torch.finfo(size.dtype).tiny)


def deep_clustering(embedding: Tensor, membership: Tensor, weight: Tensor, reduction: str = "mean") -> Tensor:
    """Mean squared difference between the affinity of two bins and what it should be, over all pairs of bins.

    The affinity of bins i and j is the inner product of their embeddings. It should be 1 when they belong to the same
    source, and 0 otherwise: Σ w_i w_j (v_i·v_j - y_i·y_j)² / (Σ w)², without the table of pairs. With weights from
    `audible` it is the loss of Hershey 2016, with those of `magnitude_weight` that of Wang 2018.

    `embedding (B, F, T, D), membership (B, S, F, T), weight (B, F, T) -> ()`, or `(B,)` with ``reduction="none"``.
    Never negative; 0 for an item without weight. Raises ValueError when the three do not belong together, for a
    membership that is not one-hot, and NotFiniteError for NaN. Taught on: book/losses/clustering
    """
    embedding, membership, weight = check_clustering(embedding, membership, weight, reduction)
    return _reduce(_distance(*grams(embedding, membership, weight)), embedding, reduction)


def class_balanced(embedding: Tensor, membership: Tensor, weight: Tensor, reduction: str = "mean") -> Tensor:
    """`deep_clustering` with each bin's weight divided by the root of its source's: D^-1/2 of Hershey 2016.

    In the plain loss a source counts by the square of its size, here by its size. Shapes and errors as there.
    Taught on: book/losses/clustering
    """
    embedding, membership, weight = check_clustering(embedding, membership, weight, reduction)
    y, w = double(membership), double(weight)
    sizes = (y * w.unsqueeze(1)).sum((2, 3), keepdim=True)  # (B, S, 1, 1)
    own = (y * sizes).sum(1)  # (B, F, T): the size of each bin's source
    return deep_clustering(embedding, membership, torch.where(own > 0, w * own.rsqrt(), 0.0), reduction)


def whitened_kmeans(embedding: Tensor, membership: Tensor, weight: Tensor, reduction: str = "mean") -> Tensor:
    """Distance of the whitened embeddings to the mean of their source: D - tr((VᵀV)⁻¹ VᵀY (YᵀY)⁻¹ YᵀV).

    The trace says how many of the S sources can be told from the others by a linear look at the embedding. So the
    value lies between D - S (perfect) and D, and any invertible linear map of the embeddings leaves it as it is (but
    for directions that it makes a thousand times weaker than the others: `RIDGE` keeps the inverse finite). Each source
    counts alike, however small. Shapes and errors as in `deep_clustering`. Source: Wang 2018.
    Taught on: book/losses/clustering
    """
    embedding, membership, weight = check_clustering(embedding, membership, weight, reduction)
    vv, vy, sizes = grams(embedding, membership, weight)  # (B, D, D), (B, D, S), (B, S)
    D = embedding.shape[-1]
    size = vv.diagonal(dim1=1, dim2=2).sum(1).view(-1, 1, 1)  # (B, 1, 1): 1 for embeddings of length 1
    ridge = RIDGE * torch.where(size > 0, size, 1.0)
    white = torch.linalg.solve(vv + ridge * torch.eye(D).to(vv), vy)  # (B, D, S)
    explained = ((vy * white).sum(1) / sizes.clamp(min=TINY)).sum(1)  # (B,): the trace
    return _reduce(torch.where(sizes.sum(1) > 0, D - explained, 0.0), embedding, reduction)


def graph_laplacian(embedding: Tensor, membership: Tensor, weight: Tensor, reduction: str = "mean") -> Tensor:
    """Squared difference of the normalised affinities: each is divided by the roots of both bins' degrees.

    ‖D_V^-1/2 VVᵀ D_V^-1/2 - D_Y^-1/2 YYᵀ D_Y^-1/2‖², where the degree of a bin is the sum of its affinities with all
    bins, and every sum over bins is weighted. 0 is perfect. Each source counts alike, however small. Shapes and errors
    as in `deep_clustering`; ValueError also for a bin whose degree is negative, which a sigmoid before the embedding
    rules out. Source: Wang 2018. Taught on: book/losses/clustering
    """
    embedding, membership, weight = check_clustering(embedding, membership, weight, reduction)
    return _reduce(_distance(*grams(embedding, membership, weight, normalise=True)), embedding, reduction)


def attractors(embedding: Tensor, membership: Tensor, weight: Tensor) -> Tensor:
    """Return the mean embedding of each source's bins, in float32 or float64: `(B, S, D)`.

    Shapes as in `deep_clustering`. A source without any bin gets zeros. Source: Chen 2017.
    Taught on: book/losses/clustering
    """
    embedding, membership, weight = check_clustering(embedding, membership, weight)
    _, vy, sizes = grams(embedding, membership, weight)
    means = check_values(vy.mT / sizes.clamp(min=TINY).unsqueeze(2), embedding)  # (B, S, D)
    return means.to(embedding.device, _full(embedding).dtype)


def attractor_masks(embedding: Tensor, attractors: Tensor, kind: str = "softmax") -> Tensor:
    """Let attractors share out each bin by inner products: `(B, F, T, D), (B, S, D) -> (B, S, C=1, F, T)`.

    "softmax": the shares of a bin add up to one. "sigmoid": each mask by itself. Raises ValueError for another kind.
    Source: Chen 2017. Taught on: book/losses/clustering
    """
    if kind not in ("softmax", "sigmoid"):
        raise ValueError(f"kind is {kind!r}; choose softmax or sigmoid")
    embedding, attractors = as_samples(embedding, "embedding"), as_samples(attractors, "attractors")
    check_together(embedding=embedding, attractors=attractors)
    if embedding.dim() != 4 or attractors.dim() != 3 or attractors.shape[::2] != embedding.shape[::3]:
        raise ValueError(
            f"embedding (B, F, T, D) and attractors (B, S, D) must have the same B and D, but were given "
            f"{tuple(embedding.shape)} and {tuple(attractors.shape)}"
        )
    with torch.autocast(embedding.device.type, enabled=False):  # it would compute the product in half precision
        v, centres = _full(embedding), _full(attractors)
        likeness = torch.einsum("bftd,bsd->bsft", v, centres.to(v.dtype)).unsqueeze(2)  # (B, S, C, F, T)
    if not torch.compiler.is_compiling() and not likeness.isfinite().all():
        check_all("BFTD", embedding=embedding)
        check_all("BSD", attractors=attractors)
    return likeness.softmax(1) if kind == "softmax" else likeness.sigmoid()


def deep_attractor(
    embedding: Tensor,
    membership: Tensor,
    weight: Tensor,
    mixture: Tensor,
    sources: Tensor,
    reduction: str = "mean",
    kind: str = "softmax",
) -> Tensor:
    """Mean squared error of the magnitudes that masks around the true attractors would give.

    Embedding, membership and weight as in `deep_clustering`; magnitudes of the mixture `(B, C, F, T)` and of the
    sources `(B, S, C, F, T)`, in the order of the membership. `-> ()`, or `(B,)` with ``reduction="none"``.
    Raises ValueError like `deep_clustering`. Source: Chen 2017. Taught on: book/losses/clustering
    """
    centres = attractors(embedding, membership, weight)  # (B, S, D)
    masks = attractor_masks(embedding, centres, kind)  # (B, S, C=1, F, T)
    mixture, sources = as_samples(mixture, "mixture magnitudes"), as_samples(sources, "source magnitudes")
    B, S, F, T = as_tensor(membership, "membership").shape
    C = mixture.shape[1] if mixture.dim() == 4 else 1
    if mixture.shape != (B, C, F, T) or sources.shape != (B, S, C, F, T):
        raise ValueError(
            f"mixture (B, C, F, T) and sources (B, S, C, F, T) must fit B={B}, S={S}, F={F}, T={T}, but were given "
            f"{tuple(mixture.shape)} and {tuple(sources.shape)}"
        )
    values = mse(masks * _full(mixture).unsqueeze(1), sources, "none")
    return _reduce(values, embedding, reduction)


def _distance(vv: Tensor, vy: Tensor, sizes: Tensor) -> Tensor:
    """Return ‖VVᵀ - YYᵀ‖² = ‖VᵀV‖² - 2 ‖VᵀY‖² + ‖YᵀY‖², which rounding must not make negative: `(B,)`."""
    squares = vv.square().sum((1, 2)) - 2 * vy.square().sum((1, 2)) + sizes.square().sum(1)
    return squares.clamp(min=0.0)


def _reduce(values: Tensor, embedding: Tensor, reduction: str) -> Tensor:
    """Return `(B,)` or its mean in the embedding's precision, float32 at least, after a look for NaN."""
    values = check_values(values, embedding).to(embedding.device, _full(embedding[:0]).dtype)
    return values.mean() if reduction == "mean" else values


def _full(x: Tensor) -> Tensor:
    return x if x.dtype == torch.float64 else x.float()


def _energy(magnitude: Tensor, dims: str) -> Tensor:
    """Return squared magnitudes, of complex bins too, in float32 at least."""
    magnitude = check_bins(as_tensor(magnitude, "magnitudes"), "magnitudes")
    if magnitude.dim() != len(dims.split()) or 0 in magnitude.shape:
        raise ValueError(f"magnitudes must be ({dims.replace(' ', ', ')}), but were given {tuple(magnitude.shape)}")
    check_all(dims.split(), magnitudes=magnitude)
    return _full(magnitude.abs()).square()
