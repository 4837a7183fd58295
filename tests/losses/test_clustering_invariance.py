"""What the clustering losses ignore, and what silence, perfection and half precision do to them."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sepbook.losses import clustering
from tests.losses.scenes import PAIRS, SEEDS, ideal, loss, scene

# ---------------------------------------------------------------- what the losses ignore


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS, order=st.permutations(range(3)))
@pytest.mark.parametrize("name", PAIRS)
def test_order_of_the_sources_does_not_matter(name, seed, order):
    v, y, w = scene(seed=seed)
    torch.testing.assert_close(loss(name)(v, y[:, order], w), loss(name)(v, y, w))


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS)
@pytest.mark.parametrize("name", PAIRS)
def test_a_rotation_of_the_embeddings_does_not_matter(name, seed):
    v, y, w = scene(seed=seed)
    turned = v @ torch.linalg.qr(torch.randn(5, 5, generator=torch.Generator().manual_seed(seed)))[0]
    torch.testing.assert_close(loss(name)(turned, y, w, "none"), loss(name)(v, y, w, "none"), rtol=1e-4, atol=1e-5)


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS, gain=st.floats(1e-3, 1e3))
def test_the_gain_of_the_recording_does_not_matter(seed, gain):
    v, _, _ = scene(seed=seed)
    sources = torch.rand(2, 3, 1, 6, 7, generator=torch.Generator().manual_seed(seed)) ** 4
    for name in PAIRS:
        for weigh in (clustering.audible, clustering.magnitude_weight):
            values = [
                loss(name)(v, clustering.membership(g * sources), weigh(g * sources.sum(1)), "none") for g in (1, gain)
            ]
            torch.testing.assert_close(*values, rtol=1e-5, atol=1e-6)


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS)
@pytest.mark.parametrize("name", PAIRS)
def test_a_weight_of_two_counts_a_bin_twice(name, seed):
    v, y, _ = scene(B=1, seed=seed)
    counts = torch.randint(0, 4, (6 * 7,), generator=torch.Generator().manual_seed(seed))
    rows = torch.arange(6 * 7).repeat_interleave(counts)
    repeated = v.flatten(1, 2)[:, rows, None], y.flatten(2)[:, :, rows, None], torch.ones(1, len(rows), 1)
    weighted = loss(name)(v, y, counts.view(1, 6, 7).float())
    torch.testing.assert_close(loss(name)(*repeated), weighted, rtol=1e-4, atol=1e-5)


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS)
def test_whitened_kmeans_ignores_any_invertible_map(seed):
    v, y, w = scene(seed=seed, F=12, T=12)
    mixed = v @ (torch.eye(5) + 0.3 * torch.rand(5, 5, generator=torch.Generator().manual_seed(seed)))
    values = [clustering.whitened_kmeans(x, y, w).item() for x in (v, mixed)]
    assert values[0] == pytest.approx(values[1], rel=1e-3)
    plain = [clustering.deep_clustering(x, y, w).item() for x in (v, mixed)]
    assert abs(plain[0] - plain[1]) > 0.1


@pytest.mark.parametrize("factor", [1e-6, 1e-3, 1.0, 1e3, 1e6])
def test_whitened_kmeans_ignores_the_length_of_embeddings(factor):
    v, y, w = scene(F=12, T=12)
    v = v.double()
    torch.testing.assert_close(clustering.whitened_kmeans(factor * v, y, w), clustering.whitened_kmeans(v, y, w))


def test_whitened_kmeans_of_nothing_is_zero_with_a_finite_gradient():
    v, y, w = scene()
    v = torch.zeros_like(v).requires_grad_()
    value = clustering.whitened_kmeans(v, y, w)
    value.backward()
    assert value.isfinite() and v.grad.isfinite().all()


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, S=st.integers(1, 4), D=st.integers(4, 8))
def test_never_negative_and_the_bounds_of_whitened_kmeans(seed, S, D):
    v, y, w = scene(S=S, D=D, seed=seed)
    for name in PAIRS:
        assert (loss(name)(v, y, w, "none") >= 0).all()
    value = clustering.whitened_kmeans(v, y, w, "none")
    assert (value >= D - S - 1e-4).all() and (value <= D).all()


# ---------------------------------------------------------------- silence, perfection, half precision


@pytest.mark.parametrize("name", PAIRS)
def test_silence_costs_nothing_and_moves_nothing(name):
    v, y, w = scene(B=3)
    w[1] = 0
    values = loss(name)(v.requires_grad_(), y, w, "none")
    values.sum().backward()
    assert values[1] == 0 and (v.grad[1] == 0).all() and v.grad.isfinite().all()
    alone = loss(name)(v[[0, 2]], y[[0, 2]], w[[0, 2]], "none")
    torch.testing.assert_close(values[[0, 2]], alone)
    assert loss(name)(v, y, torch.zeros_like(w)) == 0


@pytest.mark.parametrize("name", PAIRS)
def test_a_source_without_any_bin_is_no_trouble(name):
    v, y, w = scene()
    more = torch.cat([y, torch.zeros_like(y[:, :1])], 1)
    values = loss(name)(v.requires_grad_(), more, w)
    values.backward()
    torch.testing.assert_close(values, loss(name)(v, y, w))
    assert v.grad.isfinite().all()
    assert (clustering.attractors(v, more, w)[:, 3] == 0).all()


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("kind", ["perfect", "zeros", "all alike"])
def test_finite_with_a_finite_gradient(name, kind):
    _, y, w = scene()
    v = {"perfect": ideal(y, 5), "zeros": torch.zeros(2, 6, 7, 5), "all alike": torch.ones(2, 6, 7, 5)}[kind]
    value = loss(name)(v.requires_grad_(), y, w)
    value.backward()
    assert value.isfinite() and v.grad.isfinite().all()
    if kind == "perfect":
        assert v.grad.abs().max() < 1e-4


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_double(name, dtype):
    v, y, w = scene()
    half, weight = v.to(dtype), w.to(dtype)
    value = loss(name)(half.requires_grad_(), y.to(dtype), weight)
    value.backward()
    assert value.dtype == torch.float32 and half.grad.dtype == dtype and half.grad.isfinite().all()
    torch.testing.assert_close(value, loss(name)(half.float(), y, weight.float()))
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(loss(name)(v, y, w), loss(name)(v, y, w).float())
    assert loss(name)(v.double(), y, w).dtype == torch.float64


def test_attractor_masks_keep_their_digits_under_autocast():
    v, y, w = scene()
    centres = clustering.attractors(v, y, w)
    with torch.autocast("cpu", torch.bfloat16):
        masks = clustering.attractor_masks(10 * v, centres)
        assert masks.dtype == torch.float32
        assert torch.equal(masks, clustering.attractor_masks(10 * v, clustering.attractors(v, y, w)))
    torch.testing.assert_close(masks, clustering.attractor_masks(10 * v, centres), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", PAIRS)
def test_negative_numbers_where_they_are_allowed(name):
    v, y, w = scene()
    v = v - 0.5
    if name == "graph_laplacian":
        v[0, 0, 0], w[0, 0, 0] = -3 * torch.ones(5), 1.0
        v[0, 1:] = v[0, 1:].abs()
        with pytest.raises(ValueError, match="negative sum of affinities"):
            loss(name)(v, y, w)
    else:
        assert loss(name)(v, y, w).isfinite()
