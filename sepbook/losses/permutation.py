"""Which estimate belongs to which source? Permutation-invariant training asks once per utterance.

Taught on: book/losses/permutation
"""

from collections.abc import Callable
from itertools import permutations

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

EXHAUSTIVE = 3  # up to this many sources every order is tried; above, the Hungarian algorithm finds the best

Loss = Callable[..., Tensor]


def pairwise(loss: Loss, estimates: Tensor, sources: Tensor) -> Tensor:
    """Loss of each estimate against each source: `(B, S, …), (B, S, …) -> (B, S, S)`, [estimate, source].

    Taught on: book/losses/permutation
    """
    if estimates.shape != sources.shape:
        raise ValueError(
            f"estimates {tuple(estimates.shape)} and sources {tuple(sources.shape)} must have the same shape; "
            "axis 1 counts the sources"
        )
    B, S = sources.shape[:2]
    rows = estimates.repeat_interleave(S, dim=1).reshape(B * S * S, 1, *sources.shape[2:])
    columns = sources.repeat(1, S, *[1] * (sources.dim() - 2)).reshape(B * S * S, 1, *sources.shape[2:])
    return loss(rows, columns, reduction="none").view(B, S, S)


def best_permutation(costs: Tensor) -> Tensor:
    """Return for each item the order of estimates with the smallest sum: `(B, S, S) -> (B, S)` int64.

    ``permutation[b, s]`` is the estimate that belongs to source s. Taught on: book/losses/permutation
    """
    S = costs.shape[-1]
    costs = costs.detach().float()
    if S <= EXHAUSTIVE:
        orders = torch.tensor(list(permutations(range(S))), device=costs.device)  # (S!, S)
        sums = costs[:, orders, torch.arange(S, device=costs.device)].sum(-1)  # (B, S!)
        return orders[sums.argmin(1)]
    matrices = costs.cpu().numpy()
    found = [linear_sum_assignment(matrix.T)[1] for matrix in matrices]  # rows: sources, columns: estimates
    return torch.tensor(np.array(found), device=costs.device, dtype=torch.int64)


def reorder(estimates: Tensor, permutation: Tensor) -> Tensor:
    """Put estimates `(B, S, …)` into the order of the sources by `permutation (B, S)`.

    Taught on: book/losses/permutation
    """
    index = permutation.view(*permutation.shape, *[1] * (estimates.dim() - 2)).expand_as(estimates)
    return estimates.gather(1, index)


def permutation_invariant(loss: Loss, estimates: Tensor, sources: Tensor) -> tuple[Tensor, Tensor]:
    """Loss under the best order of the estimates, one order per utterance.

    `loss(estimates (B, 1, …), sources (B, 1, …), reduction="none") -> (B,)` is evaluated for all pairs; returned are
    the value `(B,)`, averaged over sources, and the permutation `(B, S)`. Source: Kolbæk 2017 (uPIT).
    Taught on: book/losses/permutation
    """
    costs = pairwise(loss, estimates, sources)  # (B, S, S)
    permutation = best_permutation(costs)  # (B, S)
    chosen = costs.gather(1, permutation.unsqueeze(1)).squeeze(1)  # (B, S): [b, permutation[b, s], s]
    return chosen.mean(1), permutation
