import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from sepbook.building_blocks import normalization as blocks
from sepbook.building_blocks.normalization import (
    BatchNorm,
    CumulativeLayerNorm,
    FrameLayerNorm,
    GlobalLayerNorm,
    InputScaling,
    group_norm,
    normalize,
    past_moves,
    standardise,
    whiten,
)

LAYERS = (GlobalLayerNorm, FrameLayerNorm, CumulativeLayerNorm, BatchNorm)


def features(*shape, seed=0):
    return 3 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) + 2


def scrambled(layer):
    """Give a layer weights and averages that differ from their defaults."""
    for i, tensor in enumerate(layer.state_dict().values()):
        if tensor.is_floating_point():
            tensor.copy_(torch.rand(tensor.shape, generator=torch.Generator().manual_seed(i)) + 0.5)
    return layer


class OnACard(GlobalLayerNorm):
    """Goes the way that is for a card, wherever the numbers lie."""

    def forward(self, x):
        return self.on_many_processors(x)


TORCH = {
    "global": (GlobalLayerNorm(6), nn.GroupNorm(1, 6)),
    "global, as on a card": (OnACard(6), nn.GroupNorm(1, 6)),
    "batch, training": (BatchNorm(6), nn.BatchNorm1d(6)),
    "batch, eval": (BatchNorm(6).eval(), nn.BatchNorm1d(6).eval()),
}


@pytest.mark.parametrize("name", TORCH)
@pytest.mark.parametrize("shape", [(3, 6, 7), (2, 6, 1), (1, 6, 5)])
def test_layers_have_the_numbers_the_gradients_and_the_state_of_pytorch(name, shape):
    mine, theirs = TORCH[name]
    theirs.load_state_dict(scrambled(mine).state_dict())
    x, y = features(*shape).requires_grad_(), features(*shape).requires_grad_()
    torch.testing.assert_close(mine(x), theirs(y), atol=1e-5, rtol=1e-4)
    mine(x).cos().sum().backward()
    theirs(y).cos().sum().backward()
    torch.testing.assert_close(x.grad, y.grad, atol=1e-4, rtol=1e-3)
    for key, value in theirs.state_dict().items():
        torch.testing.assert_close(mine.state_dict()[key], value)


def test_frame_norm_is_pytorchs_layer_norm_along_the_features():
    mine, theirs = scrambled(FrameLayerNorm(6)), nn.LayerNorm(6)
    theirs.load_state_dict(mine.state_dict())
    torch.testing.assert_close(mine(features(3, 6, 7)), theirs(features(3, 6, 7).mT).mT)


@pytest.mark.parametrize("groups", [1, 2, 3, 6])
def test_group_norm_is_pytorchs_and_ends_at_layer_and_instance_norm(groups):
    x = features(3, 6, 7)
    torch.testing.assert_close(group_norm(x, groups), nn.GroupNorm(groups, 6)(x))
    torch.testing.assert_close(group_norm(x, 1), normalize(x, (1, 2)))
    torch.testing.assert_close(group_norm(x, 6), nn.InstanceNorm1d(6)(x))


@settings(max_examples=20, deadline=None)
@given(B=st.integers(1, 3), H=st.integers(1, 5), T=st.integers(1, 9), cut=st.integers(1, 9), offset=st.floats(-50, 50))
def test_cumulative_norm_is_the_norm_of_all_frames_so_far_whole_or_in_chunks(B, H, T, cut, offset):
    layer, x = scrambled(CumulativeLayerNorm(H)), features(B, H, T) + offset
    whole = layer(x)
    if H > 1:  # one feature alone has no variance in the first frame, and rounding is all that is left of it
        wanted = torch.stack([normalize(x[..., : t + 1], (1, 2))[..., -1] for t in range(T)], -1)
        torch.testing.assert_close(whole, layer.learned(wanted), atol=5e-3, rtol=5e-3)
    pieces, state = [], None
    for piece in x.split(cut, -1):
        y, state = layer.stream(piece, state)
        pieces.append(y)
    torch.testing.assert_close(torch.cat(pieces, -1), whole, atol=1e-3, rtol=1e-3)
    assert state.shape == (B, 4)


