"""The clustering losses against their definitions: all pairs of bins, in NumPy, in float64. And k-means, and masks."""

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from torch.nn.functional import one_hot

from sepbook.losses import clustering
from sepbook.losses._finite import NotFiniteError
from sepbook.losses._gram import BLOCK, grams
from sepbook.training import checkpoint

PAIRS = ("deep_clustering", "class_balanced", "whitened_kmeans", "graph_laplacian")
SEEDS = st.integers(0, 10**6)


def loss(name):
    return getattr(clustering, name)


def scene(B=2, S=3, F=6, T=7, D=5, seed=0, dtype=torch.float32):
    """Give an embedding of length 1 without negative numbers, a membership, and weights of which some are 0."""
    random = torch.Generator().manual_seed(seed)
    v = torch.rand(B, F, T, D, generator=random, dtype=dtype)
    y = one_hot(torch.randint(0, S, (B, F, T), generator=random), S).permute(0, 3, 1, 2).to(dtype)
    w = torch.rand(B, F, T, generator=random, dtype=dtype)
    return v / v.norm(dim=-1, keepdim=True), y, w * (w > 0.2)


def ideal(y, D):
    """Give the embedding that has one direction for each source: `(B, S, F, T) -> (B, F, T, D)`."""
    return torch.nn.functional.pad(y.permute(0, 2, 3, 1), (0, D - y.shape[1]))


def tables(v, y, w):
    """Yield V (F·T, D), Y (F·T, S) and w (F·T,) of each item in NumPy's float64, without the bins of weight 0."""
    for item, member, weight in zip(v, y, w, strict=True):
        V, Y, weights = (x.detach().double().numpy() for x in (item.flatten(0, 1), member.flatten(1).T, weight.ravel()))
        yield V[weights > 0], Y[weights > 0], weights[weights > 0]


def defined(name, V, Y, w):
    """Compute a loss by its published formula, with the table of all pairs."""
    W = np.outer(w, w)
    A, B = V @ V.T, Y @ Y.T  # affinities (F·T, F·T)
    if name == "deep_clustering":
        return (W * (A - B) ** 2).sum() / W.sum()
    if name == "class_balanced":
        d = B @ w  # the size of each bin's source
        W = W / np.sqrt(np.outer(d, d))
        return (W * (A - B) ** 2).sum() / W.sum()
    if name == "whitened_kmeans":
        V, Y = np.sqrt(w)[:, None] * V, np.sqrt(w)[:, None] * Y
        means = np.linalg.pinv(Y.T @ Y) @ Y.T @ V
        values, vectors = np.linalg.eigh(V.T @ V)
        white = vectors @ np.diag(values**-0.5) @ vectors.T  # (VᵀV)^-1/2
        return ((V @ white - Y @ means @ white) ** 2).sum()
    dv, dy = A @ w, B @ w  # degrees
    return (W * (A / np.sqrt(np.outer(dv, dv)) - B / np.sqrt(np.outer(dy, dy))) ** 2).sum()


# ---------------------------------------------------------------- values


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("S, D", [(2, 20), (4, 4), (3, 6)])
def test_value_is_that_of_the_definition_with_all_pairs(name, S, D):
    v, y, w = scene(S=S, D=D, F=9, T=8, seed=S)
    expected = [defined(name, *table) for table in tables(v, y, w)]
    # the ridge of whitened k-means is worth a little more than rounding
    limit = 1e-4 if name == "whitened_kmeans" else 1e-5
    assert loss(name)(v, y, w, "none").tolist() == pytest.approx(expected, rel=limit)
    assert loss(name)(v, y, w).item() == pytest.approx(np.mean(expected), rel=limit)


@pytest.mark.parametrize("name", ["deep_clustering", "class_balanced", "graph_laplacian"])
@pytest.mark.parametrize("away", [1e-1, 1e-2, 1e-3, 1e-4])
def test_value_is_exact_near_the_optimum(name, away):
    _, y, w = scene(F=15, T=20, S=4)
    v = ideal(y, 20) + away * torch.rand(2, 15, 20, 20, generator=torch.Generator().manual_seed(1))
    v = v / v.norm(dim=-1, keepdim=True)
    expected = [defined(name, *table) for table in tables(v, y, w)]
    assert 0 < max(expected) < 100 * away**2
    assert loss(name)(v, y, w, "none").tolist() == pytest.approx(expected, rel=1e-5)


