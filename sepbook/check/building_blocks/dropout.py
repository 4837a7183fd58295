"""Checks for the lab on dropout: build it, share its draws, find two bugs. Taught on: book/building_blocks/dropout."""

import torch
from torch import Tensor

from sepbook.check import (
    CheckFailure,
    call,
    exercise,
    expect_gradient,
    expect_shape,
    expect_sizes,
    expect_values,
    is_close,
)
from sepbook.check._inputs import dice, noise, seeded


def _rates() -> tuple[float, float]:
    """A small rate, and a large one that is drawn: a function must ask for it, and not know it."""
    return 0.25, round(0.6 + 0.1 * torch.rand(1, generator=dice(5)).item(), 2)


@exercise(
    "Exercise 1: how many draws",
    hints=(
        "What shares a draw needs one number only: its axes have size 1.",
        "A whole feature is dropped at once: all its bins and frames share one draw. Which two axes do not share?",
        "Each of the 8 items draws once for each of its 32 features: (8, 32, 1, 1).",
    ),
)
def exercise_1(prediction):
    """Check the predicted (B, H, F, T) of the draws of Dropout(0.5, shared=2) on maps (8, 32, 128, 100)."""
    known = {
        (8, 32, 128, 100): "That is shared=0: every value draws for itself. Here all F and T of a feature share one.",
        (8, 32, 128, 1): "That is shared=1: only the frames share. With 2 the last two axes do.",
        (1, 32, 1, 1): "Then all items would lose the same features. Each item of the batch draws for itself.",
        (8, 1, 1, 1): "Then an item would lose all of its features, or none.",
        (1, 1, 128, 100): "These are the axes that do *not* draw: they share.",
    }
    expect_sizes(prediction, (8, 32, 1, 1), "B H F T", known)
    return "256 draws in place of more than three million."


def _called(seed: int, function, *inputs):
    """Call an answer with random numbers that depend on the seed, and leave the notebook's own as they are."""
    with seeded(seed):
        return call(function, *inputs)


def _check_draws(kept: Tensor) -> None:
    """Tell from what was kept (B, …) that nothing is drawn, or that items or features share a draw."""
    rows = kept.flatten(1)
    if kept.all():
        raise CheckFailure("In training nothing was dropped.", "Where is a value multiplied by zero?", kind="nothing")
    if not kept.any():
        raise CheckFailure("In training everything was dropped.", "What is kept, and with which share?", kind="all")
    where = "Which axes does the draw have?"
    if (rows == rows[:1]).all():
        how = "Let B be among the sizes that torch.rand is given."
        raise CheckFailure("All items of the batch drop the same values.", where, how, kind="same item")
    if (rows.all(1) | ~rows.any(1)).all():
        what = "An item loses all of its features or none; each feature should be drawn for itself."
        raise CheckFailure(what, where, "Let H be among the sizes that torch.rand is given.", kind="item")


def _check_share(kept: Tensor, rate: float, of: str = "") -> None:
    """Tell a share of dropped values that is far from the rate."""
    share = 1 - kept.double().mean().item()
    if abs(share - rate) <= 0.08:
        return
    what, where = f"With rate={rate}, a share of {share:.2f}{of} was dropped", "Look at the comparison with torch.rand."
    if abs(share - 0.25) < 0.04:
        raise CheckFailure(f"{what}: the rate is not asked for.", "Which number stands where rate should?", kind="rate")
    if abs(share - (1 - rate)) < 0.08:
        how = "torch.rand(…) >= rate is true with probability 1 - rate: those are kept."
        raise CheckFailure(f"{what}: it is the share that should be kept.", where, how, kind="share")
    if abs(share - torch.special.ndtr(torch.tensor(rate)).item()) < 0.04:
        what += ": that is the share of normally distributed numbers below it"
        raise CheckFailure(
            f"{what}.", where, "torch.rand draws evenly between 0 and 1; torch.randn does not.", "normal"
        )
    raise CheckFailure(f"{what}.", where, kind="share")


def _examine(result: Tensor, x: Tensor, rate: float, dims: str) -> Tensor:
    """Check values and share of what was dropped at this rate in training; return what was kept, as bool."""
    result, x = expect_shape(result, x.shape, dims).detach().double(), x.detach().double()
    kept = result != 0
    _check_draws(kept)
    _check_share(kept, rate)
    if torch.allclose(result[kept], x[kept]):
        raise CheckFailure(
            f"What was kept has its old size, so the mean of all falls to {1 - rate:.4g}.",
            "What is missing after the multiplication by zeros and ones?",
            "Divide by 1 - rate.",
            kind="scale",
        )
    known = {
        "divided by rate, where 1 - rate is the share that stays": x * kept / rate,
        "multiplied by 1 - rate: that is what evaluation would do if training did nothing": x * kept * (1 - rate),
        "multiplied by 1 + rate: for small rates nearly the same as divided by 1 - rate": x * kept * (1 + rate),
        "divided by the root of 1 - rate: that keeps the energy, where the mean is to be kept": (
            x * kept / (1 - rate) ** 0.5
        ),
    }
    expect_values(result, x * kept / (1 - rate), dims, known)
    return kept


def _drawn_anew(first: Tensor, second: Tensor) -> None:
    if torch.equal(first, second):
        raise CheckFailure(
            "Two calls drop the same values.",
            "Look for a fixed seed, or for a draw that is made once and kept.",
            "Call torch.rand inside the function, without a generator of your own.",
            kind="same draw",
        )


