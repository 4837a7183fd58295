"""Which estimate belongs to which source? Permutation-invariant training asks once per utterance.

Two talkers have no natural order, and neither have the outputs of a network that separates them. So the loss is taken
for the order that suits best::

    costs (B, S, S): loss of each estimate against each source        pairwise
       │
    permutation (B, S): the cheapest way to pair them up              best_permutation
       │
    value (B,): the loss of these pairs, and of no others             permutation_invariant

Mixture-invariant training needs no clean sources at all: it asks which estimates add up to which mixture.

Taught on: book/losses/permutation
"""

import math
from collections.abc import Callable
from itertools import permutations, product

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor
from torch.nn.functional import one_hot

from sepbook._given import as_samples, as_tensor, check_real, check_together
from sepbook.losses._finite import check_all
from sepbook.losses.silence import is_silent

EXHAUSTIVE = 3  # up to this many sources every order is tried; above, the Hungarian algorithm finds the best
MOST_ORDERS = 50_000  # orders or assignments that are tried at most: 8 sources, or 15 estimates of two mixtures
METHODS = ("auto", "exhaustive", "hungarian")

EXAMPLE = (
    "a loss of this book does, and one of PyTorch's own as in "
    "lambda e, s, reduction: torch.nn.functional.mse_loss(e, s, reduction='none').flatten(1).mean(1)"
)

Loss = Callable[..., Tensor]


def pairwise(loss: Loss, estimates: Tensor, sources: Tensor) -> Tensor:
    """Loss of each estimate against each source: `(B, S, …), (B, S, …) -> (B, S, S)`, [estimate, source].

    `loss(estimates (B, 1, …), sources (B, 1, …), reduction="none") -> (B,)` is called once, for all pairs of all
    items. Raises ValueError that names the axis when the shapes differ. Taught on: book/losses/permutation
    """
    estimates, sources = _check_pair(estimates, sources)
    B, S = sources.shape[:2]
    rows = estimates.repeat_interleave(S, dim=1).reshape(B * S * S, 1, *sources.shape[2:])  # (B·S·S, 1, …)
    columns = sources.repeat(1, S, *[1] * (sources.dim() - 2)).reshape(B * S * S, 1, *sources.shape[2:])  # the same
    return _ask(loss, rows, columns).view(B, S, S)  # estimates along rows, sources along columns


def best_permutation(costs: Tensor, method: str = "auto", silent: Tensor | None = None) -> Tensor:
    """Return for each item the order of estimates with the smallest sum: `(B, S, S) -> (B, S)` int64.

    ``permutation[b, s]`` is the estimate that belongs to source s. ``method`` is "exhaustive" (all S! orders),
    "hungarian" (about S³ steps), or "auto": the first up to `EXHAUSTIVE` sources, the second above. Both find the
    same smallest sum. Sources that are ``silent (B, S)`` take what is left over: no estimate is theirs, so their costs
    do not count (`losses.silence.is_silent`). Source: Kuhn 1955. Raises ValueError for costs that hold NaN, for
    another method, and for more orders than can be tried. Taught on: book/losses/permutation
    """
    costs = as_tensor(costs, "costs")
    if costs.dim() != 3 or costs.shape[1] != costs.shape[2] or 0 in costs.shape:
        raise ValueError(f"costs are {tuple(costs.shape)}, but must be (B, S, S): each estimate against each source")
    S = costs.shape[-1]
    if method not in METHODS:
        raise ValueError(f"method is {method!r}; choose one of {', '.join(METHODS)}")
    if method == "exhaustive":
        _check_count(math.factorial(S), f"{S} sources have {{}} orders", 'method="hungarian" finds the best of them')
    costs = check_real(costs, "costs").detach()
    costs = costs if costs.dtype == torch.float64 else costs.float()
    _check_costs(costs)
    if silent is not None:
        costs = costs.masked_fill(silent.unsqueeze(-2), 0.0)  # whole columns: they weigh nothing in any order
    if method == "exhaustive" or (method == "auto" and S <= EXHAUSTIVE):
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
    estimates, permutation = as_tensor(estimates, "estimates"), as_tensor(permutation, "permutation")
    _check_numbers("permutation", permutation, estimates, estimates.shape[1] if estimates.dim() > 1 else 0)
    index = permutation.view(*permutation.shape, *[1] * (estimates.dim() - 2)).expand_as(estimates)  # (B, S, …)
    return estimates.gather(1, index)


