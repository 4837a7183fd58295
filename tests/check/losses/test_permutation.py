"""The exercises of the permutation lab: each usual mistake is recognised, each right answer passes, however written."""

from itertools import permutations, product

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment

from sepbook.check.losses import permutation as check
from tests.check.tables import test_nonsense_never_raises, test_stubs_stay_red  # noqa: F401


@pytest.mark.parametrize("order", [(1, 2, 0), [1, 2, 0], torch.tensor([1, 2, 0]), np.array([1, 2, 0])])
def test_table_right(hear, order):
    assert "✔ Exercise 1" in hear(check.exercise_1, order)


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ((2, 0, 1), "You have the source for each estimate"),
        ((0, 2, 1), "The smallest entry of the table is tempting"),
        ((0, 2, 1), "sums to 14"),
        ((1, 0, 2), "all six orders"),
        ((0, 0, 2), "Estimate 0 is used for more than one source"),
        ((1, 2), "three numbers from 0 to 2"),
        ((1, 2, 3), "three numbers from 0 to 2"),
        ("first", "a row of three numbers"),
        ("120", "a row of three numbers"),
        ((1.5, 2, 0), "a row of three numbers"),
        (9, "a row of three numbers"),
    ],
)
def test_table_wrong(hear, order, words):
    first, second = hear(check.exercise_1, order), hear(check.exercise_1, order)
    assert "✘" in first and "✘" in second and words in first + second


def pit(how="item", order="right", cut=False):
    """Return an answer to exercise 2, with some of its mistakes."""

    def answer(estimates, sources):
        S = sources.shape[1]
        orders = torch.tensor(list(permutations(range(S))))
        errors = torch.stack([(estimates[:, o] - sources).square() for o in orders])  # (S!, B, S, C, N)
        if cut:
            errors = errors.detach()
        if how == "sample":
            values = errors.mean(2).min(0).values.mean((1, 2))
        elif how == "batch":
            values = errors.mean((2, 3, 4))[errors.mean((1, 2, 3, 4)).argmin()]
        elif how == "mean":
            values = errors.mean((0, 2, 3, 4))
        elif how == "largest":
            values = errors.mean((2, 3, 4)).max(0).values
        elif how == "nearest":
            values = (estimates[:, :, None] - sources[:, None]).square().mean((3, 4)).amin(1).mean(1)
        elif how == "sum":
            values = errors.sum(2).mean((2, 3)).min(0).values
        else:
            values = errors.mean((2, 3, 4)).min(0).values
        found = orders[errors.mean((2, 3, 4)).argmin(0)]
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


@pytest.mark.parametrize("answer", [pit(), pit_by_pairs])
def test_pit_right_in_several_ways(hear, answer):
    assert "✔ Exercise 2" in hear(check.exercise_2, answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (pit("sample"), "the minimum is taken for each sample"),
        (pit("batch"), "one order is chosen for the whole batch"),
        (pit("mean"), "the mean over all orders"),
        (pit("nearest"), "two may take the same one"),
        (pit("largest"), "the largest of all orders"),
        (pit("sum"), "Every value is 2 times what it should be"),
        (pit(order="inverse"), "it holds the source for each estimate"),
        (pit(order="none"), "should return two things, value and permutation"),
        (pit(cut=True), "the gradient is cut off"),
        (lambda e, s: ((e - s).square().mean((1, 2, 3)), torch.zeros(e.shape[:2])), "no other one is tried"),
        (lambda e, s: (pit()(e, s)[0], pit()(e, s)[1][:, :1]), "should have (B=4, S=2)"),
    ],
)
def test_pit_wrong(hear, answer, words):
    first, second = hear(check.exercise_2, answer), hear(check.exercise_2, answer)
    assert "✘" in first and "✘" in second and words in first + second


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


