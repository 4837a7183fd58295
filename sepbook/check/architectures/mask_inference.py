"""Checks for the lab on mask inference: decibels, one norm for all bins, masks, PIT.

Taught on: book/architectures/mask_inference
"""

import torch
from torch import Tensor
from torch.nn import functional

from sepbook.check import call, exercise, expect_gradient, expect_values
from sepbook.check._inputs import about, dice, noise


def _magnitude(*shape: int, seed: int) -> Tensor:
    """Magnitudes from far below the floor of the exercises to far above 1."""
    return 10 ** (3 * noise(*shape, seed=seed) / 2) * torch.rand(*shape, generator=dice(seed))


@exercise(
    "Exercise 1: levels in decibels",
    hints=(
        "Two steps: raise what is below the floor to the floor, then take 20 times the logarithm to base 10.",
        "A magnitude of 1 is 0 dB, one of 0.1 is -20 dB. What does yours say, and what does it say to 0?",
        "20 * magnitude.clamp_min(floor).log10(): the clamp comes first, so that no logarithm is infinite.",
    ),
)
def exercise_1(levels):
    """Check a function of magnitude `(B, F, T)` and floor: decibels `(B, F, T)`, none below that of the floor."""
    for seed, shape, floor in ((0, (2, 5, 7), 1e-2), (1, (1, 9, 3), 1e-4)):
        x = _magnitude(*shape, seed=seed)
        x[0, 0, 0], x[-1, -1, -1] = 0.0, floor / 3
        held = x.clamp_min(floor)
        known = {
            "10 times the logarithm. That is for powers, and a magnitude is no power: 20": 10 * held.log10(),
            "it is the natural logarithm. Decibels take the one to base 10": 20 * held.log(),
            "the factor 20 is missing": held.log10(),
            "the floor is added to every magnitude. Only those below it are to change": 20 * (x + floor).log10(),
            "the floor is taken as decibels. It is a magnitude": (20 * x.log10()).clamp_min(floor),
            "the power is compared with the floor. Compare the magnitude": 10 * x.square().clamp_min(floor).log10(),
            "the sign is wrong: softer is lower": -20 * held.log10(),
            "bins below the floor are 0 dB, which is loud. They are to be as loud as the floor": torch.where(
                x < floor, 0.0, 20 * held.log10()
            ),
        }
        expect_values(call(levels, x, floor), 20 * held.log10(), "B F T", known, about(("B F T", shape)))
    return "What a loud and a soft bin are to each other is now a difference, and no longer a factor of a thousand."


def _normalised(x: Tensor, epsilon: float, axes, unbiased: bool = False) -> Tensor:
    variance = x.var(axes, unbiased=unbiased, keepdim=True)
    return (x - x.mean(axes, keepdim=True)) / (variance + epsilon).sqrt()


@exercise(
    "Exercise 2: one norm for all bins",
    hints=(
        "There is one mean and one variance in all, taken over every axis of x.",
        "The mean of what you return is 0 and its mean square is 1. Is that so for the whole, or only for each bin?",
        "(x - x.mean()) / (x.var(unbiased=False) + epsilon).sqrt()",
    ),
)
def exercise_2(normalise):
    """Check a function of decibels `(B, F, T)` and epsilon: the same shape, mean 0 and variance 1 over all of it."""
    for seed, shape, epsilon in ((0, (3, 4, 5), 1e-5), (1, (2, 6, 3), 20.0)):
        tilt = torch.linspace(0, -20, shape[1])[:, None] + 8 * torch.arange(shape[0])[:, None, None]
        x = 6 * noise(*shape, seed=seed) + tilt
        centred, spread = x - x.mean(), (x.var(unbiased=False) + epsilon).sqrt()
        known = {
            "each bin has a mean and a variance of its own. One of each for all bins": _normalised(x, epsilon, (0, 2)),
            "each item has a mean and a variance of its own. One of each for the batch": _normalised(
                x, epsilon, (1, 2)
            ),
            "each frame of each item is normalised by itself: that is layer norm": _normalised(x, epsilon, (1,)),
            "each bin of each item is normalised by itself": _normalised(x, epsilon, (2,)),
            "the variance is divided by one less than the count. Batch norm divides by the count: unbiased=False": (
                _normalised(x, epsilon, (0, 1, 2), unbiased=True)
            ),
            "it is divided by the variance. The root of it is asked for": centred / (spread.square()),
            "the mean is still there": x / spread,
            "the variance was left as it is. Add epsilon to it, before the root": centred
            / x.var(unbiased=False).sqrt(),
            "only the mean was taken away": centred,
        }
        expect_values(call(normalise, x, epsilon), centred / spread, "B F T", known, about(("B F T", shape)))
    return "That high bins are softer than low ones is still to be seen. A norm for each bin would have wiped it out."


def _masks(features: Tensor, weight: Tensor, bias: Tensor, S: int, finish=torch.sigmoid) -> Tensor:
    return finish(functional.linear(features, weight, bias).unflatten(-1, (-1, S))).permute(0, 3, 2, 1)


