"""What a pass costs: multiply-accumulates by formula, compared with what torch counts."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from sepbook import shapes
from sepbook.shapes.ledger import amount


def flops(model, x):
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(x)
    return counter.get_total_flops()


CONVOLUTION = st.fixed_dictionaries(
    {
        "kernel_size": st.integers(1, 5),
        "stride": st.integers(1, 3),
        "padding": st.integers(0, 2),
        "dilation": st.integers(1, 2),
        "groups": st.sampled_from([1, 2]),
    }
)


@settings(max_examples=40, deadline=None)
@given(
    options=CONVOLUTION,
    kind=st.sampled_from([nn.Conv1d, nn.Conv2d, nn.ConvTranspose1d, nn.ConvTranspose2d]),
    inputs=st.sampled_from([2, 4]),
    outputs=st.sampled_from([2, 6]),
)
def test_macs_of_convolutions_are_half_of_the_flops_that_torch_counts(options, kind, inputs, outputs):
    with torch.device("meta"):
        layer = kind(inputs, outputs, **options)
        x = torch.zeros(3, inputs, *([20] if "1d" in kind.__name__ else [20, 17]))
        assert 2 * shapes.trace(layer, x).macs == flops(layer, x) > 0


@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("layers", [1, 3])
def test_macs_of_recurrent_layers(kind, bidirectional, layers):
    gates, directions = {nn.RNN: 1, nn.LSTM: 4, nn.GRU: 3}[kind], 1 + bidirectional
    per_step = directions * gates * (7 * 6 + 6 * 6)
    per_step += (layers - 1) * directions * gates * (directions * 6 * 6 + 6 * 6)
    model = kind(7, 6, layers, batch_first=True, bidirectional=bidirectional)
    x = torch.zeros(2, 5, 7)
    assert shapes.trace(model, x).macs == 2 * 5 * per_step  # torch itself counts 0 for an LSTM on the CPU
    assert flops(model.to("meta"), x.to("meta")) == 2 * 2 * 5 * per_step
    assert shapes.trace(model, x.to("meta")).macs == 2 * 5 * per_step


@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU])
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("shape", [(5, 7), (2, 5, 7)])
def test_recurrent_layers_have_the_same_shapes_on_the_meta_device(kind, batch_first, shape):
    class States(nn.Module):
        def __init__(self):
            super().__init__()
            projection = {"proj_size": 3} if kind is nn.LSTM else {}
            self.layer = kind(7, 6, 2, batch_first=batch_first, bidirectional=True, **projection)

        def forward(self, x):
            output, state = self.layer(x)
            return output, *(state if isinstance(state, tuple) else [state])

    model, x = States(), torch.zeros(shape)
    expected = [output.sizes for output in shapes.trace(model, x).rows[0].outputs]
    trace = shapes.trace(model.to("meta"), x.to("meta"))
    assert [output.sizes for output in trace.rows[0].outputs] == expected
    assert "forward" not in vars(model.layer) and len(expected) == (3 if kind is nn.LSTM else 2)


def test_macs_of_other_layers():
    assert shapes.trace(nn.Linear(7, 3), torch.zeros(2, 5, 7)).macs == 2 * 5 * 7 * 3
    lstm = nn.LSTM(7, 6, proj_size=2)
    assert shapes.trace(lstm, torch.zeros(5, 7)).macs == 5 * (4 * 6 * 7 + 4 * 6 * 2 + 2 * 6)
    packed = nn.utils.rnn.pack_sequence([torch.zeros(5, 7), torch.zeros(3, 7)])

    class Packed(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(7, 6)

        def forward(self, x):
            return self.lstm(packed)[0].data

    assert shapes.trace(Packed(), torch.zeros(1)).macs == 8 * 4 * 6 * (7 + 6)

    class Attention(nn.Module):
        def forward(self, x):
            return torch.einsum("bct,bdt->bcd", x, x)

    assert shapes.trace(Attention(), torch.zeros(2, 3, 10)).macs == 2 * 3 * 3 * 10


def test_amounts_have_three_digits():
    values = {0: "0", 12: "12", 999: "999", 1000: "1.00 k", 99_950: "100 k", 999_499: "999 k", 999_500: "1.00 M"}
    assert {value: amount(value) for value in values} == values
    assert amount(62_500_000) == "62.5 M" and amount(4.98e9) == "4.98 G"


def test_a_model_that_is_given_frames_needs_the_hop_for_macs_per_second():
    trace = shapes.trace(nn.Conv2d(1, 1, 3), torch.zeros(2, 1, 129, 50))
    assert trace.unit == "frames" and trace.rows[0].receptive_field == 3
    with pytest.raises(shapes.ShapeError, match="sample rate"):
        trace.macs_per_second()
    with pytest.raises(shapes.ShapeError, match="needs hop"):
        trace.macs_per_second(8000)
    assert trace.macs_per_second(8000, hop=64) == pytest.approx(trace.macs / 2 / (50 * 64 / 8000))
