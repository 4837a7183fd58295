"""Convolutions with their edges taken care of: one small set of weights, used again at every place of an axis.

::

    x   ○ ○ ● ○ ● ○ ● ○ ○ ○        kernel 3, dilation 2: three taps, two places apart
            └───┼───┘
    y       ○ ○ ● ○ ○ ○            one value; then the kernel moves on by the stride

PyTorch's own layers leave one question to you: how many zeros go before and after an axis. The layers here answer it.
`SameConv` keeps or halves a length exactly, `SameConvTranspose` is its way back, `CausalConv1d` never looks ahead.
They are PyTorch's layers otherwise: the same arguments, the same names of weights. They add errors that name the axis.

Taught on: book/building_blocks/convolution
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from sepbook._given import KindError, check_place, check_tensor
from sepbook.shapes.dims import ShapeError, describe

AXES = {1: ("B", "H", "T"), 2: ("B", "H", "F", "T")}  # of the input of a convolution along one or two axes


def same_padding(size: int, kernel: int, stride: int = 1, dilation: int = 1) -> tuple[int, int]:
    """Return how many zeros go before and after an axis, so that a convolution gives ceil(size / stride) values.

    Where their number is odd, the extra zero goes after, as TensorFlow's "same" does. There (at stride 2, for example)
    PyTorch's symmetric `padding=kernel // 2` gives the same length from even sizes, but reads one place earlier; at
    stride 1 and an odd kernel the two agree.
    Taught on: book/building_blocks/convolution
    """
    covers = dilation * (kernel - 1) + 1
    total = max((-(-size // stride) - 1) * stride + covers - size, 0)
    return total // 2, total - total // 2


def middle(x: Tensor, length: int) -> Tensor:
    """Return the middle `length` values of the last axis, of an odd rest one less before: `(…, T) -> (…, length)`.

    Taught on: book/building_blocks/convolution
    """
    return x.narrow(-1, (x.shape[-1] - length) // 2, length)


def check_input(x: Tensor, layer: nn.Module) -> None:
    """Refuse what a convolution cannot use: another number of axes or features, no length, no real numbers.

    `x` is meant to be `(B, H, T)` or `(B, H, F, T)`; a waveform has its audio channels C in the place of H.
    Raises ShapeError or KindError that names the axis and says how to mend it.
    Taught on: book/building_blocks/convolution
    """
    kind, axes, H = type(layer).__name__, AXES[len(layer.kernel_size)], layer.in_channels
    check_tensor(x, kind)
    if not x.is_floating_point():
        raise KindError(_not_real(kind, x))
    if x.dim() != len(axes):
        raise ShapeError(_axes_differ(kind, x, axes))
    if x.shape[1] != H:
        raise ShapeError(_features_differ(kind, x, axes, H))
    if 0 in x.shape[2:]:
        empty = next(name for name, size in zip(axes[2:], x.shape[2:], strict=True) if size == 0)
        raise ShapeError(f"{kind}: {describe(empty)} is 0 in {tuple(x.shape)}: there is nothing to slide over.")
    check_place(x, kind, layer.weight)
    if x.dtype == torch.float64 != layer.weight.dtype:
        raise KindError(f"{kind}: the input is float64, as NumPy makes it, and the weights are not. Use x.float().")


def check_geometry(**numbers) -> None:
    """Refuse a kernel, stride or dilation that is no whole number of at least 1; each may be one per axis.

    Raises ShapeError that names it. Taught on: book/building_blocks/convolution
    """
    for name, given in numbers.items():
        for number in given if isinstance(given, tuple | list) else (given,):
            if isinstance(number, bool) or not hasattr(number, "__index__") or number < 1:
                raise ShapeError(f"{name} is {given!r}, but must be a whole number of at least 1.")


def _not_real(kind: str, x) -> str:
    if x.is_complex():
        mend = "Use x.abs() for magnitudes, or torch.view_as_real(x) and take both parts as features"
        return f"{kind} has real weights, but the input is complex. {mend}."
    return (
        f"{kind} multiplies with weights, but the input is {x.dtype}. Use x.float(), and divide 16-bit sound by 32768."
    )


def _axes_differ(kind: str, x: Tensor, axes: tuple) -> str:
    wanted, more = f"({', '.join(axes)})", len(axes) - x.dim()
    given = f"{kind} takes {wanted}, {len(axes)} axes, but was given {tuple(x.shape)} with {x.dim()}."
    return f"{given} {'Add the batch with x[None].' if more == 1 else 'Join or add axes first, so that it fits.'}"


def _features_differ(kind: str, x: Tensor, axes: tuple, H: int) -> str:
    text = f"{kind} was built for {H} features, but {describe(axes[1])} is {x.shape[1]} in {tuple(x.shape)}."
    for place in range(2, x.dim()):
        if x.shape[place] == H:
            return f"{text} Axis {place} has {H}: is the order another one? Use x.transpose(1, {place})."
    return f"{text} Build the layer with {x.shape[1]} as its first argument, or look at what comes before it."


class _Same:
    """The forward pass of `SameConv1d` and `SameConv2d`."""

    def __init__(self, inputs: int, outputs: int, kernel, stride=1, dilation=1, groups: int = 1, bias: bool = True):
        check_geometry(kernel=kernel, stride=stride, dilation=dilation)
        super().__init__(inputs, outputs, kernel, stride, 0, dilation, groups, bias)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve `x`; an axis of n values has ceil(n / stride) afterwards."""
        check_input(x, self)
        before, odd = [], []
        for geometry in zip(x.shape[2:], self.kernel_size, self.stride, self.dilation, strict=True):
            zeros = same_padding(*geometry)
            before.append(zeros[0])
            odd = [0, zeros[1] - zeros[0], *odd]  # functional.pad begins with the last axis
        x = functional.pad(x, odd) if any(odd) else x
        slide = functional.conv1d if len(before) == 1 else functional.conv2d
        return slide(x, self.weight, self.bias, self.stride, before, self.dilation, self.groups)


