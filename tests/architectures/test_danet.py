"""DANet: attractors, and what attracts. Counts and silence: see test_mask_inference."""

import pytest
import torch

from sepbook.architectures import create
from sepbook.architectures.danet import loudest


def test_danets_attractors_are_means_and_its_masks_share():
    torch.manual_seed(3)
    system = create("danet", "tiny", loudest=1.0).eval()
    magnitude = torch.rand(2, 257, 11) + 0.1
    with torch.no_grad():
        masks = system.masks(magnitude)
        again = system.masks(magnitude)
    torch.testing.assert_close(masks.sum(1), torch.ones(2, 257, 11))
    assert torch.equal(masks, again), "k-means has a seed"


@pytest.mark.parametrize(("share", "kept"), [(1.0, 8), (0.5, 4), (0.25, 2), (0.01, 1)])
def test_the_loudest_share_attracts(share, kept):
    magnitude = torch.tensor([[[3.0, 1.0, 4.0, 1.5], [5.0, 9.0, 2.0, 6.0]]])
    weight = loudest(magnitude, share)
    assert weight.sum() == kept
    assert magnitude[weight == 1].min() > magnitude[weight == 0].max() if kept < 8 else True
    assert not loudest(torch.zeros(1, 2, 3), share).any()


def test_masks_are_likeness_to_the_means_of_the_clusters():
    torch.manual_seed(4)
    system = create("danet", "tiny", loudest=1.0).eval()
    magnitude = torch.rand(1, 257, 7) + 0.1
    with torch.no_grad():
        masks, v = system.masks(magnitude)[0], system.network(magnitude)[0]  # (S, F, T), (F, T, D)
    labels = masks.argmax(0)
    likeness = torch.stack([v @ v[labels == s].mean(0) for s in range(2)])
    assert (likeness.argmax(0) == labels).float().mean() > 0.9  # bins near the border may change sides once more