def test_whitened_kmeans_is_the_published_trace():
    v, y, w = scene(B=1, F=20, T=10)
    V, Y, weights = next(tables(v, y, w))
    VW, YW = V.T * weights, Y.T * weights
    trace = np.trace(np.linalg.inv(VW @ V) @ VW @ Y @ np.linalg.inv(YW @ Y) @ YW @ V)
    assert clustering.whitened_kmeans(v, y, w).item() == pytest.approx(5 - trace, rel=1e-5)


def test_class_balanced_is_hersheys_form_where_all_weights_are_one():
    v, y, _ = scene(B=1)
    V, Y, ones = next(tables(v, y, torch.ones(1, 6, 7)))
    d = Y @ Y.T @ ones
    half = np.diag(d**-0.25)  # ‖·‖ weighted with d^-1/2 d^-T/2
    expected = np.square(half @ (V @ V.T - Y @ Y.T) @ half).sum() / np.outer(d**-0.5, d**-0.5).sum()
    assert clustering.class_balanced(v, y, torch.ones(1, 6, 7)).item() == pytest.approx(expected, rel=1e-6)


def test_in_single_precision_the_low_rank_form_would_be_wrong_near_the_optimum():
    """Why the sums are in float64: the same three terms in float32, at a true value of about 1e-8."""
    _, y, w = scene(B=1, F=100, T=100, S=2)
    v = ideal(y, 20) + 1e-4 * torch.rand(1, 100, 100, 20)
    V, Y = (w.ravel()[:, None].sqrt() * x for x in (v[0].flatten(0, 1), y[0].flatten(1).T))
    single = ((V.T @ V).square().sum() - 2 * (V.T @ Y).square().sum() + (Y.T @ Y).square().sum()) / w.sum() ** 2
    value = clustering.deep_clustering(v, y, w).item()
    expected = defined("deep_clustering", *next(tables(v[:, :20], y[:, :, :20], w[:, :20])))
    assert value == pytest.approx(expected, rel=0.2)  # a fifth of the bins says about the same
    assert abs(single.item() - value) > 0.1 * value


@pytest.mark.parametrize("D", [3, 20])
def test_ideal_and_useless_embeddings(D):
    _, y, w = scene(B=1, F=30, T=30)
    share = ((y * w.unsqueeze(1)).sum((0, 2, 3)) / w.sum()).double()  # (S,)
    perfect, flat = ideal(y, D), torch.ones(1, 30, 30, D) / D**0.5
    for name in PAIRS:
        floor = D - 3 if name == "whitened_kmeans" else 0
        assert loss(name)(perfect, y, w).item() == pytest.approx(floor, abs=2e-5)
    useless = {name: loss(name)(flat, y, w).item() for name in PAIRS}
    assert useless["deep_clustering"] == pytest.approx((1 - share.square().sum()).item(), rel=1e-6)
    assert useless["whitened_kmeans"] == pytest.approx(D - 1, rel=1e-5)
    assert useless["graph_laplacian"] == pytest.approx(3 - 1, rel=1e-6)  # S - 1: one large group instead of S
    balanced = share.sqrt() / share.sqrt().sum()
    assert useless["class_balanced"] == pytest.approx((1 - balanced.square().sum()).item(), rel=1e-6)


def test_one_column_for_one_source_would_push_the_others_apart():
    """The table of pairs of a column for source 0 alone wants affinity 0 between two bins of source 1."""
    y = torch.tensor([1.0, 1.0, 0.0, 0.0]).view(1, 1, 2, 2)
    column = y.view(4, 1)
    assert (column @ column.T)[2, 3] == 0
    both = torch.cat([y, 1 - y], 1)
    Y = both[0].flatten(1).T
    assert (Y @ Y.T)[2, 3] == 1
    with pytest.raises(ValueError, match="S=2 or more"):
        clustering.deep_clustering(torch.rand(1, 2, 2, 3), y, torch.ones(1, 2, 2))


