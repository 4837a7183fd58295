import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from sepbook import shapes
from sepbook.building_blocks.recurrent import (
    LAYERS,
    RecurrentMasks,
    RecurrentStack,
    frames,
    gradient_by_lag,
    gru_step,
    lstm_step,
    parameter_count,
    reach,
    rnn_step,
    shipped_masks,
)

STEPS = {"rnn": rnn_step, "lstm": lstm_step, "gru": gru_step}
H_IN, H = 7, 5


def noise(T=9, B=2, seed=0):
    return torch.randn(B, T, H_IN, generator=torch.Generator().manual_seed(seed))


def stack(**fields):
    torch.manual_seed(0)
    return RecurrentStack(H_IN, H, **fields)


@pytest.mark.parametrize("kind", LAYERS)
def test_steps_are_those_of_pytorch(kind):
    layer, x = stack(kind=kind).layers, noise()
    states = (torch.zeros(2, H),) * (2 if kind == "lstm" else 1)
    outputs = []
    for t in range(x.shape[1]):
        new = STEPS[kind](x[:, t], *states, *layer._flat_weights)
        states = new if kind == "lstm" else (new,)
        outputs.append(states[0])
    whole, last = layer(x)
    torch.testing.assert_close(torch.stack(outputs, 1), whole)
    torch.testing.assert_close(states[-1], (last[1] if kind == "lstm" else last)[0])


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("L", [1, 3])
@pytest.mark.parametrize("kind", LAYERS)
def test_shapes_and_counts(kind, L, bidirectional):
    layers = stack(L=L, kind=kind, bidirectional=bidirectional, dropout=0.3)
    assert layers(noise()).shape == (2, 9, layers.H_out) == (2, 9, H * (1 + bidirectional))
    assert parameter_count(H_IN, H, L, kind, bidirectional) == sum(p.numel() for p in layers.parameters())


def test_counts_of_published_trunks():
    """The numbers that the facts about the systems give, less what lies around the recurrent layers."""
    assert 29_767_460 - parameter_count(129, 600, 4, bidirectional=True) == 1200 * 258 + 258 + 2  # mask inference
    open_unmix = RecurrentStack(512, 256, 3, bidirectional=True, dropout=0.4)
    assert open_unmix.H_out == 512  # the skip beside it is 512 wide too
    assert sum(p.numel() for p in open_unmix.parameters()) == 3 * 2 * 4 * (256 * 512 + 256 * 256 + 2 * 256)


@pytest.mark.parametrize("L", [1, 2, 4])
def test_a_second_direction_more_than_doubles_what_is_stacked(L):
    ratio = parameter_count(129, 600, L, bidirectional=True) / parameter_count(129, 600, L)
    assert ratio == 2 if L == 1 else 2 < ratio < 3


