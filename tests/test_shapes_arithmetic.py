"""The arithmetic of convolutions, compared with PyTorch's own layers."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from sepbook import shapes

GEOMETRY = {
    "n": st.integers(1, 60),
    "kernel": st.integers(1, 9),
    "stride": st.integers(1, 5),
    "padding": st.integers(0, 6),
    "dilation": st.integers(1, 4),
}


def length_or_error(layer, n):
    try:
        return layer(torch.zeros(1, 1, n)).shape[-1]
    except RuntimeError:
        return None


@given(**GEOMETRY)
def test_lengths_of_convolutions_agree_with_torch(n, kernel, stride, padding, dilation):
    expected = length_or_error(nn.Conv1d(1, 1, kernel, stride, padding, dilation), n)
    if expected is None:
        with pytest.raises(shapes.ShapeError, match="no place to put it"):
            shapes.conv_length(n, kernel, stride, padding, dilation, explain=False)
    else:
        assert shapes.conv_length(n, kernel, stride, padding, dilation, explain=False) == expected


@given(extra=st.integers(0, 5), **GEOMETRY)
def test_lengths_of_transposed_convolutions_agree_with_torch(n, kernel, stride, padding, dilation, extra):
    layer = nn.ConvTranspose1d(1, 1, kernel, stride, padding, extra, dilation=dilation)
    expected = length_or_error(layer, n)
    if not expected:
        with pytest.raises(shapes.ShapeError, match="nothing is left|output_padding is"):
            shapes.conv_length(n, kernel, stride, padding, dilation, True, extra, explain=False)
    else:
        assert shapes.conv_length(n, kernel, stride, padding, dilation, True, extra, explain=False) == expected


@given(height=st.integers(9, 40), width=st.integers(9, 40), kernel=st.integers(1, 5), stride=st.integers(1, 3))
def test_two_dimensions_are_one_dimension_twice(height, width, kernel, stride):
    out = nn.Conv2d(1, 1, (kernel, 3), (stride, 2), padding=(1, 0))(torch.zeros(1, 1, height, width))
    assert out.shape[-2] == shapes.conv_length(height, kernel, stride, 1, explain=False)
    assert out.shape[-1] == shapes.conv_length(width, 3, 2, explain=False)


@given(n=st.integers(5, 60), before=st.integers(0, 4), after=st.integers(0, 4))
def test_padding_may_differ_at_the_two_ends(n, before, after):
    padded = nn.functional.pad(torch.zeros(1, 1, n), (before, after))
    assert shapes.conv_length(n, 5, 2, (before, after), explain=False) == nn.Conv1d(1, 1, 5, 2)(padded).shape[-1]


def test_the_arithmetic_is_printed_step_by_step(capsys):
    length = shapes.conv_length(16, 5, 2, 2)
    assert capsys.readouterr().out == (
        "the kernel covers     dilation * (kernel - 1) + 1 = 1 * (5 - 1) + 1 = 5\n"
        "the padded input has  n + before + after = 16 + 2 + 2 = 20\n"
        "the kernel fits       (20 - 5) // 2 + 1 = 8 times\n"
        "left over             1 at the end, which no position of the kernel reaches\n"
        "output length         8\n"
    )
    assert repr(length) == "8" and length.value == 8 and length.steps.endswith("8")
    shapes.conv_length(8, 5, 2, 2, transposed=True, output_padding=1)
    assert "output padding adds     15 + 1 = 16" in capsys.readouterr().out
    shapes.conv_length(16, 5, explain=False)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kernel": 0}, "kernel is 0, but must be a whole number of at least 1"),
        ({"kernel": 3, "stride": 0}, "stride is 0"),
        ({"kernel": 3, "stride": 1.5}, "stride is 1.5"),
        ({"kernel": 3, "padding": -1}, "padding is -1"),
        ({"kernel": 3, "padding": (1, -2)}, "padding is -2"),
        ({"kernel": 3, "dilation": True}, "dilation is True"),
        ({"kernel": 9, "dilation": 2}, r"covers 17 values, but the padded input has only 8.*n of at least 17"),
        ({"kernel": 3, "output_padding": 1}, "add transposed=True"),
        ({"kernel": 3, "stride": 2, "transposed": True, "output_padding": 2}, "smaller than the stride"),
        ({"kernel": 1, "transposed": True, "padding": 4}, "nothing is left"),
    ],
)
def test_impossible_geometry_is_explained(arguments, message):
    with pytest.raises(shapes.ShapeError, match=message):
        shapes.conv_length(8, **arguments)


def measured(layers) -> tuple[int, int]:
    """Measure field and hop: which inputs have a gradient at two neighbouring outputs in the middle?"""
    chain = nn.Sequential(*(nn.Conv1d(1, 1, k, s, dilation=d, bias=False) for k, s, d in layers)).double()
    for layer in chain:
        nn.init.ones_(layer.weight)
    n = 1
    for k, s, d in reversed(layers):
        n = n * s + d * (k - 1) + 1
    x = torch.zeros(1, 1, n, dtype=torch.double, requires_grad=True)
    y = chain(x)[0, 0]
    seen = [torch.autograd.grad(y[i], x, retain_graph=True)[0].flatten().nonzero().flatten() for i in (0, 1)]
    return int(seen[0].max() - seen[0].min()) + 1, int(seen[1].min() - seen[0].min())


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 3), st.integers(1, 3)), min_size=1, max_size=4))
def test_receptive_fields_agree_with_gradients(layers):
    field = shapes.receptive_field(layers, explain=False)
    assert (field, field.hop) == measured(layers)


def test_receptive_fields_grow_layer_by_layer(capsys):
    field = shapes.receptive_field([(5, 2), 3, (3, 1, 4)])
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 5
    assert printed[3].split() == ["3", "3", "1", "4", *"(3 - 1) * 4 * 2 = 16".split(), "25", "2"]
    assert printed[-1] == "one output sees 25 input values; the next one starts 2 later"
    assert field.milliseconds(8000) == pytest.approx(3.125)


def test_the_wavenet_of_the_literature_sees_8185_samples():
    layers = [(3, 1, 2**i) for _ in range(4) for i in range(10)]  # Lluis et al. 2019
    assert shapes.receptive_field(layers, explain=False) == 8185


def test_a_receptive_field_refuses_impossible_layers():
    with pytest.raises(shapes.ShapeError, match="stride of layer 2 is 0"):
        shapes.receptive_field([(3,), (3, 0)], explain=False)
