"""Receptive fields found while a model runs, compared with disturbances: which input changes which output?"""

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from sepbook import shapes
from sepbook.shapes.field import Field
from sepbook.shapes.flow import Flow


def ones(layer):
    nn.init.ones_(layer.weight)
    return layer


def conv(kernel, stride=1, padding=0, dilation=1):
    return ones(nn.Conv1d(1, 1, kernel, stride, padding, dilation, bias=False).double())


def up(kernel, stride=1, padding=0, dilation=1):
    return ones(nn.ConvTranspose1d(1, 1, kernel, stride, padding, dilation=dilation, bias=False).double())


def followed(network, n):
    """Return first and last input of each output position by `Flow`, within the input."""
    x = torch.ones(1, 1, n, dtype=torch.double)
    with torch.no_grad(), Flow(x) as flow:
        y = network(x)
    field = flow.fields[y]
    if field is None:
        return None
    first, last = (values.reshape(len(values)) for values in field.at(np.arange(y.shape[-1])))
    return [
        (max(a, 0), min(b, n - 1)) if max(a, 0) <= min(b, n - 1) else None for a, b in zip(first, last, strict=True)
    ]


def measured(network, n):
    """Return the same from disturbances: one impulse per batch item; weights are positive, so nothing cancels."""
    with torch.no_grad():
        impulses = torch.eye(n, dtype=torch.double)[:, None]
        changed = (network(impulses) - network(torch.zeros_like(impulses))).flatten(1) != 0  # (n inputs, outputs)
    spans = [column.nonzero().flatten() for column in changed.T]
    return [(int(span.min()), int(span.max())) if len(span) else None for span in spans]


LAYERS = st.lists(
    st.tuples(st.booleans(), st.integers(1, 4), st.integers(1, 3), st.integers(1, 2)), min_size=1, max_size=4
)


@settings(max_examples=60, deadline=None)
@given(LAYERS)
def test_any_chain_of_convolutions_agrees_with_disturbances_away_from_the_edges(layers):
    chain = nn.Sequential(*((up if upward else conv)(k, s, 0, d) for upward, k, s, d in layers))
    n, compared = 256, 0
    for ours, shown in zip(followed(chain, n), measured(chain, n), strict=True):
        if ours is None or (ours[0] > 60 and ours[1] < n - 60):  # at the edges taps fall outside
            assert ours == shown
            compared += 1
    assume(compared)


@pytest.mark.parametrize("up_by", [1, 2, 3, 4])
@pytest.mark.parametrize("down_by", [1, 2, 3, 6])
def test_the_hop_after_a_transposed_and_a_strided_convolution(up_by, down_by):
    field = Field().transposed(5, up_by).convolved(3, down_by)
    assert field.hop * up_by == field.period * down_by  # on average, positions are down / up samples apart
    (a, _), (b, _) = field.at(np.array([7])), field.at(np.array([7 + up_by]))
    assert b - a == down_by
    spans = measured(nn.Sequential(up(5, up_by), conv(3, down_by)), 96)
    inner = [i for i, span in enumerate(spans[:-up_by]) if span and span[0] > 20 and span[1] < 70]
    assert inner and all(spans[i + up_by][0] - spans[i][0] == down_by for i in inner)


class TwoLevels(nn.Module):
    """Down, down, up, up with a skip, uneven padding and a crop: what a U-Net does."""

    def __init__(self, kernel, join):
        super().__init__()
        self.down = nn.ModuleList([conv(kernel, 2), conv(kernel, 2)])
        self.up = nn.ModuleList([up(kernel, 2), up(kernel, 2)])
        self.join, self.after = join, ones(nn.Conv1d(2 if join == "cat" else 1, 1, 3, padding=1, bias=False).double())

    def forward(self, x):
        a = functional.leaky_relu(self.down[0](functional.pad(x, (1, self.down[0].kernel_size[0]))))
        b = self.down[1](functional.pad(a, (2, self.down[0].kernel_size[0]))).abs()
        c = self.up[0](b)[..., 1 : 1 + a.shape[-1]]
        c = torch.cat([c, a], 1).sum(1, keepdim=True) if self.join == "cat" else c + a
        d = self.up[1](c)[..., 1 : 1 + x.shape[-1]]
        return self.after(torch.cat([d, x], 1) if self.join == "cat" else d.unsqueeze(1).flatten(1, 2) * 2)


@pytest.mark.parametrize("kernel", [2, 3, 4, 5])
@pytest.mark.parametrize("join", ["cat", "add"])
def test_skips_pads_and_crops_agree_with_disturbances_at_every_position(kernel, join):
    network = TwoLevels(kernel, join)
    assert followed(network, 64) == measured(network, 64)


