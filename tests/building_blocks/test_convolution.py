"""Convolutions: lengths, values against plain PyTorch, adjoints, causality, and what is refused."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from sepbook import shapes
from sepbook.building_blocks.convolution import (
    CausalConv1d,
    DilatedBlock,
    SameConv1d,
    SameConv2d,
    SameConvTranspose1d,
    SameConvTranspose2d,
    Upsample1d,
    same_padding,
)

SIZES, KERNELS, STEPS = st.integers(1, 40), st.integers(1, 9), st.integers(1, 5)
SAME = ((SameConv1d, functional.conv1d, 1), (SameConv2d, functional.conv2d, 2))


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def by_hand(x, kernel, stride=1, dilation=1):
    """The definition, tap by tap, of x `(N,)` and a kernel `(M,)`."""
    covers = dilation * (len(kernel) - 1) + 1
    places = range(0, len(x) - covers + 1, stride)
    return torch.stack([sum(w * x[t + m * dilation] for m, w in enumerate(kernel)) for t in places])


@settings(max_examples=60, deadline=None)
@given(SIZES, KERNELS, STEPS, st.integers(1, 3))
def test_same_convolution_has_the_length_and_the_values_of_its_definition(size, kernel, stride, dilation):
    layer = SameConv1d(1, 1, kernel, stride, dilation, bias=False).double()
    x, weights = random(size), layer.weight.detach().flatten()
    before, after = same_padding(size, kernel, stride, dilation)
    padded = torch.cat([torch.zeros(before), x, torch.zeros(after)])
    assert 0 <= after - before <= 1
    y = layer(x[None, None])[0, 0].detach()
    assert len(y) == -(-size // stride)
    torch.testing.assert_close(y, by_hand(padded, weights, stride, dilation)[: len(y)])


@pytest.mark.parametrize(("kind", "plain", "axes"), SAME)
def test_same_convolution_is_pytorchs_own_where_that_can_do_it(kind, plain, axes):
    layer = kind(4, 6, 5, dilation=2, groups=2).double()
    x = random(2, 4, *(11, 13)[:axes])
    expected = plain(x, layer.weight, layer.bias, padding="same", dilation=2, groups=2)
    torch.testing.assert_close(layer(x), expected)
    assert set(layer.state_dict()) == {"weight", "bias"} and layer(x[:0]).shape[0] == 0


def test_axes_can_have_their_own_geometry():
    x = random(1, 2, 9, 14).float()
    assert SameConv2d(2, 3, (3, 5), (3, 1))(x).shape == (1, 3, 3, 14)
    assert SameConvTranspose2d(2, 3, (3, 5), (3, 1))(x).shape == (1, 3, 27, 14)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 12), KERNELS, STEPS)
def test_transposed_is_the_adjoint(size, kernel, stride):
    if kernel < stride:
        with pytest.raises(shapes.ShapeError, match="unpainted"):
            SameConvTranspose1d(1, 1, kernel, stride)
        return
    for axes, down, up in ((1, SameConv1d, SameConvTranspose1d), (2, SameConv2d, SameConvTranspose2d)):
        C, back = down(2, 3, kernel, stride, bias=False).double(), up(3, 2, kernel, stride, bias=False).double()
        back.weight = C.weight
        x, y = random(1, 2, *[size * stride] * axes), random(1, 3, *[size] * axes, seed=1)
        assert back(y).shape == x.shape
        torch.testing.assert_close((C(x) * y).sum(), (x * back(y)).sum(), rtol=1e-9, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(SIZES, KERNELS, STEPS, st.integers(1, 3), st.integers(0, 39))
def test_causal_never_looks_ahead(size, kernel, stride, dilation, now):
    layer = CausalConv1d(1, 1, kernel, stride, dilation).double()
    now = min(now, size - 1)
    x, y = random(1, 1, size), random(1, 1, size, seed=1)
    y[..., : now + 1] = x[..., : now + 1]  # the same past, another future
    seen = now // stride + 1
    assert layer(x).shape[-1] == -(-size // stride)
    assert torch.equal(layer(x)[..., :seen], layer(y)[..., :seen])


def test_causal_sees_the_present_at_its_last_tap():
    layer = CausalConv1d(1, 1, 3, dilation=2, bias=False)
    layer.weight.data = torch.tensor([[[1.0, 10.0, 100.0]]])
    assert layer(torch.eye(6)[:, None])[0, 0].tolist() == [100, 0, 10, 0, 1, 0]


@pytest.mark.parametrize("causal", [True, False])
def test_dilated_block_is_wavenets(causal):
    block = DilatedBlock(6, 5, kernel=3, dilation=2, causal=causal).double()
    x = random(2, 6, 30)
    padded = functional.pad(x, (4, 0) if causal else (2, 2))
    both = functional.conv1d(padded, block.conv.weight, block.conv.bias, dilation=2)
    h = both[:, :6].tanh() * both[:, 6:].sigmoid()
    out = functional.conv1d(h, block.out.weight, block.out.bias)
    onward, skip = block(x)
    torch.testing.assert_close(onward, x + out[:, :6])
    torch.testing.assert_close(skip, out[:, 6:])
    assert shapes.trace(block.float(), x.float()).rows[0].receptive_field == 5
    music = DilatedBlock(64, 64, kernel=3, causal=False, bias=False)  # Lluís et al. 2019
    assert sum(p.numel() for p in music.parameters()) == 64 * 128 * 3 + 64 * 128


def test_receptive_field_of_a_wavenet_stack():
    network = nn.Sequential(*(CausalConv1d(2, 2, 2, dilation=2**i) for i in range(6)))
    assert shapes.trace(network, torch.zeros(1, 2, 100)).rows[0].receptive_field == 2**6


def test_upsampling():
    x = torch.tensor([[[1.0, 3.0, 0.0]]])
    assert Upsample1d(2, "nearest")(x).flatten().tolist() == [1, 1, 3, 3, 0, 0]
    assert Upsample1d(2)(x).flatten().tolist() == [1, 2, 3, 1.5, 0, 0]
    assert Upsample1d(2, ends="cut")(x).flatten().tolist() == [1, 2, 3, 1.5, 0]
    y = random(2, 3, 17)
    for factor in (1, 2, 3, 8):
        size = 16 * factor + 1
        torch_says = functional.interpolate(y, size, mode="linear", align_corners=True)
        torch.testing.assert_close(Upsample1d(factor, ends="cut")(y), torch_says)
        torch.testing.assert_close(Upsample1d(factor, "nearest")(y), functional.interpolate(y, scale_factor=factor))
        assert Upsample1d(factor)(y).shape[-1] == 17 * factor
    assert Upsample1d(4)(torch.ones(1, 1, 1)).tolist() == [[[1, 1, 1, 1]]]
    assert "factor=4" in repr(Upsample1d(4))


@pytest.mark.parametrize("T", [1, 2, 3])
def test_one_frame_is_enough(T):
    x = torch.randn(1, 4, T)
    for layer in (SameConv1d(4, 4, 9), CausalConv1d(4, 4, 9, dilation=3), SameConvTranspose1d(4, 4, 5)):
        assert layer(x).shape == x.shape
    assert [y.shape[-1] for y in DilatedBlock(4, 2, kernel=3, dilation=512)(x)] == [T, T]
    assert SameConv2d(4, 1, 5, 2)(x[..., None]).shape == (1, 1, (T + 1) // 2, 1)


LAYERS = [SameConv1d(2, 1, 3), CausalConv1d(2, 1, 3), SameConvTranspose1d(2, 1, 4, 2), SameConv2d(2, 1, 3)]


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: type(layer).__name__)
@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda x: x[0], shapes.ShapeError, r"Add the batch with x\[None\]"),
        (lambda x: x[..., None], shapes.ShapeError, "Join or add axes"),
        (lambda x: x[:, :1], shapes.ShapeError, r"built for 2 features, but H .* is 1"),
        (lambda x: x.transpose(1, 2), shapes.ShapeError, r"use x.transpose\(1, 2\)"),
        (lambda x: x.transpose(1, -1), shapes.ShapeError, r"x.transpose\(1, [23]\)"),
        (lambda x: x[..., :0], shapes.ShapeError, r"T \(frame\) is 0 in .*nothing to slide over"),
        (lambda x: x.round().int(), TypeError, r"torch.int32.*x.float\(\)"),
        (lambda x: x > 0, TypeError, "torch.bool"),
        (lambda x: x.to(torch.complex64), TypeError, r"complex.*x.abs\(\)"),
        (lambda x: x.double(), TypeError, r"float64.*x.float\(\)"),
        (lambda x: x.numpy(), TypeError, "torch.as_tensor"),
        (lambda x: None, TypeError, "NoneType"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_axis_and_the_mend(layer, change, error, words):
    x = torch.zeros(1, 2, 9) if len(layer.kernel_size) == 1 else torch.zeros(1, 2, 9, 7)
    with pytest.raises(error, match=f"(?i)^{type(layer).__name__}.*{words}"):
        layer(change(x))


@pytest.mark.parametrize("kind", [SameConv1d, SameConv2d, SameConvTranspose1d, SameConvTranspose2d, CausalConv1d])
@pytest.mark.parametrize("wrong", [{"kernel": 0}, {"kernel": -3}, {"kernel": 2.0}, {"stride": 0}, {"stride": True}])
def test_a_geometry_that_cannot_be_is_refused_when_the_layer_is_built(kind, wrong):
    with pytest.raises(shapes.ShapeError, match=f"{next(iter(wrong))} is .*whole number of at least 1"):
        kind(1, 1, **{"kernel": 3, **wrong})
    if not issubclass(kind, SameConvTranspose1d | SameConvTranspose2d):
        with pytest.raises(shapes.ShapeError, match="dilation is 0"):
            kind(1, 1, 3, dilation=0)


def test_settings_that_cannot_be_are_refused():
    with pytest.raises(shapes.ShapeError, match="kernel of at least 4"):
        SameConvTranspose2d(1, 1, (4, 3), (4, 4))
    for wrong in ({"factor": 0}, {"factor": 1.5}, {"mode": "cubic"}, {"ends": "wrap"}):
        with pytest.raises(ValueError, match="choose|whole number"):
            Upsample1d(**wrong)
    for wrong in (torch.zeros(2, 3), torch.zeros(1, 2, 0)):
        with pytest.raises(shapes.ShapeError, match="T of at least 1"):
            Upsample1d()(wrong)


def test_gradients_half_precision_and_tracing():
    layers = nn.Sequential(SameConv1d(1, 4, 5, 2), DilatedFirst(4), Upsample1d(2), SameConvTranspose1d(4, 1, 4, 2))
    x = torch.randn(2, 1, 21, requires_grad=True)
    layers(x).square().sum().backward()
    assert x.grad.isfinite().all() and (x.grad != 0).all()
    with torch.autocast("cpu", torch.bfloat16):
        assert layers(x).dtype == torch.bfloat16
    text = str(shapes.trace(layers, x.detach()))
    assert "SameConv1d" in text and "(B=2, H=1, T=21)" in text.replace("H'=", "H=")


class DilatedFirst(DilatedBlock):
    """A dilated block that returns what goes on, for a chain."""

    dims = "B H T -> B H T"

    def __init__(self, width):
        super().__init__(width, 1, kernel=3, dilation=2)

    def forward(self, x):
        return super().forward(x)[0]


@pytest.mark.parametrize("stride, earlier", [(1, 0), (2, 1)])
def test_symmetric_padding_reads_one_place_earlier_at_stride_2_and_none_at_stride_1(stride, earlier):
    x, weight = torch.randn(1, 1, 64), torch.randn(1, 1, 5)
    before, after = same_padding(64, 5, stride)
    ours = nn.functional.conv1d(nn.functional.pad(x, (before, after)), weight, stride=stride)
    theirs = nn.functional.conv1d(nn.functional.pad(x, (2 - earlier, 2)), weight, stride=stride)[..., : ours.shape[-1]]
    torch.testing.assert_close(ours, theirs)
    symmetric = nn.functional.conv1d(x, weight, stride=stride, padding=2)
    assert torch.equal(symmetric, ours) is (earlier == 0)
