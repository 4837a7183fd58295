"""How far every operation sees, and where time goes: the trace against disturbances of one sample at a time.

What the trace says must be what a disturbance shows, at every position and on every axis, or nothing at all.
"""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from sepbook import shapes
from sepbook.shapes.flow import Flow

N = 48


def shown(network, x):
    """Return the first and last sample that each number of the output depends on, by changing one at a time."""
    with torch.no_grad():
        y = network(x)
        changed = []
        for i in range(x.shape[-1]):
            other = x.clone()
            other[..., i] += 1.5
            changed.append((network(other) != y).numpy())
    changed = np.array(changed).reshape(len(changed), *y.shape)
    reached, i = changed.any(0), np.arange(len(changed)).reshape(-1, *[1] * y.dim())
    first, last = np.where(changed, i, len(changed)).min(0), np.where(changed, i, -1).max(0)
    return np.where(reached, first, -1), np.where(reached, last, -1)


def followed(network, x):
    """Return the same from the trace, None where it is silent."""
    with torch.no_grad(), Flow(x) as flow:
        y = network(x)
    field = flow.fields[y]
    if field is None:
        return None
    length = y.shape[field.axis]
    positions = np.arange(length) if field.run is None else np.arange(length) % field.run
    spans = [np.broadcast_to(np.moveaxis(v, 0, field.axis), y.shape) for v in field.at(positions)]
    first, last = np.maximum(spans[0], 0), np.minimum(spans[1], x.shape[-1] - 1)
    return np.where(first <= last, first, -1), np.where(first <= last, last, -1)


def positive(layer):
    """Give a layer positive weights, so that nothing cancels."""
    for i, weight in enumerate(layer.parameters()):
        nn.init.uniform_(weight, 0.5, 1.5, generator=torch.Generator().manual_seed(i))
    return layer.double()


def conv(inputs, outputs, kernel, **options):
    return positive(nn.Conv1d(inputs, outputs, kernel, **options))


def deconv(inputs, outputs, kernel, **options):
    return positive(nn.ConvTranspose1d(inputs, outputs, kernel, **options))


