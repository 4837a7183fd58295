"""From embeddings to masks: attractors, memberships, weights, k-means, and the network that ships."""

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from sklearn.cluster import KMeans

from sepbook.losses import clustering
from sepbook.training import checkpoint
from tests.losses.scenes import SEEDS, ideal, scene, tables

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
