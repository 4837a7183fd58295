"""Deep clustering as the number of bins grows: the low-rank form against the table of all pairs. One item, one thread.

Both forward and backward, and both give the same value.
"""

import torch
from torch import Tensor

from sepbook.losses.clustering import deep_clustering
from tools.bench._measure import compare, threads

BINS = (250, 500, 1000, 2000, 4000, 8000)
D, S, PAIRS = 20, 4, 9


def all_pairs(v: Tensor, y: Tensor, w: Tensor) -> Tensor:
    """Write the definition down: (1, N, 1, D), (1, S, N, 1), (1, N, 1) with N bins."""
    v, y, w = v[0, :, 0], y[0, :, :, 0].T, w[0, :, 0]
    pairs = w[:, None] * w
    return (pairs * (v @ v.T - y @ y.T).square()).sum() / pairs.sum()


def item(bins: int) -> tuple[Tensor, Tensor, Tensor]:
    random = torch.Generator().manual_seed(bins)
    v = torch.nn.functional.normalize(torch.randn(1, bins, 1, D, generator=random), dim=-1)
    owner = torch.randint(0, S, (1, 1, bins, 1), generator=random)
    y = torch.zeros(1, S, bins, 1).scatter_(1, owner, 1.0)
    return v.requires_grad_(), y, torch.rand(1, bins, 1, generator=random)


@threads(1)
def run() -> dict:
    found = {"bins": list(BINS), "low_rank_seconds": [], "pairs_seconds": [], "ratio": []}
    for bins in BINS:
        data = item(bins)
        torch.testing.assert_close(deep_clustering(*data), all_pairs(*data), rtol=1e-4, atol=0.0)
        numbers = compare(lambda d=data: deep_clustering(*d).backward(), lambda d=data: all_pairs(*d).backward(), PAIRS)
        found["low_rank_seconds"].append(numbers["ours_seconds"])
        found["pairs_seconds"].append(numbers["theirs_seconds"])
        found["ratio"].append(numbers["ratio"])
    largest = {"bins": BINS[-1], "table_mb": 4 * BINS[-1] ** 2 / 1e6}
    return {**found, "largest": largest, "measured_pairs": PAIRS, "threads": 1}
