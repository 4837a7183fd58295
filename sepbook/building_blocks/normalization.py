"""Normalisation: numbers are shifted to mean 0 and scaled to variance 1. What differs is over which axes.

::

                            B   H   T
    batch normalisation     ■   ·   ■     a mean per feature, from all songs and frames of the batch
    instance                ·   ·   ■     a mean per song and feature
    global layer norm       ·   ■   ■     a mean per song
    cumulative layer norm   ·   ■   ◧     a mean per song and frame, from that frame and those before it
    layer norm of a frame   ·   ■   ·     a mean per song and frame

Layers take `(B, H, T)`, as convolutions along time give it. A data set is standardised or whitened along its last axis.

Taught on: book/building_blocks/normalization
"""

from copy import deepcopy

import torch
from torch import Tensor, nn

from sepbook._given import KindError, check_tensor
from sepbook.shapes.dims import ShapeError, describe

EPS = 1e-5  # is added to the variance, so that silence is not divided by zero


def normalize(x: Tensor, axes: tuple[int, ...], eps: float = EPS) -> Tensor:
    """Shift and scale x: mean 0 and variance 1 over `axes`; the shape stays.

    On `(B, H, T)`, axes (0, 2) are batch, (2,) instance, (1, 2) global layer
    and (1,) frame normalisation.
    Taught on: book/building_blocks/normalization
    """
    _check_real(x, "normalize")
    mean = x.mean(axes, keepdim=True)
    variance = (x - mean).square().mean(axes, keepdim=True)
    return (x - mean) / (variance + eps).sqrt()


def group_norm(x: Tensor, groups: int, eps: float = EPS) -> Tensor:
    """Normalise `(B, H, T)` in groups of neighbouring features; one group is layer norm, H groups instance norm.

    The numbers of `torch.nn.functional.group_norm`. Raises ShapeError when the groups do not divide H.
    Source: Wu and He 2018. Taught on: book/building_blocks/normalization
    """
    _check_real(x, "group_norm")
    check_features(x, x.shape[1] if x.dim() > 1 else 0, "group_norm")
    if groups < 1 or x.shape[1] % groups:
        raise ShapeError(f"group_norm: {groups} groups do not divide the {x.shape[1]} features of {tuple(x.shape)}.")
    return normalize(x.unflatten(1, (groups, -1)), (2, 3), eps).flatten(1, 2)


class _Learned(nn.Module):
    """A normalisation with one learned scale (1 at first) and one learned shift (0 at first) for each feature."""

    dims = "B H T -> B H T"

    def __init__(self, H: int, eps: float = EPS):
        super().__init__()
        if not isinstance(H, int) or isinstance(H, bool) or H < 1:
            raise ShapeError(f"H is {H!r}; the number of features must be a whole number of at least 1.")
        self.H, self.eps = H, eps
        self.weight, self.bias = nn.Parameter(torch.ones(H)), nn.Parameter(torch.zeros(H))

    def learned(self, x: Tensor) -> Tensor:
        return x * self.weight[:, None] + self.bias[:, None]

    def extra_repr(self) -> str:
        return f"H={self.H}"


class GlobalLayerNorm(_Learned):
    """Normalise each song over all its features and frames: `(B, H, T) -> (B, H, T)`.

    The gLN of Conv-TasNet, and `nn.GroupNorm(1, H)`. Every value depends on every frame, so it cannot stream.
    Raises ShapeError or KindError for anything but real `(B, H, T)`.
    Source: Luo and Mesgarani 2019. Taught on: book/building_blocks/normalization
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalise over H and T."""
        check_features(x, self.H, "GlobalLayerNorm")
        if x.is_cuda:
            return self.on_many_processors(x)
        weight, bias = self.weight.to(x.dtype), self.bias.to(x.dtype)
        return torch.group_norm(x, 1, weight, bias, self.eps)  # normalize(x, (1, 2)) and learned(), in one pass

    def on_many_processors(self, x: Tensor) -> Tensor:
        """Return the same numbers, for a card, where that one pass would leave a song to one of its many processors."""
        variance, mean = torch.var_mean(x, (1, 2), correction=0, keepdim=True)
        scale = self.weight[:, None].to(x.dtype) / (variance + self.eps).sqrt()  # (B, H, 1)
        return torch.addcmul(self.bias[:, None].to(x.dtype), x - mean, scale)


class FrameLayerNorm(_Learned):
    """Normalise each frame by itself, over its features: `(B, H, T) -> (B, H, T)`.

    `nn.LayerNorm(H)` along axis 1. Some codes call this one cLN ("channel-wise"). It streams, and knows no loudness.
    Raises ShapeError or KindError for anything but real `(B, H, T)`.
    Source: Ba et al. 2016. Taught on: book/building_blocks/normalization
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalise over H, frame by frame."""
        check_features(x, self.H, "FrameLayerNorm")
        return self.learned(normalize(x, (1,), self.eps))


