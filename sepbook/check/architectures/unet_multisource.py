"""Checks for the lab on several sources: what a mask costs, a loss for each, their sum, weights epoch by epoch.

Taught on: book/architectures/unet_multisource
"""

import torch
from torch import Tensor

from sepbook.check import CheckFailure, call, exercise, expect_gradient, expect_number, expect_values
from sepbook.check._inputs import dice, noise


@exercise(
    "Exercise 1: what a further mask costs",
    hints=(
        "Only the last block knows how many masks there are. What does it need for one more?",
        "One mask is one output of a transposed convolution: a kernel of 5 by 5 for each of the 32 maps, and a bias.",
        "32 * 5 * 5 + 1: a kernel over all maps that come in, and one bias.",
    ),
)
def exercise_1(weights):
    """Check the predicted number of weights of one further mask: 32 maps come in, kernels of 5 by 5."""
    known = {
        800: "Each output has a bias too.",
        26: "That is a kernel over one map. The last block reads 32.",
        25: "That is a kernel over one map. The last block reads 32.",
        5 * 32 + 1: "A kernel has two axes: 5 bins and 5 frames.",
        401: "The last block reads two halves: 16 maps from below and 16 from the skip.",
        4 * 801: "That is all of the last block with four masks. Asked is one further mask.",
        3 * 801: "That is what three more masks cost. Asked is one.",
        833: "The maps that come in have no biases here. One bias for each output.",
        803: "Batch norm does not follow the last block.",
    }
    expect_number(weights, 801, known)
    return "Of some ten million. All the rest is shared."


def _each(estimates: Tensor, targets: Tensor) -> Tensor:
    return (estimates - targets).abs().mean((0, 2, 3, 4))


@exercise(
    "Exercise 2: a loss for each source",
    hints=(
        "One number for each source: which axes are averaged, and which one stays?",
        "The axes are (B, S, C, F, T). Average the absolute error over axes 0, 2, 3 and 4.",
        "return (estimates - targets).abs().mean((0, 2, 3, 4))",
    ),
)
def exercise_2(each):
    """Check a function estimates, targets (B, S, C, F, T) -> the mean absolute error of each source, (S,)."""
    for seed, sizes in enumerate(((2, 4, 1, 3, 5), (3, 2, 2, 4, 2), (1, 3, 1, 2, 6))):
        x = noise(*sizes, seed=seed).abs().requires_grad_()
        y = noise(*sizes, seed=seed + 10).abs() * torch.linspace(0.2, 2, sizes[1])[:, None, None, None]
        error = x - y
        known = {
            "the squared error": error.square().mean((0, 2, 3, 4)),
            "the error without its size: what is too much hides what is too little": error.mean((0, 2, 3, 4)),
            "a sum instead of a mean": error.abs().sum((0, 2, 3, 4)),
            "the mean over the sources is left for each item": error.abs().mean((1, 2, 3, 4)),
            "one loss for all sources": error.abs().mean().reshape(1),
            "only the first item is compared": _each(x[:1], y[:1]),
            "only the first frame is compared": _each(x[..., :1], y[..., :1]),
            "the root of the mean square": error.square().mean((0, 2, 3, 4)).sqrt(),
            "the largest error": error.abs().amax((0, 2, 3, 4)),
            "divided by the level of the source. Nothing was said of that": _each(x, y) / y.mean((0, 2, 3, 4)),
        }
        where = "It is about B={}, S={}, C={}, F={}, T={}.".format(*sizes)
        result = call(each, x, y)
        expect_values(result, _each(x, y).detach(), "S", {name: v.detach() for name, v in known.items()}, where)
        expect_gradient(result, x)
    return "The mean of these four numbers is the loss of the U-Net."