@settings(max_examples=25, deadline=None)
@given(kind=st.sampled_from(list(LAYERS)), cuts=st.lists(st.integers(1, 19), max_size=4), L=st.integers(1, 2))
def test_chunks_are_the_whole(kind, cuts, L):
    layers, x = stack(L=L, kind=kind).eval(), noise(20)
    ends = sorted({0, 20, *cuts})
    state, outputs = None, []
    for start, end in zip(ends, ends[1:], strict=False):
        output, state = layers.stream(x[:, start:end], state)
        outputs.append(output)
    torch.testing.assert_close(torch.cat(outputs, 1), layers(x), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("kind", LAYERS)
def test_one_direction_is_causal_and_two_are_not(kind):
    x = noise()
    changed = x.clone()
    changed[:, 5] += 1
    for bidirectional in (False, True):
        layers = stack(kind=kind, bidirectional=bidirectional)
        differs = (layers(x) - layers(changed)).abs().amax((0, 2)) > 0  # (T,)
        assert differs[5:].all() and differs[:5].any() == bidirectional
    backward = layers(x)[..., H:]  # the second half is the second direction: it has seen nothing later than the end
    alone = stack(kind=kind)
    names = [f"{name}_reverse" for name, _ in alone.layers.named_parameters()]
    weights = dict(layers.layers.named_parameters())
    alone.layers.load_state_dict({name.removesuffix("_reverse"): weights[name] for name in names})
    torch.testing.assert_close(backward, alone(x.flip(1)).flip(1))


def test_forget_bias_is_shared_by_the_two_biases():
    for L, bidirectional in ((1, False), (3, True)):
        layers = stack(L=L, bidirectional=bidirectional, forget_bias=2).layers
        biases = [p for name, p in layers.named_parameters() if name.startswith("bias")]
        assert len(biases) == 2 * L * (1 + bidirectional)
        assert all((bias[H : 2 * H] == 1).all() and not (bias[:H] == 1).any() for bias in biases)
    kept = lstm_step(torch.zeros(1, H_IN), torch.zeros(1, H), torch.ones(1, H), *zero_but_forget(2.0))[1]
    torch.testing.assert_close(kept, torch.full((1, H), 1 / (1 + math.exp(-2))))


def zero_but_forget(bias):
    b = torch.zeros(4 * H)
    b[H : 2 * H] = bias
    return torch.zeros(4 * H, H_IN), torch.zeros(4 * H, H), b, torch.zeros(4 * H)


def test_dropout_acts_between_layers_in_training_only(recwarn):
    x = noise()
    deep = stack(L=2, dropout=0.5)
    assert not torch.equal(deep(x), deep(x))
    deep.eval()
    assert torch.equal(deep(x), deep(x))
    one = stack(dropout=0.5)
    assert torch.equal(one(x), one(x)), "a single layer has nothing between layers"
    assert not recwarn.list


def test_any_number_of_frames_and_items():
    layers = stack(L=2, bidirectional=True)
    assert layers(noise(1)).shape == (2, 1, 2 * H)
    assert layers(noise(1000)).shape == (2, 1000, 2 * H)
    assert layers(torch.zeros(0, 3, H_IN)).shape == (0, 3, 2 * H)
    x = noise()
    torch.testing.assert_close(layers(x)[:1], layers(x[:1]))


def test_trace_names_the_axes_also_without_memory():
    ledger = shapes.trace(stack(L=2, bidirectional=True), noise())
    assert "(B=2, T=9, H'=10)" in str(ledger) and ledger.parameters == parameter_count(H_IN, H, 2, "lstm", True)
    meta = RecurrentStack(129, 600, 4, bidirectional=True).to("meta")
    assert meta(torch.zeros(1, 20, 129, device="meta")).shape == (1, 20, 1200)


def test_half_precision_under_autocast_and_float64_by_conversion():
    layers = stack()
    x, gated = noise(), stack(kind="gru")
    with torch.autocast("cpu", torch.bfloat16):  # not every processor has an LSTM in bfloat16, but each has a GRU
        assert gated(x).shape == gated(x.bfloat16()).shape == (2, 9, H)
    assert layers.double()(noise().double()).dtype == torch.float64


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (noise()[0], "2 axes, but needs 3"),
        (noise()[None], "4 axes, but needs 3"),
        (noise().mT, r"T \(frame\) and H .* look swapped: x.transpose\(1, 2\)"),
        (noise()[..., :6], r"axis H .* is 6, but must be 7"),
        (noise()[:, :0], r"axis T \(frame\) is 0"),
        (noise().long(), r"x.float\(\)"),
        (noise() > 0, r"x.float\(\)"),
        (noise().to(torch.complex64), r"complex.*x.abs\(\)"),
        (noise().double(), r"stack.to\(torch.float64\)"),
        ([[1.0]], "is a list; expected a tensor"),
    ],
)
def test_refuses_what_it_cannot_read(x, words):
    with pytest.raises(ValueError, match=words):
        stack()(x)
    with pytest.raises(ValueError, match=words):
        stack().stream(x)


Z = torch.zeros


@pytest.mark.parametrize(
    ("kind", "state", "words"),
    [
        ("lstm", Z(1, 2, H), r"is a Tensor; .* a pair of tensors \(h, c\), each \(1, 2, 5\)"),
        ("lstm", (Z(1, 2, H),), "tuple of 1"),
        ("lstm", (Z(1, 2, H), None), "pair of tensors"),
        ("gru", (Z(1, 2, H), Z(1, 2, H)), "one tensor h"),
        ("gru", "x", "is a str"),
        ("gru", Z(2, 2, H), r"axis L \(layers\) of state h is 2, but must be 1"),
        ("rnn", Z(1, 3, H), r"axis B \(batch\) of state h is 3, but must be 2"),
        ("lstm", (Z(1, 2, H), Z(1, 2, H + 1)), r"axis H .* of state c is 6, but must be 5"),
        ("rnn", Z(2, H), "state h has 2 axes, but needs 3"),
        ("rnn", Z(1, 2, H).long(), "state h is of type"),
    ],
)
def test_refuses_a_state_that_does_not_fit(kind, state, words):
    with pytest.raises(ValueError, match=words):
        stack(kind=kind).stream(noise(), state)