def _unchanged(result, x: Tensor, rate: float, dims: str) -> None:
    known = {
        "the values are multiplied by 1 - rate, as if training had not enlarged them": x * (1 - rate),
        "the values are enlarged, though nothing was dropped": x / (1 - rate),
        "every value is zero, as if all were dropped": 0 * x,
    }
    result = expect_shape(result, x.shape, dims)
    if (result == 0).any() and result.any():
        raise CheckFailure(
            "With training=False values were dropped.",
            "Which line asks whether this is training?",
            "Begin with: if not training: return x",
            kind="evaluation",
        )
    expect_values(result, x, dims, known)


@exercise(
    "Exercise 2: dropout",
    hints=(
        "Draw one number between 0 and 1 for each value, keep where it is at least rate, and enlarge what is kept.",
        "torch.rand draws between 0 and 1. A comparison with `rate` says who is kept; what makes up for those"
        " who are not?",
        "x * (torch.rand(x.shape) >= rate) / (1 - rate) in training, x otherwise.",
    ),
)
def exercise_2(drop):
    """Check a function x (B, H), rate, training -> x with values dropped in training, and x itself otherwise."""
    x = noise(64, 80).requires_grad_()
    for rate in _rates():
        result = _called(0, drop, x, rate, True)
        kept = _examine(result, x, rate, "B H")
        _drawn_anew(kept, _called(1, drop, x, rate, True) != 0)
        expect_gradient(result, x)
        _unchanged(call(drop, x, rate, False), x, rate, "B H")
    return "Five lines, and the same function as torch.nn.functional.dropout."


@exercise(
    "Exercise 3: whole features",
    hints=(
        "Axes of size 1 are repeated by themselves when two tensors are multiplied.",
        "The mask has the shape (B, H, 1, 1): draw for B and H only.",
        "kept = torch.rand(*x.shape[:2], 1, 1) >= rate",
    ),
)
def exercise_3(drop_features):
    """Check a function x (B, H, F, T), rate -> x in which whole features are dropped, as in training."""
    x = noise(30, 40, 3, 5, seed=1).requires_grad_()
    for rate in _rates():
        result = _called(0, drop_features, x, rate)
        kept = _examine(result, x, rate, "B H F T")
        if not (kept.flatten(2) == kept[:, :, :1, 0]).all():
            frames, bins = (kept == kept[:, :, :1]).all(), (kept == kept[..., :1]).all()
            who = "each frame" if frames else "each bin" if bins else "each value"
            what = f"In a feature, {who} draws for itself; all bins and frames of it should share one draw."
            raise CheckFailure(what, kind="shared")
        _drawn_anew(kept, _called(1, drop_features, x, rate) != 0)
        expect_gradient(result, x)
    return "Neighbours in a map tell nearly the same. Only when all of them go is something really missing."


def _mask(x: Tensor, into: Tensor, out: Tensor) -> Tensor:
    return ((x @ into.T).relu() @ out.T).sigmoid()


def _check_place(quiet: list[Tensor], loud: Tensor, right: Tensor) -> None:
    """Tell a mask (B, F) that was dropped itself in training, and one that is not whole in evaluation."""
    if ((loud == 0) | (loud > 1)).any():
        raise CheckFailure(
            "The mask itself was dropped: it has zeros, and values above 1.",
            "A mask is what the listener gets. What should get along without each other are the features.",
            "Move the dropout before the second product, to the values after the ReLU.",
            kind="mask",
        )
    if not torch.equal(*quiet) or not is_close(quiet[0], right):
        raise CheckFailure(
            "With training=False the mask is not that of the whole network: two calls may even differ.",
            "functional.dropout has a third argument, and its default is True.",
            "functional.dropout(h, rate, training)",
            kind="evaluation",
        )


@exercise(
    "Exercise 4: find the bugs",
    hints=(
        "Two questions: which values are dropped, and when?",
        "Find the line after which the mask of the separation is zeroed, and the value that `training` has in"
        " functional.dropout when nobody passes it.",
        "h = functional.dropout((x @ into.T).relu(), rate, training), and no dropout after the sigmoid.",
    ),
)
def exercise_4(mask_of):
    """Check a function x (B, H), weights into (H', H) and out (F, H'), rate, training -> a mask (B, F)."""
    random = dice(2)
    x, into = torch.rand(50, 6, generator=random) + 0.1, torch.rand(40, 6, generator=random) + 0.1
    out = torch.cat([torch.eye(40), torch.full((1, 40), 0.02)])  # each feature by itself, and all of them together
    right = _mask(x, into, out)
    for rate in _rates():
        quiet = [expect_shape(_called(seed, mask_of, x, into, out, rate, False), right.shape, "B F") for seed in (0, 1)]
        loud = expect_shape(_called(2, mask_of, x, into, out, rate, True), right.shape, "B F")
        _check_place(quiet, loud, right)
        heard = (loud - 0.5).abs() > 1e-6  # a feature of zero becomes sigmoid(0)
        kept, features = heard[:, :-1], (x @ into.T).relu()
        if kept.all():
            what = "In training no feature was dropped" + ("." if is_close(loud, right) else ", yet the mask changes.")
            raise CheckFailure(what, "Which values are dropped: x, or what stands behind the ReLU?", kind="nothing")
        known = {
            "the values after the second product are dropped, not the features before it": (
                torch.where(heard, features / (1 - rate) @ out.T, 0.0).sigmoid()
            ),
            "the features that are kept have their old size; divide by 1 - rate": (
                ((features * kept) @ out.T).sigmoid()
            ),
        }
        expect_values(loud, ((features * kept / (1 - rate)) @ out.T).sigmoid(), "B F", known)
        _check_draws(kept)
        _check_share(kept, rate, " of the features")
    return "In a module, self.training is that argument, and eval() switches it off everywhere at once."
