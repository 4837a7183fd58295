"""Checks for the lab on permutations: a table, PIT, Hungarian, a bug, MixIT. Taught on: book/losses/permutation."""

from itertools import permutations, product

import torch
from torch import Tensor

from sepbook.check import CheckFailure, NotYet, call, exercise, expect_gradient, expect_parts, expect_values
from sepbook.check._exercise import is_empty
from sepbook.check._inputs import noise
from sepbook.check._predict import whole
from sepbook.losses.permutation import best_permutation, mixture_invariant, permutation_invariant
from sepbook.losses.spectrogram import mse

TABLE = ((1.0, 9.0, 3.0), (2.0, 7.0, 9.0), (8.0, 4.0, 6.0))  # [estimate][source]
BEST = (1, 2, 0)


def _pair(result, first: str, second: str) -> tuple:
    """Return both parts of an answer that has to return two."""
    what = f"The function should return two things, {first} and {second}."
    return expect_parts(result, 2, what, "Look at the last line.", f"End with return {first}, {second}.")


@exercise(
    "Exercise 1: the best order, by hand",
    hints=(
        "Write down all six orders and the sum of each. Each row and each column is used once.",
        "Start with the order (0, 1, 2): 1 + 7 + 6 = 14. Then the other five.",
        "For each order (e0, e1, e2) the sum is costs[e0][0] + costs[e1][1] + costs[e2][2].",
    ),
)
def exercise_1(order):
    """Check the order of the smallest sum in a table of three estimates and three sources."""
    if is_empty(order):
        raise NotYet("Write your three numbers in place of the dots.")
    try:
        given = tuple(whole(number) for number in order)
    except (TypeError, ValueError):
        raise CheckFailure(f"The answer is a row of three numbers, not {order!r:.60}.", kind="type") from None
    if len(given) != 3 or not set(given) <= {0, 1, 2}:
        what = f"The answer has three numbers from 0 to 2, one per source, not {given}."
        where = "The numbers begin with 0, as in Python." if set(given) == {1, 2, 3} else ""
        raise CheckFailure(what, where, kind="type", known=bool(where))
    if len(set(given)) < 3:
        twice = next(e for e in given if given.count(e) > 1)
        raise CheckFailure(f"Estimate {twice} is used for more than one source.", kind="twice")
    if given == BEST:
        return "The cheapest entry of the whole table is not in it: taking it first would make the rest expensive."
    total = sum(TABLE[e][s] for s, e in enumerate(given))
    where = ""
    if given == tuple(BEST.index(e) for e in range(3)):
        where = "You have the source for each estimate. Asked for is the estimate for each source."
    elif given == (0, 1, 2):
        where = "That is the order as it stands. Any other one may be cheaper: there are six."
    elif given == (1, 0, 2):
        where = "Estimate 2 costs 6 with source 2. With which source is it dear, and must that be avoided?"
    elif given == (2, 1, 0):
        where = "Estimate 2 for source 0 costs 8, the most of its row. Read [estimate][source]: the row comes first."
    elif given[0] == 0:
        where = "The smallest entry of the table is tempting. What does it force the other two to be?"
    raise CheckFailure(
        f"The order {given} sums to {total:g}, and there is a smaller sum.",
        where,
        kind=f"order {given}",
        known=bool(where),
    )


def _orders(estimates: Tensor, sources: Tensor) -> Tensor:
    """Return the squared error of every order, before any mean but that over S: `(S!, B, C, N)`."""
    orders = permutations(range(sources.shape[1]))
    return torch.stack([(estimates[:, list(order)] - sources).square().mean(1) for order in orders])