@pytest.mark.parametrize("answer", [hungarian(), hungarian_by_rows, lambda costs: hungarian()(costs).numpy()])
def test_hungarian_right_in_several_ways(hear, answer):
    assert "✔ Exercise 3" in hear(check.exercise_3, answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (hungarian(transpose=False), "the table was not transposed"),
        (hungarian(maximize=True), "the order of the largest sum"),
        (lambda costs: costs.argmin(1), "some estimate is taken twice"),
        (lambda costs: hungarian()(costs)[:1].expand(costs.shape[:2]), "all items get the order of the first one"),
        (lambda costs: linear_sum_assignment(costs.detach().numpy())[1], "stops in"),
        (lambda costs: linear_sum_assignment(costs[0].T)[1], "requires grad"),
        (lambda costs: hungarian()(costs)[0], "has 1 axes"),
    ],
)
def test_hungarian_wrong(hear, answer, words):
    first, second = hear(check.exercise_3, answer), hear(check.exercise_3, answer)
    assert "✘" in first and "✘" in second and words in first + second


def spectral(mean_first, mean_then):
    """Return an answer to exercise 4: means over these axes of (S!, B, C, F, T), a minimum, and the other means."""

    def answer(estimates, targets):
        orders = permutations(range(targets.shape[1]))
        errors = torch.stack([(estimates[:, list(o)] - targets).square().mean(1) for o in orders])
        low = (errors.mean(mean_first) if mean_first else errors).min(0).values
        return low.mean(mean_then) if mean_then else low

    return answer


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (spectral((), (1, 2, 3)), "one decision for each bin and frame"),
        (spectral((2, 3), 1), "one decision for each frame"),
        (spectral((2, 4), 1), "one decision for each frequency bin"),
        (spectral((), ()), "has 4 axes"),
        (lambda e, t: (e - t).square().flatten(1).mean(1), "the values are not"),
        (lambda e, t: spectral((2, 3, 4), ())(e, t).mean(), "has 0 axes"),
        (lambda e, t: spectral((2, 3, 4), ())(e, t).detach(), "the gradient is cut off"),
    ],
)
def test_bug_left(hear, answer, words):
    first, second = hear(check.exercise_4, answer), hear(check.exercise_4, answer)
    assert "✘" in first and "✘" in second and words in first + second


def test_bug_found(hear):
    assert "✔ Exercise 4" in hear(check.exercise_4, spectral((2, 3, 4), ()))
    assert "✔ Exercise 4" in hear(check.exercise_4, lambda e, t: pit_by_pairs(e.flatten(3), t.flatten(3))[0])


def mixit(how="right", exchanged=False):
    """Return an answer to exercise 5, with some of its mistakes."""

    def answer(estimates, mixtures):
        S = estimates.shape[1]
        choices = torch.tensor(list(product((0, 1), repeat=S)))
        if how == "even":
            choices = choices[(choices.sum(1) * 2 - S).abs() <= 1]
        both = [torch.stack([estimates[:, c == m].sum(1) for m in (0, 1)], 1) for c in choices]
        errors = torch.stack([(x - mixtures).square().mean((2, 3)) for x in both])  # (2^S, B, 2)
        best = errors.mean(2).min(0)
        value = best.values
        if how == "apart":
            value = errors.min(0).values.mean(1)
        if how == "sum":
            value = 2 * value
        if how == "batch":
            value = errors.mean(2)[errors.mean((1, 2)).argmin()]
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


@pytest.mark.parametrize("answer", [mixit(), mixit_by_matrix])
def test_mixit_right_in_several_ways(hear, answer):
    assert "✔ Exercise 5" in hear(check.exercise_5, answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (mixit("even"), "only assignments with equal shares"),
        (mixit("apart"), "each mixture chooses its estimates for itself"),
        (mixit("sum"), "the mean over the two mixtures is half of that"),
        (mixit("batch"), "one assignment is chosen for the whole batch"),
        (mixit(exchanged=True), "the two mixtures are exchanged"),
        (lambda e, m: mixit()(e, m)[0], "should return two things, value and assignment"),
        (lambda e, m: (mixit()(e, m)[0].detach(), mixit()(e, m)[1]), "the gradient is cut off"),
        (lambda e, m: (mixit()(e, m)[0].mean(), mixit()(e, m)[1]), "has 0 axes"),
    ],
)
def test_mixit_wrong(hear, answer, words):
    first, second = hear(check.exercise_5, answer), hear(check.exercise_5, answer)
    assert "✘" in first and "✘" in second and words in first + second