def permutation_invariant(loss: Loss, estimates: Tensor, sources: Tensor) -> tuple[Tensor, Tensor]:
    """Loss under the best order of the estimates, one order per utterance.

    `loss(estimates (B, 1, …), sources (B, 1, …), reduction="none") -> (B,)` is evaluated for all pairs; returned are
    the value `(B,)`, averaged over sources, and the permutation `(B, S)`; a silent source takes what is left over. The
    gradient flows through the chosen pairs only. Source: Kolbæk 2017 (uPIT). Raises ValueError that names the axis when
    the shapes differ, and the place of the first NaN. Taught on: book/losses/permutation
    """
    estimates, sources = _check_pair(estimates, sources)
    check_all(_letters(sources.dim()), estimates=estimates, sources=sources)
    costs = pairwise(loss, estimates, sources)  # (B, S, S)
    permutation = best_permutation(costs, silent=is_silent(sources))  # (B, S)
    chosen = costs.gather(1, permutation.unsqueeze(1)).squeeze(1)  # (B, S): [b, permutation[b, s], s]
    return chosen.mean(1), permutation


def remix(estimates: Tensor, assignment: Tensor, mixtures: int = 2) -> Tensor:
    """Add up the estimates `(B, S, …)` of each mixture: `(B, mixtures, …)`, by `assignment (B, S)`.

    ``assignment[b, s]`` is the number of the mixture that estimate s goes to. It is a sum and no matrix product, so
    that autocast leaves its digits alone. Taught on: book/losses/permutation
    """
    estimates, assignment = as_tensor(estimates, "estimates"), as_tensor(assignment, "assignment")
    _check_numbers("assignment", assignment, estimates, mixtures)
    belongs = one_hot(assignment, mixtures).to(estimates.dtype)  # (B, S, mixtures)
    belongs = belongs.view(*belongs.shape, *[1] * (estimates.dim() - 2))  # (B, S, M, 1, …), M mixtures
    return torch.stack([(belongs[:, :, m] * estimates).sum(1) for m in range(mixtures)], dim=1)  # (B, M, …)


def mixture_invariant(loss: Loss, estimates: Tensor, mixtures: Tensor) -> tuple[Tensor, Tensor]:
    """Loss of the best way to share estimates out among mixtures that were added up: MixIT.

    The network was given `mixtures.sum(1)`, and answered with estimates `(B, S, …)`. Each estimate goes to one of the
    mixtures `(B, 2, …)`, and those of each mixture are added. All 2^S assignments are tried. Returned are the value
    `(B,)` of the best one, and the assignment `(B, S)`: the number of the mixture for each estimate. No source is
    needed, only recordings as they are. `loss(remixed (B, 2, …), mixtures (B, 2, …), reduction="none") -> (B,)`.

    Source: Wisdom 2020. Raises ValueError for shapes that do not fit, fewer estimates than mixtures, more assignments
    than can be tried, and the place of the first NaN. Taught on: book/losses/permutation
    """
    estimates, mixtures = _check_mixtures(estimates, mixtures)
    check_all(_letters(mixtures.dim()), estimates=estimates, mixtures=mixtures)
    S, count = estimates.shape[1], mixtures.shape[1]
    if estimates.dtype != torch.float64:
        estimates = estimates.float()  # sums of half precision would lose digits
    choices = torch.tensor(list(product(range(count), repeat=S)), device=estimates.device)  # (2^S, S)
    with torch.no_grad():
        every = (remix(estimates, choice.expand(len(estimates), S), count) for choice in choices)
        costs = torch.stack([_ask(loss, remixed, mixtures) for remixed in every], 1)  # (B, 2^S)
    _check_costs(costs)
    assignment = choices[costs.argmin(1)]  # (B, S)
    return _ask(loss, remix(estimates, assignment, count), mixtures), assignment


def _ask(loss: Loss, estimates: Tensor, targets: Tensor) -> Tensor:
    """Return the loss of each item `(B,)`; raise ValueError, which shows how, for one that cannot say that."""
    try:
        values = loss(estimates, targets, reduction="none")
    except TypeError as error:
        if callable(loss) and "reduction" not in str(error):
            raise
        raise ValueError(f"the loss cannot be called with reduction='none' ({error}); {EXAMPLE}") from error
    if not isinstance(values, Tensor) or values.shape != estimates.shape[:1]:
        given = tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__
        raise ValueError(f"the loss gave {given}, but must give one number per item, ({len(estimates)},); {EXAMPLE}")
    return values