@exercise(
    "Exercise 2: PIT, by trying all orders",
    hints=(
        "Make one value (B,) for each order and stack them to (orders, B). The minimum is taken over the first axis.",
        "For the order (1, 0): the error of estimates[:, [1, 0]] against sources, one mean per item, shape (B,).",
        "value = (estimates[:, list(order)] - sources).square().flatten(1).mean(1) for each order; then "
        "best = torch.stack(values).min(0); return best.values and the orders at best.indices.",
    ),
)
def exercise_2(pit):
    """Check a function of estimates and sources `(B, S, C, N)`: value `(B,)` and permutation `(B, S)`."""
    for S, B in ((3, 5), (2, 4)):
        sources = noise(B, S, 2, 30, seed=S)
        shuffled = torch.stack([x.roll(i % S, 0) for i, x in enumerate(sources)])
        estimates = shuffled + 0.3 * noise(B, S, 2, 30, seed=S + 9)
        estimates[-1, :, 1] = estimates[-1, :, 1].roll(1, 0)  # one channel would rather have another order
        estimates[1] *= 3
        estimates[1, 0] = sources[1].mean(0)  # the nearest one for every source, and only one may have it
        estimates.requires_grad_()
        expected, permutation = permutation_invariant(mse, estimates, sources)
        pairs = (estimates[:, :, None] - sources[:, None]).square().mean((3, 4))  # (B, S, S)
        every = _orders(estimates, sources)
        known = {
            "the minimum is taken for each sample, before the mean over C and N": every.min(0).values.mean((1, 2)),
            "one order is chosen for the whole batch; each item needs its own": every.mean((2, 3))[
                every.mean((1, 2, 3)).argmin()
            ],
            "each source takes its nearest estimate, and two may take the same one": pairs.amin(1).mean(1),
            "the order that is given is taken, and no other one is tried": mse(estimates, sources, "none"),
            "the mean over all orders, where the minimum is wanted": every.mean((0, 2, 3)),
            "the largest of all orders is taken": every.mean((2, 3)).max(0).values,
            "each channel has an order of its own; both belong to one recording": every.mean(3).min(0).values.mean(1),
            "only the first channel is compared": every[:, :, 0].mean(2).min(0).values,
            "only the given order and its reverse are tried; there are S! of them": torch.minimum(
                mse(estimates, sources, "none"), mse(estimates.flip(1), sources, "none")
            ),
            "the errors are added over S, where their mean is wanted": expected * S,
        }
        value, order = _pair(call(pit, estimates, sources), "value", "permutation")
        where = f"It is about {S} sources and a batch of {B}."
        expect_values(value, expected.detach(), "B", {k: v.detach() for k, v in known.items()}, where)
        _expect_order(order, permutation, where)
        expect_gradient(value, estimates)
    return "One value and one order for each item. That is all of PIT."


def _expect_order(order, permutation: Tensor, where: str) -> None:
    known = {
        "it holds the source for each estimate. Asked for is the estimate for each source": permutation.argsort(1),
    }
    expect_values(order, permutation, "B S", known, where)


def _greedy(costs: Tensor) -> Tensor:
    """Take the cheapest pair of each table `(B, S, S)`, then the cheapest that is left, and so on: `(B, S)`."""
    left, order = costs.detach().clone(), torch.zeros(costs.shape[:2], dtype=torch.int64)
    for table, row in zip(left, order, strict=True):
        for _ in row:
            e, s = divmod(int(table.argmin()), len(table))
            row[s] = e
            table[e], table[:, s] = torch.inf, torch.inf
    return order


@exercise(
    "Exercise 3: the Hungarian algorithm",
    hints=(
        "linear_sum_assignment takes one table of two axes and returns (rows, columns), where rows is 0, 1, 2, …",
        "Take one table: linear_sum_assignment(table.detach().numpy()). Are its rows estimates or sources?",
        "Give it each table transposed, so that the rows are sources: linear_sum_assignment(table.T)[1] is the "
        "estimate for each source. Collect them in a tensor (B, S).",
    ),
)
def exercise_3(hungarian):
    """Check a function of costs `(B, S, S)`, [estimate, source]: the best permutation `(B, S)`."""
    for S, B in ((4, 6), (5, 3)):
        costs = noise(B, S, S, seed=S).requires_grad_()  # a loss such as −SI-SDR has both signs
        expected = best_permutation(costs, "exhaustive")
        known = {
            "it holds the source for each estimate: the table was not transposed": expected.argsort(1),
            "the smallest entry of each column is taken, and some estimate is taken twice": costs.argmin(1),
            "the order of the largest sum is taken": best_permutation(-costs, "exhaustive"),
            "all items get the order of the first one": expected[:1].expand(B, S),
            "the smallest entry of each row is taken. That is a source for each estimate, and some twice": (
                costs.argmin(2)
            ),
            "the cheapest pair of the table is taken first. That can make the others dear": _greedy(costs),
            "the order is the given one, for every item": torch.arange(S).expand(B, S),
        }
        expect_values(call(hungarian, costs), expected, "B S", known, f"It is about {S} sources and a batch of {B}.")
    return "The gradient need not pass through it: it only says which costs to take."


