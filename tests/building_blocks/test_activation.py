"""Activations: the numbers and slopes of PyTorch, also far out, and errors that name the axis."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from sepbook.building_blocks.activation import (
    ACTIVATIONS,
    GLU,
    PReLU,
    activation,
    glu,
    leaky_relu,
    prelu,
    sigmoid,
    softmax,
)

FAR = [-1e4, -200.0, -89.0, -17.0, -1.0, -1e-8, 0.0, 1e-8, 1.0, 17.0, 89.0, 200.0, 1e4]
SLOPES = torch.tensor([0.1, 0.5, -0.3, 1.0], dtype=torch.float64)


def noise(*shape, seed=0):
    return 3 * torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def with_slope(function, x):
    x = x.double().requires_grad_()
    y = function(x)
    (slope,) = torch.autograd.grad((y * torch.arange(1.0, y.numel() + 1).view_as(y)).sum(), x)
    return y.detach(), slope


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        (sigmoid, torch.sigmoid),
        (leaky_relu, functional.leaky_relu),
        (lambda x: leaky_relu(x, 0.2), lambda x: functional.leaky_relu(x, 0.2)),
        (lambda x: leaky_relu(x, 0.0), torch.relu),
        (lambda x: prelu(x, SLOPES), lambda x: functional.prelu(x, SLOPES)),
        (lambda x: prelu(x, SLOPES[:1]), lambda x: functional.prelu(x, SLOPES[:1])),
        (lambda x: softmax(x, 1), lambda x: functional.softmax(x, 1)),
        (lambda x: softmax(x, -1), lambda x: functional.softmax(x, -1)),
        (glu, lambda x: functional.glu(x, 1)),
        (lambda x: glu(x, -1), lambda x: functional.glu(x, -1)),
    ],
)
@pytest.mark.parametrize("x", [noise(2, 4, 6), noise(3, 4, 5, 2), torch.tensor(FAR + FAR[:3]).view(1, 4, 4)])
def test_values_and_slopes_are_pytorchs(mine, theirs, x):
    for mine_is, theirs_is in zip(with_slope(mine, x), with_slope(theirs, x), strict=True):
        torch.testing.assert_close(mine_is, theirs_is)


@settings(max_examples=30, deadline=None)
@given(shift=st.floats(-1e3, 1e3), seed=st.integers(0, 100))
def test_softmax_shares_one_unit_however_loud(shift, seed):
    x = noise(2, 3, 5, seed=seed).double()
    shares = softmax(x + shift, 1)
    assert (shares > 0).all()
    torch.testing.assert_close(shares.sum(1), torch.ones(2, 5, dtype=torch.float64))
    torch.testing.assert_close(shares, softmax(x, 1))


def test_where_a_sigmoid_is_one():
    """In float32 from about 16.6, in bf16 from 6.25; 0 on the other side is much farther out."""
    for x, dtype, reached in [
        (16.5, torch.float32, False),
        (16.7, torch.float32, True),
        (6.1875, torch.bfloat16, False),
        (6.25, torch.bfloat16, True),
    ]:
        assert (torch.tensor(x, dtype=dtype).sigmoid() == 1).item() is reached
    assert torch.tensor(-80.0).sigmoid() > 0 and torch.tensor(-120.0).sigmoid() == 0


@pytest.mark.parametrize("name", [*ACTIVATIONS, "prelu"])
@pytest.mark.parametrize("shape", [(2, 4), (2, 4, 6), (1, 1, 4, 2, 3), (0, 4, 3)])
def test_by_name_the_shape_stays(name, shape):
    assert activation(name)(noise(*shape)).shape == shape


def test_by_name_softmax_and_glu_take_an_axis():
    x = noise(2, 3, 4, 6)
    torch.testing.assert_close(activation("softmax", 2)(x).sum(2), torch.ones(2, 3, 6))
    assert activation("glu", 2)(x).shape == (2, 3, 2, 6) and GLU(-1)(x).shape == (2, 3, 4, 3)
    assert "axis=2" in repr(activation("softmax", 2)) and "tanh" in repr(activation("tanh"))


def test_a_slope_is_learned():
    truth, layer, x = torch.tensor([0.0, 0.1, 0.6, 1.0]), PReLU(4), noise(64, 4, 10)
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.05)
    for _ in range(150):
        optimizer.zero_grad()
        (layer(x) - prelu(x, truth)).square().mean().backward()
        optimizer.step()
    torch.testing.assert_close(layer.slope.detach(), truth, atol=0.01, rtol=0)
    torch.testing.assert_close(PReLU()(x), nn.PReLU()(x))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: activation("gelu"), "'gelu'; choose one of sigmoid, .*glu"),
        (lambda: glu(noise(2, 5, 4)), r"axis 1.*odd size, 5, in \(2, 5, 4\).*twice as many"),
        (lambda: glu(noise(4)), r"axis 1, but the input has 1 axes.*x\[None\]"),
        (lambda: activation("softmax", 4)(noise(2, 3)), "axis 4.*from 0 to 1"),
        (lambda: softmax(noise(2, 3), 2), "axis 2"),
        (lambda: prelu(noise(2, 3, 4), SLOPES), r"4 slopes.*axis 1 .*H=4.*\(2, 3, 4\)"),
        (lambda: prelu(noise(4), SLOPES), "axis 1"),
    ],
)
def test_errors_name_the_axis_and_say_how_to_mend_it(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize("name", [*ACTIVATIONS, "prelu", "glu"])
@pytest.mark.parametrize(("dtype", "words"), [(torch.long, "x.float"), (torch.bool, "float"), (torch.cfloat, "abs")])
def test_integers_and_complex_numbers_are_refused(name, dtype, words):
    with pytest.raises(ValueError, match=words):
        activation(name)(torch.ones(2, 4, dtype=dtype))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_the_type_stays(dtype):
    for name in [*ACTIVATIONS, "glu"]:
        assert activation(name)(noise(2, 4).to(dtype)).dtype == dtype
    assert sigmoid(noise(3).to(dtype)).dtype == softmax(noise(3).to(dtype), 0).dtype == dtype
