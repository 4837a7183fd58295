"""Patients 5 and 6: masks along the wrong axis, and frames put back at another pace.

Taught on: book/training/bug_clinic
"""

import warnings

import torch
from torch import Tensor

from sepbook.check import CheckFailure, call, exercise, expect_gradient, expect_shape, expect_values
from sepbook.check._inputs import dice

AXES = {-1: "T (frame)", -2: "F (frequency bin)", 2: "C (audio channel)", 0: "B (batch)"}


@exercise(
    "Patient 5: shares of what?",
    hints=(
        "Add the masks up along S at one point. Then add them up along each other axis: where do you find the 1?",
        "torch.softmax(logits, dim=…): the sum over which axis becomes 1?",
        "Source is axis 1 of (B, S, C, F, T): torch.softmax(logits, dim=1).",
    ),
)
def exercise_5(make_masks):
    """Check a function (network, magnitude `(B, C, F, T)`) -> masks `(B, S, C, F, T)` that add up to 1 over S."""
    random = dice(1)
    weights = (2 * torch.randn(2, 3, 2, 5, 7, generator=random)).requires_grad_()
    magnitude, spread = torch.rand(2, 2, 5, 7, generator=random), torch.tensor([3.0, 0.0, -3.0]).view(3, 1, 1, 1)
    masks = call(make_masks, lambda x: weights + spread * x.unsqueeze(1), magnitude)
    logits = weights + spread * magnitude.unsqueeze(1)
    expect_shape(masks, logits.shape, "B S C F T", how="The masks have the shape of the logits.")
    _check_shares(masks.detach())
    if masks.std(1).max() < 1e-4:
        raise CheckFailure("Every source gets the same share everywhere: the logits have no say.", kind="even")
    if not torch.equal(masks.detach().argsort(1), logits.detach().argsort(1)):
        what = "The shares add up to 1, but the largest logit does not get the largest share."
        raise CheckFailure(what, "Look at what is done to the logits before they become shares.", kind="order")
    expect_gradient(masks.square(), weights)
    return "At each point the sources share the mixture, and nothing of it is lost."


def _check_shares(masks: Tensor) -> None:
    if not masks.isfinite().all():
        raise CheckFailure("Some masks are NaN or infinite.", kind="finite")
    sums = masks.sum(1)
    if (sums - 1).abs().max() <= 1e-4 and masks.min() >= -1e-6:
        return
    what = f"At one point the masks of the sources add up to {sums.min():.3g}, at another to {sums.max():.3g}."
    for axis, name in AXES.items():
        if ((masks.sum(axis) - 1).abs() < 1e-4).all():
            raise CheckFailure(f"{what} Along {name} they add up to 1.", kind=name)
    if masks.min() < 0:
        raise CheckFailure(f"A share cannot be negative, but the smallest mask is {masks.min():.3g}.", kind="negative")
    if masks.max() <= 1:
        raise CheckFailure(
            f"{what} Each lies between 0 and 1, but nothing links them.",
            "A sigmoid asks each source by itself. Who sees to it that together they take all of the mixture?",
            kind="sigmoid",
        )
    raise CheckFailure(what, kind="sum")


def _again(mixture: Tensor, mask: Tensor, n_fft: int, hop: int, back=None, window=torch.hann_window) -> Tensor:
    """Apply a mask; `back` is the hop of the inverse and `window` its window."""
    bins = torch.stft(mixture, n_fft, hop, window=torch.hann_window(n_fft), return_complex=True)
    return torch.istft(mask * bins, n_fft, back or hop, window=window(n_fft), length=mixture.shape[-1])


@exercise(
    "Patient 6: twice as fast, and then silence",
    hints=(
        "The frames were taken hop samples apart. How far apart are they put back, when nobody says so?",
        "torch.istft has an argument for the hop. What does it take when it is None?",
        "Give torch.istft the hop too: torch.istft(mask * bins, n_fft, hop, window=window, length=mixture.shape[-1]).",
    ),
)
def exercise_6(resynthesise):
    """Check a function (mixture `(C, N)`, mask `(C, F, T)`, n_fft, hop) -> samples `(C, N)`."""
    for n_fft, hop in ((64, 32), (64, 8), (48, 20), (64, 16)):
        random = dice(hop)
        mixture = torch.randn(2, 700, generator=random)
        F, T = n_fft // 2 + 1, 1 + 700 // hop
        for mask in (torch.ones(2, F, T), torch.rand(2, F, T, generator=random)):
            known = {
                "torch.istft takes a quarter of the window when it is not told the hop": n_fft // 4,
                "the inverse takes half of the window, whatever the hop": n_fft // 2,
            }
            known = {words: _try(mixture, mask, n_fft, hop, back) for words, back in known.items()}
            known["the inverse is not given the window"] = _again(mixture, mask, n_fft, hop, window=torch.ones)
            known |= _masks_gone_wrong(mixture, mask, n_fft, hop)
            where = f"It is about a window of {n_fft} samples and a hop of {hop}."
            with warnings.catch_warnings():  # torch has said it once, below the player of the lab
                warnings.simplefilter("ignore")
                result = call(resynthesise, mixture, mask, n_fft, hop)
            expect_values(result, _again(mixture, mask, n_fft, hop), "C N", known, where, tolerance=1e-4)
    return "A mask of ones gives the mixture back, sample by sample. That is a test worth keeping."


def _masks_gone_wrong(mixture: Tensor, mask: Tensor, n_fft: int, hop: int) -> dict[str, Tensor]:
    """Return what comes out of usual mistakes with the mask, the phase and the window."""
    window, right = torch.hann_window(n_fft), _again(mixture, mask, n_fft, hop)
    bins = mask * torch.stft(mixture, n_fft, hop, window=window, return_complex=True)
    return {
        "the mask is left out": _again(mixture, torch.ones_like(mask), n_fft, hop),
        "the mask is multiplied on twice": _again(mixture, mask.square(), n_fft, hop),
        "the first channel's mask is used for both": _again(mixture, mask[:1], n_fft, hop),
        "the phase is lost: the mask belongs on the complex bins, not on their size": torch.istft(
            bins.abs() + 0j, n_fft, hop, window=window, length=mixture.shape[-1]
        ),
        "this is what the mask takes away, not what it leaves": mixture - right,
        "the window is used once only, in one of both directions": torch.istft(
            mask * torch.stft(mixture, n_fft, hop, window=torch.ones(n_fft), return_complex=True),
            n_fft,
            hop,
            window=window,
            length=mixture.shape[-1],
        ),
    }


def _try(mixture: Tensor, mask: Tensor, n_fft: int, hop: int, back: int) -> Tensor:
    """Return what another hop gives, or nothing comparable where torch refuses it."""
    try:
        return _again(mixture, mask, n_fft, hop, back)
    except RuntimeError:
        return torch.empty(0)
