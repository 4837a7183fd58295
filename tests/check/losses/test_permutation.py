"""The exercises of the permutation lab: each usual mistake is recognised, each right answer passes, however written."""

from itertools import permutations, product

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment

from sepbook.losses.permutation import best_permutation, mixture_invariant, permutation_invariant
from sepbook.losses.spectrogram import mse
from tests.check.tables import *  # noqa: F403


def pit(how="item", order="right", cut=False):
    """Return an answer to exercise 2, with some of its mistakes."""

    def answer(estimates, sources):
        S = sources.shape[1]
        orders = torch.tensor(list(permutations(range(S))))
        errors = torch.stack([(estimates[:, o] - sources).square() for o in orders])  # (S!, B, S, C, N)
        if cut:
            errors = errors.detach()
        each = errors.mean((2, 3, 4))  # (S!, B)
        values = {
            "sample": lambda: errors.mean(2).min(0).values.mean((1, 2)),
            "channel": lambda: errors.mean((2, 4)).min(0).values.mean(1),
            "first channel": lambda: errors[..., 0, :].mean((2, 3)).min(0).values,
            "batch": lambda: each[each.mean(1).argmin()],
            "mean": lambda: each.mean(0),
            "largest": lambda: each.max(0).values,
            "nearest": lambda: (estimates[:, :, None] - sources[:, None]).square().mean((3, 4)).amin(1).mean(1),
            "sum": lambda: errors.sum(2).mean((2, 3)).min(0).values,
            "reverse": lambda: torch.minimum(each[0], each[-1]),
            "given": lambda: each[0],
            "item": lambda: each.min(0).values,
        }[how]()
        found = orders[each.argmin(0)]
        found = found.argsort(1) if order == "inverse" else found
        return values if order == "none" else (values, found)

    return answer


def pit_by_pairs(estimates, sources):
    costs = (estimates[:, :, None] - sources[:, None]).square().mean((-2, -1))  # (B, S, S)
    values, found = [], []
    for table in costs:
        sums = {o: sum(table[e, s] for s, e in enumerate(o)) for o in permutations(range(len(table)))}
        best = min(sums, key=sums.get)
        values.append(sums[best] / len(table))
        found.append(best)
    return torch.stack(values), torch.tensor(found)


def pit_by_hungarian(estimates, sources):
    costs = (estimates.unsqueeze(2) - sources.unsqueeze(1)).square().flatten(3).mean(3).mT  # [source, estimate]
    found = torch.tensor(np.array([linear_sum_assignment(table.detach())[1] for table in costs]))
    return costs.double().gather(2, found.unsqueeze(2)).mean((1, 2)), found.numpy()


def hungarian(transpose=True, maximize=False):
    """Return an answer to exercise 3, with some of its mistakes."""

    def answer(costs):
        tables = costs.detach().numpy()
        tables = tables.transpose(0, 2, 1) if transpose else tables
        return torch.tensor(np.array([linear_sum_assignment(t, maximize)[1] for t in tables]))

    return answer


def hungarian_by_rows(costs):
    found = torch.zeros(costs.shape[:2], dtype=torch.int64)
    for b, table in enumerate(costs):
        rows, columns = linear_sum_assignment(table.tolist())
        for e, s in zip(rows, columns, strict=True):
            found[b, s] = int(e)
    return found


def all_orders(costs):
    """The best of all orders, without SciPy."""
    orders = torch.tensor(list(permutations(range(costs.shape[1]))))  # (S!, S)
    sums = costs[:, orders, torch.arange(costs.shape[1])].sum(2)  # (B, S!)
    return orders[sums.argmin(1)].float()


def cheapest_first(costs):
    """Take the cheapest pair, then the cheapest one of what is left."""
    found = torch.zeros(costs.shape[:2], dtype=torch.int64)
    for b, table in enumerate(costs.tolist()):
        pairs = sorted((cost, e, s) for e, row in enumerate(table) for s, cost in enumerate(row))
        free = set(range(len(table))), set(range(len(table)))
        for _, e, s in pairs:
            if e in free[0] and s in free[1]:
                found[b, s] = e
                free[0].remove(e), free[1].remove(s)
    return found


def spectral(mean_first, mean_then=(), choose=torch.amin):
    """Return an answer to exercise 4: means over these axes of (S!, B, C, F, T), a minimum, and the other means."""

    def answer(estimates, targets):
        orders = permutations(range(targets.shape[1]))
        errors = torch.stack([(estimates[:, list(o)] - targets).square().mean(1) for o in orders])
        low = choose(errors.mean(mean_first) if mean_first else errors, 0)
        return low.mean(mean_then) if mean_then else low

    return answer


