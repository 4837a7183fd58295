"""Checks for the lab on weighting: by energy, by progress, over tasks. Taught on: book/losses/weighting."""

import torch
from torch import Tensor

from sepbook.check import CheckFailure, call, exercise, expect_gradient, expect_number, expect_tensor, expect_values
from sepbook.check._inputs import dice, noise


@exercise(
    "Exercise 1: what a quiet source counts",
    hints=(
        "An error of 10 % of the amplitude is a squared error of 1 % of the energy, for each source.",
        "The loud one: 0.01 of an energy of 1. The quiet one: 0.01 of an energy of 0.01.",
        "0.01 * 1 for the loud one, 0.01 * 0.01 for the quiet one: the quiet one has 1/101 of the sum.",
    ),
)
def exercise_1(share):
    """Check the predicted share of the quiet source (20 dB softer) in a sum of two squared errors of 10 % each."""
    known = {
        0.5: "Equal shares would come from equal energies. 20 dB softer is a tenth of the amplitude.",
        1 / 11: "That is with errors in amplitude, as in L1. Here they are squared.",
        0.1: "A tenth is the ratio of the amplitudes. The errors are squared.",
        100
        / 101: "That is the share of the loud one, or a share in per cent. Asked is the quiet one's, as a part of 1.",
        1 / 21: "20 dB is not a factor of 20. Divide by 20 and take the power of ten: that is the ratio of amplitudes.",
        0.0001: "That is the quiet one's squared error. Divide it by the sum of both.",
    }
    expect_number(share, 1 / 101, known, tolerance=0.05)
    return "Both estimates are equally good, and the loss hardly sees the quiet one."


def _sources(seed: int, *gains: float, B: int = 3, N: int = 50) -> Tensor:
    x = torch.tensor(gains)[None, :, None, None] * noise(B, len(gains), 2, N, seed=seed)  # (B, S, C, N)
    return x * torch.tensor([1.0, 0.4]).view(2, 1)  # both channels count, and they differ


def _weights(x: Tensor) -> Tensor:
    e = x.square().mean((0, 2, 3))
    return e.max() / e


@exercise(
    "Exercise 2: weights from energies",
    hints=(
        "One energy per source: a mean of squares over all axes but S. Then the largest one divided by each.",
        "Print sources.square().mean((0, 2, 3)): one number per source. The loudest should get the weight 1.",
        "e = sources.square().mean((0, 2, 3)); return e.max() / e",
    ),
)
def exercise_2(by_energy):
    """Check a function sources (B, S, C, N) -> weights (S,): the largest mean energy divided by each."""
    for seed, gains in enumerate(((1.0, 0.1), (0.2, 1.0, 0.5), (0.3, 0.4, 0.2, 0.7))):
        x = _sources(seed, *gains)
        e = x.square().mean((0, 2, 3))
        known = {
            "amplitudes instead of energies: a root is taken": (e.max() / e).sqrt(),
            "upside down: the loud source gets the large weight": e / e.max(),
            "divided by the sum: the loudest source should have 1": (1 / e) / (1 / e).sum(),
            "the smallest energy stands above the line: then all weights are at most 1": e.min() / e,
            "the mean energy stands above the line. Then the loudest has less than 1": e.mean() / e,
            "only one channel is measured": _weights(x[:, :, :1]),
            "only the first item is measured. The weights are for all of them": _weights(x[:1]),
            "the means were subtracted: that is the variance": _weights(x - x.mean((0, 2, 3), keepdim=True)),
            "the sizes are averaged, not the squares": (a := x.abs().mean((0, 2, 3))).max() / a,
            "the largest sample is measured. One click would decide": (a := x.abs().amax((0, 2, 3))).max() / a,
            "in decibels. A weight is the ratio itself": 10 * (e.max() / e).log10(),
        }
        expect_values(call(by_energy, x), e.max() / e, "S", known, f"It is about S={len(gains)} sources.")
    return "The loudest has 1, and a source with a hundredth of its energy counts a hundredfold."


def _dynamic(before: Tensor, last: Tensor, temperature: float) -> Tensor:
    return len(last) * (last / before / temperature).softmax(0)