class SameConv1d(_Same, nn.Conv1d):
    """A convolution that keeps the length: `(B, H, T) -> (B, H', ceil(T / stride))`.

    Zeros go to both ends, the odd one after. Takes features in, features out, kernel, stride, dilation, groups, bias.
    Raises ShapeError or KindError, see `check_input`. Taught on: book/building_blocks/convolution
    """

    dims = "B H T -> B H' T'"


class SameConv2d(_Same, nn.Conv2d):
    """A convolution that keeps both axes: `(B, H, F, T) -> (B, H', ceil(F / stride), ceil(T / stride))`.

    Kernel, stride and dilation are numbers or pairs (F, T). Otherwise as `SameConv1d`.
    Taught on: book/building_blocks/convolution
    """

    dims = "B H F T -> B H' F' T'"


class _SameTranspose:
    """The forward pass of `SameConvTranspose1d` and `SameConvTranspose2d`."""

    def __init__(self, inputs: int, outputs: int, kernel, stride=1, groups: int = 1, bias: bool = True):
        check_geometry(kernel=kernel, stride=stride)
        super().__init__(inputs, outputs, kernel, stride, groups=groups, bias=bias)
        for size, step in zip(self.kernel_size, self.stride, strict=True):
            if size < step:
                raise ShapeError(
                    f"A kernel of {size} with a stride of {step} leaves {step - size} of every {step} places "
                    f"unpainted. Use a kernel of at least {step}, best a multiple of it."
                )

    def forward(self, x: Tensor) -> Tensor:
        """Paint a kernel for each value of `x`; an axis of n values has n * stride afterwards."""
        check_input(x, self)
        y = super().forward(x)
        for axis, (size, step) in enumerate(zip(self.kernel_size, self.stride, strict=True), 2):
            n = x.shape[axis] * step
            y = y.narrow(axis, same_padding(n, size, step)[0], n)  # crop what the way down has padded
        return y


class SameConvTranspose1d(_SameTranspose, nn.ConvTranspose1d):
    """The way back from `SameConv1d`, its adjoint: `(B, H, T) -> (B, H', T * stride)`.

    With the same weights, `<SameConv(x), y> = <x, SameConvTranspose(y)>`. It is no inverse. Takes features in,
    features out, kernel, stride, groups, bias. Raises ShapeError for a kernel shorter than the stride, which would
    leave places that nothing paints. Taught on: book/building_blocks/convolution
    """

    dims = "B H T -> B H' T'"


class SameConvTranspose2d(_SameTranspose, nn.ConvTranspose2d):
    """The way back from `SameConv2d`: `(B, H, F, T) -> (B, H', F * stride, T * stride)`.

    Kernel and stride are numbers or pairs (F, T). Otherwise as `SameConvTranspose1d`.
    Taught on: book/building_blocks/convolution
    """

    dims = "B H F T -> B H' F' T'"


