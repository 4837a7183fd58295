"""Losses on magnitude spectrograms: how far the masked mixture is from the true source, bin by bin.

Taught on: book/losses/spectrogram
"""

from torch import Tensor

REDUCTIONS = ("mean", "none")


def check_pair(estimates: Tensor, sources: Tensor, reduction: str = "mean") -> None:
    """Raise ValueError unless both have one shape and the reduction is known.

    Taught on: book/losses/spectrogram
    """
    if estimates.shape != sources.shape:
        raise ValueError(
            f"estimates {tuple(estimates.shape)} and sources {tuple(sources.shape)} must have the same shape; "
            "compare the axes from the left: batch, source, audio channel, …"
        )
    if reduction not in REDUCTIONS:
        raise ValueError(f"reduction is {reduction!r}; choose one of {', '.join(REDUCTIONS)}")


def reduce(per_item: Tensor, reduction: str) -> Tensor:
    """Return `(B,)` values as they are ("none") or their mean ("mean"). Taught on: book/losses/spectrogram."""
    return per_item.mean() if reduction == "mean" else per_item


def l1(estimates: Tensor, sources: Tensor, reduction: str = "mean") -> Tensor:
    """Mean absolute error, computed in float32.

    `(B, …), (B, …) -> ()`, or `(B,)` with ``reduction="none"``. On masked magnitudes `(B, S, C, F, T)` this is the
    loss of the singing-voice U-Net (Jansson 2017). Raises ValueError when the shapes differ.
    Taught on: book/losses/spectrogram
    """
    check_pair(estimates, sources, reduction)
    return reduce((estimates.float() - sources.float()).abs().flatten(1).mean(1), reduction)


def mse(estimates: Tensor, sources: Tensor, reduction: str = "mean") -> Tensor:
    """Mean squared error, computed in float32: the squared L2 norm divided by the number of bins.

    `(B, …), (B, …) -> ()`, or `(B,)` with ``reduction="none"``. Raises ValueError when the shapes differ.
    Taught on: book/losses/spectrogram
    """
    check_pair(estimates, sources, reduction)
    return reduce((estimates.float() - sources.float()).square().flatten(1).mean(1), reduction)
