"""Checks for the lab on conditioning: counting knobs, FiLM, a condition, what it asks for.

Taught on: book/architectures/unet_conditioned
"""

import torch
from torch import Tensor

from sepbook.check import call, exercise, expect_gradient, expect_number, expect_values
from sepbook.check._inputs import dice, noise

WIDTHS = (16, 28, 44, 76, 96)


@exercise(
    "Exercise 1: count the knobs",
    hints=(
        "Complex means a scale and a shift for each map. How many maps does each encoder block make?",
        "One block with 16 maps has 16 scales and 16 shifts. Add up all five blocks.",
        "2 * (16 + 28 + 44 + 76 + 96): the maps of all encoder blocks, a scale and a shift for each.",
    ),
)
def exercise_1(knobs):
    """Check the predicted number of scales and shifts together, complex form, widths 16, 28, 44, 76, 96."""
    known = {
        sum(WIDTHS): "Those are the scales. Each map has a shift too.",
        2 * len(WIDTHS): "That is the simple form, one scale and one shift for a whole block.",
        len(WIDTHS): "That is the number of blocks.",
        2 * WIDTHS[-1]: "Those are the knobs of the lowest block. All encoder blocks are turned.",
        WIDTHS[-1]: "Those are the maps of the lowest block. All encoder blocks are turned, by two knobs for each map.",
        4 * sum(WIDTHS): "The decoder has no knobs.",
        8 * sum(WIDTHS): "The sources share the knobs; only their positions differ from one source to the next.",
        2 * (sum(WIDTHS) + 1): "The magnitude that goes in is not turned; only what the blocks make.",
    }
    expect_number(knobs, 2 * sum(WIDTHS), known)
    return "A handful of numbers, beside several hundred thousand weights that stay as they are."


def _case(seed: int, B: int, H: int, F: int, T: int) -> tuple[Tensor, Tensor, Tensor]:
    x = noise(B, H, F, T, seed=seed).requires_grad_()
    scale, shift = noise(B, H, seed=seed + 10), noise(B, H, seed=seed + 20)
    return x, scale.requires_grad_(), shift.requires_grad_()


def _wide(knob: Tensor) -> Tensor:
    return knob[..., None, None]


@exercise(
    "Exercise 2: FiLM",
    hints=(
        "scale is (B, H) and x is (B, H, F, T): which axes have to be added, and at which end?",
        "scale[:, :, None, None] has the axes (B, H, 1, 1): one number for all bins and frames of a map.",
        "return (1 + scale[:, :, None, None]) * x + shift[:, :, None, None]",
    ),
)
def exercise_2(film):
    """Check a function x (B, H, F, T), scale (B, H), shift (B, H) -> (1 + scale) * x + shift, for every map."""
    for seed, sizes in enumerate(((2, 3, 4, 5), (3, 4, 4, 4), (1, 6, 3, 2))):
        x, scale, shift = _case(seed, *sizes)
        a, b = _wide(scale), _wide(shift)
        right = (1 + a) * x + b
        known = {
            "the 1 is missing: with a scale of 0 nothing is left of the map": a * x + b,
            "the shift is scaled too: it belongs behind the product": (1 + a) * (x + b),
            "the shift is subtracted": (1 + a) * x - b,
            "there is no shift": (1 + a) * x,
            "scale and shift are swapped": (1 + b) * x + a,
            "the scale is subtracted from 1": (1 - a) * x + b,
            "the scale is an exponent here. Asked for is a factor of 1 + scale": a.exp() * x + b,
            "all items get the knobs of the first one": (1 + a[:1]) * x + b[:1],
            "the leaky ReLU stands here too. It comes after FiLM, in the block": torch.where(
                right > 0, right, 0.2 * right
            ),
        }
        where = "It is about x (B={}, H={}, F={}, T={}).".format(*sizes)
        result = call(film, x, scale, shift)
        expect_values(result, right.detach(), "B H F T", {name: y.detach() for name, y in known.items()}, where)
        expect_gradient(result, x, scale, shift)
    return "With all knobs at 0 the network is the plain U-Net; near there it begins to learn."


