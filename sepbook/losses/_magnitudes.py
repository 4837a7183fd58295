"""Looks at what a spectrogram loss is given, and says what is wrong with it.

Taught on: book/losses/spectrogram
"""

import math

import torch
from torch import Tensor

from sepbook._given import as_tensor, check_together
from sepbook.losses._finite import NotFiniteError, check_values, first, labelled
from sepbook.losses._waveforms import check_call

AXES = {"B": "item of the batch", "S": "source", "C": "audio channel", "F": "frequency bin", "T": "frame"}
MEND = {
    "S": " The two hold a different number of sources: choose the same ones, in the same order.",
    "C": " Mono and stereo do not mix: bring both to the same number of channels.",
    "F": " The two come from transforms of different n_fft: use one STFT for both.",
    "T": " The two have different lengths or hops: use one STFT, on sounds of equal length.",
}


def check_pair(estimates, sources, reduction: str = "mean", least: int = 2) -> tuple[Tensor, Tensor]:
    """Return both as tensors; raise ValueError, which names the axis, unless they are magnitudes of one shape.

    They have `least` axes or more, and the reduction is known. Taught on: book/losses/spectrogram
    """
    estimates, sources = as_tensor(estimates, "estimates"), as_tensor(sources, "sources")
    check_together(estimates=estimates, sources=sources)
    for name, x in (("estimates", estimates), ("sources", sources)):
        if not x.is_floating_point():
            mend = "take their magnitudes with .abs()" if x.is_complex() else "magnitudes are floating point numbers"
            raise ValueError(f"{name} are of type {x.dtype}: {mend}")
    check_shapes("estimates", estimates, "sources", sources)
    if sources.numel() == 0:
        raise ValueError(f"sources are {sizes(sources)}: there must be bins along (…, C, F, T)")
    check_call(estimates, sources, reduction)
    if sources.ndim < least:
        raise ValueError(
            f"sources are {sizes(sources)}, but a loss is of (B, S, C, F, T): batch, source, audio channel, bin, "
            "frame; add the missing axes with sources[None]"
        )
    return estimates, sources


def check_floor(floor: float) -> None:
    """Raise ValueError unless a floor is a number above 0. Taught on: book/losses/spectrogram."""
    if not (isinstance(floor, int | float) and 0 < floor < math.inf):
        raise ValueError(f"floor is {floor!r}; it must be a number above 0, because silence has no logarithm")


def check_shapes(name: str, x: Tensor, other: str, y: Tensor) -> None:
    """Raise ValueError that names every axis on which two tensors differ. Taught on: book/losses/spectrogram."""
    if x.shape == y.shape:
        return
    both = f"{name} {sizes(x)} and {other} {sizes(y)} must have the same shape"
    if x.ndim != y.ndim:
        raise ValueError(f"{both}, but have {x.ndim} and {y.ndim} axes")
    unlike = [(letter, a, b) for letter, a, b in zip(letters(x), x.shape, y.shape, strict=True) if a != b]
    said = "; ".join(f"{letter} ({AXES.get(letter, 'axis')}) is {a} and {b}" for letter, a, b in unlike)
    raise ValueError(f"{both}: {said}.{''.join(MEND.get(letter, '') for letter, *_ in unlike)}")


def check_bins(mixture, sources, phase: bool = True) -> tuple[Tensor, Tensor]:
    """Return mixture `(B, C, F, T)` and sources `(B, S, C, F, T)`; raise ValueError unless they fit.

    They are complex where phase counts. Taught on: book/losses/spectrogram
    """
    mixture, sources = as_tensor(mixture, "mixture"), as_tensor(sources, "sources")
    check_together(mixture=mixture, sources=sources)
    if mixture.ndim != 4 or sources.ndim != 5:
        raise ValueError(
            f"the mixture must be (B, C, F, T) and the sources (B, S, C, F, T), but they were given as "
            f"{tuple(mixture.shape)} and {tuple(sources.shape)}: do they stand in this order?"
        )
    check_shapes(
        "mixture, once per source,", mixture.unsqueeze(1).expand(-1, sources.shape[1], -1, -1, -1), "sources", sources
    )
    for name, x in (("mixture", mixture), ("sources", sources)):
        if phase and not x.is_complex():
            raise ValueError(
                f"there is no phase in the {name} ({x.dtype}), and this target needs it: "
                "give the complex bins of the STFT"
            )
    return mixture, sources


def check_masks(masks: Tensor, sources: Tensor) -> None:
    """Raise ValueError, which says where, unless masks have the sources' shape and lie between 0 and 1.

    NaN is left to the loss, which says where it is. Taught on: book/losses/spectrogram
    """
    check_shapes("masks", masks, "sources", sources)
    outside = (masks < 0) | (masks > 1)
    if torch.compiler.is_compiling() or not outside.any():
        return
    low, high = masks.detach().min().item(), masks.detach().max().item()
    raise ValueError(
        f"mask values outside 0 to 1: {int(outside.sum())} of {masks.numel()}, the first at "
        f"{first(outside, letters(masks))}, while all run from {low:.3g} to {high:.3g}. End the network in a sigmoid, "
        "or say bounded=False if its masks are to be free"
    )


def check_finite(values: Tensor, estimates: Tensor, sources: Tensor) -> None:
    """Raise NotFiniteError that says which bin made a value NaN or infinite. Taught on: book/losses/spectrogram."""
    check_values(values, "bins", letters(sources), _check_signs, estimates=estimates, sources=sources)


def _check_signs(**given: Tensor) -> None:
    for name, x in given.items():
        if (x < 0).any():
            raise NotFiniteError(
                f"the {name} hold values below 0, the first at {first(x < 0, letters(x))}, and a logarithm takes "
                "magnitudes: use another loss with a target that may be negative, such as psa"
            )


def letters(x: Tensor) -> list[str]:
    """Return a name for each axis: B S C F T when there are five. Taught on: book/losses/spectrogram."""
    return list("BSCFT") if x.ndim == 5 else [f"axis {i}" for i in range(x.ndim)]


def sizes(x: Tensor) -> str:
    """Write a shape, with its axes named where they are known. Taught on: book/losses/spectrogram."""
    return labelled(x.shape, letters(x) if x.ndim == 5 else "")
