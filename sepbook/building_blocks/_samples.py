"""What the STFT and the filter banks share: samples that are refused in words, and sums that stay in full precision."""

import torch
from torch import Tensor

from sepbook._given import MOST_CHANNELS, check_place, check_tensor


def full_precision(x: Tensor):
    """Switch autocast off on the device of `x`: a transform in a short format is none."""
    return torch.autocast("cpu" if x.is_meta else x.device.type, enabled=False)


def check_samples(samples, beside: Tensor, name: str = "STFT", verb: str = "transform") -> None:
    """Raise ValueError, which says who expects what, unless samples are `(B, C, N)` real numbers, where `beside` is."""
    check_tensor(samples, name)
    if samples.dim() != 3 or samples.numel() == 0:
        raise ValueError(
            f"{name} expects samples (B, C, N) with B, C and N of at least 1, but was given {tuple(samples.shape)}; "
            "add missing axes with samples[None]"
        )
    if not samples.is_floating_point():
        mend = f"{verb} its real part, samples.real" if samples.is_complex() else "divide 16-bit samples by 32768"
        raise ValueError(f"{name} expects real floating-point samples, but they are {samples.dtype}; {mend}")
    _, C, N = samples.shape
    if C > max(N, MOST_CHANNELS):
        raise ValueError(
            f"{name} expects samples (B, C, N), but was given C={C} audio channels of N={N} samples each: "
            "are C and N swapped? Then samples.transpose(1, 2)"
        )
    check_place(samples, name, beside)
