"""The multichannel Wiener filter: estimates of all sources agree on one explanation of the mixture.

Each source is modelled, bin by bin, as a power that varies in time and a covariance of the audio channels that does
not. Both are read off the estimates (maximisation), and the filter that this model calls for is applied to the mixture
(expectation): what the sources then are on average.

Sources: Duong et al. 2010; Nugraha et al. 2016; Liutkus and Stöter 2019 (norbert), as in Open-Unmix.
Taught on: book/architectures/open_unmix
"""

import torch
from torch import Tensor

EPSILON = 1e-10  # of the published filter: in weights as it is, on the diagonal of covariances its square root
LOUDEST = 10.0  # magnitudes of a window are scaled down to this


def expectation_maximization(
    mixture: Tensor, estimates: Tensor, iterations: int = 1, epsilon: float = EPSILON
) -> Tensor:
    """Refine estimates `(B, S, C, F, T)` of a mixture `(B, C, F, T)`, both complex; differentiable, silence stays.

    Taught on: book/architectures/open_unmix
    """
    C = mixture.shape[1]
    floor = epsilon**0.5 * torch.eye(C, dtype=mixture.dtype, device=mixture.device)
    x = mixture.permute(0, 2, 3, 1)[..., None]  # (B, F, T, C, 1)
    for _ in range(iterations):
        power = (estimates.real.square() + estimates.imag.square()).mean(2)  # (B, S, F, T)
        covariance = torch.einsum("bscft,bsdft->bsfcd", estimates, estimates.conj())  # (B, S, F, C, C)
        covariance = covariance / (power.sum(-1) + epsilon)[..., None, None]
        weights = power.to(mixture.dtype)
        total = torch.einsum("bsft,bsfcd->bftcd", weights, covariance) + floor  # (B, F, T, C, C)
        whitened = torch.linalg.solve(total, x)[..., 0]  # (B, F, T, C)
        gains = torch.einsum("bsfcd,bftd->bscft", covariance, whitened)  # before the power: no (C, C) for each point
        estimates = gains * power.unsqueeze(2)
    return estimates


def wiener(
    mixture: Tensor, magnitudes: Tensor, iterations: int = 1, window: int = 300, epsilon: float = EPSILON
) -> Tensor:
    """Give magnitudes `(B, S, C, F, T)` the mixture's phase and refine them: complex `(B, S, C, F, T)`.

    mixture: complex `(B, C, F, T)`; window: frames that are explained together; epsilon: keeps the filter from dividing
    by zero, and what lies below its root stays noise. Raises ValueError where the shapes do not fit.
    Taught on: book/architectures/open_unmix
    """
    B, C, F, T = mixture.shape
    if magnitudes.dim() != 5 or (magnitudes.shape[0], *magnitudes.shape[2:]) != (B, C, F, T):
        raise ValueError(
            f"magnitudes must be (B, S, C, F, T) = ({B}, S, {C}, {F}, {T}) for this mixture, "
            f"but were given as {tuple(magnitudes.shape)}"
        )
    if window < 1:
        raise ValueError(f"window is {window} frames; it must be 1 or more")
    estimates = torch.polar(magnitudes, mixture.angle().unsqueeze(1).expand_as(magnitudes))
    if iterations == 0:
        return estimates
    parts = []
    for x, y in zip(mixture.split(window, -1), estimates.split(window, -1), strict=True):
        scale = (x.abs().amax((1, 2, 3)) / LOUDEST).clamp_min(1.0)  # (B,)
        x, y = x / scale[:, None, None, None], y / scale[:, None, None, None, None]
        parts.append(expectation_maximization(x, y, iterations, epsilon) * scale[:, None, None, None, None])
    return torch.cat(parts, -1)
