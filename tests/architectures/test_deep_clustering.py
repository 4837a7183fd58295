"""Deep clustering: masks of zeros and ones, any number of talkers. Counts and silence: see test_mask_inference."""

import pytest
import torch

from sepbook.architectures import create
from sepbook.losses import clustering


@pytest.mark.parametrize("talkers", [2, 3])
def test_every_bin_goes_to_one_talker_and_the_number_is_free(talkers):
    torch.manual_seed(0)
    two = create("deep_clustering", "tiny").eval()
    names = tuple(f"talker_{i}" for i in range(talkers))
    system = create("deep_clustering", "tiny", source_names=names).eval()
    system.load_state_dict(two.state_dict())  # no weight knows how many there are
    with torch.no_grad():
        masks = system.masks(torch.rand(2, 257, 20))
        estimates = system(torch.randn(1, 1, 900))
    assert masks.shape == (2, talkers, 257, 20) and set(masks.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(masks.sum(1), torch.ones(2, 257, 20))
    assert estimates.shape == (1, talkers, 1, 900)


def test_embeddings_have_length_one():
    torch.manual_seed(0)
    for bend in ("sigmoid", "tanh"):
        embedding = create("deep_clustering", "tiny", bend=bend).network(torch.rand(2, 257, 6))
        assert embedding.shape == (2, 257, 6, 5)
        torch.testing.assert_close(embedding.norm(dim=-1), torch.ones(2, 257, 6))


def test_two_tones_in_turn_are_told_apart():
    """A network that has seen two tones for a few steps gives each its own mask; the mixture is their sum."""
    torch.manual_seed(0)
    system, time = create("deep_clustering", "tiny"), torch.arange(8000) / 8000
    optimizer = torch.optim.Adam(system.parameters(), 1e-2)
    for _ in range(40):
        low, high = 300 + 200 * torch.rand(4, 1), 1500 + 1000 * torch.rand(4, 1)
        sources = torch.stack([torch.sin(6.283 * f * time) for f in (low, high)], 1)[:, :, None, :2000]
        optimizer.zero_grad()
        system.loss(sources.sum(1), sources)["loss"].backward()
        optimizer.step()
    sources = torch.stack([torch.sin(6.283 * f * time) for f in (400, 2100)])[:, None]  # (S, C, N)
    with torch.no_grad():
        estimates = system.eval()(sources.sum(0)[None])[0]
    errors = torch.stack([(estimates - s).square().mean((1, 2)) for s in (sources, sources.flip(0))])
    assert errors.mean(1).min() < 0.02, "of an energy of 0.5 each"


@pytest.mark.parametrize("kind", ["audible", "magnitude"])
def test_the_loss_is_that_of_the_chapter(kind):
    torch.manual_seed(0)
    system, sources = create("deep_clustering", "tiny", weights=kind).eval(), torch.randn(2, 2, 1, 1500)
    bins, true = system.stft(sources.sum(1)).abs(), system.stft(sources[:, :, 0]).abs()[:, :, None]
    weight = clustering.audible(bins) if kind == "audible" else clustering.magnitude_weight(bins)
    expected = clustering.deep_clustering(system.network(bins[:, 0]), clustering.membership(true), weight)
    torch.testing.assert_close(system.loss(sources.sum(1), sources)["loss"], expected)