BACK, TWO, FOUR = conv(2, 2, 3, padding=1), conv(2, 4, 3), conv(4, 4, 3, groups=2)
DOWN, UP = conv(2, 3, 4, stride=2, padding=1), deconv(3, 2, 4, stride=2, padding=1)
LINEAR, DEPTHWISE, PLANE = positive(nn.Linear(2, 5)), conv(4, 8, 3, groups=4), positive(nn.Conv2d(2, 3, (3, 5)))
STEPS = {
    "transpose, norm over H, back": lambda x: BACK(functional.layer_norm(BACK(x).mT, (2,)).mT),
    "linear over H, two items": lambda x: LINEAR(BACK(x).mT),
    "linear on a plain matrix": lambda x: LINEAR(BACK(x)[0].T),
    "transposed, then strided": lambda x: DOWN(UP(DOWN(x))),
    "transposed twice, then strided by 3": lambda x: UP(DOWN(x))[..., ::3],
    "nearest, twice": lambda x: functional.interpolate(BACK(x), scale_factor=2),
    "nearest, 48 to 32": lambda x: functional.interpolate(BACK(x), size=32),
    "nearest, 48 to 60": lambda x: functional.interpolate(BACK(x), size=60),
    "nearest, 48 to 32, after a transposed convolution": lambda x: functional.interpolate(UP(DOWN(x)), size=32),
    "nearest, exact": lambda x: functional.interpolate(BACK(x), size=32, mode="nearest-exact"),
    "nearest after strided": lambda x: BACK(functional.interpolate(DOWN(x), scale_factor=3)[:, :2]),
    "interpolated over bins and frames": lambda x: functional.interpolate(BACK(x)[:, :, None], scale_factor=(3, 2)),
    "roll": lambda x: (BACK(x) + BACK(x).roll(3, -1))[..., 3:],
    "roll over H": lambda x: torch.cat([BACK(x), BACK(BACK(x))], 1).roll(1, 1),
    "flip over H": lambda x: torch.cat([x, BACK(x)], 1).flip(1),
    "gated linear unit": lambda x: functional.glu(torch.cat([x, BACK(x)], 1), 1),
    "chunk": lambda x: torch.cat([x, BACK(x)], 1).chunk(2, 1)[1],
    "split in time": lambda x: BACK(x).split(20, -1)[1],
    "stack and unbind": lambda x: torch.stack([x, BACK(x)], 1).unbind(1)[0],
    "stack, kept apart": lambda x: torch.stack([x, BACK(x)], -1),
    "silence before it": lambda x: torch.cat([x.new_zeros(1, 2, 5), BACK(x)], -1)[..., 5:],
    "groups keep apart": lambda x: FOUR(torch.cat([x, BACK(x)], 1)),
    "depthwise keeps apart": lambda x: DEPTHWISE(torch.cat([x, BACK(x)], 1)),
    "frames by unfold": lambda x: BACK(x).unfold(-1, 8, 4),
    "frames, summed": lambda x: x.unfold(-1, 8, 4).sum(-1),
    "frames of a transposed convolution": lambda x: UP(DOWN(x)).unfold(-1, 6, 4),
    "frames by view": lambda x: BACK(x).unflatten(-1, (6, 8)),
    "frames by view, over time and over places": lambda x: x.unflatten(-1, (6, 8)).cumsum(-1),
    "frames by as_strided": lambda x: x.as_strided((1, 2, 11, 8), (96, 48, 4, 1)),
    "frames by functional.unfold": lambda x: functional.unfold(BACK(x)[:, :, None], (1, 8), stride=(1, 4)),
    "overlap-add of frames": lambda x: over(functional.unfold(x[:, :, None], (1, 8), stride=(1, 4))),
    "overlap-add of mixed frames": lambda x: over(frames(functional.unfold(x[:, :, None], (1, 8), stride=(1, 4)))),
    "pixel shuffle in time": lambda x: FOUR(TWO(x)).view(1, 2, 2, -1).mT.reshape(1, 2, -1),
    "pixel shuffle in time of different fields": lambda x: torch.stack([x, BACK(x)], -1).flatten(-2),
    "pixel shuffle": lambda x: functional.pixel_shuffle(FOUR(TWO(x))[:, :, None], 2),
    "repeat interleave": lambda x: BACK(x).repeat_interleave(3, -1),
    "repeat over items": lambda x: BACK(x).repeat(3, 2, 1),
    "items and frames in one axis": lambda x: LINEAR(BACK(x).expand(3, 2, N).mT.reshape(3 * N, 2)),
    "items and frames in one axis, and back": lambda x: BACK(
        LINEAR(BACK(x).expand(3, 2, N).mT.reshape(3 * N, 2)).view(3, N, 5).mT[:, :2]
    ),
    "frames as items, convolved over bins": lambda x: BACK(BACK(x).permute(2, 0, 1).expand(N, 2, 2)),
    "along the places of a frame": lambda x: conv(2, 2, 3, stride=2, padding=1)(
        BACK(x).unfold(-1, 8, 4).permute(0, 2, 1, 3).flatten(0, 1)
    ),
    "along frames and places": lambda x: PLANE(x.unfold(-1, 8, 4)),
    "two axes": lambda x: PLANE(BACK(x)[:, :, None].expand(1, 2, 4, N)),
    "attention over bins": lambda x: attend(BACK(x).permute(2, 1, 0).expand(N, 2, 4)),
    "einsum over features": lambda x: torch.einsum("bht,hd->btd", BACK(x), LINEAR.weight.mT),
    "batch norm and PReLU": lambda x: positive(nn.PReLU())(functional.batch_norm(BACK(x), ONES, ONES)),
    "Fourier transform over frames": lambda x: torch.fft.rfft(BACK(x).unfold(-1, 8, 4)).abs(),
    "real and imaginary part": lambda x: torch.view_as_real(torch.complex(x, BACK(x))).mean(-1),
    "look-up of features": lambda x: BACK(x)[:, [1, 0, 1]],
    "softmax over H": lambda x: torch.softmax(torch.cat([x, BACK(x)], 1), 1),
    "maximum over H": lambda x: torch.cat([x, BACK(x)], 1).sum(1, keepdim=True),
    "average pool": lambda x: functional.avg_pool1d(BACK(x), 4, 2, 1),
    "pool of bins": lambda x: functional.avg_pool2d(BACK(x)[:, None], (2, 1)),
}
ONES = torch.ones(2, dtype=torch.double)


def over(x):
    return functional.fold(x, (1, N), (1, 8), stride=(1, 4))[:, :, 0]


def frames(x):
    return x.cumsum(1).flip(1).cumsum(1)


def attend(x):
    return functional.scaled_dot_product_attention(x.mT, x.mT, x.mT)


def sound():
    return torch.rand(1, 2, N, generator=torch.Generator().manual_seed(3), dtype=torch.double) + 0.5


@pytest.mark.parametrize("step", STEPS)
def test_the_trace_sees_what_a_disturbance_shows(step):
    network, x = STEPS[step], sound()
    ours, truth = followed(network, x), shown(network, x)
    assert ours is not None, "the field is lost"
    assert (ours[0] == truth[0]).all() and (ours[1] == truth[1]).all()


def dilated(x):
    """A stack of dilated convolutions with sums on the way and a skip sum."""
    total = 0
    for dilation in (1, 2, 4):
        y = conv(2, 2, 3, padding=dilation, dilation=dilation)(x).relu()
        x, total = x + y, total + y
    return total


