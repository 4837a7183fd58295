"""Checks for the lab of the spectrogram losses.

Taught on: book/losses/spectrogram
"""

import torch
from torch import Tensor

from sepbook.check import (
    CheckFailure,
    NotYet,
    call,
    exercise,
    expect_finite_slope,
    expect_gradient,
    expect_number,
    expect_values,
)
from sepbook.check._exercise import is_empty
from sepbook.check._inputs import dice, noise
from sepbook.losses import spectrogram

FLOOR = spectrogram.FLOOR


def _bins(seed: int, B: int = 2, S: int = 3, silent: bool = False) -> tuple[Tensor, Tensor]:
    """A mixture `(B, C, F, T)` and its sources `(B, S, C, F, T)`, complex; C is neither 1 nor the size of B or S."""
    sources = noise(B, S, 4, 6, 5, seed=seed, dtype=torch.complex128)
    if silent:
        sources[:, 0] = 0  # one source pauses
        sources[:, :, :, :2] = 0  # and two bins are silent in all
    return sources.sum(1), sources


def _tpsa(mixture: Tensor, sources: Tensor, low: bool = True, high: bool = True, minus: float = -1.0) -> Tensor:
    """Compute tPSA by its formula, and with other arguments the usual ways to get it wrong."""
    Y = mixture.unsqueeze(1)
    part = sources.abs() * torch.cos(sources.angle() + minus * Y.angle())
    part = part.clamp(min=0) if low else part
    return part.minimum(Y.abs()) if high else part


@exercise(
    "Exercise 1: the tPSA target",
    hints=(
        "Three steps: the projection |S| cos(angle of S minus angle of Y), then nothing below 0, then nothing above "
        "|Y|. The mixture has no axis S: give it one with unsqueeze(1).",
        "Write the projection alone: sources.abs() * cos(sources.angle() - Y.angle()), with Y of shape (B, 1,"
        " C, F, T).",
        "Y = mixture.unsqueeze(1); part = sources.abs() * torch.cos(sources.angle() - Y.angle()); "
        "return part.clamp(min=0).minimum(Y.abs()).",
    ),
)
def exercise_1(tpsa):
    """Check a function of mixture `(B, C, F, T)` and sources `(B, S, C, F, T)`: tPSA `(B, S, C, F, T)`."""
    for seed, silent in ((0, False), (1, False), (2, True)):
        mixture, sources = _bins(seed, silent=silent)
        where = "In two bins everything is silent. What is 0 / 0 there?" if silent else ""
        Y, projection = mixture.unsqueeze(1).abs(), spectrogram.psa(mixture, sources)
        known = {
            "this is MSA, the magnitude; the angle is missing": sources.abs(),
            "nothing is cut off: this is PSA": projection,
            "it is still negative in places. A mask of 0 is the least there is": _tpsa(mixture, sources, low=False),
            "it is above |Y| in places, where no mask up to 1 gets": _tpsa(mixture, sources, high=False),
            "it is cut off at 1, but the target is a magnitude: the most is |Y|": projection.clamp(0, 1),
            "the angles were added; it is the angle between the two arrows that counts": _tpsa(
                mixture, sources, minus=1.0
            ),
            "this is the mask. The target is the mask times |Y|": _tpsa(mixture, sources) / Y,
            "this is the cosine alone; it has to be multiplied by |S|": projection / sources.abs(),
        }
        expect_values(call(tpsa, mixture, sources), _tpsa(mixture, sources), "B S C F T", known, where, tolerance=1e-6)
    return "What a mask from 0 to 1 can reach of the part of S along Y."


@exercise(
    "Exercise 2: three targets at one bin",
    hints=(
        "Draw it: an arrow of length 2, and at 60 degrees to it a line. How long is its shadow on the line?",
        "PSA first: cos 60° is one half. Then compare what came out with |Y|.",
        "MSA is the length itself. PSA is the length times cos 60°, one half. tPSA is the smaller one of PSA and |Y|.",
    ),
)
def exercise_2(prediction):
    """Check the predicted (MSA, PSA, tPSA) where |S| = 2, |Y| = 0.5 and the angle between them is 60 degrees."""
    msa, psa, tpsa = _numbers(prediction, ("MSA", "PSA", "tPSA"))
    expect_number(
        msa, 2.0, {0.5: "0.5 is the mixture. MSA asks for the source."}, "MSA does not know the angle.", tolerance=0.01
    )
    wrong = {
        1.732: "That is 2 sin 60°, the part across.",
        -1.905: "That is the cosine of 60 radians. The angle is 60 degrees.",
        0.25: "That is the mixture times the cosine; take the source.",
    }
    expect_number(psa, 1.0, wrong, "PSA is the shadow of the source's arrow on the mixture's.", tolerance=0.01)
    wrong = {
        1.0: "That is more than the mixture has: no mask up to 1 gets there.",
        0.25: "That is |Y| times the cosine. The cosine is in PSA already; take the smaller one of PSA and |Y|.",
    }
    expect_number(tpsa, 0.5, wrong, "tPSA lies between 0 and |Y|.", tolerance=0.01)
    return "A mask of 1 is right for tPSA, wrong by a half for PSA, and by one and a half for MSA."


