"""Layers that take a stream give what they give on the whole, in pieces of any length."""

import pytest
import torch
from torch import nn

from sepbook.architectures._resampling import half_band
from sepbook.architectures._streams import FEW, lengthen, read_on, resample_on, shorten
from sepbook.building_blocks.recurrent import RecurrentStack

PIECES = [[0, 1, 1, 0, 7, 30, 1], [40], [1] * 40, [39, 1]]


class Block(nn.Module):
    """A block with all that a step up or down has."""

    def __init__(self, kind, kernel, stride):
        super().__init__()
        self.gate, self.conv, self.finish = nn.Conv1d(3, 3, 1), kind(3, 3, kernel, stride), nn.ReLU()

    def forward(self, x):
        return self.finish(self.conv(self.gate(x)))


def sound(N=40):
    return torch.randn(2, 3, N, dtype=torch.float64)


@pytest.mark.parametrize("sizes", PIECES)
@pytest.mark.parametrize(("kernel", "stride"), [(8, 4), (5, 2), (3, 3), (1, 1)])
def test_a_step_down_gives_each_frame_once(kernel, stride, sizes):
    block, x = Block(nn.Conv1d, kernel, stride).double(), sound()
    held, found = x[..., :0], []
    for piece in x.split(sizes, -1):
        y, held = shorten(block, torch.cat([held, piece], -1))
        found.append(y)
        assert held.shape[-1] < max(kernel, stride)
    torch.testing.assert_close(torch.cat(found, -1), block(x))


@pytest.mark.parametrize("sizes", PIECES)
@pytest.mark.parametrize(("kernel", "stride"), [(8, 4), (5, 2), (3, 3), (1, 1)])
@pytest.mark.parametrize("end", [0, 1])
def test_a_step_up_gives_each_value_when_it_is_final(kernel, stride, sizes, end):
    """Once it is given nothing is added; with the last frame, or after it, all that is left."""
    block, x = Block(nn.ConvTranspose1d, kernel, stride).double(), sound()
    tail, found, fed = x.new_zeros(2, 3, kernel - stride), [], 0
    pieces = [*x.split(sizes, -1), *[x[..., :0]] * end]
    for i, piece in enumerate(pieces):
        y, tail = lengthen(block, piece, tail, last=i == len(pieces) - 1)
        found.append(y)
        fed += piece.shape[-1]
        assert y.shape[-1] == piece.shape[-1] * stride or i == len(pieces) - 1
    assert tail.shape[-1] == 0
    torch.testing.assert_close(torch.cat(found, -1), block(x))


@pytest.mark.parametrize("sizes", PIECES)
@pytest.mark.parametrize("part", [0, 1])
def test_a_filter_gives_what_it_gives_on_the_whole(part, sizes):
    resampler, x = half_band(8)[part].double(), sound()
    held, found = x.new_zeros(2, 3, resampler.before), []
    for i, piece in enumerate(x.split(sizes, -1)):
        y, held = resample_on(resampler, held, piece, last=i == len(sizes) - 1)
        found.append(y)
    torch.testing.assert_close(torch.cat(found, -1), resampler(x))


@pytest.mark.parametrize("layers", [1, 3])
def test_an_lstm_is_read_step_by_step_or_at_once(layers, monkeypatch):
    stack, x = RecurrentStack(3, 5, layers).double(), sound(2 * FEW + 4).mT
    asked = []
    plain = stack.stream
    monkeypatch.setattr(stack, "stream", lambda x, memory: asked.append(x.shape[1]) or plain(x, memory))
    memory, found = None, []
    for piece in x.split([1, FEW, FEW + 1, 2], 1):
        y, memory = read_on(stack, piece, memory)
        found.append(y)
    whole, (h, c) = stack.layers(x)
    torch.testing.assert_close(torch.cat(found, 1), whole)
    torch.testing.assert_close(memory, (h, c))
    assert asked == [FEW + 1], "few frames step by step, more of them at once"
