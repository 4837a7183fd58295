"""Checks for the lab on activations: predict, build, and find two bugs. Taught on: book/building_blocks/activation."""

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
from sepbook.check._inputs import dice, noise


@exercise(
    "Exercise 1: what a GLU leaves",
    hints=(
        "A convolution changes the features to its number of outputs. A GLU halves the axis of the features.",
        "How many outputs does the convolution have, before the GLU? The GLU keeps half of them.",
        "96 outputs, of which one half opens and closes the other: 48 are left.",
    ),
)
def exercise_1(prediction):
    """Check the predicted (B, H, T) behind Conv1d(32, 96, 3, padding=1) and a GLU, of an input (4, 32, 200)."""
    known = {
        (4, 96, 200): "That is what the convolution gives. The GLU is still to come.",
        (4, 96, 100): "That is a GLU over time, as F.glu does unless told otherwise. It is about the features.",
        (4, 192, 200): "A GLU halves; it does not double.",
        (4, 16, 200): "The GLU halves what comes out of the convolution, not what goes in.",
        (2, 96, 200): "That would halve the batch.",
        (4, 48, 198): "With padding=1 a kernel of 3 loses no frame.",
    }
    expect_sizes(prediction, (4, 48, 200), "B H T", known, "Which axis does the GLU halve, and how large is it there?")
    return "The layer before a GLU gives twice as many features as you keep, and has twice as many weights."


@exercise(
    "Exercise 2: one slope per feature",
    hints=(
        "Choose by the sign of x, value by value: x above 0, slope times x below. On which axis are the slopes?",
        "slope has the shape (H). Give it an axis for T, so that it stands under H: slope[:, None].",
        "torch.where(x > 0, x, slope[:, None] * x)",
    ),
)
def exercise_2(bend):
    """Check a function x (B, H, T), slope (H,) -> x above 0, and below 0 the feature's slope times x."""
    fixed = torch.tensor([-0.4, 0.1, 0.25, 0.6, 1.5])
    for shape, slope in (((4, 5, 5), fixed), ((1, 3, 6), noise(3, seed=1))):
        x, slope = noise(*shape).requires_grad_(), slope.clone().requires_grad_()
        bent = slope[:, None] * x
        right = torch.where(x > 0, x, bent).detach()
        known = {
            "the slope works on what is above 0": torch.where(x > 0, bent, x),
            "below 0 everything is cut away": x.relu(),
            "every value is multiplied, those above 0 too": bent,
            "above 0 there is nothing left; x itself is wanted there": torch.where(x > 0, 0 * x, bent),
            "the slope is taken instead of slope times x": torch.where(x > 0, x, slope[:, None].expand_as(x)),
            "the sign below 0 is turned": torch.where(x > 0, x, -bent),
            "all features have the slope of the first": torch.where(x > 0, x, slope[0] * x),
            "max(x, slope · x): that is right only for slopes up to 1": torch.maximum(x, bent),
        }
        if shape[1] == shape[2]:
            known["the slopes meet the last axis, the frames; they belong to H"] = torch.where(x > 0, x, slope * x)
        result = call(bend, x, slope)
        expect_values(result, right, "B H T", known, "Compare one value above 0 and one below.")
        expect_gradient(result, x, slope)
    return "And the slopes have a gradient: that is all a PReLU is."