def test_a_long_item_is_summed_in_blocks():
    v, y, w = scene(B=1, F=3, T=BLOCK, seed=4)
    vv, vy, sizes = grams(v, y, w)
    V, Y, p = v[0].flatten(0, 1).double(), y[0].flatten(1).T.double(), w[0].ravel().double() / w.double().sum()
    torch.testing.assert_close(vv[0], (V.T * p) @ V)
    torch.testing.assert_close(vy[0], (V.T * p) @ Y)
    torch.testing.assert_close(sizes[0], p @ Y)


# ---------------------------------------------------------------- gradients


@pytest.mark.parametrize("name", PAIRS)
def test_gradcheck(name):
    v, y, w = scene(B=2, S=2, F=3, T=3, D=3, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda v: loss(name)(v, y, w, "none"), v.requires_grad_())


@pytest.mark.parametrize("kind", ["softmax", "sigmoid"])
def test_gradcheck_of_the_attractor(kind):
    v, y, w = scene(B=2, S=2, F=3, T=3, D=3, dtype=torch.float64)
    sources = torch.rand(2, 2, 1, 3, 3, dtype=torch.float64)

    def value(v):
        return clustering.deep_attractor(v, y, w, sources.sum(1), sources, "none", kind)

    assert torch.autograd.gradcheck(value, v.requires_grad_())


@pytest.mark.parametrize("name", PAIRS)
def test_bins_without_weight_get_no_gradient(name):
    v, y, w = scene()
    loss(name)(v.requires_grad_(), y, w).backward()
    assert (v.grad[w == 0] == 0).all() and v.grad[w > 0].any()


@pytest.mark.parametrize("name", PAIRS)
def test_a_few_steps_down_the_gradient_find_the_sources(name):
    _, y, w = scene(B=1, S=2, F=8, T=8)
    free = torch.randn(1, 8, 8, 4, generator=torch.Generator().manual_seed(0), requires_grad=True)
    optimizer = torch.optim.Adam([free], 0.1)
    for _ in range(150):
        v = torch.nn.functional.normalize(free.sigmoid(), dim=-1)
        value = loss(name)(v, y, w)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
    masks = clustering.kmeans_masks(v.detach(), 2, w)[:, :, 0]
    same = ((masks == y).all(1) | (w == 0)).all() or ((masks == y.flip(1)).all(1) | (w == 0)).all()
    assert same, value


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


# ---------------------------------------------------------------- attractors


def test_attractors_are_weighted_means():
    v, y, w = scene()
    for b, (V, Y, weights) in enumerate(tables(v, y, w)):
        expected = (Y.T * weights) @ V / (Y.T @ weights)[:, None]
        np.testing.assert_allclose(clustering.attractors(v, y, w)[b], expected, rtol=1e-5)


@pytest.mark.parametrize("kind", ["softmax", "sigmoid"])
def test_deep_attractor_by_hand(kind):
    v, y, w = scene(B=2, S=2)
    sources = torch.rand(2, 2, 1, 6, 7)
    centres = clustering.attractors(v, y, w)
    masks = torch.stack([(v * a[:, None, None]).sum(-1) for a in centres.unbind(1)], 1)  # (B, S, F, T)
    masks = masks.softmax(1) if kind == "softmax" else masks.sigmoid()
    expected = (masks * sources.sum(1) - sources[:, :, 0]).square().flatten(1).mean(1)
    value = clustering.deep_attractor(v, y, w, sources.sum(1), sources, "none", kind)
    torch.testing.assert_close(value, expected)
    assert clustering.attractor_masks(v, centres, kind).shape == (2, 2, 1, 6, 7)
    both = torch.cat([sources, 2 * sources], 2)  # two channels share one mask
    stereo = clustering.deep_attractor(v, y, w, both.sum(1), both, "none", kind)
    torch.testing.assert_close(stereo, 2.5 * expected)