@exercise(
    "Exercise 3: weights that follow the training",
    hints=(
        "The ratio says how far a loss has fallen in the last epoch: near 1 means it has stopped.",
        "last / before is the ratio. A softmax turns the ratios into shares of one; the weights should add up"
        " to their number.",
        "return len(last) * (last / before / temperature).softmax(0)",
    ),
)
def exercise_3(dynamic):
    """Check a function before (S,), last (S,), temperature -> weights (S,) that add up to S."""
    for S, temperature in ((2, 2.0), (3, 0.5)):
        random = dice(S)
        a = 1 + 4 * torch.rand(S, generator=random)
        b = a * (0.2 + 0.8 * torch.rand(S, generator=random))
        right = _dynamic(a, b, temperature)
        known = {
            "the ratio is upside down: what falls fast gets the weight": _dynamic(b, a, temperature),
            "they add up to 1, not to S": right / len(a),
            "the losses themselves, not their ratio": len(b) * (b / temperature).softmax(0),
            "the temperature does not enter": len(b) * (b / a).softmax(0),
            "the difference of the losses, not their ratio": len(b) * ((b - a) / temperature).softmax(0),
            "multiplied by the temperature": len(b) * (b / a * temperature).softmax(0),
            "no softmax: the ratios are scaled to add up to S": len(b) * (b / a) / (b / a).sum(),
            "they add up to 2 whatever the number of sources": right * 2 / len(a),
        }
        expect_values(call(dynamic, a, b, temperature), right, "S", known, f"It is about S={len(a)} sources.")
    return "It needs nothing but two numbers per source, and no idea of loudness."


@exercise(
    "Exercise 4: find the bugs",
    hints=(
        "Print each term and its gradient. Which term has none? And which sum is meant: over the batch, or a mean?",
        "The total is a weighted sum of two means. Which of the two terms is a plain number here, cut from "
        "its history?",
        "return (1 - share) * masks.mean() + share * clustering.mean()",
    ),
)
def exercise_4(both):
    """Check a function masks (B,), clustering (B,), share -> the sum of the two mean losses, as one number."""
    for B, share in ((3, 0.25), (5, 0.975)):
        random = dice(B)
        masks, clustering = (torch.rand(B, generator=random).requires_grad_() for _ in range(2))
        right = (1 - share) * masks.mean() + share * clustering.mean()
        result = expect_tensor(call(both, masks, clustering, share))
        if result.numel() != 1:
            raise CheckFailure(f"The result has {result.numel()} numbers, but should be one.", kind="shape")
        known = {
            "sums over the batch: the loss grows with B": (
                (1 - share) * masks.sum() + share * clustering.sum()
            ).detach(),
            "the share belongs to the clustering": (share * masks.mean() + (1 - share) * clustering.mean()).detach(),
            "the share is not used: both terms count whole": (masks.mean() + clustering.mean()).detach(),
            "the share is not used: both terms count half": ((masks.mean() + clustering.mean()) / 2).detach(),
            "the masks' term counts whole. It has what is left, 1 - share": (
                masks.mean() + share * clustering.mean()
            ).detach(),
            "only the first item of the batch is in it": ((1 - share) * masks[0] + share * clustering[0]).detach(),
        }
        expect_values(result.reshape(1), right.detach().reshape(1), "B", {k: v.reshape(1) for k, v in known.items()})
        if not result.requires_grad:
            raise CheckFailure("The value is right, but no gradient arrives anywhere.", kind="gradient")
        for name, term in (("masks", masks), ("clustering", clustering)):
            slope = torch.autograd.grad(result, term, allow_unused=True, retain_graph=True)[0]
            if slope is None or not slope.any():
                raise CheckFailure(
                    f"The value is right, but the {name} loss sends no gradient back: its head will never learn.",
                    "Look for .item(), .detach(), float(…) and torch.tensor(…).",
                    "Detach what goes into the log, not what goes into the sum.",
                    kind="gradient",
                )
        expect_gradient(result, masks, clustering)
    return "The log shows the same numbers with either bug; the gradients do not."