def _numbers(prediction, names: tuple[str, ...]) -> tuple:
    if is_empty(prediction):
        raise NotYet("Write your numbers in place of the dots.")
    try:
        given = tuple(prediction)
    except TypeError:
        given = ()
    if len(given) != len(names) or isinstance(prediction, str | dict):
        raise CheckFailure(
            f"The answer is {len(names)} numbers, but is {prediction!r:.80}.",
            f"They are {', '.join(names)}, in this order.",
            f"Write it as prediction = ({', '.join(names)}).",
            kind="numbers",
        )
    return given


def _log_loss(
    masks: Tensor, mixture: Tensor, sources: Tensor, floors=(FLOOR, FLOOR), size=torch.abs, wide=True
) -> Tensor:
    """Compute the mean difference of levels `(B,)`, and with other arguments what its bugs make of it."""
    estimates = masks * (mixture.abs().unsqueeze(1) if wide else mixture.abs())
    error = 20 * (torch.log10(estimates + floors[0]) - torch.log10(sources.abs() + floors[1]))
    return size(error).mean((1, 2, 3, 4))


def _log_mistakes(masks: Tensor, mixture: Tensor, sources: Tensor, silent: bool) -> dict[str, Tensor]:
    """Return what usual mistakes make of the mean difference of levels."""
    given, right = (masks, mixture, sources), _log_loss(masks, mixture, sources)
    mean, cancel = "bins too loud and bins too quiet cancel: take the absolute value before the mean", torch.clone
    known = {
        mean: _log_loss(*given, size=cancel),
        "the absolute value is taken of the mean. By then too loud and too quiet have cancelled": (
            _log_loss(*given, size=cancel).abs()
        ),
        "10 log10 belongs to energies. For magnitudes it is 20 log10": right / 2,
        "the logarithm is the natural one; decibels want torch.log10": right * torch.tensor(10.0).log(),
        "the differences are squared. Asked is their size": _log_loss(*given, size=torch.square),
        "the bins are added up, where their mean is wanted": right * masks[0].numel(),
    }
    if not silent:
        known["the floor of 0.01 is not in both logarithms"] = _log_loss(*given, floors=(0.0, 0.0))
        known["the floor is not in both, and errors cancel"] = _log_loss(*given, floors=(0.0, 0.0), size=cancel)
        known["the floor stands in the logarithm of the estimates alone"] = _log_loss(*given, floors=(FLOOR, 0.0))
        known["the floor stands in the logarithm of the sources alone"] = _log_loss(*given, floors=(0.0, FLOOR))
    if sources.shape[1] == len(sources):
        known["the mixture of item 0 was multiplied with source 0, and so on"] = _log_loss(*given, wide=False)
    return known


@exercise(
    "Exercise 3: find the bugs",
    hints=(
        "Try it with one item, then with two: which axis of masks does the first axis of mixture.abs() meet? Then ask "
        "what the logarithm does at zero, and what the mean does with a bin too loud and one too quiet.",
        "One bug at a time. First the shapes: mixture.abs() has no S, and masks have one at axis 1.",
        "There are three: mixture.abs().unsqueeze(1); + 0.01 inside both logarithms; and error.abs() before the mean.",
    ),
)
def exercise_3(log_loss):
    """Check a function of masks, mixture, sources: the mean difference of levels in dB `(B,)`, finite on silence."""
    for seed, B, silent in ((0, 1, False), (2, 3, False), (3, 3, True), (1, 2, False)):
        mixture, sources = _bins(seed, B=B, silent=silent)
        masks = torch.rand(sources.shape, dtype=torch.float64, generator=dice(seed))
        known = _log_mistakes(masks, mixture, sources, silent)
        masks = masks.requires_grad_()
        where = f"It is about a batch of {B}{', with silence in it' if silent else ''}."
        result = call(log_loss, masks, mixture, sources)
        expect_values(result, _log_loss(masks, mixture, sources), "B", known, where, tolerance=1e-4)
        expect_finite_slope(
            result,
            masks,
            "Which function has an infinite slope at 0? A value that is replaced afterwards keeps that slope.",
            "Add 0.01 to the magnitudes before the logarithm.",
        )
        expect_gradient(result, masks)
    return "With a batch of one the first bug did not show, and with as many items as sources it would never have."


