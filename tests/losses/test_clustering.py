"""The clustering losses against their definitions: all pairs of bins, in NumPy, in float64. And their gradients."""

import numpy as np
import pytest
import torch

from sepbook.losses import clustering
from sepbook.losses._gram import BLOCK, grams
from tests.losses.scenes import PAIRS, defined, ideal, loss, scene, tables

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
