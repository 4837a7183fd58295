"""k-means: put points into groups, each around its own centre. Weighted, seeded, on any device.

Taught on: book/losses/clustering
"""

import torch
from torch import Tensor

from sepbook._given import as_samples, as_tensor
from sepbook.losses._embeddings import check_embedding, check_weight, show

TRIES = 4  # starts; the best end is kept
STEPS = 60  # at most, of each try


@torch.no_grad()
def kmeans(points: Tensor, clusters: int, weight: Tensor | None = None, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Group points around centres so that the weighted sum of squared distances to them is small.

    `points (N, D), weight (N,) -> labels (N,), centres (clusters, D)`. The starts are drawn far from each other
    (k-means++), the best of `TRIES` ends is kept, and the heaviest cluster comes first. Points without weight move no
    centre, but get the label of the nearest. The same seed gives the same answer. No gradient flows.

    Raises ValueError when there are more clusters than points with weight, and NotFiniteError for NaN.
    Source: Lloyd 1982, Arthur and Vassilvitskii 2007. Taught on: book/losses/clustering
    """
    points = as_samples(points, "points")
    weight = None if weight is None else as_tensor(weight, "weight")
    _check_count("clusters", clusters)
    if points.dim() != 2 or (weight is not None and weight.shape != points.shape[:1]):
        shapes = f"{tuple(points.shape)}" + ("" if weight is None else f" and {tuple(weight.shape)}")
        raise ValueError(f"points must be (N, D) and their weight (N,), but were given {shapes}")
    points = points if points.dtype == torch.float64 else points.float()
    weight = points.new_ones(len(points)) if weight is None else weight.to(points)
    check_weight(weight.view(1, 1, -1))
    check_embedding(points.view(1, 1, *points.shape))
    heavy, mass = points[weight > 0], weight[weight > 0]
    if not 1 <= clusters <= len(heavy):
        raise ValueError(
            f"{clusters} clusters cannot be made of {len(heavy)} points with weight (of {len(points)} in all): there "
            "must be at least one point for each. Is the mixture silent?"
        )
    generator = torch.Generator().manual_seed(seed)
    ends = [_lloyd(heavy, mass, _start(heavy, mass, clusters, generator)) for _ in range(TRIES)]
    centres, _ = min(ends, key=lambda end: end[1])
    sizes = mass.new_zeros(clusters).index_add_(0, _nearest(heavy, centres)[1], mass)
    centres = centres[sizes.argsort(descending=True, stable=True)]
    return _nearest(points, centres)[1], centres


def _check_count(name: str, count: int) -> None:
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ValueError(f"{count!r} {name}; expected a whole number of at least 1")


def _start(x: Tensor, mass: Tensor, clusters: int, generator: torch.Generator) -> Tensor:
    """Draw centres from the points; the further a point is from those drawn so far, the likelier it is the next."""
    chosen = [_draw(mass, generator)]
    while len(chosen) < clusters:
        distances, _ = _nearest(x, x[chosen])
        chosen.append(_draw(mass * distances if (mass * distances).sum() > 0 else mass, generator))
    return x[chosen]


def _draw(mass: Tensor, generator: torch.Generator) -> int:
    line = mass.double().cpu().cumsum(0)
    at = torch.rand(1, generator=generator, dtype=torch.float64) * line[-1]
    return min(int(torch.searchsorted(line, at, right=True)), len(line) - 1)


def _lloyd(x: Tensor, mass: Tensor, centres: Tensor) -> tuple[Tensor, float]:
    """Move each centre to the mean of its points until nothing changes: `(centres, weighted sum of squares)`."""
    previous = None
    for _ in range(STEPS):
        distances, labels = _nearest(x, centres)
        if previous is not None and torch.equal(labels, previous):
            break
        previous = labels
        sizes = mass.new_zeros(len(centres)).index_add_(0, labels, mass)
        sums = torch.zeros_like(centres).index_add_(0, labels, mass.unsqueeze(1) * x)
        centres = sums / sizes.clamp(min=torch.finfo(mass.dtype).tiny).unsqueeze(1)
        for empty in (sizes == 0).nonzero().flatten():  # nobody came: it starts anew at the loneliest point
            centres[empty] = x[(loneliest := (mass * distances).argmax())]
            distances[loneliest] = 0
    distances, _ = _nearest(x, centres)
    return centres, float((mass * distances).sum())


def _nearest(x: Tensor, centres: Tensor) -> tuple[Tensor, Tensor]:
    """Return the squared distance to the nearest centre, and its number: `(N,), (N,)`."""
    return torch.cdist(x, centres).square().min(1)


def kmeans_masks(embedding: Tensor, sources: int, weight: Tensor, seed: int = 0, silent: str = "refuse") -> Tensor:
    """Turn embeddings into masks of zeros and ones, by k-means over the bins of each item.

    `embedding (B, F, T, D), weight (B, F, T) -> masks (B, S, C=1, F, T)` with S = sources. They add up to one in every
    bin; the heaviest cluster is the first, so estimates come in no fixed order. An item without any weight is silent:
    with ``silent="share"`` all its masks are 1/S, else it is refused.

    Raises ValueError for a silent item and for more sources than bins with weight, and NotFiniteError for NaN.
    Source: Hershey 2016. Taught on: book/losses/clustering
    """
    embedding, weight = as_samples(embedding, "embedding"), as_tensor(weight, "weight")
    _check_count("sources", sources)
    if embedding.dim() != 4 or embedding.shape[:3] != weight.shape:
        raise ValueError(
            f"embedding (B, F, T, D) and weight (B, F, T) must have the same B, F and T, but were given "
            f"{tuple(embedding.shape)} and {tuple(weight.shape)}"
        )
    if silent not in ("refuse", "share"):
        raise ValueError(f"silent is {silent!r}; choose refuse or share")
    check_weight(weight)
    check_embedding(embedding)
    B, F, T, _ = embedding.shape
    masks = torch.full((B, sources, 1, F, T), 1 / sources, device=embedding.device)
    for b, (v, w) in enumerate(zip(embedding.flatten(1, 2), weight.flatten(1), strict=True)):
        if not w.any() and silent == "share":
            continue
        if not w.any():
            raise ValueError(
                f"item {b} of the batch (B) is silent: no bin has weight, so there is nothing to cluster in "
                f'{show(embedding)}. silent="share" gives every source an equal share'
            )
        labels, _ = kmeans(v, sources, w, seed)  # (F·T,)
        masks[b] = torch.nn.functional.one_hot(labels, sources).mT.view(sources, 1, F, T)  # (S, 1, F, T)
    return masks