def test_deep_attractor_rises_with_a_useless_embedding_and_stays_finite_in_silence():
    _, y, w = scene(S=2)
    sources = y.unsqueeze(2) * torch.rand(2, 1, 1, 6, 7)
    good = clustering.deep_attractor(20 * ideal(y, 4), y, w, sources.sum(1), sources)
    flat = torch.ones(2, 6, 7, 4, requires_grad=True)
    bad = clustering.deep_attractor(flat, y, w, sources.sum(1), sources)
    assert good < 1e-6 < bad
    silent = clustering.deep_attractor(flat, y, 0 * w, 0 * sources.sum(1), 0 * sources)
    silent.backward()
    assert silent == 0 and flat.grad.isfinite().all()


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS)
def test_deep_attractor_ignores_order_and_rotation_and_grows_with_the_square_of_the_gain(seed):
    v, y, w = scene(seed=seed)
    sources = torch.rand(2, 3, 1, 6, 7, generator=torch.Generator().manual_seed(seed))
    value = clustering.deep_attractor(v, y, w, sources.sum(1), sources)
    turned = v @ torch.linalg.qr(torch.randn(5, 5, generator=torch.Generator().manual_seed(seed)))[0]
    torch.testing.assert_close(clustering.deep_attractor(turned, y, w, sources.sum(1), sources), value)
    order = [2, 0, 1]
    swapped = clustering.deep_attractor(v, y[:, order], w, sources.sum(1), sources[:, order])
    torch.testing.assert_close(swapped, value)
    louder = clustering.deep_attractor(v, y, w, 3 * sources.sum(1), 3 * sources)
    torch.testing.assert_close(louder, 9 * value)


# ---------------------------------------------------------------- membership and weights


def test_membership_is_the_loudest_source_of_each_bin():
    magnitudes = torch.rand(2, 3, 1, 6, 7)
    y = clustering.membership(magnitudes)
    assert torch.equal(y.argmax(1), magnitudes[:, :, 0].argmax(1)) and (y.sum(1) == 1).all()
    assert torch.equal(y, clustering.membership(magnitudes * torch.exp(2j * torch.rand(2, 3, 1, 6, 7))))
    stereo = torch.tensor([[3.0, 0.0], [2.5, 2.5]]).view(1, 2, 2, 1, 1)  # energies 9 and 12.5
    assert clustering.membership(stereo).flatten().tolist() == [0, 1]
    assert (clustering.membership(torch.zeros(1, 2, 1, 3, 3)).sum(1) == 1).all()


def test_dominated_means_most_of_the_bins_energy_not_of_the_sources():
    """A soft source may own bins in which it is louder than the other, although it has little energy anywhere."""
    magnitudes = torch.tensor([[10.0, 0.1], [1.0, 0.2]]).view(1, 2, 1, 2, 1)
    assert clustering.membership(magnitudes)[0, :, :, 0].tolist() == [[1, 0], [0, 1]]


def test_weights_of_the_audible_and_by_magnitude():
    magnitude = torch.tensor([1.0, 0.011, 0.009, 0.0]).view(1, 1, 2, 2)
    assert clustering.audible(magnitude).flatten().tolist() == [1, 1, 0, 0]
    assert clustering.audible(magnitude, below=60).flatten().tolist() == [1, 1, 1, 0]
    share = clustering.magnitude_weight(magnitude)
    torch.testing.assert_close(share.flatten(), magnitude.flatten() / 1.02)
    for weigh in (clustering.audible, clustering.magnitude_weight):
        assert weigh(torch.zeros(2, 1, 3, 3)).abs().sum() == 0
        assert weigh(torch.rand(2, 2, 3, 4)).shape == (2, 3, 4)


# ---------------------------------------------------------------- k-means


def blobs(per=(60, 40, 20), spread=0.05, seed=0):
    random = torch.Generator().manual_seed(seed)
    places = torch.eye(len(per), 4)
    labels = torch.arange(len(per)).repeat_interleave(torch.tensor(per))
    return places[labels] + spread * torch.randn(len(labels), 4, generator=random), labels


def test_kmeans_finds_groups_the_largest_first():
    points, labels = blobs()
    order = torch.randperm(len(points), generator=torch.Generator().manual_seed(1))
    found, centres = clustering.kmeans(points[order], 3)
    assert torch.equal(found, labels[order])
    torch.testing.assert_close(centres, torch.stack([points[labels == i].mean(0) for i in range(3)]))