def test_refuses_to_stream_two_directions():
    with pytest.raises(ValueError, match="bidirectional=False"):
        stack(bidirectional=True).stream(noise())


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"L": 0}, "L is 0"),
        ({"H_in": 2.0}, "H_in is 2.0"),
        ({"H": True}, "H is True"),
        ({"kind": "blstm"}, "'blstm' is unknown; choose one of rnn, lstm, gru"),
        ({"bidirectional": "yes"}, "True or False"),
        ({"dropout": 1.0}, "dropout is 1.0"),
        ({"dropout": "half"}, "dropout is 'half'"),
        ({"kind": "gru", "forget_bias": 1.0}, "no forget gate"),
        ({"forget_bias": math.nan}, "finite"),
    ],
)
def test_refuses_what_cannot_be_built(fields, words):
    with pytest.raises(ValueError, match=words):
        RecurrentStack(**{"H_in": H_IN, "H": H, **fields})


def test_gradient_by_lag_of_a_layer_that_is_known():
    """Without recurrent weights and with constant gates, an LSTM's gradient falls by the forget gate at each lag."""
    layer = RecurrentStack(H_IN, H, forget_bias=1.0)
    with torch.no_grad():
        layer.layers.weight_hh_l0.zero_()
        layer.layers.weight_ih_l0[H : 2 * H] = 0
        layer.layers.weight_ih_l0 *= 1e-3
    by_lag = gradient_by_lag(layer, noise(60))
    torch.testing.assert_close(by_lag[6:12] / by_lag[5:11], torch.full((6,), torch.sigmoid(torch.tensor(1.0)).item()),
                               rtol=2e-2, atol=0)  # fmt: skip
    assert reach(by_lag) in range(13, 18)  # 0.731 ** 14.7 is 0.01
    assert reach(torch.tensor([1.0, 0.1, 0.01, 0.009, 0.02, 0.0])) == 4


def test_units_are_not_frames():
    x = torch.randn(2, 300, 32, generator=torch.Generator().manual_seed(0))
    for kind in LAYERS:
        for units in (16, 128):
            torch.manual_seed(0)
            assert 3 <= reach(gradient_by_lag(RecurrentStack(32, units, kind=kind), x)) <= 12
    torch.manual_seed(0)
    assert reach(gradient_by_lag(RecurrentStack(32, 128, forget_bias=2.0), x)) > 30


def test_trains_also_compiled_away_from_checks():
    layers = stack(L=2)
    assert isinstance(layers.layers, nn.LSTM), "one stacked module, so that cuDNN can run it as one"
    layers(noise()).square().mean().backward()
    assert all(p.grad.isfinite().all() for p in layers.parameters())


def test_masks_of_a_stream_are_those_of_the_whole():
    torch.manual_seed(0)
    network = RecurrentMasks(33, 8, 2, S=3).eval()
    magnitude = torch.rand(2, 1, 33, 20, generator=torch.Generator().manual_seed(0))
    masks, state, parts = network(magnitude), None, []
    assert masks.shape == (2, 3, 1, 33, 20)
    torch.testing.assert_close(masks.sum(1), torch.ones(2, 1, 33, 20))
    for chunk in magnitude.split(7, dim=-1):
        part, state = network.stream(chunk, state)
        parts.append(part)
    torch.testing.assert_close(torch.cat(parts, dim=-1), masks)


@pytest.mark.parametrize("shape", [(33, 20), (2, 33, 20), (2, 2, 33, 20)])
def test_masks_want_one_channel(shape):
    with pytest.raises(ValueError, match=r"\(B, C, F, T\) with C=1"):
        RecurrentMasks(33, 8)(torch.rand(shape))


def test_frames_are_rows():
    magnitude = torch.rand(2, 1, 5, 7)
    assert torch.equal(frames(magnitude), magnitude[:, 0].log1p().transpose(1, 2))


def test_shipped_networks_are_what_they_say():
    causal, both = shipped_masks("causal"), shipped_masks("both ways")
    assert not causal.recurrent.bidirectional and both.recurrent.bidirectional
    counts = [sum(p.numel() for p in network.parameters()) for network in (causal, both)]
    assert abs(counts[0] / counts[1] - 1) < 0.02
    assert all(network(torch.rand(1, 1, 257, 9)).shape == (1, 4, 1, 257, 9) for network in (causal, both))
    with pytest.raises(ValueError, match="choose one of both ways, causal"):
        shipped_masks("backward")