def _between(one: int, other: int, much: float, S: int) -> Tensor:
    wish = torch.zeros(S)
    wish[one] += 1 - much
    wish[other] += much
    return wish


def _condition_cases():
    random = dice(3)
    for S, (one, other) in ((4, (0, 1)), (3, (2, 0)), (5, (1, 4))):
        yield S, one, other, 0.1 + 0.3 * float(torch.rand((), generator=random))


@exercise(
    "Exercise 3: a condition between two sources",
    hints=(
        "Begin with S zeros. Which two of them change, and to what?",
        "With much = 0 it is a 1 at `one`; with much = 1 it is a 1 at `other`. The two numbers always add up to 1.",
        "wish = torch.zeros(S); wish[one] = 1 - much; wish[other] = much; return wish",
    ),
)
def exercise_3(between):
    """Check a function one, other, much, S -> the condition (S,): from a 1 at one to a 1 at other."""
    for S, one, other, much in _condition_cases():
        right = _between(one, other, much, S)
        rows = torch.eye(S)
        known = {
            "the two are swapped: with much = 0 it has to be `one` alone": _between(other, one, much, S),
            "`one` keeps its 1. As `other` comes, `one` has to go": rows[one] + much * rows[other],
            "both have the same number: `much` says how far the way has been walked": (rows[one] + rows[other]) / 2,
            "only `other` is asked for": much * rows[other],
            "only `one` is asked for": (1 - much) * rows[one],
            "all the others get the rest too. They stay at 0": torch.full((S,), much / (S - 1)).index_put(
                (torch.tensor(one),), torch.tensor(1 - much)
            ),
            "everybody is asked for at once, with equal numbers": torch.full((S,), 1 / S),
        }
        where = f"It is about S={S}, from source {one} to source {other}, by {much:.2f}."
        expect_values(call(between, one, other, much, S), right, "S", known, where)
    return "A place that no set of separate networks has."


def _wanted(bins: Tensor, condition: Tensor) -> Tensor:
    return (condition[:, :, None, None, None] * bins).sum(1, keepdim=True).abs()


@exercise(
    "Exercise 4: what a condition asks for",
    hints=(
        "Add first, then take the magnitude. What would the sum of two magnitudes forget?",
        "condition[:, :, None, None, None] has the axes (B, S, 1, 1, 1). Multiply, sum over S, and keep that axis.",
        "return (condition[:, :, None, None, None] * bins).sum(1, keepdim=True).abs()",
    ),
)
def exercise_4(wanted):
    """Check a function bins (B, S, C, F, T) complex, condition (B, S) -> magnitude of what is asked for."""
    for seed, (B, S) in enumerate(((2, 4), (3, 3), (1, 5))):
        bins = torch.complex(noise(B, S, 1, 3, 4, seed=seed), noise(B, S, 1, 3, 4, seed=seed + 50))
        condition = torch.rand(B, S, generator=dice(seed))
        c = condition[:, :, None, None, None]
        known = {
            "magnitudes are added. Where two sources meet, their phases decide how much is left": (c * bins.abs()).sum(
                1, keepdim=True
            ),
            "the mean over the sources. Asked for is their sum": (c * bins).mean(1, keepdim=True).abs(),
            "the condition is not used: that is the mixture": bins.sum(1, keepdim=True).abs(),
            "the power is returned. Take the magnitude": (c * bins).sum(1, keepdim=True).abs().square(),
            "nothing is added up: there is still one map for each source": (c * bins).abs(),
            "only the source with the largest number is kept": bins[torch.arange(B), condition.argmax(1)][
                :, None
            ].abs(),
            "all items have the condition of the first one": _wanted(bins, condition[:1]),
            "the real part is returned. Take the magnitude": (c * bins).sum(1, keepdim=True).real,
            "the numbers are squared": (c.square() * bins).sum(1, keepdim=True).abs(),
        }
        where = f"It is about B={B} items of S={S} sources."
        expect_values(call(wanted, bins, condition), _wanted(bins, condition), "B S C F T", known, where)
    return "One picture for each item, whatever it asked for."