@pytest.mark.parametrize("seed", range(4))
def test_kmeans_is_as_good_as_scikit_learns(seed):
    random = torch.Generator().manual_seed(seed)
    points, weight = torch.rand(150, 3, generator=random), torch.rand(150, generator=random)
    _, centres = clustering.kmeans(points, 3, weight, seed)
    ours = (weight * torch.cdist(points, centres).square().min(1).values).sum().item()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = KMeans(3, n_init=10, random_state=seed).fit(points.numpy(), sample_weight=weight.numpy()).inertia_
    assert ours <= 1.05 * theirs


def test_kmeans_counts_a_weight_of_three_three_times():
    points, _ = blobs((30, 20), 0.3)
    counts = torch.randint(0, 4, (50,), generator=torch.Generator().manual_seed(2))
    _, weighted = clustering.kmeans(points, 2, counts.float())
    _, repeated = clustering.kmeans(points.repeat_interleave(counts, 0), 2)
    torch.testing.assert_close(weighted, repeated, rtol=1e-3, atol=1e-3)


def test_kmeans_has_a_seed_and_labels_points_without_weight():
    points, labels = blobs()
    weight = (torch.arange(len(points)) % 2).float()
    found = [clustering.kmeans(points, 3, weight, seed=5)[0] for _ in range(2)]
    assert torch.equal(*found) and torch.equal(found[0], labels)
    assert torch.equal(clustering.kmeans(points.double(), 3, weight.double())[0], labels)


def test_kmeans_with_equal_points_and_with_as_many_clusters_as_points():
    labels, centres = clustering.kmeans(torch.ones(5, 2), 3)
    assert centres.isfinite().all() and labels.max() < 3
    points, _ = blobs((2, 1, 1))
    assert sorted(clustering.kmeans(points, 4)[0].tolist()) == [0, 1, 2, 3]
    assert clustering.kmeans(points, 1)[0].tolist() == [0, 0, 0, 0]


def test_kmeans_does_not_touch_the_generator_of_the_caller():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    clustering.kmeans(blobs()[0], 3)
    assert torch.equal(before, torch.get_rng_state())


def test_masks_of_an_ideal_embedding_are_the_membership():
    _, y, w = scene(S=3)
    masks = clustering.kmeans_masks(ideal(y, 5).requires_grad_(), 3, w)
    assert masks.shape == (2, 3, 1, 6, 7) and (masks.sum(1) == 1).all() and not masks.requires_grad
    for b in range(2):
        sizes = (y[b] * w[b]).sum((1, 2))
        order = sizes.argsort(descending=True)  # the heaviest cluster is the first
        assert torch.equal(masks[b, :, 0], y[b, order])


def test_masks_of_silence():
    v, _, w = scene()
    w[1] = 0
    with pytest.raises(ValueError, match=r"item 1 of the batch \(B\) is silent.*share"):
        clustering.kmeans_masks(v, 2, w)
    masks = clustering.kmeans_masks(v, 2, w, silent="share")
    assert (masks[1] == 0.5).all() and ((masks[0] == 0) | (masks[0] == 1)).all()


# ---------------------------------------------------------------- the network that ships


def test_the_shipped_network_separates_talkers_that_it_has_not_met():
    from tools.results.clustering import WEIGHTS, Embedder, Talkers, clusters, improvements

    tensors, header = checkpoint.read(WEIGHTS)
    network = Embedder().eval()
    own = network.state_dict()
    network.load_state_dict({key: value.to(own[key]) for key, value in tensors.items()})
    found = improvements(clusters(network), Talkers("test").every_pair()[:6])
    assert sum(found) / len(found) > 4 and header["notes"]["licence"] == "MIT"
    assert WEIGHTS.stat().st_size < 1_000_000


# ---------------------------------------------------------------- wrong input


