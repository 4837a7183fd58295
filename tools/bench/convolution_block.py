"""How long do the convolution blocks take, forward and backward, against plain torch.nn? One thread."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from sepbook.building_blocks.convolution import (
    CausalConv1d,
    DilatedBlock,
    SameConv1d,
    SameConv2d,
    SameConvTranspose1d,
    SameConvTranspose2d,
    Upsample1d,
)
from tools.bench._measure import compare_all, largest_ratio, threads

PAIRS = 31
LIMIT = 1.10
SIGNAL, MAP = (4, 32, 8000), (4, 16, 128, 96)  # (B, H, T) and (B, H, F, T)


class Cropped(nn.Module):
    """Plain transposed convolution, then the crop that a user would write."""

    def __init__(self, layer: nn.Module, before: int, sizes: tuple[int, ...]):
        super().__init__()
        self.layer, self.before, self.sizes = layer, before, sizes

    def forward(self, x: Tensor) -> Tensor:
        x = self.layer(x)
        for axis, size in enumerate(self.sizes, 2):
            x = x.narrow(axis, self.before, size)
        return x


class PlainDilated(nn.Module):
    """WaveNet's block in plain torch.nn: the same three layers."""

    def __init__(self, width: int, skip: int, dilation: int):
        super().__init__()
        self.pad, self.sizes = nn.ZeroPad1d((2 * dilation, 0)), [width, skip]
        self.conv = nn.Conv1d(width, 2 * width, 3, dilation=dilation)
        self.out = nn.Conv1d(width, width + skip, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        signal, gate = self.conv(self.pad(x)).chunk(2, dim=1)
        step, skip = self.out(torch.tanh(signal) * torch.sigmoid(gate)).split(self.sizes, dim=1)
        return x + step, skip


class Interpolated(nn.Module):
    """`functional.interpolate` with lines; it makes (T - 1) * factor + 1 values."""

    def forward(self, x: Tensor) -> Tensor:
        size = (x.shape[-1] - 1) * 4 + 1
        return functional.interpolate(x, size, mode="linear", align_corners=True)


def rivals() -> dict:
    """Name each comparison: our module, the plain one, and the shape of the input."""
    H, K = SIGNAL[1], MAP[1]
    T, (F, frames) = SIGNAL[-1], MAP[2:]
    return {
        "same_1d": (SameConv1d(H, H, 9), nn.Conv1d(H, H, 9, padding=4), SIGNAL),
        "same_1d_stride": (
            SameConv1d(H, H, 8, 4),
            nn.Sequential(nn.ZeroPad1d((2, 2)), nn.Conv1d(H, H, 8, 4)),
            SIGNAL,
        ),
        "same_2d_stride": (
            SameConv2d(K, 2 * K, 5, 2),
            nn.Sequential(nn.ZeroPad2d((1, 2, 1, 2)), nn.Conv2d(K, 2 * K, 5, 2)),
            MAP,
        ),
        "transposed_1d": (
            SameConvTranspose1d(H, H, 8, 4),
            Cropped(nn.ConvTranspose1d(H, H, 8, 4), 2, (4 * T,)),
            SIGNAL,
        ),
        "transposed_2d": (
            SameConvTranspose2d(K, K, 5, 2),
            Cropped(nn.ConvTranspose2d(K, K, 5, 2), 1, (2 * F, 2 * frames)),
            MAP,
        ),
        "causal": (
            CausalConv1d(H, H, 3, dilation=64),
            nn.Sequential(nn.ZeroPad1d((128, 0)), nn.Conv1d(H, H, 3, dilation=64)),
            SIGNAL,
        ),
        "dilated_block": (DilatedBlock(H, 2 * H, 3, 64), PlainDilated(H, 2 * H, 64), SIGNAL),
        "upsample_nearest": (Upsample1d(4, "nearest"), nn.Upsample(scale_factor=4, mode="nearest"), SIGNAL),
        "upsample_linear": (Upsample1d(4, "linear", "cut"), Interpolated(), SIGNAL),
    }


def step(module: nn.Module, x: Tensor):
    """Return a function that runs a module forward and backward."""

    def once():
        x.grad = None
        module.zero_grad()
        out = module(x)
        sum(one.square().mean() for one in (out if isinstance(out, tuple) else (out,))).backward()

    return once


@threads(1)
def run() -> dict:
    torch.manual_seed(0)
    steps = {}
    for name, (ours, theirs, shape) in rivals().items():
        ours.load_state_dict(dict(zip(ours.state_dict(), theirs.state_dict().values(), strict=True)))
        x = torch.randn(shape, requires_grad=True)
        a, b = ours(x), theirs(x)
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)
        steps[name] = step(ours, x), step(theirs, x)
    found = compare_all(steps, PAIRS)
    return found | {"largest_ratio": largest_ratio(found), "pairs": PAIRS, "threads": 1, "limit": LIMIT}