@exercise(
    "Exercise 4: one outlier",
    hints=(
        "For each loss, add up what all bins contribute, and divide the outlier's part by the sum.",
        "For L1 the 1000 bins contribute 1000 * 0.1 in all, the outlier 10.",
        "L1: 10 / (1000 * 0.1 + 10). MSE: 10² / (1000 * 0.1² + 10²).",
    ),
)
def exercise_4(prediction):
    """Check the predicted (share of L1, share of MSE) that one bin off by 10 has beside 1000 bins off by 0.1."""
    l1, mse = _numbers(prediction, ("share of L1", "share of MSE"))
    both = "A share is the outlier's part of the whole sum, the outlier itself included."
    percent = "That is in per cent. Give it as a share of 1."
    expect_number(
        l1,
        1 / 11,
        {
            0.1: both,
            100 / 11: percent,
            100.0: both,
            10 / 11: "That is the share of MSE, or of the thousand others. L1 adds sizes, not squares.",
            10 / 10.1: "There are 1000 bins that are off by 0.1, not one.",
        },
        both,
        tolerance=0.005,
    )
    wrong = {
        1 / 11: "The same share as in L1? MSE squares each error first.",
        10.0: "A share is at most 1: divide by the sum.",
        1000 / 11: percent,
        1 / 101: "The errors are squared one by one and then added up, not added up and then squared.",
        10 / (10 + 10**0.5): "That is with roots. MSE has none: the squares are compared.",
        100 / 100.01: "There are 1000 bins that are off by 0.1, not one.",
    }
    expect_number(mse, 10 / 11, wrong, both, tolerance=0.005)
    return "The same bin holds an eleventh of one loss and all but an eleventh of the other."


def _best_gain(mixture: Tensor, target: Tensor, axis=-1) -> Tensor:
    Y = mixture.abs().unsqueeze(1)
    return (Y * target).sum(axis, keepdim=True) / Y.square().sum(axis, keepdim=True)


@exercise(
    "Exercise 5: the best equaliser for MSE",
    hints=(
        "For one row: sum over T of (M |Y| - Z)². Set its slope with respect to M to zero.",
        "The slope of the sum of (M |Y| - Z)² is 2 times the sum of (M |Y| - Z) |Y|. Solve for M.",
        "Y = mixture.abs().unsqueeze(1); M = (Y * target).sum(-1, keepdim=True) / Y.square().sum(-1, keepdim=True); "
        "return M.clamp(0, 1).",
    ),
)
def exercise_5(best_equaliser):
    """Check a function of mixture and target `(B, S, C, F, T)`: masks `(B, S, C, F, 1)` from 0 to 1, best for MSE."""
    for seed in (0, 1):
        mixture, sources = _bins(seed)
        Y = mixture.abs().unsqueeze(1)
        for name in ("msa", "psa"):
            target = spectrogram.TARGETS[name](mixture, sources)
            target = target * torch.tensor([3.0, 1.0, -0.5]).view(-1, 1, 1, 1)  # out of reach in places
            free = _best_gain(mixture, target)
            reached = _best_gain(mixture, target.clamp(min=0).minimum(Y))
            levels = (target.square().sum(-1, keepdim=True) / Y.square().sum(-1, keepdim=True)).sqrt()
            known = {
                "it is below 0 or above 1 in places": free,
                "it is below 0 in places: a mask from 0 to 1 is asked for": free.clamp(max=1),
                "it is above 1 in places: a mask from 0 to 1 is asked for": free.clamp(min=0),
                "the negative ones have lost their sign. The best mask from 0 to 1 is 0 there": free.abs().clamp(max=1),
                "the target was cut off first. Cut off the mask, at the end": reached,
                "it is upside down: the sum of |Y|² belongs below the line, not that of the target": (
                    ((Y * target).sum(-1, keepdim=True) / target.square().sum(-1, keepdim=True)).clamp(0, 1)
                ),
                "it makes the energies equal. That is not what makes the squared error small": levels.clamp(0, 1),
                "each channel has one gain for all its bins; each bin may have its own": (
                    _best_gain(mixture, target, (-2, -1)).clamp(0, 1).expand_as(free)
                ),
                "this is the mean of the ratios, in which quiet frames count as much as loud ones": (
                    (target / Y).mean(-1, keepdim=True).clamp(0, 1)
                ),
                "this is the ratio of the means: right for the mean level, not for the squared error": (
                    (target.mean(-1, keepdim=True) / Y.mean(-1, keepdim=True)).clamp(0, 1)
                ),
            }
            where = f"It is about the target {name.upper()}, with sources that masks from 0 to 1 cannot reach."
            expect_values(
                call(best_equaliser, mixture, target), free.clamp(0, 1), "B S C F T", known, where, tolerance=1e-6
            )
    return "Least squares with one unknown in each row."
