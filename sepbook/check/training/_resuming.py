"""Exercise 5 of the lab on the training loop: keep what the next step depends on, and go on from it.

Taught on: book/training/loop
"""

import copy
import functools

import torch
from torch import Tensor, nn

from sepbook.check import CheckFailure, call, exercise
from sepbook.check._exercise import short
from sepbook.check._inputs import case_seed, dice, seeded
from sepbook.check._loops import weights_of


def _made(seed: int, rate: float) -> tuple[nn.Module, torch.optim.Optimizer]:
    """Return a network with batch norm and dropout, and its optimiser."""
    with seeded(seed):
        network = nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 2))
    return network.train(), torch.optim.Adam(network.parameters(), lr=rate)


def _walk(network: nn.Module, optimizer: torch.optim.Optimizer, first: int, last: int) -> None:
    """Train from one step to another; the inputs depend on the number of the step."""
    for step in range(first, last):
        random = dice(100 + step)
        inputs, targets = torch.randn(6, 5, generator=random), torch.randn(6, 2, generator=random)
        optimizer.zero_grad()
        (network(inputs) - targets).square().mean().backward()
        optimizer.step()


def _state(network: nn.Module, optimizer: torch.optim.Optimizer) -> dict:
    """Return all that the next step depends on, copied."""
    kept = copy.deepcopy(optimizer.state_dict())
    memory = {f"{i} {key}": value for i, row in kept["state"].items() for key, value in row.items()}
    return {
        "weights": weights_of(network),
        "buffers": torch.cat([b.double().flatten() for b in network.buffers()]),
        "memory": memory,
        "rate": kept["param_groups"][0]["lr"],
        "random": torch.get_rng_state(),
    }


def _like(a, b) -> bool:
    """Whether two parts of a state are equal."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(torch.equal(a[k].float(), b[k].float()) for k in a)
    return torch.equal(a, b) if isinstance(a, Tensor) else a == b


def _noting(function, seen: list, look):
    """Return a function that does the same and notes, before its random numbers are put back, what `look` sees."""
    if not callable(function):
        return function

    @functools.wraps(function)
    def noted(*inputs):
        result = function(*inputs)
        seen.append(look())
        return result

    return noted


MISSING = {  # part: (what is wrong where it was not brought back, what to do)
    "weights": ("the weights are not brought back", "network.load_state_dict(…)"),
    "buffers": ("the weights are right, but the statistics of batch norm are not", "state_dict() has both"),
    "memory": ("the optimiser's memory is not brought back: Adam begins again", "optimizer.load_state_dict(…)"),
    "rate": (
        "Adam's averages are back, but the optimiser has kept its own rate",
        "its state_dict() has the rate in param_groups",
    ),
    "random": (
        "dropout draws other numbers now: the random state is not brought back",
        "torch.get_rng_state() when it is packed, torch.set_rng_state(…) when it goes on",
    ),
}
ALIAS = (
    "The dict holds the {} themselves, not copies: they have gone on changing after they were packed.",
    "state_dict() hands out the tensors that training changes in place.",
    "copy.deepcopy(….state_dict())",
)


@exercise(
    "Exercise 5: pack a run, and go on",
    hints=(
        "What does the next step depend on? Weights and statistics, the optimiser's memory, the random numbers of "
        "dropout, and the number of the step.",
        "Begin with the weights alone: copy.deepcopy(network.state_dict()) here, network.load_state_dict there.",
        "pack: a dict with deepcopies of both state_dict()s, torch.get_rng_state() and step. unpack: "
        "load_state_dict twice, torch.set_rng_state, and return the step.",
    ),
)
def exercise_5(pack, unpack):
    """Check a function pack (network, optimizer, step) -> kept, and unpack (network, optimizer, kept) -> step."""
    for which, rate in ((0, 0.05), (1, 0.02)):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(case_seed(which + 50))
            step = 3 + int(torch.randint(0, 4, (), generator=dice(which)))
            network, optimizer = _made(which, rate)
            _walk(network, optimizer, 0, step)
            then, kept = _state(network, optimizer), call(pack, network, optimizer, step)
            if not _like(_state(network, optimizer)["weights"], then["weights"]):
                what = "pack has changed the weights of the network. It should only look."
                raise CheckFailure(what, kind="changed")
            _walk(network, optimizer, step, step + 3)
            later = _state(network, optimizer)
            torch.manual_seed(case_seed(which + 70))  # the machine was switched off
            fresh, other = _made(which + 20, 0.5)
            _go_on(unpack, (fresh, other, kept), step, then, later)
    return "It goes on as if nothing had happened: same items, same masks of dropout, same step of Adam."


def _go_on(unpack, inputs: tuple, step: int, then: dict, later: dict) -> None:
    """Raise CheckFailure unless `unpack` brings back all of the state `then`, and the number of the step."""
    network, optimizer, kept = inputs
    seen = []
    answer = call(_noting(unpack, seen, lambda: _state(network, optimizer)), network, optimizer, kept)
    now = seen[0]
    for part, (words, how) in MISSING.items():
        if _like(now[part], then[part]):
            continue
        if part in ("weights", "memory") and _like(now[part], later[part]):
            what, where, how = ALIAS
            name = "weights" if part == "weights" else "averages of the optimiser"
            raise CheckFailure(what.format(name), where, how, kind=f"alias {part}", known=True)
        raise CheckFailure(f"After unpack, {words}.", how=f"{how}.", kind=part)
    try:
        answer = float(answer)
    except (TypeError, ValueError) as error:
        raise CheckFailure(f"unpack should return the number of the step: {short(error)}.", kind="step") from None
    if answer != step:
        what = f"unpack should return {step}, the number of steps that are done, but returns {answer:g}."
        where = "The next step is the one with this number, because steps count from 0."
        raise CheckFailure(what, where, "Keep step as it is, and return it.", kind="step")
