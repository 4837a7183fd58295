"""Exercise 1 of the lab on the training loop: a whole training in a dozen lines.

Taught on: book/training/loop
"""

import functools

import torch
from torch import Tensor, nn

from sepbook.check import CheckFailure, call, exercise
from sepbook.check._inputs import case_seed, dice, seeded
from sepbook.check._loops import weights_of

ELSEWHERE = 4321  # the state of the random numbers before the answer runs


class _System(nn.Module):
    """A system in small: masks over samples, and dropout."""

    def __init__(self):
        super().__init__()
        self.network = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Dropout(0.5), nn.Linear(8, 12))

    def loss(self, mixture: Tensor, sources: Tensor) -> dict[str, Tensor]:
        """Return the loss of a mixture (B, C, N) and its sources (B, S, C, N)."""
        masks = self.network(mixture).sigmoid().unflatten(-1, (2, -1)).movedim(-2, 1)  # (B, S, C, N)
        return {"loss": (masks * mixture.unsqueeze(1) - sources).square().mean()}


class _Items:
    """Endless items: item i is made from its number."""

    source_names, endless = ("one", "two"), True

    def __init__(self, seed: int):
        self.seed = case_seed(seed)

    def __len__(self) -> int:
        return 1000

    def __getitem__(self, i: int) -> dict[str, Tensor]:
        sources = torch.randn(2, 1, 6, generator=torch.Generator().manual_seed(self.seed * 1000 + int(i)))
        return {"mixture": sources.sum(0), "sources": sources}  # (C, N), (S, C, N)


def _system(seed: int) -> _System:
    with seeded(seed):
        return _System().eval()


def _first(step: int, B: int, how: str) -> int:
    """Return the first item of a step."""
    return {"overlap": step, "same": 0, "from 1": step * B + 1, "backwards": -1}.get(how, step * B)


def _trained(which: int, steps: int, B: int, rate: float, seed: int, how: str = "") -> Tensor:
    """Return the weights after training, and with other words for `how` after one of the usual mistakes."""
    system, data = _system(which), _Items(which)
    kind = torch.optim.SGD if how == "sgd" else torch.optim.Adam
    rate = 1e-3 if how == "rate" else rate
    B = 4 if how == "batch" else B
    steps += {"one less": -1, "one more": 1}.get(how, 0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed({"unseeded": ELSEWHERE, "seed 0": 0}.get(how, seed))
        system.train(how != "eval")
        optimizer = kind(system.parameters(), lr=rate)
        for step in range(steps):
            if how == "each":
                torch.manual_seed(seed)
            if how == "new":
                optimizer = kind(system.parameters(), lr=rate)
            first = _first(step, B, how)
            for part in [[i] for i in range(first, first + B)] if how == "one by one" else [range(first, first + B)]:
                batch = torch.utils.data.default_collate([data[i] for i in part])
                loss = system.loss(**batch)["loss"] * (B if how == "sum" else 1)
                if how != "added":
                    optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return weights_of(system)


MISTAKES = {
    "no slope is cleared: backward() adds to those of all steps before": "added",
    "a step begins one item after the last one. It should begin after its whole batch: step * batch_size": "overlap",
    "every step sees the same items": "same",
    "items count from 1 here. They begin with 0": "from 1",
    "the system stays in eval mode, where dropout does nothing: system.train()": "eval",
    "the seed is not set, so dropout draws other numbers": "unseeded",
    "0 is used as the seed. Use the name seed": "seed 0",
    "the seed is set in every step, so dropout hides the same places each time. Set it once": "each",
    "it steps with SGD. This recipe uses Adam": "sgd",
    "Adam has its own usual rate. Give it lr=rate": "rate",
    "4 stands in the lines. Use the name batch_size": "batch",
    "it takes one step too few": "one less",
    "it takes one step too many": "one more",
    "a new optimiser is made in each step. It forgets what Adam has to remember": "new",
    "each item is a step by itself. Collate the batch_size items of a step to one batch": "one by one",
}


@exercise(
    "Exercise 1: a whole training",
    hints=(
        "Before the loop: the seed, the mode, the optimiser. In it: items, batch, loss, clear, backward, step.",
        "Begin with the items of a step: data[i] for i from step * batch_size on, and default_collate of the list.",
        "torch.manual_seed(seed); system.train(); optimizer = torch.optim.Adam(system.parameters(), lr=rate). For each "
        'step: batch = default_collate([…]); loss = system.loss(**batch)["loss"]; zero_grad(), backward(), step(). '
        "return system.eval()",
    ),
)
def exercise_1(plain):
    """Check a function (system, data, steps, batch_size, rate, seed) that trains the system and returns it."""
    random = dice(1)
    for which, steps, B, rate in ((0, 4, 3, 0.03), (1, 3, 5, 0.01)):
        seed = 10 + int(torch.randint(0, 1000, (), generator=random))
        system = _system(which)
        given = call(_from_elsewhere(plain), system, _Items(which), steps, B, rate, seed)
        _judge(given, system, (which, steps, B, rate, seed))
    return "The book's own loop, with everything switched off that this one lacks, ends in the same weights."


def _from_elsewhere(plain):
    """Return the answer so that it begins with random numbers that are known, and not those of its own seed."""
    if not callable(plain):
        return plain

    @functools.wraps(plain)
    def run(*inputs):
        torch.manual_seed(ELSEWHERE)
        return plain(*inputs)

    return run


def _judge(given, system: nn.Module, case: tuple) -> None:
    """Raise CheckFailure unless the returned system has the weights of the right training."""
    if not isinstance(given, nn.Module):
        what = f"The function should return the system, but returns a value of type {type(given).__name__}."
        raise CheckFailure(what, "Look at the return.", "return system.eval()", kind="return")
    weights, right = weights_of(given), _trained(*case)
    if weights.shape == right.shape and torch.allclose(weights, right, atol=1e-6):
        if given.training:
            what = "The weights are right, but the system comes back in training mode."
            raise CheckFailure(
                what, "Whoever separates with it next would get dropout.", "return system.eval()", "mode"
            )
        return
    if torch.equal(weights, weights_of(_system(case[0]))):
        what = "The weights are the same before and after: nothing was learned."
        where = "Is there an optimizer.step()? Is zero_grad() called before backward(), and not after it?"
        raise CheckFailure(what, where, kind="nothing")
    what = f"It trains, but arrives at other weights. (steps={case[1]}, batch_size={case[2]}, rate={case[3]}.)"
    for words, how in MISTAKES.items():
        wrong = _trained(*case, how=how)
        if weights.shape == wrong.shape and torch.allclose(weights, wrong, atol=1e-6):
            recognised = f"This is exactly what comes out of a common mistake: {words}."
            raise CheckFailure(what, recognised, kind=words, known=True)
    raise CheckFailure(what, kind="other")
