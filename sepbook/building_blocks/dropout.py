"""Dropout: in training, each value is set to zero with some probability; in use, nothing happens.

::

    training    x ── times 0 or 1/(1-p), drawn anew in every step ── x'      the mean over many draws is x
    evaluation  x ─────────────────────────────────────────────── x

Taught on: book/building_blocks/dropout
"""

import torch
from torch import Tensor, nn

from sepbook._given import check_tensor


def drop(x: Tensor, rate: float, shared: int = 0, generator: torch.Generator | None = None) -> Tensor:
    """Set values to zero with probability `rate` and divide the others by 1 - rate, so that the mean stays.

    `(…)` of any shape -> the same shape. The last `shared` axes share one draw: with 0 every value has its own; with 2,
    maps `(B, H, F, T)` keep or lose whole features. A generator makes the draw repeatable.

    Raises ValueError for a rate outside 0 to 1, an impossible `shared`, and values that are integers or complex.
    Source: Srivastava et al. 2014, with the division in training. Taught on: book/building_blocks/dropout
    """
    check_rate(rate)
    _check_input(x, shared)
    sizes = x.shape[: x.dim() - shared] + (1,) * shared
    kept = torch.rand(sizes, generator=generator, device=x.device) >= rate
    return x * kept / (1 - rate) if rate < 1 else x * kept  # at 1 nothing is kept


class Dropout(nn.Module):
    """Drop values while training, and pass everything on unchanged while evaluating.

    `(B, …)` -> the same shape. `rate` is the probability that a value is dropped. The last `shared` axes share one
    draw: 0 like `torch.nn.Dropout`, 1 like `Dropout1d` on `(B, H, T)`, 2 like `Dropout2d` on `(B, H, F, T)`.

    Raises ValueError like `drop`, for a rate already when the module is made. Source: Srivastava et al. 2014; whole
    features: Tompson et al. 2015. Taught on: book/building_blocks/dropout
    """

    def __init__(self, rate: float = 0.5, shared: int = 0):
        super().__init__()
        check_rate(rate)
        self.rate, self.shared = rate, shared

    def forward(self, x: Tensor) -> Tensor:
        """Drop values of `(B, …)` in training mode."""
        _check_input(x, self.shared)
        return drop(x, self.rate, self.shared) if self.training else x

    def extra_repr(self) -> str:
        """Show the settings when the module is printed."""
        return f"rate={self.rate}" + (f", shared={self.shared}" if self.shared else "")


def dropouts(network: nn.Module) -> dict[str, float]:
    """List where a network drops values, and with which rate: `{name of the module: rate}`.

    Finds this book's `Dropout`, all of PyTorch's, and the one inside stacked recurrent layers. A rate of 0 is left out.
    Taught on: book/building_blocks/dropout
    """
    found = {}
    for name, module in network.named_modules():
        if isinstance(module, Dropout):
            found[name] = module.rate
        elif isinstance(module, nn.modules.dropout._DropoutNd):
            found[name] = module.p
        elif isinstance(module, nn.RNNBase) and module.num_layers > 1:
            found[f"{name} (between its layers)".strip()] = module.dropout
    return {name: rate for name, rate in found.items() if rate}


def check_rate(rate: float) -> None:
    """Raise ValueError unless a rate is a probability. Taught on: book/building_blocks/dropout."""
    if not 0 <= rate <= 1:
        raise ValueError(f"rate={rate} must be a probability between 0 (drop nothing) and 1 (drop everything)")


def _check_input(x: Tensor, shared: int) -> None:
    check_tensor(x, "dropout")
    if not x.is_floating_point():
        kind = "complex" if x.is_complex() else "integer"
        raise ValueError(
            f"dropout takes real numbers, but these are {kind} ({str(x.dtype).removeprefix('torch.')}); "
            + ("drop magnitudes, or view_as_real(x)" if x.is_complex() else "convert them with x.float()")
        )
    if not 0 <= shared < max(x.dim(), 1):
        raise ValueError(
            f"shared={shared} axes cannot share a draw: the input has {x.dim()} axes, {tuple(x.shape)}, and the first "
            "one, the batch B, has to draw for itself"
        )
