import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from sepbook.architectures import create
from sepbook.building_blocks.dropout import Dropout, drop, dropouts


def dice(seed=0):
    return torch.Generator().manual_seed(seed)


@settings(max_examples=30, deadline=None)
@given(rate=st.floats(0.0, 0.99), seed=st.integers(0, 1000), shared=st.integers(0, 3))
def test_a_value_is_gone_or_enlarged(rate, seed, shared):
    x = torch.randn(3, 4, 5, 6, generator=dice(seed))
    y = drop(x, rate, shared, dice(seed + 1))
    kept = y != 0
    torch.testing.assert_close(y[kept], x[kept] / (1 - rate))
    together = kept.flatten(4 - shared) if shared else kept[..., None]
    assert (together.all(-1) | ~together.any(-1)).all()  # values that share a draw share their fate


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("shared", [0, 1])
def test_the_share_and_the_mean_are_as_asked(rate, shared):
    y = drop(torch.ones(400, 500, 2), rate, shared, dice())
    draws = y.numel() / (2 if shared else 1)
    error = (rate * (1 - rate) / draws) ** 0.5  # standard error of the share
    assert abs((y == 0).double().mean() - rate) < 4 * error
    assert abs(y.double().mean() - 1) < 4 * error / (1 - rate)
    assert y.double().var().item() == pytest.approx(rate / (1 - rate), rel=0.05)


def test_all_and_nothing():
    x = torch.randn(2, 3, requires_grad=True)
    assert torch.equal(drop(x, 0.0), x)
    nothing = drop(x, 1.0)
    assert not nothing.any() and nothing.isfinite().all()
    nothing.sum().backward()
    assert torch.equal(x.grad, torch.zeros(2, 3))


def test_the_slope_passes_where_the_value_did():
    x = torch.randn(50, 20, requires_grad=True)
    y = drop(x, 0.5, generator=dice())
    y.sum().backward()
    assert torch.equal(x.grad, (y != 0) * 2.0)


@pytest.mark.parametrize(
    ("mine", "theirs", "shape"),
    [
        (Dropout(0.3), nn.Dropout(0.3), (400, 50)),
        (Dropout(0.3, shared=1), nn.Dropout1d(0.3), (400, 50, 7)),
        (Dropout(0.3, shared=2), nn.Dropout2d(0.3), (400, 50, 3, 5)),
        (Dropout(0.3, shared=3), nn.Dropout3d(0.3), (400, 50, 3, 2, 2)),
    ],
)
def test_the_same_values_and_shares_as_pytorch(mine, theirs, shape):
    x = torch.ones(shape)
    a, b = mine(x), theirs(x)
    assert torch.allclose(a.unique(), b.unique())
    fate = [(y != 0).reshape(*shape[:2], -1) for y in (a, b)]  # (B, H, the rest)
    shares = [f[..., 0].double().mean().item() for f in fate]
    assert shares[0] == pytest.approx(shares[1], abs=0.02)
    assert [bool((f == f[..., :1]).all()) for f in fate] == [True, True]  # the rest shares one draw


def test_evaluation_changes_nothing_and_training_draws_anew():
    layer, x = Dropout(0.5), torch.ones(100, 10)
    assert not torch.equal(layer(x), layer(x))
    layer.eval()
    assert layer(x) is x


def test_where_networks_drop():
    assert dropouts(create("unet", "paper")) == {f"network.decoder.{i}.finish.2": 0.5 for i in range(3)}
    assert dropouts(create("unet", "small")) == {}
    stack = nn.ModuleDict({"lstm": nn.LSTM(4, 3, 2, dropout=0.3), "one": nn.GRU(4, 3), "own": Dropout(0.1)})
    assert dropouts(stack) == {"lstm (between its layers)": 0.3, "own": 0.1}


@pytest.mark.parametrize("rate", [-0.1, 1.5, float("nan")])
def test_a_rate_is_a_probability(rate):
    for make in (Dropout, lambda rate: drop(torch.ones(2), rate)):
        with pytest.raises(ValueError, match="between 0 .* and 1"):
            make(rate)


@pytest.mark.parametrize(
    ("x", "shared", "words"),
    [
        (torch.ones(2, 3, dtype=torch.long), 0, "x.float()"),
        (torch.ones(2, 3, dtype=torch.complex64), 0, "complex .*view_as_real"),
        (torch.ones(2, 3), 2, "the batch B, has to draw for itself"),
        (torch.ones(2, 3), -1, "shared=-1"),
    ],
)
@pytest.mark.parametrize("training", [True, False])
def test_bad_input_is_named(x, shared, words, training):
    with pytest.raises(ValueError, match=words):
        Dropout(0.5, shared).train(training)(x)


@pytest.mark.parametrize("shape", [(1, 1), (1, 4, 0), (0, 3)])
def test_small_and_empty_batches_pass(shape):
    assert Dropout(0.5)(torch.ones(shape)).shape == shape


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_the_type_stays(dtype):
    assert Dropout(0.5)(torch.ones(8, 8, dtype=dtype)).dtype == dtype
