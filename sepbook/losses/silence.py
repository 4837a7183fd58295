"""Silence, defined once: what has hardly any energy has no direction, no ratio, and no estimate that belongs to it.

Losses, validation and scores all ask here, so that no source is silent for one and scored by another.

Taught on: book/losses/waveform
"""

from torch import Tensor

from sepbook._given import as_tensor, check_bins

SILENCE_DB = -90.0  # a source with less mean square counts as silent; full scale is 0 dB
SILENCE = 10 ** (SILENCE_DB / 10)  # the same as energy per sample


def is_silent(sources: Tensor) -> Tensor:
    """Say which sources are silent, all their samples or bins together: `(B, S, …) -> (B, S)` of True and False.

    Taught on: book/losses/waveform
    """
    x = check_bins(as_tensor(sources, "sources"), "sources").detach().abs()
    if x.dim() < 3 or 0 in x.shape:
        raise ValueError(
            f"sources are {tuple(x.shape)}, but must be (B, S, …), with samples; add axes with sources[None]"
        )
    x = x if x.element_size() == 8 else x.float()
    return x.square().reshape(*x.shape[:2], -1).mean(-1) <= SILENCE