@pytest.mark.parametrize(
    "network",
    [
        lambda x: functional.avg_pool1d(x, 4, padding=1),
        lambda x: functional.avg_pool1d(x, 5, 2),
        lambda x: x[..., 3::2],
        lambda x: functional.pad(x, (2, -5)) + 1,
        lambda x: torch.softmax(x * torch.tensor([[[1.0], [2.0]]]), 1)[:, :1],
        lambda x: x.expand(-1, 3, -1).sum(1) * 2 + x[:, 0],
        lambda x: x.narrow(-1, 4, 9).unflatten(0, (-1, 1)).squeeze(1).clamp(0, 2).to(torch.float32),
        lambda x: torch.stack([x, x * 2], 1).split(1, 1)[0].transpose(0, 1).contiguous().permute(1, 2, 0, 3),
    ],
)
def test_single_operations_agree_with_disturbances(network):
    assert followed(network, 24) == measured(network, 24)


def test_a_max_pool_reaches_as_far_as_a_convolution():
    pool = followed(lambda x: functional.max_pool1d(x, 3, 2, padding=1, dilation=2), 24)
    assert pool == followed(conv(3, 2, padding=1, dilation=2), 24)


@pytest.mark.parametrize(
    "network",
    [lambda x: x / x.amax((1, 2), keepdim=True), lambda x: functional.group_norm(x, 1), lambda x: x - x.mean()],
)
def test_statistics_of_the_whole_input_are_not_counted(network):
    assert followed(network, 24) == followed(lambda x: x, 24)


@pytest.mark.parametrize(
    "network",
    [
        lambda x: x.cumsum(-1),
        lambda x: x.flip(-1),
        lambda x: torch.cat([x, x], -1),
        lambda x: x.mean(-1, keepdim=True),
        lambda x: x.softmax(-1),
        lambda x: x.sort(-1)[0],
        lambda x: x @ torch.ones(24, 24, dtype=x.dtype),
        lambda x: functional.scaled_dot_product_attention(x.mT, x.mT, x.mT).mT,
        lambda x: x.view(4, 6).T.reshape(1, 1, 24),
        lambda x: torch.fft.irfft(torch.fft.rfft(x)),
        lambda x: x[..., ::2] + x[..., : x.shape[-1] // 2],  # two speeds
        lambda x: torch.zeros_like(x).index_copy(-1, torch.arange(24), x),
    ],
)
def test_what_is_not_followed_has_no_field_rather_than_a_wrong_one(network):
    assert followed(network, 24) is None


def test_a_tensor_that_was_filled_piece_by_piece_has_no_field():
    def network(x):
        out = torch.zeros(1, 1, 2 * x.shape[-1], dtype=x.dtype)
        out[..., ::2] = x
        return conv(3)(out + 1)

    assert followed(network, 24) is None


class Spectral(nn.Module):
    """Any leaf with n_fft and hop counts as a transform; complex input means the inverse."""

    def __init__(self, n_fft, hop):
        super().__init__()
        self.n_fft, self.hop = n_fft, hop


class Forward(Spectral):
    def forward(self, x):
        window = torch.hann_window(self.n_fft, dtype=x.dtype)
        return torch.stft(x[:, 0], self.n_fft, self.hop, window=window, pad_mode="constant", return_complex=True)[
            :, None
        ]


class Inverse(Spectral):
    def forward(self, bins, length):
        window = torch.hann_window(self.n_fft, dtype=bins.real.dtype)
        return torch.istft(bins[:, 0], self.n_fft, self.hop, window=window, length=length)[:, None]


class Masked(nn.Module):
    def __init__(self):
        super().__init__()
        self.stft, self.istft = Forward(16, 4), Inverse(16, 4)
        self.conv = ones(nn.Conv2d(1, 1, 3, padding=1, bias=False).double())

    def forward(self, x):
        bins = self.stft(x)
        return self.istft(bins * self.conv(bins.abs()), x.shape[-1])


def test_a_spectral_system_sees_what_a_disturbance_shows():
    torch.manual_seed(0)
    model, x = Masked(), torch.randn(1, 1, 96, dtype=torch.double)
    rows = {row.path: row for row in shapes.trace(model, x).rows}
    assert rows["stft"].receptive_field == 16
    assert rows["conv"].receptive_field == 16 + 2 * 4
    changed = torch.zeros(96, 96)
    for i in range(96):
        other = x.clone()
        other[..., i] += 1
        changed[i] = (model(other) - model(x)).abs().flatten() > 1e-12
    spans = [column.nonzero().flatten() for column in changed.T[24:72]]
    widest = max(int(span.max() - span.min()) + 1 for span in spans)
    # a periodic Hann window is 0 at its first sample, so each of the two transforms shows one sample less
    assert rows[""].receptive_field - 2 <= widest <= rows[""].receptive_field
