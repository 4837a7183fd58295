"""Fully connected layers, and the two heads that turn features into masks or into embeddings.

::

    features (B, T, H) ── Linear ── (B, T, S·C·F) ── split ── activation ── mask (B, S, C, F, T)         MaskHead
    features (B, T, H) ── Linear ── (B, T, F·D) ──── split ── activation ── unit length (B, F, T, D)     EmbeddingHead

A linear layer works on the last axis alone. It answers each frame with one long row of numbers, and the split says
which number of the row belongs to which source and which bin.

Taught on: book/building_blocks/linear
"""

from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional

from sepbook._given import check_tensor
from sepbook.building_blocks.activation import ACTIVATIONS

LAYOUTS = {
    "blocked": "b t (s c f) -> b s c f t",  # all bins of source 0, then all of source 1
    "interleaved": "b t (f c s) -> b s c f t",  # all sources of bin 0, then all of bin 1
}
SHORTEST = 1e-6  # embeddings shorter than this are not stretched to unit length


def linear_forward(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return what a fully connected layer answers: x `(…, H)`, weight `(H', H)`, bias `(H',)` -> `(…, H')`.

    The same numbers as `torch.nn.functional.linear`. Taught on: book/building_blocks/linear
    """
    return x @ weight.T + bias


def linear_backward(slope: Tensor, x: Tensor, weight: Tensor) -> tuple[Tensor, ...]:
    """Carry slopes of the loss back through a fully connected layer.

    slope `(B, H')` belongs to the answer, x `(B, H)` went in. Returned are the slopes of x `(B, H)`, of the weight
    `(H', H)` and of the bias `(H',)`. Source: Rumelhart et al. 1986. Taught on: book/building_blocks/linear
    """
    return slope @ weight, slope.T @ x, slope.sum(0)


def split_sources(row: Tensor, S: int, C: int = 1, layout: str = "blocked") -> Tensor:
    """Read one long row per frame as sources, channels and bins: `(B, T, S·C·F) -> (B, S, C, F, T)`.

    ``"blocked"``: all bins of source 0, then all bins of source 1. ``"interleaved"``: bin 0 of every source, then bin 1
    of every source. Raises ValueError for another layout, or a row that S·C does not divide.
    Taught on: book/building_blocks/linear
    """
    _check_choice("layout", layout, LAYOUTS)
    check_tensor(row, "split_sources")
    if row.dim() != 3 or row.shape[-1] % (S * C):
        raise ValueError(
            f"a row per frame must be (B, T, S·C·F) with S={S}, C={C}, so that its last axis is a multiple of {S * C}; "
            f"it was given as {tuple(row.shape)}"
        )
    return rearrange(row, LAYOUTS[layout], s=S, c=C)


class MaskHead(nn.Module):
    """One mask per source from features: `(B, T, H) -> (B, S, C, F, T)`.

    A linear layer makes S·C·F numbers of each frame, `split_sources` reads them in the given layout, and the activation
    brings them into range: "sigmoid" (0 to 1), "softmax" (0 to 1, the S masks of a point add up to one), "relu" (0 and
    more), "tanh" (-1 to 1), "leaky_relu" or "linear" (any number).

    Raises ValueError for a size below 1, an unknown layout or activation, a softmax over one source, and features that
    are not real `(B, T, H)`. Source: Hershey et al. 2016, Luo et al. 2017. Taught on: book/building_blocks/linear
    """

    dims = "B T H -> B S C F T"

    def __init__(self, H: int, S: int, C: int = 1, F: int = 129, activation: str = "sigmoid", layout: str = "blocked"):
        super().__init__()
        _check_sizes(H=H, S=S, C=C, F=F)
        _check_choice("activation", activation, ACTIVATIONS)
        _check_choice("layout", layout, LAYOUTS)
        if activation == "softmax" and S == 1:
            raise ValueError("softmax over S=1 source gives a mask of ones everywhere; choose 'sigmoid'")
        self.H, self.S, self.C, self.F = H, S, C, F
        self.activation, self.layout = activation, layout
        self.linear = nn.Linear(H, S * C * F)

    def forward(self, features: Tensor) -> Tensor:
        """Make the masks of features `(B, T, H)`."""
        check_features(features, self.H)
        row = self.linear(features)  # (B, T, S·C·F)
        mask = split_sources(row, self.S, self.C, self.layout)  # (B, S, C, F, T)
        return ACTIVATIONS[self.activation](mask, 1)  # softmax shares along S

    def extra_repr(self) -> str:
        """Show the sizes when the module is printed."""
        return f"S={self.S}, C={self.C}, F={self.F}, activation={self.activation!r}, layout={self.layout!r}"


class EmbeddingHead(nn.Module):
    """One embedding per point of the spectrogram from features: `(B, T, H) -> (B, F, T, D)`.

    A linear layer makes F·D numbers of each frame, D for each bin, side by side. After the activation each group of D
    is stretched to unit length (`normalize=True`); a group of zeros stays zero. It makes no masks: clustering does.
    A "softmax" shares along D.

    Raises ValueError for a size below 1, an unknown activation, and features that are not real `(B, T, H)`.
    Source: Hershey et al. 2016 (deep clustering). Taught on: book/building_blocks/linear
    """

    dims = "B T H -> B F T D"

    def __init__(self, H: int, F: int, D: int, activation: str = "sigmoid", normalize: bool = True):
        super().__init__()
        _check_sizes(H=H, F=F, D=D)
        _check_choice("activation", activation, ACTIVATIONS)
        self.H, self.F, self.D = H, F, D
        self.activation, self.normalize = activation, normalize
        self.linear = nn.Linear(H, F * D)

    def forward(self, features: Tensor) -> Tensor:
        """Make the embeddings of features `(B, T, H)`."""
        check_features(features, self.H)
        row = self.linear(features)  # (B, T, F·D)
        embedding = rearrange(row, "b t (f d) -> b f t d", d=self.D)  # (B, F, T, D)
        embedding = ACTIVATIONS[self.activation](embedding, -1)
        if self.normalize:
            embedding = functional.normalize(embedding, dim=-1, eps=SHORTEST)
        return embedding  # (B, F, T, D)

    def extra_repr(self) -> str:
        """Show the sizes when the module is printed."""
        return f"F={self.F}, D={self.D}, activation={self.activation!r}, normalize={self.normalize}"


def check_features(features: Tensor, H: int) -> None:
    """Raise ValueError unless features are real numbers `(B, T, H)` with at least one frame.

    The error names the axis and says how to mend it. Taught on: book/building_blocks/linear
    """
    check_tensor(features, "a head")
    given = tuple(features.shape)
    if features.is_complex():
        raise ValueError(f"features must be real, not {features.dtype}; take bins.abs() before the first layer")
    if not features.is_floating_point():
        raise ValueError(f"features must hold real numbers (float32), not {features.dtype}; use features.float()")
    if features.dim() != 3:
        mend = "features[None] adds B" if features.dim() == 2 else "flatten or remove axes until these three are left"
        raise ValueError(f"features must be (B, T, H): batch, frame, feature; they were given as {given}. {mend}")
    if given[2] != H:
        swapped = "; axis 1 has this size, so T and H look swapped: features.mT" if given[1] == H else ""
        raise ValueError(
            f"features {given} have H={given[2]} on their last axis, but this layer was made for H={H}{swapped}"
        )
    if given[1] == 0:
        raise ValueError(f"features {given} have T=0 frames; there is nothing to separate")


def _check_sizes(**sizes: int) -> None:
    for letter, size in sizes.items():
        if not isinstance(size, int) or isinstance(size, bool) or size < 1:
            raise ValueError(f"{letter} is {size!r}; it must be a whole number of at least 1")


def _check_choice(field: str, given: str, choices: dict) -> None:
    if given not in choices:
        raise ValueError(f"{field} is {given!r}; choose one of {', '.join(choices)}")