@exercise(
    "Exercise 3: from frames to masks",
    hints=(
        "One linear layer makes F times S numbers for each frame. The S values of a bin stand side by side.",
        "functional.linear gives (B, T, F*S). Unflatten the last axis to (F, S): which order is it, then?",
        "functional.linear(features, weight, bias).sigmoid().unflatten(-1, (-1, S)) is (B, T, F, S); "
        "permute(0, 3, 2, 1) makes (B, S, F, T) of it.",
    ),
)
def exercise_3(masks_of):
    """Check a function of features `(B, T, H)`, weight `(F·S, H)`, bias `(F·S,)` and S: masks `(B, S, F, T)`."""
    for seed, (B, T, H, F, S) in ((0, (2, 5, 4, 6, 2)), (1, (1, 3, 5, 4, 3))):
        features = noise(B, T, H, seed=seed).requires_grad_()
        weight, bias = noise(F * S, H, seed=seed + 5), noise(F * S, seed=seed + 9)
        flat = functional.linear(features, weight, bias)
        known = {
            "the F values of a source stand side by side in yours. It is the S values of a bin": (
                flat.sigmoid().unflatten(-1, (S, F)).permute(0, 2, 3, 1)
            ),
            "the sigmoid is missing": _masks(features, weight, bias, S, lambda x: x),
            "a softmax links the masks. Each of these is a share by itself, from a sigmoid": (
                _masks(features, weight, bias, S, lambda x: x.softmax(-1))
            ),
            "a tanh may be negative, and a share is not": _masks(features, weight, bias, S, torch.tanh),
            "a ReLU lets a mask be more than 1": _masks(features, weight, bias, S, torch.relu),
            "the bias is missing": _masks(features, weight, 0 * bias, S),
            "frames are in the wrong places: a reshape does not exchange axes": (flat.sigmoid().reshape(B, S, F, T)),
        }
        where = about(features=("B T H", (B, T, H))) + f" There are {S} sources."
        result = call(masks_of, features, weight, bias, S)
        expect_values(result, _masks(features, weight, bias, S).detach(), "B S F T", known, where)
        expect_gradient(result, features)
    return "Each frame is answered from what both directions know about it."


def _errors(masks: Tensor, mixture: Tensor, targets: Tensor, power: int = 2) -> Tensor:
    """Return the error of every value in both orders: `(2, B, S, F, T)`."""
    estimates = masks * mixture.unsqueeze(1)
    return torch.stack([(estimates - order).abs() ** power for order in (targets, targets.flip(1))])


@exercise(
    "Exercise 4: the loss of two talkers",
    hints=(
        "Make one number for each order and each item first, (2, B). The smaller one of each item counts.",
        "Average over S, F and T before you take the minimum, and over B after it.",
        "error = lambda order: (masks * mixture.unsqueeze(1) - order).square().mean((1, 2, 3)); then "
        "torch.minimum(error(targets), error(targets.flip(1))).mean().",
    ),
)
def exercise_4(talkers_loss):
    """Check a function of masks `(B, S=2, F, T)`, mixture `(B, F, T)`, targets `(B, S=2, F, T)`: the loss `()`."""
    for seed, (B, F, T) in ((0, (4, 5, 6)), (3, (3, 2, 4))):
        targets = torch.rand(B, 2, F, T, generator=dice(seed))
        mixture = targets.sum(1)
        shares = targets / mixture.unsqueeze(1)
        twice = shares[-1:, :1].expand(-1, 2, -1, -1)  # both estimates are one talker
        masks = torch.cat([shares[:-2].flip(1), shares[-2:-1], twice]) + 0.2 * noise(B, 2, F, T, seed=seed + 1)
        masks.requires_grad_()
        errors = _errors(masks, mixture, targets)  # (2, B, S, F, T)
        value = errors.mean((2, 3, 4)).min(0).values.mean()
        direct = torch.stack([(masks - order).square() for order in (targets, targets.flip(1))])
        known = {
            "the order was not searched: estimate 1 is compared with talker 1, always": errors[0].mean(),
            "one order was chosen for the whole batch. Each item has its own": errors.mean((1, 2, 3, 4)).min(),
            "the order was chosen anew in every bin. Once for an item": errors.mean(2).min(0).values.mean(),
            "the order was chosen anew in every frame. Once for an item": errors.mean((2, 3)).min(0).values.mean(),
            "each estimate took the talker that suits it, so both may take the same one": (
                errors.mean((3, 4)).min(0).values.mean()
            ),
            "it is the absolute error. The squared one is asked for": (
                _errors(masks, mixture, targets, 1).mean((2, 3, 4)).min(0).values.mean()
            ),
            "both orders were averaged, and that is the coin": errors.mean(),
            "the worse order was taken": errors.mean((2, 3, 4)).max(0).values.mean(),
            "masks are compared with magnitudes. Multiply them with the mixture first": (
                direct.mean((2, 3, 4)).min(0).values.mean()
            ),
            "the items are added up. Take their mean": errors.mean((2, 3, 4)).min(0).values.sum(),
        }
        where = about(masks=("B S F T", (B, 2, F, T)))
        result = call(talkers_loss, masks, mixture, targets)
        known = {fault: wrong.detach() for fault, wrong in known.items()}
        expect_values(result, value.detach(), "", known, where)
        expect_gradient(result, masks)
    return "The whole of a talker goes to one estimate, for as long as the item lasts."