def spectral_for_the_batch(estimates, targets):
    values = [(estimates[:, list(o)] - targets).square() for o in permutations(range(targets.shape[1]))]
    return min(values, key=lambda x: x.mean().item()).flatten(1).mean(1)


def spectral_item_by_item(estimates, targets):
    orders = [list(o) for o in permutations(range(targets.shape[1]))]
    return torch.stack(
        [min((e[o] - z).square().mean() for o in orders) for e, z in zip(estimates, targets, strict=True)]
    )


def mixit(how="right", exchanged=False):
    """Return an answer to exercise 5, with some of its mistakes."""

    def answer(estimates, mixtures):
        S = estimates.shape[1]
        choices = torch.tensor(list(product((0, 1), repeat=S)))
        if how == "even":
            choices = choices[(choices.sum(1) * 2 - S).abs() <= 1]
        if how == "not empty":
            choices = choices[1:-1]
        both = [torch.stack([estimates[:, c == m].sum(1) for m in (0, 1)], 1) for c in choices]
        squares = torch.stack([(x - mixtures).square() for x in both])  # (2^S, B, 2, C, N)
        errors = squares[:, :, :, 0].mean(3) if how == "first channel" else squares.mean((3, 4))  # (2^S, B, 2)
        best = errors.mean(2).min(0)
        value = {
            "apart": lambda: errors.min(0).values.mean(1),
            "sum": lambda: 2 * best.values,
            "batch": lambda: errors.mean(2)[errors.mean((1, 2)).argmin()],
            "largest": lambda: errors.mean(2).max(0).values,
            "mean": lambda: errors.mean((0, 2)),
        }.get(how, lambda: best.values)()
        assignment = choices[best.indices]
        return value, 1 - assignment if exchanged else assignment

    return answer


def mixit_by_matrix(estimates, mixtures):
    S, best = estimates.shape[1], None
    for number in range(2**S):
        choice = torch.tensor([(number >> s) & 1 for s in range(S)])
        A = torch.stack([1 - choice, choice]).float()  # (2, S)
        value = (torch.einsum("ms,bscn->bmcn", A, estimates) - mixtures).pow(2).mean((1, 2, 3))
        rows = choice.expand(len(value), S)
        if best is None:
            best = value, rows
        else:
            lower = value < best[0]
            best = torch.where(lower, value, best[0]), torch.where(lower[:, None], rows, best[1])
    return best


def mixit_item_by_item(estimates, mixtures):
    """Item after item, in double precision, with the assignments as a NumPy array."""
    values, found = [], []
    for e, x in zip(estimates.double(), mixtures.double(), strict=True):
        tried = {}
        for choice in product((0, 1), repeat=len(e)):
            one = sum(c * each for c, each in zip(choice, e, strict=True))
            tried[choice] = ((e.sum(0) - one - x[0]) ** 2 + (one - x[1]) ** 2).mean() / 2
        found.append(min(tried, key=tried.get))
        values.append(tried[found[-1]])
    return torch.stack(values), np.array(found)


