"""Activations: what bends the values between two layers, and what brings the last ones into range.

::

    value by value   sigmoid  tanh  relu  leaky_relu  prelu  linear     (…) -> (…)
    along one axis   softmax   shares one unit among the places         (…) -> (…)
                     glu       one half opens and closes the other      (…, 2·H, …) -> (…, H, …)

Taught on: book/building_blocks/activation
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from sepbook._given import check_tensor


def sigmoid(x: Tensor) -> Tensor:
    """Return 1 / (1 + exp(-x)), between 0 and 1: `(…)` -> the same shape.

    Only exp of numbers up to 0 is taken, which never overflows; so value and slope are right everywhere.
    Raises ValueError for integers and complex numbers. Taught on: book/building_blocks/activation
    """
    _check_real(x, "a sigmoid")
    small = torch.exp(torch.where(x < 0, x, -x))  # 0 to 1
    return torch.where(x < 0, small, 1.0) / (1 + small)


def leaky_relu(x: Tensor, slope: float = 0.01) -> Tensor:
    """Return x above 0 and slope · x below, `(…)` -> the same shape. With slope 0 it is ReLU.

    Raises ValueError for integers and complex numbers. Source: Maas et al. 2013.
    Taught on: book/building_blocks/activation
    """
    _check_real(x, "a ReLU")
    return torch.where(x > 0, x, slope * x)


def prelu(x: Tensor, slope: Tensor) -> Tensor:
    """Return x above 0 and slope · x below, with one slope per feature: x `(B, H, …)`, slope `(H,)` or `(1,)`.

    Raises ValueError for integers, complex numbers, and another number of slopes than features.
    Source: He et al. 2015. Taught on: book/building_blocks/activation
    """
    _check_real(x, "a PReLU")
    _check_real(slope, "the slope of a PReLU")
    if slope.dim() != 1 or not len(slope):
        raise ValueError(f"slope is {tuple(slope.shape)}, but must be (H,), one per feature, or (1,), one for all")
    if len(slope) > 1 and (x.dim() < 2 or x.shape[1] != len(slope)):
        raise ValueError(
            f"PReLU has {len(slope)} slopes, one per feature, so axis 1 of the input must have H={len(slope)}; the "
            f"input is {tuple(x.shape)}. Move the features there with x.movedim(…, 1), or learn one slope for all"
        )
    return torch.prelu(x, slope.to(x.dtype))  # torch.where(x > 0, x, slope * x) in one pass, slopes along axis 1


def softmax(x: Tensor, axis: int) -> Tensor:
    """Return shares above 0 that add up to one along an axis: `(…)` -> the same shape.

    The largest number is subtracted first, which changes no share and lets nothing overflow.
    Raises ValueError for integers, complex numbers, and an axis that is not there.
    Taught on: book/building_blocks/activation
    """
    _check_real(x, "a softmax")
    _check_axis(x, axis, "softmax")
    if x.numel() == 0:
        raise ValueError(f"softmax shares out along an axis, but the input {tuple(x.shape)} is empty")
    powers = torch.exp(x - x.detach().amax(axis, keepdim=True))
    return powers / powers.sum(axis, keepdim=True)


def glu(x: Tensor, axis: int = 1) -> Tensor:
    """Return the first half of an axis times the sigmoid of the second: `(B, 2·H, …)` -> `(B, H, …)`.

    Raises ValueError for integers, complex numbers, an axis that is not there, and an odd size.
    Source: Dauphin et al. 2017. Taught on: book/building_blocks/activation
    """
    _check_real(x, "a GLU")
    _check_axis(x, axis, "GLU")
    if x.shape[axis] % 2:
        raise ValueError(
            f"GLU halves axis {axis}, but that has an odd size, {x.shape[axis]}, in {tuple(x.shape)}; give the layer "
            "before twice as many outputs as you want to keep"
        )
    values, gates = x.chunk(2, axis)
    return values * sigmoid(gates)


# Name -> function of x and of the axis along which a softmax shares; the others work value by value and ignore it.
ACTIVATIONS: dict[str, Callable[[Tensor, int], Tensor]] = {
    "sigmoid": lambda x, axis: x.sigmoid(),
    "relu": lambda x, axis: x.relu(),
    "softmax": lambda x, axis: x.softmax(axis),
    "tanh": lambda x, axis: x.tanh(),
    "leaky_relu": lambda x, axis: leaky_relu(x),
    "linear": lambda x, axis: x,
}


class Activation(nn.Module):
    """One of `ACTIVATIONS` as a layer: `(B, …)` -> the same shape. Softmax shares along `axis`.

    Raises ValueError for an unknown name, integers, complex numbers, and an axis that is not there.
    Taught on: book/building_blocks/activation
    """

    def __init__(self, name: str, axis: int = 1):
        super().__init__()
        if name not in ACTIVATIONS:
            raise ValueError(f"activation is {name!r}; choose one of {', '.join(ACTIVATIONS)}, prelu, glu")
        self.name, self.axis = name, axis

    def forward(self, x: Tensor) -> Tensor:
        """Bend `(B, …)`."""
        _check_real(x, self.name)
        if self.name == "softmax":
            _check_axis(x, self.axis, "softmax")
        return ACTIVATIONS[self.name](x, self.axis)

    def extra_repr(self) -> str:
        """Show the settings when the module is printed."""
        return self.name + (f", axis={self.axis}" if self.name == "softmax" else "")


class PReLU(nn.Module):
    """A leaky ReLU that learns its slope: `(B, H, …)` -> the same shape. H=1 learns one slope for all features.

    Raises ValueError like `prelu`. Source: He et al. 2015. Taught on: book/building_blocks/activation
    """

    def __init__(self, H: int = 1, start: float = 0.25):
        super().__init__()
        self.slope = nn.Parameter(torch.full((H,), start))

    def forward(self, x: Tensor) -> Tensor:
        """Bend `(B, H, …)` with the slopes learned so far."""
        return prelu(x, self.slope)


class GLU(nn.Module):
    """A gated linear unit: `(B, 2·H, …)` -> `(B, H, …)`; one half of the axis opens and closes the other.

    Raises ValueError like `glu`. Source: Dauphin et al. 2017. Taught on: book/building_blocks/activation
    """

    def __init__(self, axis: int = 1):
        super().__init__()
        self.axis = axis

    def forward(self, x: Tensor) -> Tensor:
        """Halve the axis of `(B, 2·H, …)`."""
        return glu(x, self.axis)


def activation(name: str, axis: int = 1) -> nn.Module:
    """Return a layer by name: one of `ACTIVATIONS`, "prelu" (one slope) or "glu" (halves the axis).

    Softmax and GLU work along `axis`. Raises ValueError for an unknown name.
    Taught on: book/building_blocks/activation
    """
    return PReLU() if name == "prelu" else GLU(axis) if name == "glu" else Activation(name, axis)


def _check_real(x: Tensor, what: str) -> None:
    check_tensor(x, what)
    if x.is_complex():
        raise ValueError(
            f"{what} takes real numbers, not {x.dtype}; take bins.abs(), or view_as_real(bins), which adds an axis"
        )
    if not x.is_floating_point():
        raise ValueError(f"{what} takes real numbers such as float32, not {x.dtype}; convert them with x.float()")


def _check_axis(x: Tensor, axis: int, what: str) -> None:
    if not -x.dim() <= axis < x.dim():
        raise ValueError(
            f"{what} works along axis {axis}, but the input has {x.dim()} axes, {tuple(x.shape)}; choose one from "
            f"0 to {x.dim() - 1}, or add the missing axis with x[None]"
        )