def call(**changes):
    v, y, w = scene()
    given = {"embedding": v, "membership": y, "weight": w, **changes}
    return clustering.deep_clustering(**given)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"embedding": torch.zeros(2, 6, 5)}, r"embedding must be \(B, F, T, D\)"),
        ({"embedding": torch.zeros(2, 6, 7, 5, dtype=torch.int64)}, "floating point"),
        (
            {"embedding": torch.zeros(2, 7, 6, 5)},
            r"along F \(frequency bin\) the embedding has 7, the membership has 6",
        ),
        ({"embedding": torch.zeros(3, 6, 7, 5)}, r"along B \(item of the batch\)"),
        ({"embedding": torch.zeros(2, 6, 7, 0)}, "empty"),
        ({"weight": torch.zeros(2, 6, 8)}, r"along T \(frame\).*the weight has 8"),
        ({"weight": -torch.ones(2, 6, 7)}, "negative in 84 bins"),
        ({"membership": torch.rand(2, 3, 6, 7)}, "neither 0 nor 1"),
        ({"membership": torch.zeros(2, 3, 6, 7)}, "one-hot.*none or to several of the 3 sources"),
        ({"membership": torch.ones(2, 3, 6, 7)}, "one-hot"),
        ({"membership": scene()[1][:, :1]}, "give every source a column"),
        ({"reduction": "sum"}, "mean, none"),
    ],
)
def test_wrong_input_is_refused_with_the_axis(changes, words):
    with pytest.raises(ValueError, match=words):
        call(**changes)


def test_not_a_number_is_refused_with_its_place():
    v, y, w = scene()
    v[1, 2, 3, 4] = float("nan")
    for name in PAIRS:
        with pytest.raises(NotFiniteError, match=r"embedding holds 1 values .*B=1, F=2, T=3, D=4"):
            loss(name)(v, y, w)
    with pytest.raises(NotFiniteError, match="B=1, F=2, T=3, D=4"):
        clustering.kmeans_masks(v, 2, w)
    v[1, 2, 3, 4], w[0, 5, 1] = 1.0, float("inf")
    with pytest.raises(NotFiniteError, match=r"weight holds 1 values .*B=0, F=5, T=1"):
        clustering.deep_clustering(v, y, w)
    with pytest.raises(NotFiniteError, match="B=0, S=1, C=0, F=2, T=0"):
        broken = torch.zeros(1, 2, 1, 3, 3)
        broken[0, 1, 0, 2, 0] = float("nan")
        clustering.membership(broken)


def test_a_membership_without_source_is_welcome_where_there_is_no_weight():
    v, y, w = scene()
    quiet = y * (w > 0).unsqueeze(1)
    torch.testing.assert_close(clustering.deep_clustering(v, quiet, w), clustering.deep_clustering(v, y, w))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: clustering.kmeans(torch.rand(3, 2), 4), "4 clusters cannot be made of 3 points"),
        (lambda: clustering.kmeans(torch.rand(9, 2), 2, torch.zeros(9)), "Is the mixture silent"),
        (lambda: clustering.kmeans(torch.rand(9, 2), 0), "0 clusters"),
        (lambda: clustering.kmeans(torch.rand(9), 2), r"points must be \(N, D\)"),
        (lambda: clustering.kmeans(torch.rand(9, 2), 2, torch.rand(8)), r"\(9, 2\) and \(8,\)"),
        (lambda: clustering.kmeans(torch.rand(9, 2), 2, -torch.rand(9)), "negative"),
        (lambda: clustering.kmeans_masks(torch.rand(1, 2, 3, 4), 2, torch.ones(1, 3, 2)), "same B, F and T"),
        (lambda: clustering.kmeans_masks(torch.rand(1, 2, 3, 4), 7, torch.ones(1, 2, 3)), "7 clusters"),
        (
            lambda: clustering.kmeans_masks(torch.rand(1, 2, 3, 4), 2, torch.ones(1, 2, 3), silent="no"),
            "refuse or share",
        ),
        (lambda: clustering.membership(torch.rand(2, 3, 4)), r"\(B, S, C, F, T\)"),
        (lambda: clustering.audible(torch.rand(3, 4)), r"\(B, C, F, T\)"),
        (lambda: clustering.attractor_masks(torch.rand(1, 2, 3, 4), torch.rand(1, 2, 4), "relu"), "softmax or sigmoid"),
        (
            lambda: clustering.deep_attractor(*scene(), torch.rand(2, 6, 7), torch.rand(2, 3, 1, 6, 7)),
            "must fit B=2, S=3",
        ),
    ],
)
def test_other_wrong_input_is_refused_in_words(call, words):
    with pytest.raises(ValueError, match=words):
        call()
