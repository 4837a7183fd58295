"""Looks at what a waveform loss is given, and says what is wrong with it.

Taught on: book/losses/waveform
"""

import torch
from torch import Tensor

from sepbook._given import as_samples, check_together
from sepbook.losses._finite import check_values, labelled

REDUCTIONS = ("mean", "none")
AXES = {"B": "item of the batch", "S": "source", "C": "audio channel", "N": "sample"}
MEND = {
    "B": "",
    "S": " The two hold a different number of sources: choose the same ones, in the same order.",
    "C": " Mono and stereo do not mix: bring both to the same number of channels.",
    "N": " Crop or pad the estimates to the length of the sources before the loss.",
}


def check_waveforms(estimates, sources, reduction: str = "mean", least: int = 3) -> tuple[Tensor, Tensor]:
    """Return both as tensors; raise ValueError, which names the axis, unless they belong together.

    They have `least` axes or more. Taught on: book/losses/waveform
    """
    estimates, sources = as_samples(estimates, "estimates"), as_samples(sources, "sources")
    check_together(estimates=estimates, sources=sources)
    if estimates.shape != sources.shape:
        raise ValueError(_difference(estimates, sources))
    if sources.ndim < 2 or sources.numel() == 0:
        raise ValueError(f"sources are {sizes(sources)}: there must be samples along (…, C, N)")
    if sources.ndim < least:
        raise ValueError(
            f"sources are {sizes(sources)}, but a loss is of (B, S, C, N): batch, source, audio channel, sample; add "
            "the missing axes with sources[None]"
        )
    as_samples(sources, "sources", "(…, C, N)")
    check_call(estimates, sources, reduction)
    return estimates, sources


def check_call(estimates: Tensor, sources: Tensor, reduction: str) -> None:
    """Raise ValueError for another reduction, or sources with a gradient. Taught on: book/losses/waveform."""
    if reduction not in REDUCTIONS:
        raise ValueError(f"reduction is {reduction!r}; choose one of {', '.join(REDUCTIONS)}")
    if sources.requires_grad and not estimates.requires_grad and torch.is_grad_enabled():
        raise ValueError(
            "the sources carry a gradient and the estimates do not: they seem to be swapped. "
            "A loss is called as loss(estimates, sources)"
        )


def _difference(estimates: Tensor, sources: Tensor) -> str:
    both = f"estimates {sizes(estimates)} and sources {sizes(sources)} must have the same shape"
    if estimates.ndim != sources.ndim:
        return f"{both}, but have {estimates.ndim} and {sources.ndim} axes"
    unlike = [
        (letter, e, s) for letter, e, s in zip(letters(sources), estimates.shape, sources.shape, strict=True) if e != s
    ]
    said = "; ".join(f"{letter} ({AXES.get(letter, 'axis')}) is {e} and {s}" for letter, e, s in unlike)
    return f"{both}: {said}.{''.join(MEND.get(letter, '') for letter, *_ in unlike)}"


def check_finite(values: Tensor, estimates: Tensor, sources: Tensor) -> None:
    """Raise NotFiniteError that says which sample made a value NaN or infinite. Taught on: book/losses/waveform."""
    check_values(values, "samples", letters(sources), estimates=estimates, sources=sources)


def letters(x: Tensor) -> str:
    """Return the letters of the axes, the last ones of B, S, C, N. Taught on: book/losses/waveform."""
    return "?" * (x.ndim - 4) + "BSCN"[max(0, 4 - x.ndim) :]


def sizes(x: Tensor) -> str:
    """Write a shape with its axes named, as in (B=2, S=4, C=1, N=16000). Taught on: book/losses/waveform."""
    return labelled(x.shape, letters(x))