class CausalConv1d(nn.Conv1d):
    """A convolution that never looks ahead: all zeros go before, `(B, H, T) -> (B, H', ceil(T / stride))`.

    Value t of the output depends on values up to `t * stride` of the input, so a stream can be computed as it comes.
    Raises ShapeError or KindError, see `check_input`. Source: van den Oord et al. 2016 (WaveNet).
    Taught on: book/building_blocks/convolution
    """

    dims = "B H T -> B H' T'"

    def __init__(self, inputs: int, outputs: int, kernel: int, stride=1, dilation=1, groups: int = 1, bias=True):
        check_geometry(kernel=kernel, stride=stride, dilation=dilation)
        super().__init__(inputs, outputs, kernel, stride, 0, dilation, groups, bias)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve `(B, H, T)`."""
        check_input(x, self)
        past = self.dilation[0] * (self.kernel_size[0] - 1)
        return super().forward(functional.pad(x, (past, 0)))


class DilatedBlock(nn.Module):
    """One step of WaveNet: a dilated convolution with a gate, a residual path on, and a skip path out.

    `(B, H, T) -> (B, H, T)` for the next block and `(B, H', T)` for the sum of all skips. `width` is H, `skip` is H'.
    Causal with zeros before, otherwise with zeros on both sides.
    Source: van den Oord et al. 2016; without `causal`, Rethage et al. 2018 for speech and Lluís et al. 2019 for music.
    Taught on: book/building_blocks/convolution
    """

    dims = "B H T -> x: B H T, skip: B H' T"

    def __init__(
        self, width: int, skip: int, kernel: int = 2, dilation: int = 1, causal: bool = True, bias: bool = True
    ):
        super().__init__()
        conv = CausalConv1d if causal else SameConv1d
        self.conv = conv(width, 2 * width, kernel, dilation=dilation, bias=bias)
        self.out = nn.Conv1d(width, width + skip, 1, bias=bias)
        self.sizes = [width, skip]

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return what goes on, and what is skipped to the end."""
        signal, gate = self.conv(x).chunk(2, dim=1)  # (B, H, T) each
        h = torch.tanh(signal) * torch.sigmoid(gate)
        step, skip = self.out(h).split(self.sizes, dim=1)
        return x + step, skip


class Upsample1d(nn.Module):
    """Enlarge a map without weights: `(B, H, T) -> (B, H, T * factor)`, value t at place `t * factor`.

    `nearest` repeats each value, `linear` draws lines between them and holds the last one. With `ends="cut"` lines
    stop at the last value, so that nothing is made up: `(B, H, (T - 1) * factor + 1)`, which is what Wave-U-Net does
    between unpadded convolutions. Raises ValueError for another mode or factor. Source: Stoller et al. 2018.
    Taught on: book/building_blocks/convolution
    """

    dims = "B H T -> B H T'"

    def __init__(self, factor: int = 2, mode: str = "linear", ends: str = "hold"):
        super().__init__()
        if mode not in ("nearest", "linear") or ends not in ("hold", "cut"):
            raise ValueError(f"mode {mode!r}, ends {ends!r}: choose nearest or linear, and hold or cut")
        if not isinstance(factor, int) or factor < 1:
            raise ValueError(f"factor is {factor!r}, but must be a whole number of at least 1")
        self.factor, self.mode, self.ends = factor, mode, ends

    def forward(self, x: Tensor) -> Tensor:
        """Enlarge `(B, H, T)`."""
        check_tensor(x, "Upsample1d")
        if x.dim() != 3 or x.numel() == 0:
            raise ShapeError(f"Upsample1d takes (B, H, T) with T of at least 1, but was given {tuple(x.shape)}.")
        T, held = x.shape[-1], self.ends == "hold"
        if self.mode == "nearest":
            y = x.repeat_interleave(self.factor, dim=-1)
        else:
            x = functional.pad(x, (0, 1), mode="replicate") if held else x  # the last line is level
            size = (x.shape[-1] - 1) * self.factor + 1
            y = functional.interpolate(x, size, mode="linear", align_corners=True)
        return y[..., : T * self.factor if held else (T - 1) * self.factor + 1]

    def extra_repr(self) -> str:
        """Show the settings when the module is printed."""
        return f"factor={self.factor}, mode={self.mode!r}, ends={self.ends!r}"
