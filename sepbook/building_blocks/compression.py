"""Compression: make the large magnitudes of a spectrogram smaller, so that a network sees the quiet ones too.

::

    magnitude (B, C, F, T) ──Log or Power──> compressed (B, C, F, T) ──network──> …
                           <─────inverse────

Both map 0 to 0 and can be undone. Both have a finite slope at 0, where `log(x)` and `x ** 0.3` have none: digital
silence does not turn the weights into NaN.

Taught on: book/building_blocks/stft
"""

import math

import torch
from torch import Tensor, nn

from sepbook._given import check_tensor


class Log(nn.Module):
    """Compress magnitudes to `log(1 + scale · x)`: `(B, C, F, T) -> (B, C, F, T)`, any axes.

    Magnitudes far below 1 / scale are kept in proportion, those far above it become levels. The slope at 0 is `scale`.
    Raises ValueError for a scale that is not above 0, and for complex, integer or negative input.
    Taught on: book/building_blocks/stft
    """

    dims = "B C F T -> B C F T"

    def __init__(self, scale: float = 1.0):
        super().__init__()
        if not 0 < scale < math.inf:
            raise ValueError(f"scale is {scale}; it must be above 0: 1 / scale is the magnitude where levels begin")
        self.scale = scale

    def forward(self, magnitude: Tensor) -> Tensor:
        """Compress."""
        return torch.log1p(self.scale * _checked(magnitude, "Log"))

    def inverse(self, compressed: Tensor) -> Tensor:
        """Undo it."""
        return torch.expm1(compressed) / self.scale

    def extra_repr(self) -> str:
        """Show the scale when the module is printed."""
        return f"scale={self.scale:g}"


class Power(nn.Module):
    """Compress magnitudes to `(x + floor)^p - floor^p`: `(B, C, F, T) -> (B, C, F, T)`, any axes.

    With an exponent p of 0.3, a thousandfold magnitude becomes eightfold. The floor, a magnitude, bends the curve where
    it would be vertical: the slope at 0 is `p · floor^(p - 1)`. Raises ValueError for an exponent outside 0 to 1, a
    floor that is not above 0, and for complex, integer or negative input. Taught on: book/building_blocks/stft
    """

    dims = "B C F T -> B C F T"

    def __init__(self, exponent: float = 0.3, floor: float = 1e-3):
        super().__init__()
        if not 0 < exponent <= 1:
            raise ValueError(f"exponent is {exponent}; it must lie above 0 and be at most 1, which changes nothing")
        if not 0 < floor < math.inf:
            raise ValueError(f"floor is {floor}; it must be above 0, or the slope at silence is infinite")
        self.exponent, self.floor = exponent, floor

    def forward(self, magnitude: Tensor) -> Tensor:
        """Compress."""
        return (_checked(magnitude, "Power") + self.floor) ** self.exponent - self.floor**self.exponent

    def inverse(self, compressed: Tensor) -> Tensor:
        """Undo it."""
        return (compressed + self.floor**self.exponent) ** (1 / self.exponent) - self.floor

    def extra_repr(self) -> str:
        """Show exponent and floor when the module is printed."""
        return f"exponent={self.exponent:g}, floor={self.floor:g}"


def _checked(magnitude: Tensor, name: str) -> Tensor:
    check_tensor(magnitude, name)
    if not magnitude.is_floating_point():
        mend = "take magnitudes with .abs()" if magnitude.is_complex() else "turn them into magnitudes with .float()"
        raise ValueError(
            f"{name} expects magnitudes (B, C, F, T), but was given numbers of type {magnitude.dtype}; {mend}"
        )
    if not (magnitude.is_meta or torch.compiler.is_compiling()) and magnitude.numel() and magnitude.detach().min() < 0:
        raise ValueError(
            f"{name} expects magnitudes (B, C, F, T), which are 0 or more, but the smallest value is "
            f"{magnitude.detach().min().item():.3g}; samples and decibels can be negative, bins.abs() cannot"
        )
    return magnitude