@exercise(
    "Exercise 3: a gate",
    hints=(
        "Cut the axis of the features in two, and let the second half open and close the first.",
        "x.chunk(2, dim=…) returns both halves. Which axis of (B, H, T) holds the features?",
        "a, b = x.chunk(2, dim=1), then a * b.sigmoid()",
    ),
)
def exercise_3(gate):
    """Check a function x (B, 2·H, T) -> the first half of the features times the sigmoid of the second (B, H, T)."""
    for B, H, T in ((3, 3, 8), (1, 5, 4)):
        x = 2 * noise(B, 2 * H, T, seed=1).requires_grad_()
        (a, b), result = x.detach().chunk(2, 1), call(gate, x)
        if isinstance(result, Tensor) and result.shape == (B, 2 * H, T // 2):
            raise CheckFailure(
                f"The result is {tuple(result.shape)}: time was halved. The features are on axis 1.",
                "chunk, split and functional.glu take an axis.",
                "x.chunk(2, dim=1)",
                kind="time",
            )
        known = {
            "the first half opens and closes the second": b * a.sigmoid(),
            "the gate has no sigmoid": a * b,
            "the gate is a tanh, from -1 to 1": a * b.tanh(),
            "the gate is a ReLU, which has no upper end": a * b.relu(),
            "the gate is the other way round: open where it should be shut": a * (-b).sigmoid(),
            "values and gates are every other feature, not two halves": x.detach()[:, ::2]
            * x.detach()[:, 1::2].sigmoid(),
            "there is no gate": a,
            "the sigmoid bends the values as well": a.sigmoid() * b.sigmoid(),
        }
        where = f"It is about B={B}, 2·H={2 * H}, T={T}. Which half is bent, and how?"
        expect_values(result, a * b.sigmoid(), "B H T", known, where)
        expect_gradient(result, x)
    return "A gate can be shut for one song and open for another: it is computed from the sound itself."


def _check_axis(masks: Tensor) -> None:
    """Tell masks `(B, S, C, F, T)` that add up to 1 along another axis than S."""
    for axis, name in ((0, "songs of the batch"), (3, "bins"), (4, "frames"), (2, "channels")):
        if is_close(masks.sum(axis), torch.ones_like(masks.sum(axis)), 1e-4):
            raise CheckFailure(
                f"The masks add up to 1 along axis {axis}: the {name} share. The sources should.",
                "Which axis of (B, S, C, F, T) are the sources on?",
                "dim=1",
                kind=f"axis {axis}",
            )


@exercise(
    "Exercise 4: masks that share",
    hints=(
        "Sum the masks along each axis. Along which one is the sum 1, and along which one should it be?",
        "The logits are (B, S, C, F, T). Count from 0: at which number does S stand?",
        "torch.softmax(logits, dim=1): axis 1 is S.",
    ),
)
def exercise_4(masks_of):
    """Check a function logits (B, S, C, F, T) -> masks that share one unit among the sources."""
    for shape in ((2, 3, 1, 5, 4), (1, 2, 2, 3, 4)):
        logits = 2 * noise(*shape, seed=2).requires_grad_()
        result = expect_shape(call(masks_of, logits), logits.shape, "B S C F T")
        _check_axis(result)
        known = {
            "a sigmoid: each mask for itself, and the sum is not 1": logits.sigmoid(),
            "divided by the sum without exp: values below 0 come out below 0": logits / logits.sum(1, keepdim=True),
            "log_softmax: these are logarithms of shares": logits.log_softmax(1),
            "exp without division": logits.exp(),
            "the sign is turned: the largest logit gets the smallest mask": (-logits).softmax(1),
            "the winner takes all; a share is wanted": (logits == logits.amax(1, keepdim=True)).float(),
            "the masks of the first audio channel are used for all": logits[:, :, :1].softmax(1).expand(shape),
            "every source has the same share, whatever the logits": torch.full_like(logits, 1 / shape[1]),
        }
        expect_values(result, logits.softmax(1), "B S C F T", known, "Sum over axis 1: is it 1?")
        expect_gradient(result, logits)
    return "Print the sum along the axis that you mean, once, whenever you write a softmax."


@exercise(
    "Exercise 5: half a wave",
    hints=(
        "Look at the smallest sample. Which values can leave the last step, and which does a waveform have?",
        "Say for both products what they give: the first the hidden features, the second the samples. Which "
        "may be negative?",
        "The ReLU belongs between the two products; after the second one there is nothing.",
    ),
)
def exercise_5(wave_of):
    """Check a function x (B, H, T), into (H', H), out (N, H') -> waves (B, T, N), bent only in between."""
    random = dice(3)
    x, into, out = (torch.randn(*sizes, generator=random) for sizes in ((2, 6, 5), (8, 6), (4, 8)))
    product = x.mT @ into.T
    middle = product.relu() @ out.T
    result = expect_shape(call(wave_of, x, into, out), middle.shape, "B T N")
    if torch.equal(result, result.clamp_min(0)):
        both = not torch.allclose(result, middle.relu(), atol=1e-5) and torch.allclose(
            result, (product @ out.T).relu(), atol=1e-4
        )
        raise CheckFailure(
            "No sample is below 0: half of each wave is missing."
            + (" And in the middle nothing bends." if both else ""),
            "Which function is the last one?",
            "Take the ReLU away from the end, and keep one between the two products.",
            kind="half",
        )
    known = {
        "the ReLU is gone from both places, so the two products are one": product @ out.T,
        "a tanh at the end bends every peak": middle.tanh(),
        "a tanh at the end, and no bend in the middle": (product @ out.T).tanh(),
        "the bend in the middle is a sigmoid": product.sigmoid() @ out.T,
        "the bend in the middle is a tanh": product.tanh() @ out.T,
        "the bend comes before the first product": x.mT.relu() @ into.T @ out.T,
        "the size is taken in the middle: a ReLU gives 0 below 0": product.abs() @ out.T,
    }
    expect_values(result, middle, "B T N", known, "Follow the values: product, bend, product.")
    return "A waveform has both signs, so its last step is linear, or at most a tanh that it was trained with."