def _check_pair(estimates, sources) -> tuple[Tensor, Tensor]:
    estimates, sources = as_tensor(estimates, "estimates"), as_tensor(sources, "sources")
    check_together(estimates=estimates, sources=sources)
    if estimates.dim() != sources.dim() or estimates.dim() < 3:
        raise ValueError(
            f"estimates {tuple(estimates.shape)} and sources {tuple(sources.shape)} must both be (B, S, …), batch, "
            "source and samples, with the same number of axes; add the batch with x[None]"
        )
    if estimates.shape[1] != sources.shape[1]:
        raise ValueError(
            f"there are {estimates.shape[1]} estimates for {sources.shape[1]} sources (axis 1, S): each source needs "
            "an estimate of its own. Add silent sources, or leave out the estimates that nobody asked for"
        )
    _check_axes("sources", estimates.shape, sources.shape)
    _check_not_empty(estimates, sources)
    return estimates, sources


def _check_not_empty(estimates: Tensor, others: Tensor) -> None:
    if 0 in estimates.shape or 0 in others.shape:
        raise ValueError(f"estimates are {tuple(estimates.shape)}: an axis of 0 leaves nothing to compare")


def _check_numbers(name: str, numbers: Tensor, estimates: Tensor, count: int) -> None:
    """Raise ValueError unless the numbers are `(B, S)`, whole, and each from 0 to below count."""
    if estimates.dim() < 2 or numbers.shape != estimates.shape[:2]:
        raise ValueError(
            f"the {name} is {tuple(numbers.shape)} and estimates are {tuple(estimates.shape)}, but they must be (B, S) "
            "and (B, S, …), with equal B and S"
        )
    if numbers.dtype != torch.int64:
        raise ValueError(f"the {name} holds {numbers.dtype}; it counts, so it is of int64: {name}.long()")
    if not torch.compiler.is_compiling() and ((numbers < 0) | (numbers >= count)).any():
        wrong = numbers[(numbers < 0) | (numbers >= count)][0].item()
        raise ValueError(f"the {name} holds {wrong}, but counts from 0 to {count - 1}")


def _check_mixtures(estimates, mixtures) -> tuple[Tensor, Tensor]:
    estimates, mixtures = as_samples(estimates, "estimates"), as_samples(mixtures, "mixtures")
    check_together(estimates=estimates, mixtures=mixtures)
    if estimates.dim() != mixtures.dim() or estimates.dim() < 3:
        raise ValueError(
            f"estimates {tuple(estimates.shape)} and mixtures {tuple(mixtures.shape)} must have the same number of "
            "axes: (B, S, …) and (B, 2, …)"
        )
    S, count = estimates.shape[1], mixtures.shape[1]
    if S < count:
        raise ValueError(
            f"{S} estimates cannot fill {count} mixtures (axis 1): each mixture needs at least one. Did estimates and "
            "mixtures change places? The call is mixture_invariant(loss, estimates, mixtures)"
        )
    if count < 2:
        raise ValueError(
            f"mixtures has {count} on axis 1, but holds the mixtures that were added up, each by itself: 2 of them, "
            "not their sum"
        )
    _check_axes("mixtures", (estimates.shape[0], count, *estimates.shape[2:]), mixtures.shape)
    _check_not_empty(estimates, mixtures)
    _check_count(count**S, f"{S} estimates have {{}} assignments", "use fewer estimates")
    return estimates, mixtures


def _check_axes(name: str, given, wanted) -> None:
    """Raise ValueError that names the first axis on which two shapes differ."""
    for axis, (a, b) in enumerate(zip(given, wanted, strict=True)):
        if a != b:
            letters = _letters(len(given))
            letter = f" ({letters[axis]})" if letters else ""
            raise ValueError(f"estimates have {a} on axis {axis}{letter}, {name} have {b}: they must be equal there")


def _check_count(count: int, what: str, mend: str) -> None:
    if count > MOST_ORDERS:
        raise ValueError(f"{what.format(f'{count:,}')}, and {MOST_ORDERS:,} is the most that is tried: {mend}")


def _check_costs(costs: Tensor) -> None:
    if costs.isnan().any():
        raise ValueError("the costs hold NaN, so none is the smallest: look for NaN in the estimates, or at the loss")
    if costs.isinf().any():
        raise ValueError(
            "the costs hold infinity, so sums of them say nothing: use a loss with a floor, such as "
            "sepbook.losses.waveform.si_sdr_loss, or a large number instead"
        )


def _letters(axes: int) -> str:
    return {4: "BSCN", 5: "BSCFT"}.get(axes, "")