def test_cumulative_norm_keeps_its_digits_on_a_large_offset():
    x = torch.randn(2, 8, 2000, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(CumulativeLayerNorm(8)(x + 1000), CumulativeLayerNorm(8)(x), atol=2e-2, rtol=1e-2)
    torch.testing.assert_close(CumulativeLayerNorm(8)(x)[..., -1], GlobalLayerNorm(8)(x)[..., -1], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("layer", "leaks"),
    [
        (BatchNorm(6), True),
        (BatchNorm(6).eval(), False),
        (nn.InstanceNorm1d(6), True),
        (GlobalLayerNorm(6), True),
        (CumulativeLayerNorm(6), False),
        (FrameLayerNorm(6), False),
    ],
)
@pytest.mark.parametrize("t", [1, 4, 8])
def test_what_leaks_the_future(layer, leaks, t):
    before = {key: value.clone() for key, value in layer.state_dict().items()}
    moved = past_moves(layer, features(2, 6, 9), t)
    assert (moved > 1e-2) == leaks and (leaks or moved == 0)
    assert all(torch.equal(value, before[key]) for key, value in layer.state_dict().items())


@pytest.mark.parametrize("t", [0, 9, -1])
def test_the_future_must_have_a_past(t):
    with pytest.raises(ValueError, match="must have frames before it and after it"):
        past_moves(GlobalLayerNorm(6), features(2, 6, 9), t)


@pytest.mark.parametrize("layer", (*LAYERS, OnACard))
def test_silence_and_one_frame_stay_finite_with_their_gradients(layer):
    for x in (torch.zeros(2, 3, 4), features(2, 3, 1)):
        x.requires_grad_()
        y = layer(3)(x)
        y.square().sum().backward()
        assert y.shape == x.shape and y.isfinite().all() and x.grad.isfinite().all()


BAD = {
    "complex": (torch.zeros(2, 6, 5, dtype=torch.complex64), "abs()"),
    "integer": (torch.zeros(2, 6, 5, dtype=torch.int16), "x.float()"),
    "array": ([[1.0]], "torch.as_tensor"),
    "one axis less": (torch.zeros(6, 5), "x[None]"),
    "one axis more": (torch.zeros(2, 1, 6, 5), "(B, H, T)"),
    "swapped": (torch.zeros(2, 5, 6), "x.mT"),
    "other features": (torch.zeros(2, 4, 5), "built for 6 features"),
    "no frames": (torch.zeros(2, 6, 0), "T (frame) is 0"),
    "no songs": (torch.zeros(0, 6, 5), "B (batch) is 0"),
}


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_with_the_axis_and_the_mend(layer, name):
    x, words = BAD[name]
    with pytest.raises((ValueError, TypeError)) as error:
        layer(6)(x)
    assert words in str(error.value) and layer.__name__ in str(error.value)


def test_batch_norm_in_training_refuses_a_single_value_and_answers_it_in_evaluation():
    layer = BatchNorm(6)
    with pytest.raises(ValueError, match=r"B=1 and T=1.*\.eval\(\)"):
        layer(features(1, 6, 1))
    assert layer.num_batches_tracked == 0
    assert layer.eval()(features(1, 6, 1)).shape == (1, 6, 1)


@pytest.mark.parametrize("layer", LAYERS)
def test_float64_as_numpy_makes_it_is_taken(layer):
    x = features(2, 6, 5).double()
    torch.testing.assert_close(layer(6)(x).float(), layer(6)(x.float()), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("H", [0, -1, 2.0, True])
def test_layers_need_a_feature(H):
    with pytest.raises(ValueError, match="H is"):
        GlobalLayerNorm(H)


@pytest.mark.parametrize("groups", [0, 4, 7])
def test_groups_must_divide_the_features(groups):
    with pytest.raises(ValueError, match="do not divide the 6 features"):
        group_norm(features(2, 6, 5), groups)


def rows(count=4000, H=5, seed=0):
    mix = torch.randn(H, H, generator=torch.Generator().manual_seed(9))
    return torch.randn(count, H, generator=torch.Generator().manual_seed(seed)) @ mix + 3


def covariance(x):
    return torch.cov(x.mT, correction=0)


def test_standardising_evens_out_the_variances_and_leaves_the_correlations():
    x = rows()
    even = standardise(x.view(40, 100, 5)).view(-1, 5)
    torch.testing.assert_close(covariance(even).diag(), torch.ones(5))
    torch.testing.assert_close(even.mean(0), torch.zeros(5), atol=1e-5, rtol=0)
    torch.testing.assert_close(torch.corrcoef(even.mT), torch.corrcoef(x.mT))


@pytest.mark.parametrize("kind", ["pca", "zca"])
def test_whitening_makes_the_covariance_the_unit_matrix(kind):
    x = rows()
    torch.testing.assert_close(covariance(whiten(x, kind=kind)), torch.eye(5), atol=1e-3, rtol=0)


def test_zca_stays_nearest_to_the_features_and_pca_is_a_turn_of_it():
    x = rows()
    near, turned = whiten(x, kind="zca"), whiten(x, kind="pca")
    centred = x - x.mean(0)
    assert (near - centred).square().mean() < (turned - centred).square().mean()
    torch.testing.assert_close(near @ near[:50].mT, turned @ turned[:50].mT, atol=1e-3, rtol=1e-3)
    matrix = torch.linalg.lstsq(centred, near).solution
    torch.testing.assert_close(
        matrix, matrix.mT, atol=1e-4, rtol=1e-3
    )  # the symmetric root of the covariance's inverse


@pytest.mark.parametrize("way", [standardise, whiten])
def test_the_reference_is_measured_and_not_the_features(way):
    train, test = rows(), rows(60, seed=1)
    alone = torch.cat([way(row[None], train) for row in test])
    torch.testing.assert_close(way(test, train), alone, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("way", [standardise, whiten])
def test_a_feature_that_never_changes_does_not_become_huge(way):
    x = rows()
    x[:, 2] = 7
    assert way(x).isfinite().all() and way(x).abs().max() < 10
    assert way(torch.zeros(8, 3)).abs().max() == 0


@pytest.mark.parametrize("way", [standardise, whiten, InputScaling.of])
@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (torch.zeros(5), "at least two rows"),
        (torch.zeros(1, 5), "at least two rows"),
        (torch.zeros(0, 5), "at least two rows"),
        (torch.zeros(4, 5, dtype=torch.int64), "x.float()"),
        (torch.zeros(4, 5, dtype=torch.complex64), "abs()"),
    ],
)
def test_data_sets_that_cannot_be_measured(way, bad, words):
    with pytest.raises((ValueError, TypeError)) as error:
        way(bad)
    assert words in str(error.value)


def test_reference_of_other_features_and_unknown_kind():
    with pytest.raises(ValueError, match="last axis must be H in both"):
        standardise(rows(), rows(H=4))
    with pytest.raises(ValueError, match="choose 'pca' or 'zca'"):
        whiten(rows(), kind="white")


def test_input_scaling_begins_as_standardising_and_learns():
    x = rows().view(40, 100, 5)
    scaling = InputScaling.of(x)
    torch.testing.assert_close(scaling(x), standardise(x))
    torch.testing.assert_close(scaling.shift.detach(), -x.mean((0, 1)))  # minus the mean, as Open-Unmix stores it
    scaling(x).square().sum().backward()
    assert scaling.shift.grad.abs().min() > 0 or scaling.scale.grad.abs().min() > 0
    with pytest.raises(ValueError, match=r"\(B, T, H\)|x\.mT"):
        scaling(x.mT)
    with pytest.raises(ValueError, match=r"takes \(B, T, H\)"):
        scaling(x[0])


def test_the_two_meanings_of_cln_are_two_layers():
    cumulative, frame = CumulativeLayerNorm(6), FrameLayerNorm(6)
    assert cumulative.state_dict().keys() == frame.state_dict().keys()
    x = features(1, 6, 9)
    torch.testing.assert_close(cumulative(x)[..., 0], frame(x)[..., 0], atol=1e-4, rtol=1e-4)  # one frame so far
    assert (cumulative(x) - frame(x))[..., 1:].abs().max() > 0.1


def test_dims_are_stated():
    for layer in LAYERS:
        assert layer.dims == "B H T -> B H T"
    assert blocks.InputScaling.dims == "B T H -> B T H"