class CumulativeLayerNorm(_Learned):
    """Normalise each frame with the mean and variance of all frames up to it: `(B, H, T) -> (B, H, T)`.

    The cLN of the Conv-TasNet paper. It never looks ahead, and its last frame is normalised as `GlobalLayerNorm` would.
    `stream` takes a song in chunks and gives the same numbers as one call.
    Raises ShapeError or KindError for anything but real `(B, H, T)`.
    Source: Luo and Mesgarani 2019. Taught on: book/building_blocks/normalization
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalise over H and the frames so far."""
        return self.stream(x)[0]

    def stream(self, x: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Normalise a chunk `(B, H, T)`; return it and the state `(B, 4)` to hand in with the next chunk.

        The state holds the mean of the very first frame, and the count, sum and sum of squares of all values less that
        mean. Without subtracting it, small waves on a large offset would drown in rounding.
        """
        check_features(x, self.H, "CumulativeLayerNorm")
        if state is None:
            first = x[:, :, 0].mean(1)
            state = torch.stack([first, *(torch.zeros_like(first),) * 3], 1)  # (B, 4)
        first, *before = state[:, :, None].unbind(1)  # each (B, 1)
        x = x - first[:, None]
        sums = torch.stack([torch.full_like(x[:, 0], self.H), x.sum(1), x.square().sum(1)])  # (3, B, T), of each frame
        count, total, squares = sums.cumsum(-1) + torch.stack(before)  # (B, T): of this frame and all before it
        mean = total / count
        variance = (squares / count - mean.square()).clamp_min(0)
        y = (x - mean[:, None]) / (variance[:, None] + self.eps).sqrt()
        state = torch.stack([first[:, 0], count[:, -1], total[:, -1], squares[:, -1]], 1)  # (B, 4)
        return self.learned(y), state


class BatchNorm(_Learned):
    """Normalise each feature over the batch in training, and by running averages afterwards: `(B, H, T) -> (B, H, T)`.

    The numbers, names and arguments of `nn.BatchNorm1d`. In training mode the running mean and the running variance
    each go the share `momentum` of the way to those of the batch.

    Raises ShapeError or KindError for anything but real `(B, H, T)`, and ShapeError in training mode for a single value
    per feature (B and T both 1): its variance would be zero and every answer the bias.
    Source: Ioffe and Szegedy 2015. Taught on: book/building_blocks/normalization
    """

    def __init__(self, H: int, eps: float = EPS, momentum: float = 0.1):
        super().__init__(H, eps)
        self.momentum = momentum
        self.register_buffer("running_mean", torch.zeros(H))
        self.register_buffer("running_var", torch.ones(H))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise over B and T in training mode, by the running averages after it."""
        check_features(x, self.H, "BatchNorm")
        if not self.training:
            mean, variance = self.running_mean, self.running_var
            return self.learned((x - mean[:, None]) / (variance[:, None] + self.eps).sqrt())
        if x.shape[0] * x.shape[2] == 1:
            raise ShapeError(
                f"BatchNorm in training mode: {tuple(x.shape)} has one value per feature (B=1 and T=1), which has no "
                "variance. Take more songs or frames, or switch with .eval()."
            )
        with torch.no_grad():
            variance, mean = torch.var_mean(x, (0, 2))  # the variance that is kept is divided by n - 1
            self.running_mean.lerp_(mean.to(self.running_mean), self.momentum)
            self.running_var.lerp_(variance.to(self.running_var), self.momentum)
            self.num_batches_tracked += 1
        return self.learned(normalize(x, (0, 2), self.eps))


class InputScaling(nn.Module):
    """Shift, then scale each feature with numbers that are learned: `(B, T, H) -> (B, T, H)`.

    They begin as those that standardise a data set, and training moves them. As in Open-Unmix, `shift` holds *minus*
    the mean and `scale` one over the standard deviation: y = (x + shift) * scale.

    Raises ShapeError or KindError for anything but real `(B, T, H)`.
    Source: Stöter et al. 2019. Taught on: book/building_blocks/normalization
    """

    dims = "B T H -> B T H"

    def __init__(self, mean: Tensor, std: Tensor):
        super().__init__()
        std = std.clamp_min(1e-4 * std.max()).clamp_min(1e-12)  # a feature that never changes must not become huge
        self.shift, self.scale = nn.Parameter(-mean), nn.Parameter(1 / std)

    @classmethod
    def of(cls, features: Tensor) -> "InputScaling":
        """Begin with the mean and standard deviation of features `(…, H)` of the training songs."""
        rows = _rows(features, "InputScaling.of")
        return cls(rows.mean(0), rows.std(0, correction=0))

    def forward(self, x: Tensor) -> Tensor:
        """Shift and scale each feature."""
        check_features(x, len(self.shift), "InputScaling", ("B", "T", "H"))
        return (x + self.shift) * self.scale


def standardise(features: Tensor, reference: Tensor | None = None) -> Tensor:
    """Shift and scale each feature of `(…, H)` by the mean and standard deviation that it has in the reference.

    The reference `(…, H)` is the training set (the features themselves when none is given). Validation and test songs
    are standardised with the numbers of the training songs. A feature that is constant there becomes 0, not huge.
    Raises ShapeError or KindError. Taught on: book/building_blocks/normalization
    """
    rows = _rows(features, "standardise") if reference is None else _rows(reference, "standardise", features)
    std = rows.std(0, correction=0)
    return (features - rows.mean(0)) / std.clamp_min(1e-4 * std.max()).clamp_min(1e-12)


def whiten(features: Tensor, reference: Tensor | None = None, kind: str = "zca", floor: float = 1e-4) -> Tensor:
    """Make the features of `(…, H)` uncorrelated, each with variance 1, by the covariance that the reference has.

    "pca" turns them to the principal axes, the largest first; "zca" turns back, so that feature h still resembles
    feature h. Axes with less than `floor` times the largest variance are scaled as if they had that much.
    Raises ValueError for another kind, ShapeError or KindError. Taught on: book/building_blocks/normalization
    """
    if kind not in ("pca", "zca"):
        raise ValueError(f"kind is {kind!r}; choose 'pca' or 'zca'")
    rows = _rows(features, "whiten") if reference is None else _rows(reference, "whiten", features)
    rows = rows.float() if rows.element_size() < 4 else rows  # no axes can be found in half precision
    mean = rows.mean(0)
    covariance = (rows - mean).mT @ (rows - mean) / len(rows)  # (H, H)
    variance, axes = torch.linalg.eigh(covariance)
    variance, axes = variance.flip(0), axes.flip(1)  # the largest first; one axis in each column
    scale = variance.clamp_min(floor * variance[0]).clamp_min(1e-12).rsqrt()
    whitened = (features - mean) @ axes * scale
    return whitened @ axes.mT if kind == "zca" else whitened


@torch.no_grad()
def past_moves(layer, x: Tensor, t: int | None = None) -> float:
    """Change x `(B, H, T)` from frame t on (default: the middle); return the most by which earlier answers move.

    0 means that the layer does not look ahead. The layer itself stays as it is: copies are asked. Raises ShapeError
    unless 0 < t < T. Taught on: book/building_blocks/normalization
    """
    t = x.shape[-1] // 2 if t is None else t
    if not 0 < t < x.shape[-1]:
        raise ShapeError(f"past_moves: frame t={t} must have frames before it and after it in {tuple(x.shape)}.")
    other = x.clone()
    other[..., t:] = 3 * other[..., t:].flip(-1) + 1
    before, after = (deepcopy(layer)(version)[..., :t] for version in (x, other))
    return (before - after).abs().max().item()


def check_features(x: Tensor, H: int, kind: str, axes: tuple[str, ...] = ("B", "H", "T")) -> None:
    """Raise ShapeError or KindError unless x is real `(B, H, T)` with H features and at least one song and one frame.

    `axes` is their order, where it is another one. Taught on: book/building_blocks/normalization
    """
    _check_real(x, kind)
    wanted, given = f"({', '.join(axes)})", tuple(x.shape)
    if x.dim() != 3:
        mend = "Add the batch with x[None]." if x.dim() == 2 else "Join or add axes until it fits."
        raise ShapeError(f"{kind} takes {wanted}, 3 axes, but was given {given} with {x.dim()}. {mend}")
    place = axes.index("H")
    if given[place] != H:
        mend = f" Axis {3 - place} has that many: are T and H swapped? Use x.mT." if given[3 - place] == H else ""
        raise ShapeError(f"{kind} was built for {H} features, but {describe('H')} is {given[place]} in {given}.{mend}")
    if 0 in given:
        raise ShapeError(f"{kind}: {describe(axes[given.index(0)])} is 0 in {given}: there is nothing to average.")


def _rows(features: Tensor, kind: str, others: Tensor | None = None) -> Tensor:
    """Return features `(…, H)` as rows, of which means can be taken; `others` must have the same H."""
    _check_real(features, kind)
    if others is not None:
        _check_real(others, kind)
        if others.shape[-1:] != features.shape[-1:]:
            given, theirs = tuple(others.shape), tuple(features.shape)
            raise ShapeError(f"{kind}: the last axis must be H in both, but they are {given} and {theirs}.")
    if features.dim() < 2 or 0 in features.shape or features.shape[:-1].numel() < 2:
        given = tuple(features.shape)
        raise ShapeError(f"{kind} takes (…, H) with at least two rows of features, but was given {given}.")
    return features.flatten(0, -2)


def _check_real(x: Tensor, kind: str) -> None:
    check_tensor(x, kind)
    if x.is_complex():
        raise KindError(f"{kind} takes real numbers, but the input is complex. Use x.abs() for magnitudes.")
    if not x.is_floating_point():
        raise KindError(f"{kind} takes fractions, but the input is {x.dtype}. Use x.float().")