@exercise(
    "Exercise 4: find the bug",
    hints=(
        "Print the shape of what the minimum is taken over. How many decisions are made for one utterance?",
        "The errors have all axes of the estimates. Which single axis may be left when the minimum is taken?",
        "Take the mean over everything but the batch first, errors.flatten(1).mean(1), so that one number (B,) is left "
        "for each order. Then the minimum, then no further mean over the bins.",
    ),
)
def exercise_4(spectral_pit):
    """Check a function of estimates and targets `(B, S, C, F, T)`: the value `(B,)`, one order per utterance."""
    for S in (2, 3):
        targets = noise(3, S, 2, 6, 8, seed=S).abs()
        shuffled = torch.stack([targets[0], *targets[1:].roll(1, 1)])  # one item is in order
        shuffled[2, :, 1] = targets[2, :, 1]  # and of one, a channel
        estimates = (shuffled + 0.9 * noise(3, S, 2, 6, 8, seed=S + 5)).abs().requires_grad_()
        errors = torch.stack(
            [(estimates[:, list(order)] - targets).square().mean(1) for order in permutations(range(S))]
        ).detach()  # (S!, B, C, F, T)
        known = {
            "no other order than the given one is tried": errors[0].mean((1, 2, 3)),
            "there is still one decision for each bin and frame": errors.min(0).values.mean((1, 2, 3)),
            "there is one decision for each frame": errors.mean((2, 3)).min(0).values.mean(1),
            "there is one decision for each frequency bin": errors.mean((2, 4)).min(0).values.mean(1),
            "there is one decision for the whole batch": errors.mean((2, 3, 4))[errors.mean((1, 2, 3, 4)).argmin()],
            "there is one decision for each bin of each frame, over the channels": errors.mean(2)
            .min(0)
            .values.mean((1, 2)),
            "there is one decision for each channel": errors.mean((3, 4)).min(0).values.mean(1),
            "the largest of all orders is taken": errors.mean((2, 3, 4)).max(0).values,
            "the mean over all orders, where the minimum is wanted": errors.mean((0, 2, 3, 4)),
            "the errors are added up over C, F and T, where their mean is wanted": errors.sum((2, 3, 4)).min(0).values,
        }
        expected = errors.mean((2, 3, 4)).min(0).values
        value = call(spectral_pit, estimates, targets)
        expect_values(value, expected, "B", known, f"It is about {S} sources.")
        expect_gradient(value, estimates)
    return "The mean first, then the minimum. The other way round each bin has a vote of its own."


def _every_remix(estimates: Tensor, mixtures: Tensor) -> tuple[Tensor, Tensor]:
    """Return the assignments `(2^S, S)` and the error of each: `(2^S, B, 2)`, mean over C and N."""
    choices = torch.tensor(list(product((0, 1), repeat=estimates.shape[1])))
    sums = [torch.stack([estimates[:, choice == m].sum(1) for m in (0, 1)], 1) for choice in choices]
    return choices, torch.stack([(x - mixtures).square().mean((2, 3)) for x in sums])


@exercise(
    "Exercise 5: MixIT",
    hints=(
        "For one assignment, such as (0, 1, 1, 0), add up the estimates whose number is 0, and those whose number is "
        "1; compare both sums with both mixtures.",
        "There are 2 ** S assignments: itertools.product((0, 1), repeat=S). Do one of them first, by hand.",
        "For each choice of product((0, 1), repeat=S): share = torch.tensor(choice); sums = torch.stack([estimates[:, "
        "share == 0].sum(1), estimates[:, share == 1].sum(1)], 1); then the squared error, mean over all but B.",
    ),
)
def exercise_5(mixit):
    """Check a function of estimates `(B, S, C, N)`, mixtures `(B, 2, C, N)`: value `(B,)`, assignment `(B, S)`."""
    for S, B in ((4, 5), (3, 4)):
        talkers = noise(B, S, 2, 25, seed=S)
        share = [[(b >> s) & 1 for s in range(S)] for b in range(B)]  # of uneven size, also empty
        belongs = torch.nn.functional.one_hot(torch.tensor(share), 2).float()
        mixtures = torch.einsum("bsm,bscn->bmcn", belongs, talkers)
        mixtures[-1, 1 - share[-1][0]] += talkers[-1, 0]  # a voice that is in both, and belongs to one
        estimates = (talkers + 0.7 * noise(B, S, 2, 25, seed=S + 3)).requires_grad_()
        expected, assignment = mixture_invariant(mse, estimates, mixtures)
        with torch.no_grad():
            choices, errors = _every_remix(estimates, mixtures)
            even = (choices.sum(1) * 2 - S).abs() <= 1
            known = {
                "only assignments with equal shares are tried; a mixture may hold one talker or three": (
                    errors[even].mean(2).min(0).values
                ),
                "each mixture chooses its estimates for itself, so that one may be used twice or not at all": (
                    errors.min(0).values.mean(1)
                ),
                "both errors are added; the mean over the two mixtures is half of that": errors.sum(2).min(0).values,
                "one assignment is chosen for the whole batch": errors.mean(2)[errors.mean((1, 2)).argmin()],
                "the largest of all errors is taken": errors.mean(2).max(0).values,
                "the mean over all assignments, where the minimum is wanted": errors.mean((0, 2)),
                "only the first channel is compared": (
                    _every_remix(estimates[:, :, :1], mixtures[:, :, :1])[1].mean(2).min(0).values
                ),
                "an assignment in which one mixture gets nothing is left out; a mixture may be empty": (
                    errors[1:-1].mean(2).min(0).values
                ),
            }
        value, given = _pair(call(mixit, estimates, mixtures), "value", "assignment")
        where = f"It is about {S} estimates and a batch of {B}."
        expect_values(value, expected.detach(), "B", known, where)
        swapped = {
            "the two mixtures are exchanged": 1 - assignment,
            "the order of the estimates is turned round": assignment.flip(1),
        }
        expect_values(given, assignment, "B S", swapped, where)
        expect_gradient(value, estimates)
    return "No talker was looked at: two recordings, as they are, were enough."
