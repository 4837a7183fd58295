"""Layers that take a stream: each remembers what its next output still needs, and gives what is final.

::

    convolution             ├─ kernel ─┤           a kernel that is complete gives a value; what the next one
                                ├─ kernel ─┤       begins with is kept
    transposed convolution  ├─ paints ─┤           values that later kernels still paint over are kept, and the
                                ├─ paints ─┤       others are final

Taught on: book/architectures/denoiser
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from sepbook.building_blocks.recurrent import RecurrentStack, lstm_step

FEW = 4  # frames up to which an LSTM is read step by step


class NetworkState(NamedTuple):
    """What a network of blocks down and up remembers. Taught on: book/architectures/denoiser."""

    held: list[Tensor]  # for each block down: (B, H, n), what its next kernel begins with
    skips: list[Tensor]  # for each block down: (B, H, n), what waits for the way up
    tails: list[Tensor]  # for each block up: (B, H, n), what was painted of values that are not final
    memory: object  # of the recurrent layers


def shorten(block: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    """Run a block down on `(B, H, n)`, any n: return its frames `(B, H', T)`, and what the next kernel begins with."""
    conv = block.conv
    T = max((x.shape[-1] - conv.kernel_size[0]) // conv.stride[0] + 1, 0)
    y = block(x) if T else x.new_zeros(len(x), conv.out_channels, 0)
    return y, x[..., T * conv.stride[0] :]


def lengthen(block: nn.Module, x: Tensor, tail: Tensor, last: bool) -> tuple[Tensor, Tensor]:
    """Run a block up on `(B, H, T)`, any T: return its final values `(B, H', n)`, and what the others have so far.

    `tail` is what earlier frames have painted. With `last` all values are final.
    """
    conv, T = block.conv, x.shape[-1]
    painted = tail
    if T:
        painted = functional.conv_transpose1d(block.gate(x), conv.weight, stride=conv.stride)
        painted = painted + functional.pad(tail, (0, painted.shape[-1] - tail.shape[-1]))
    final = painted.shape[-1] if last else T * conv.stride[0]
    return block.finish(painted[..., :final] + conv.bias[:, None]), painted[..., final:]


def read_on(stack: RecurrentStack, x: Tensor, memory) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Read the next frames `(B, T, H)` with LSTMs that read forward: what `RecurrentStack.stream` returns.

    A processor gets a few frames step by step: PyTorch's own layer packs its weights anew in each call, which takes
    several times as long as a step.
    """
    if x.shape[1] > FEW or x.device.type != "cpu":
        return stack.stream(x, memory)
    layers, states = stack.layers, []
    for i in range(stack.L):
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        weights = [getattr(layers, f"{name}_l{i}") for name in names]
        h, c = (part[i] for part in memory) if memory else (x.new_zeros(len(x), stack.H) for _ in range(2))
        out = []
        for frame in x.unbind(1):
            h, c = lstm_step(frame, h, c, *weights)  # (B, H) each
            out.append(h)
        x = torch.stack(out, 1)
        states.append((h, c))
    return x, tuple(torch.stack(part) for part in zip(*states, strict=True))  # h and c, (L, B, H) each


def resample_on(resampler: nn.Module, held: Tensor, x: Tensor, last: bool) -> tuple[Tensor, Tensor]:
    """Resample the next samples `(…, n)`, any n: return what is ready, and what the filter begins with next time.

    `held` is what it begins with this time, at the start of a stream `resampler.before` zeros. With `last` the sound
    counts as silent after its end.
    """
    x = torch.cat([held, x], dim=-1)
    x = functional.pad(x, (0, resampler.after)) if last else x
    ready = resampler.ready(x.shape[-1])
    y = resampler.valid(x) if ready else x[..., :0]
    return y, x[..., ready // len(resampler.taps) * resampler.step :]