@exercise(
    "Exercise 3: the weighted sum",
    hints=(
        "A mean over the sources of weight times loss. And the weights shall not learn.",
        "weights.detach() are the same numbers without a gradient.",
        "return (weights.detach() * losses).mean()",
    ),
)
def exercise_3(weighted):
    """Check a function losses (S,), weights (S,) -> the mean of weight times loss; no gradient reaches the weights."""
    for S in (4, 2, 5):
        losses = (0.1 + torch.rand(S, generator=dice(S))).requires_grad_()
        weights = (0.2 + 2 * torch.rand(S, generator=dice(S + 10))).requires_grad_()
        w, right = weights.detach(), (weights.detach() * losses).mean()
        known = {
            "the weights are not used": losses.mean(),
            "the sum is not divided by S": (w * losses).sum(),
            "it is divided by the sum of the weights. Divide by S": (w * losses).sum() / w.sum(),
            "divided by the weights. A large weight has to count more": (losses / w).mean(),
            "the weights are added, not multiplied": (losses + w).mean(),
            "the weights are squared": (w.square() * losses).mean(),
            "a softmax was taken of the weights. They are given as they count": (w.softmax(0) * losses).sum(),
            "the largest term alone": (w * losses).max(),
        }
        known = {name: value.detach().reshape(1) for name, value in known.items()}
        result = call(weighted, losses, weights)
        flat = result.reshape(1) if isinstance(result, Tensor) and result.numel() == 1 else result
        expect_values(flat, right.detach().reshape(1), "B", known, f"It is about S={S} sources.")
        reached = flat.requires_grad and torch.autograd.grad(flat.sum(), weights, None, True, allow_unused=True)[0]
        if isinstance(reached, Tensor):
            raise CheckFailure(
                "The value is right, but a gradient arrives at the weights.",
                "A weight that can learn becomes 0 for the source that is hardest.",
                "Use weights.detach().",
                kind="gradient of weights",
            )
        expect_gradient(flat, losses)
    return "Ratios of weights count, not their size: Adam divides that away."


def _ratio(before: Tensor, last: Tensor, temperature: float) -> Tensor:
    return last / before / temperature


def _schedule(losses: Tensor, temperature: float, late: int = 0, by=_ratio) -> Tensor:
    """Weights epoch by epoch; `late` moves them down, `by` turns the losses of two epochs into logits."""
    E, S = losses.shape
    rows = [torch.ones(S) for _ in range(E)]
    for e in range(2 + late, E):
        rows[e] = S * by(losses[e - 2 - late], losses[e - 1 - late], temperature).softmax(0)
    return torch.stack(rows)


@exercise(
    "Exercise 4: weights, epoch by epoch",
    hints=(
        "In which epoch are the losses of two earlier ones known for the first time?",
        "Epochs 0 and 1 have ones. Epoch 2 looks at losses[1] / losses[0], epoch 3 at losses[2] / losses[1].",
        "w = torch.ones_like(losses); then for e from 2: "
        "w[e] = S * (losses[e - 1] / losses[e - 2] / temperature).softmax(0)",
    ),
)
def exercise_4(schedule):
    """Check a function losses (E, S), temperature -> (E, S): the weights with which each epoch is trained."""
    for seed, (E, S, temperature) in enumerate(((5, 4, 2.0), (4, 3, 0.5), (6, 2, 1.0))):
        falls = 0.4 + 0.6 * torch.rand(E, S, generator=dice(seed))
        losses = (1 + torch.rand(S, generator=dice(seed + 10))) * falls.cumprod(0)
        right = _schedule(losses, temperature)
        ahead = torch.cat([right[1:], _schedule(torch.cat([losses, losses[-1:]]), temperature)[-1:]])
        known = {
            "one epoch too late": _schedule(losses, temperature, late=1),
            "one epoch too early: at its beginning, an epoch's own loss is not known": ahead,
            "the ratio is upside down: what falls fast gets the weight": _schedule(
                losses, temperature, by=lambda before, last, t: before / last / t
            ),
            "they add up to 1, not to S": torch.cat([right[:2], right[2:] / S]),
            "the first two epochs have zeros. They count all sources alike": torch.cat([0 * right[:2], right[2:]]),
            "the losses themselves, not their ratio": _schedule(
                losses, temperature, by=lambda before, last, t: last / t
            ),
            "each epoch is compared with the first one": torch.stack(
                [*right[:2], *(S * _ratio(losses[0], losses[e - 1], temperature).softmax(0) for e in range(2, E))]
            ),
        }
        if temperature != 1.0:
            known |= {
                "the temperature does not enter": _schedule(losses, 1.0),
                "multiplied by the temperature": _schedule(losses, 1 / temperature),
            }
        where = f"It is about {E} epochs of {S} sources, and a temperature of {temperature}."
        expect_values(call(schedule, losses, temperature), right, "L S", known, where)
    return "Two epochs of patience, and then what stands still counts more."