def waveform_u(x):
    """Down, down, up, up, with skips that are added, as in a U on the waveform."""
    a = conv(2, 3, 4, stride=2, padding=1)(x)
    b = conv(3, 4, 4, stride=2, padding=1)(a)
    c = deconv(4, 3, 4, stride=2, padding=1)(b) + a
    return deconv(3, 2, 4, stride=2, padding=1)(c) * x


def learned_bank(x):
    """A learned filter bank, a norm over its filters, a mask from a linear layer, and back."""
    code = conv(2, 6, 8, stride=4)(x).relu()
    inner = functional.layer_norm(code.mT, (6,))
    mask = positive(nn.Linear(6, 6))(inner).sigmoid().mT
    return deconv(6, 2, 8, stride=4)(code * mask)


def spectral_by_hand(x):
    """Frames, a Fourier transform, a mask from neighbouring frames, the inverse, overlap-add."""
    frames = x[:, 0].unfold(-1, 8, 4)  # (B, T, K)
    bins = torch.fft.rfft(frames)
    near = conv(5, 5, 3, padding=1)(bins.abs().mT).mT.sigmoid()
    back = torch.fft.irfft(bins * near, 8)
    return functional.fold(back.mT, (1, N), (1, 8), stride=(1, 4))[:, :, 0]


def chunks(x):
    """Chunks as items: a convolution along the places of each, then one from chunk to chunk."""
    y = x.unflatten(-1, (6, 8))  # (B, H, chunk, place)
    inside = conv(2, 2, 8, padding=4)(y.permute(0, 2, 1, 3).flatten(0, 1))[..., :8].unflatten(0, (1, 6))
    return conv(2, 2, 3, padding=1)(inside.permute(0, 3, 2, 1).flatten(0, 1)).unflatten(0, (1, 8))


def upsampled(x):
    """Strided, linear resampling back to the length, and the skip concatenated."""
    y = conv(2, 3, 5, stride=3, padding=2)(x)
    return torch.cat([functional.interpolate(y, size=N, mode="linear"), x], 1)


NETWORKS = (dilated, waveform_u, learned_bank, spectral_by_hand, upsampled, chunks)


@pytest.mark.parametrize("network", NETWORKS)
def test_small_networks_see_what_disturbances_show_away_from_the_edges(network):
    x = sound()
    ours, truth = followed(network, x), shown(network, x)
    assert ours is not None, "the field is lost"
    inner = (ours[0] > 0) & (ours[1] < N - 1)  # at the edges, padding and half-covered frames see less
    assert inner.sum() >= 4
    assert (ours[0] == truth[0])[inner].all() and (ours[1] == truth[1])[inner].all()


class Dual(nn.Module):
    """Frames as items through one recurrent layer, then frames in turn through another."""

    dims = "B C N -> B T H"

    def __init__(self, batch_first=True):
        super().__init__()
        self.conv = nn.Conv1d(1, 1, 3, padding=1)
        self.inside = nn.LSTM(1, 4, batch_first=batch_first, bidirectional=True)
        self.norm, self.across = nn.LayerNorm(8), nn.GRU(8, 5, batch_first=True)

    def forward(self, x):
        frames = self.conv(x)[:, 0].unfold(-1, 8, 4)  # (B, T, K)
        y = frames.flatten(0, 1)[..., None]  # (B T, K, 1)
        y = self.inside(y)[0] if self.inside.batch_first else self.inside(y.transpose(0, 1))[0].transpose(0, 1)
        y = self.norm(y.amax(1).unflatten(0, frames.shape[:2]))
        return self.across(y)[0]


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("batch", [1, 3])
def test_a_recurrent_layer_mixes_its_steps_and_keeps_its_items_apart(batch, batch_first, device):
    trace = shapes.trace(Dual(batch_first).to(device), torch.zeros(batch, 1, N, device=device))
    fields = {row.path: row.receptive_field for row in trace.calls}
    assert fields == {"": None, "conv": 3, "inside": 8 + 2, "norm": 8 + 2, "across": None}


class Frames(nn.Module):
    """Declares where time is, so that it can be followed although it is not the last axis."""

    def __init__(self, dims):
        super().__init__()
        self.dims = dims
        self.norm, self.linear, self.conv = nn.LayerNorm(6), nn.Linear(6, 6), nn.Conv1d(6, 6, 3, padding=1)

    def forward(self, x):
        return self.conv(self.linear(self.norm(x)).mT).mT


@pytest.mark.parametrize(
    ("dims", "unit", "fields"),
    [
        ("B T H -> B T H", "frames", [3, 1, 1, 3]),
        ("B N H -> B N H", "samples", [3, 1, 1, 3]),
        ("B H F -> B H F", "steps", [None, 1, None, None]),
    ],
)
def test_dims_say_which_axis_is_time(dims, unit, fields):
    trace = shapes.trace(Frames(dims), torch.zeros(2, 20, 6))
    assert trace.unit == unit and [row.receptive_field for row in trace.rows] == fields
