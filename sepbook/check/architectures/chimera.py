"""Checks for the lab on Chimera: the sum of two losses, how hard each pulls on the trunk, a share that balances them.

Taught on: book/architectures/chimera
"""

import torch
from torch import Tensor

from sepbook.check import call, exercise, expect_gradient, expect_values
from sepbook.check._compare import told_apart
from sepbook.check._inputs import about, dice, noise


def _some(*shape: int, seed: int = 0) -> Tensor:
    return 0.1 + torch.rand(*shape, generator=dice(seed))


@exercise(
    "Exercise 1: one loss from two",
    hints=(
        "The share says how much of the whole the clustering gets. What is left of 1 belongs to the other head.",
        "Weigh each loss by its part, then add. The two parts make 1 together.",
        "return (1 - share) * masking + share * clustering",
    ),
)
def exercise_1(one_loss):
    """Check a function of masking `(B,)`, clustering `(B,)` and share, from 0 to 1: the loss of each item `(B,)`."""
    for seed, B, share in ((0, 4, 0.3), (1, 3, 0.8)):
        share = share + 0.1 * float(torch.rand((), generator=dice(seed + 20)))
        m, c = (_some(B, seed=seed).requires_grad_(), (_some(B, seed=seed + 5) + 1).requires_grad_())
        expected = (1 - share) * m + share * c
        known = {
            "the share is that of the clustering. You gave it to the masks": share * m + (1 - share) * c,
            "the masks count whole. They get what the share leaves of 1": m + share * c,
            "the clustering counts whole. It gets the share": (1 - share) * m + c,
            "both losses count the same, whatever the share is": m + c,
            "the mean of both was taken, whatever the share is": (m + c) / 2,
            "the masking loss is left out": share * c,
            "the clustering loss is left out": (1 - share) * m,
            "the weighted losses were multiplied. Add them": (1 - share) * m * share * c,
            "the batch was averaged. Each item keeps its loss": expected.mean(),
        }
        known = {fault: wrong.detach() for fault, wrong in known.items()}
        where = about(masking=("B", (B,)), clustering=("B", (B,))) + f" The share is {share:.2f}."
        result = call(one_loss, m, c, share)
        expect_values(result, expected.detach(), "B", known, where)
        expect_gradient(result, m, c)
    return "Neither loss is lost: each reaches the trunk by its part."


@exercise(
    "Exercise 2: how hard a loss pulls",
    hints=(
        "All numbers of both gradients are one long vector. Its length is asked for.",
        "The square of a length is the sum of the squares of all its numbers, over both tensors.",
        "return (first.square().sum() + second.square().sum()).sqrt()",
    ),
)
def exercise_2(pull):
    """Check a function of the gradients of two layers, `(H, F)` and `(H,)`: the length of both as one vector."""
    for seed, (H, F) in ((0, (5, 7)), (1, (4, 3))):
        first, second = noise(H, F, seed=seed), 2 * noise(H, seed=seed + 5)
        squares = first.square().sum() + second.square().sum()
        count = first.numel() + second.numel()
        known = {
            "the square of the length is still there: take its root": squares,
            "two lengths were added. Add their squares": first.norm() + second.norm(),
            "the second layer is left out": first.norm(),
            "the first layer is left out": second.norm(),
            "sizes were added, not squares": first.abs().sum() + second.abs().sum(),
            "the numbers were averaged. A length is a sum": (squares / count).sqrt(),
            "the gradients were added up with their signs": (first.sum() + second.sum()).abs(),
            "only the largest number counts in yours": torch.maximum(first.abs().max(), second.abs().max()),
        }
        where = about(first=("H F", (H, F)), second=("H", (H,)))
        expect_values(call(pull, first, second), squares.sqrt(), "", known, where)
    return "A direction is forgotten here. How far the weights are moved along it is this length."


@exercise(
    "Exercise 3: a share that balances",
    hints=(
        "With the share a, the masks pull with (1 - a) m and the clustering with a c. Which part of their sum is a c?",
        "Write part = a c / ((1 - a) m + a c), and solve it for a.",
        "return part * masks / (part * masks + (1 - part) * clustering)",
    ),
)
def exercise_3(balance):
    """Check a function of the pulls masks `(B,)` and clustering `(B,)`, and part: the share of each row `(B,)`."""
    for seed, B, part in ((0, 4, 0.2), (1, 3, 0.7)):
        part = part + 0.1 * float(torch.rand((), generator=dice(seed + 20)))
        m, c = _some(B, seed=seed), _some(B, seed=seed + 5) + 1.5
        expected = part * m / (part * m + (1 - part) * c)
        known = {
            "the share is not the part: what pulls harder needs less": torch.full((B,), part),
            "the pulls have changed places: the loss that pulls harder gets more in yours": (
                part * c / (part * c + (1 - part) * m)
            ),
            "that is the share of the masks, and it is the clustering's that is asked for": 1 - expected,
            "both pull alike in yours, whatever part was asked for": m / (m + c),
            "that is how many times as much the clustering counts. A share is a part of 1": part * m / ((1 - part) * c),
            "the pulls were squared. They are lengths already": (
                part * m.square() / (part * m.square() + (1 - part) * c.square())
            ),
        }
        where = about(masks=("B", (B,)), clustering=("B", (B,))) + f" The part is {part:.2f}."
        expect_values(call(balance, m, c, part), expected, "B", told_apart(known, expected), where)
    return "It holds for the weights of this moment. After some training, measure again."