RIGHT = [
    (1, (1, 2, 0)),
    (1, [1, 2, 0]),
    (1, torch.tensor([1, 2, 0])),
    (1, np.array([1.0, 2.0, 0.0])),
    (2, pit()),
    (2, pit_by_pairs),
    (2, pit_by_hungarian),
    (2, lambda e, s: permutation_invariant(mse, e, s)),
    (3, hungarian()),
    (3, hungarian_by_rows),
    (3, lambda costs: hungarian()(costs).numpy()),
    (3, all_orders),
    (3, best_permutation),
    (4, spectral((2, 3, 4))),
    (4, spectral_item_by_item),
    (4, lambda e, z: pit_by_pairs(e.flatten(3), z.flatten(3))[0]),
    (4, lambda e, z: permutation_invariant(mse, e.double(), z.double())[0]),
    (5, mixit()),
    (5, mixit_by_matrix),
    (5, mixit_item_by_item),
    (5, lambda e, x: mixture_invariant(mse, e, x)),
]
WRONG = [
    (1, (2, 0, 1), "You have the source for each estimate"),
    (1, (0, 2, 1), "The smallest entry of the table is tempting"),
    (1, (0, 1, 2), "the order as it stands"),
    (1, (1, 0, 2), "Estimate 2 costs 6 with source 2"),
    (1, (2, 1, 0), "the row comes first"),
    (1, (0, 0, 2), "Estimate 0 is used for more than one source"),
    (1, (2, 3, 1), "begin with 0"),
    (1, (1, 2), "three numbers from 0 to 2"),
    (1, "120", "a row of three numbers"),
    (2, pit("sample"), "the minimum is taken for each sample"),
    (2, pit("channel"), "each channel has an order of its own"),
    (2, pit("first channel"), "only the first channel is compared"),
    (2, pit("batch"), "one order is chosen for the whole batch"),
    (2, pit("mean"), "the mean over all orders"),
    (2, pit("nearest"), "two may take the same one"),
    (2, pit("largest"), "the largest of all orders"),
    (2, pit("sum"), "added over S, where their mean is wanted"),
    (2, pit("reverse"), "only the given order and its reverse"),
    (2, pit("given"), "no other one is tried"),
    (2, pit(order="inverse"), "it holds the source for each estimate"),
    (2, pit(order="none"), "should return two things, value and permutation"),
    (2, pit(cut=True), "the gradient is cut off"),
    (2, lambda e, s: (pit()(e, s)[0], pit()(e, s)[1][:, :1]), "should have (B=5, S=3)"),
    (3, hungarian(transpose=False), "the table was not transposed"),
    (3, hungarian(maximize=True), "the order of the largest sum"),
    (3, cheapest_first, "the cheapest pair of the table is taken first"),
    (3, lambda costs: costs.argmin(1), "the smallest entry of each column"),
    (3, lambda costs: costs.argmin(2), "the smallest entry of each row"),
    (3, lambda costs: hungarian()(costs)[:1].expand(costs.shape[:2]), "all items get the order of the first one"),
    (3, lambda costs: torch.arange(costs.shape[1]).expand(costs.shape[:2]), "the given one, for every item"),
    (3, lambda costs: linear_sum_assignment(costs.detach().numpy())[1], "stops in"),
    (3, lambda costs: linear_sum_assignment(costs[0].T)[1], "requires grad"),
    (3, lambda costs: hungarian()(costs)[0], "has 1 axes"),
    (4, spectral((), (1, 2, 3)), "one decision for each bin and frame"),
    (4, spectral((2,), (1, 2)), "for each bin of each frame, over the channels"),
    (4, spectral((2, 3), 1), "one decision for each frame"),
    (4, spectral((2, 4), 1), "one decision for each frequency bin"),
    (4, spectral((3, 4), 1), "one decision for each channel"),
    (4, spectral_for_the_batch, "one decision for the whole batch"),
    (4, spectral((2, 3, 4), choose=torch.amax), "the largest of all orders"),
    (4, spectral((2, 3, 4), choose=torch.mean), "the mean over all orders"),
    (4, lambda e, z: (e - z).square().flatten(1).mean(1), "no other order than the given one"),
    (4, lambda e, z: spectral((2, 3, 4))(e, z) * z[0, 0].numel(), "added up over C, F and T"),
    (4, spectral(()), "has 4 axes"),
    (4, lambda e, z: spectral((2, 3, 4))(e, z).mean(), "has 0 axes"),
    (4, lambda e, z: spectral((2, 3, 4))(e, z).detach(), "the gradient is cut off"),
    (5, mixit("even"), "only assignments with equal shares"),
    (5, mixit("not empty"), "a mixture may be empty"),
    (5, mixit("apart"), "each mixture chooses its estimates for itself"),
    (5, mixit("sum"), "the mean over the two mixtures is half of that"),
    (5, mixit("batch"), "one assignment is chosen for the whole batch"),
    (5, mixit("largest"), "the largest of all errors"),
    (5, mixit("mean"), "the mean over all assignments"),
    (5, mixit("first channel"), "only the first channel is compared"),
    (5, mixit(exchanged=True), "the two mixtures are exchanged"),
    (5, lambda e, x: (mixit()(e, x)[0], mixit()(e, x)[1].flip(1)), "the order of the estimates is turned round"),
    (5, lambda e, x: mixit()(e, x)[0], "should return two things, value and assignment"),
    (5, lambda e, x: (mixit()(e, x)[0].detach(), mixit()(e, x)[1]), "the gradient is cut off"),
    (5, lambda e, x: (mixit()(e, x)[0].mean(), mixit()(e, x)[1]), "has 0 axes"),
]
