import itertools

import pytest
import torch

from sepbook.losses.permutation import best_permutation, pairwise, permutation_invariant, reorder
from sepbook.losses.spectrogram import mse
from sepbook.losses.waveform import si_sdr_loss


@pytest.mark.parametrize("S", [1, 2, 3, 4, 6])
def test_finds_the_order_and_its_value(S):
    torch.manual_seed(S)
    sources = torch.randn(5, S, 1, 80)
    shuffled = torch.stack([item[torch.randperm(S)] for item in sources]) + 0.01 * torch.randn(5, S, 1, 80)
    value, permutation = permutation_invariant(mse, shuffled, sources)
    assert value.shape == (5,) and permutation.shape == (5, S)
    found = reorder(shuffled, permutation)
    assert (found - sources).abs().max() < 0.1
    torch.testing.assert_close(value, mse(found, sources, "none"))


@pytest.mark.parametrize("S", [2, 3, 4, 5])
def test_both_methods_agree_with_brute_force(S):
    costs = torch.randn(7, S, S)
    permutation = best_permutation(costs)
    for matrix, chosen in zip(costs, permutation, strict=True):
        sums = [sum(matrix[e, s] for s, e in enumerate(order)) for order in itertools.permutations(range(S))]
        assert sum(matrix[e, s] for s, e in enumerate(chosen)) <= min(sums) + 1e-5


def test_pairwise_layout_is_estimate_by_source():
    estimates, sources = torch.randn(2, 3, 1, 10), torch.randn(2, 3, 1, 10)
    costs = pairwise(mse, estimates, sources)
    torch.testing.assert_close(costs[1, 2, 0], (estimates[1, 2] - sources[1, 0]).square().mean())


def test_one_order_per_utterance_and_a_gradient():
    sources = torch.randn(2, 2, 1, 50)
    estimates = sources.flip(1).clone().requires_grad_()
    value, permutation = permutation_invariant(si_sdr_loss, estimates, sources)
    assert permutation.tolist() == [[1, 0], [1, 0]]
    value.sum().backward()
    assert estimates.grad.isfinite().all()


def test_counts_must_agree():
    with pytest.raises(ValueError, match="axis 1"):
        permutation_invariant(mse, torch.zeros(1, 2, 5), torch.zeros(1, 3, 5))
