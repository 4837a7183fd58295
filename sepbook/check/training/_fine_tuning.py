"""Exercise 5 of the lab on optimisation: a loop that fine-tunes, with three bugs.

Taught on: book/training/optimization
"""

import copy
import warnings

import torch
from torch import Tensor, nn

from sepbook.check import CheckFailure, call, exercise
from sepbook.check._inputs import dice, seeded
from sepbook.check._loops import expect_bugs_gone, weights_of

BUGS = {
    "the optimiser was made before the last layer was replaced: it holds the old one, and the new one stays": "late",
    "the schedule is stepped after each batch, so the rate is down long before the last epoch": "batch",
    "the gradient is clipped before backward() has found it": "clip",
}
NEW = {  # what was not there before, and comes in while the bugs are looked for
    "no gradient is cleared any more, so that each step follows the sum of all so far": "added",
    "the rate never changes: schedule.step() is missing": "constant",
    "the schedule takes its first step before the first epoch": "early",
    "the last layer was never replaced": "old last",
    "only the last layer learns. This recipe trains all of them": "last alone",
    "0.5 stands in the lines. Use the name rate": "rate",
    "0.2 stands in the lines. Use the name longest": "longest",
    "each number of the gradient is cut off by itself. The recipe limits its length": "by value",
}


def _network() -> nn.Sequential:
    with seeded(0):
        return nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3))


def _last() -> nn.Linear:
    with seeded(1):
        return nn.Linear(6, 3)


def _epochs(count: int) -> list:
    random = dice(3)
    return [[tuple(torch.randn(5, size, generator=random) for size in (4, 3)) for _ in range(3)] for _ in range(count)]


def _tuned(bugs: tuple[str, ...], count: int, rate: float, longest: float) -> Tensor:
    """Return the weights after the loop over `count` epochs, with some of the bugs in it."""
    network, epochs = _network(), _epochs(count)
    if "late" not in bugs and "old last" not in bugs:
        network[-1] = _last()
    optimizer = torch.optim.SGD(
        (network[-1] if "last alone" in bugs else network).parameters(), 0.5 if "rate" in bugs else rate
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, len(epochs))
    network[-1] = _last() if "late" in bugs else network[-1]
    for batches in epochs:
        if "early" in bugs:
            _turn(schedule)
        for inputs, targets in batches:
            loss = (network(inputs) - targets).square().mean()
            if "added" not in bugs:
                optimizer.zero_grad()
            loss.backward()
            if "by value" in bugs:
                nn.utils.clip_grad_value_(network.parameters(), longest)
            elif "clip" not in bugs:
                nn.utils.clip_grad_norm_(network.parameters(), 0.2 if "longest" in bugs else longest)
            optimizer.step()
            if "batch" in bugs:
                schedule.step()
        if not {"batch", "constant", "early"} & {*bugs}:
            schedule.step()
    return weights_of(network)


def _turn(schedule) -> None:
    """Take a step of the schedule before any of the optimiser, which torch warns about."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        schedule.step()


def _expect_nothing_new(weights: Tensor, case: tuple) -> None:
    """Raise CheckFailure when the three bugs are gone, but another one has come in."""
    if torch.allclose(weights, _tuned((), *case), atol=1e-6):
        return
    for words, name in NEW.items():
        if torch.allclose(weights, _tuned((name,), *case), atol=1e-6):
            what = "It trains, but arrives at other weights than this recipe."
            recognised = f"This is exactly what comes out of a common mistake: {words}."
            raise CheckFailure(what, recognised, kind=words, known=True)


@exercise(
    "Exercise 5: find the bugs",
    hints=(
        "Read it in the order in which things happen. What does the optimiser hold? When is there a gradient to clip? "
        "How often does the rate change?",
        "Print the parameters that the optimiser holds: is the new last layer among them?",
        "network[-1] = last comes before the optimiser. In the loop: zero_grad, backward, clip, step. schedule.step() "
        "comes after the batches of an epoch, one level further left.",
    ),
)
def exercise_5(fine_tune):
    """Check a function (network, last, epochs, rate, longest) that trains in place."""
    for case in ((4, 0.5, 0.2), (3, 0.3, 0.4)):  # number of epochs, rate, longest gradient
        _check_loop(fine_tune, case)
    return "None of the three stops a run. One shows as a layer that never changes, one as a flat curve."


def _check_loop(fine_tune, case: tuple) -> None:
    count, rate, longest = case
    network = _network()
    before = weights_of(copy.deepcopy(network))
    found = call(fine_tune, network, _last(), _epochs(count), rate, longest)
    weights = weights_of(found if isinstance(found, nn.Module) else network)
    if not isinstance(found, nn.Sequential) or len(found) != len(network):
        what = f"The function should return the network, but returns a value of type {type(found).__name__}."
        raise CheckFailure(what, "Look at the return.", "return network", kind="return")
    if weights.shape == before.shape and torch.equal(weights, before):
        what = "The weights are the same before and after: nothing was learned, and nothing replaced."
        raise CheckFailure(what, "Is there an optimizer.step(), and does it come after backward()?", kind="nothing")
    _expect_nothing_new(weights, case)
    other = "It trains, but arrives at other weights than this recipe."
    expect_bugs_gone(weights, BUGS, lambda bugs: _tuned(bugs, *case), other, 1e-6)
