"""Permutation-invariant training against brute force: values, what it ignores, gradients."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sepbook.losses.permutation import best_permutation, mixture_invariant, pairwise, permutation_invariant, reorder
from sepbook.losses.spectrogram import l1, mse
from sepbook.losses.waveform import si_sdr_loss
from tests.losses.waves import squared


def sounds(B=3, S=3, C=1, N=60, seed=0, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    sources = torch.randn(B, S, C, N, generator=generator, dtype=dtype)
    shuffled = torch.stack([x[torch.randperm(S, generator=generator)] for x in sources])
    return shuffled + 0.3 * torch.randn(B, S, C, N, generator=generator, dtype=dtype), sources


def brute_force(loss, estimates, sources):
    """Return the value of each item, from a new loss for each order, one item and one pair at a time."""
    S = sources.shape[1]
    values = []
    for e, s in zip(estimates, sources, strict=True):
        orders = itertools.permutations(range(S))
        sums = [sum(loss(e[None, i : i + 1], s[None, j : j + 1]).item() for j, i in enumerate(o)) / S for o in orders]
        values.append(min(sums))
    return torch.tensor(values)


# ---------------------------------------------------------------- PIT: values


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


@pytest.mark.parametrize("loss", [mse, l1, si_sdr_loss])
@pytest.mark.parametrize("S", [2, 3, 4])
def test_value_is_that_of_the_best_of_all_orders(loss, S):
    estimates, sources = sounds(S=S, seed=S)
    value, _ = permutation_invariant(loss, estimates, sources)
    torch.testing.assert_close(value, brute_force(loss, estimates, sources), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("S", [2, 3, 4, 5])
def test_both_methods_agree_with_brute_force(S):
    costs = torch.randn(7, S, S)
    for method in ("exhaustive", "hungarian", "auto"):
        permutation = best_permutation(costs, method)
        for matrix, chosen in zip(costs, permutation, strict=True):
            sums = [sum(matrix[e, s] for s, e in enumerate(order)) for order in itertools.permutations(range(S))]
            assert sorted(chosen.tolist()) == list(range(S))
            assert sum(matrix[e, s] for s, e in enumerate(chosen)) <= min(sums) + 1e-5


def test_pairwise_layout_is_estimate_by_source():
    estimates, sources = torch.randn(2, 3, 1, 10), torch.randn(2, 3, 1, 10)
    costs = pairwise(mse, estimates, sources)
    torch.testing.assert_close(costs[1, 2, 0], (estimates[1, 2] - sources[1, 0]).square().mean())


def test_permutation_is_the_estimate_for_each_source_and_not_the_inverse():
    sources = torch.randn(1, 3, 1, 40)
    _, permutation = permutation_invariant(mse, sources[:, [2, 0, 1]], sources)
    assert permutation.tolist() == [[1, 2, 0]]


def test_a_tie_takes_the_first_order():
    sources = torch.randn(1, 2, 1, 40)
    half = sources.mean(1, keepdim=True).expand_as(sources)
    value, permutation = permutation_invariant(mse, half, sources)
    assert permutation.tolist() == [[0, 1]]
    torch.testing.assert_close(value, mse(half, sources, "none"))


def test_ideal_mask_beats_mixture_beats_exchange():
    generator = torch.Generator().manual_seed(0)
    targets = torch.rand(1, 2, 1, 30, 40, generator=generator) ** 8  # sparse, as speech is
    mixture = targets.sum(1, keepdim=True)
    ideal = targets / mixture * mixture
    silence = torch.zeros_like(mixture)
    answers = [ideal, (mixture / 2).expand_as(targets), torch.cat([mixture, silence], 1)]
    values = [permutation_invariant(mse, x, targets)[0].item() for x in answers]
    assert values[0] < 1e-8 < values[1] < values[2]
    bins = [x.permute(0, 3, 4, 1, 2).flatten(0, 2) for x in (*answers, targets)]  # (B * F * T, S, C)
    per_bin = [permutation_invariant(mse, x, bins[-1])[0].mean().item() for x in bins[:-1]]
    assert per_bin[2] < per_bin[1]  # the fault of one order per bin: doing nothing is worth more than half and half


# ---------------------------------------------------------------- PIT: what it ignores


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), orders=st.permutations(range(3)), others=st.permutations(range(3)))
def test_order_of_estimates_and_of_sources_does_not_matter(seed, orders, others):
    estimates, sources = sounds(seed=seed)
    value, permutation = permutation_invariant(si_sdr_loss, estimates, sources)
    other, turned = permutation_invariant(si_sdr_loss, estimates[:, orders], sources[:, others])
    torch.testing.assert_close(other, value)
    torch.testing.assert_close(
        reorder(estimates[:, orders], turned), reorder(estimates, permutation)[:, others], atol=0, rtol=0
    )


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), gain=st.floats(0.1, 10), shift=st.integers(0, 59))
def test_scale_and_joint_shift_are_those_of_the_inner_loss(seed, gain, shift):
    estimates, sources = sounds(seed=seed)
    value, permutation = permutation_invariant(si_sdr_loss, estimates, sources)
    louder, same = permutation_invariant(si_sdr_loss, gain * estimates, sources)
    torch.testing.assert_close(louder, value, atol=1e-3, rtol=1e-4)
    assert torch.equal(same, permutation)
    moved = permutation_invariant(si_sdr_loss, estimates.roll(shift, -1), sources.roll(shift, -1))
    torch.testing.assert_close(moved[0], value, atol=1e-3, rtol=1e-4)
    both = permutation_invariant(mse, gain * estimates, gain * sources)[0]
    torch.testing.assert_close(both, gain**2 * permutation_invariant(mse, estimates, sources)[0], rtol=1e-3, atol=1e-5)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_delay_of_the_estimates_and_a_swap_in_the_middle_cost(seed):
    _, sources = sounds(S=2, N=200, seed=seed)
    swapped = torch.cat([sources[..., :100], sources.flip(1)[..., 100:]], -1)
    for wrong in (sources.roll(5, -1), swapped):
        assert (permutation_invariant(mse, wrong, sources)[0] > 0.1).all()


# ---------------------------------------------------------------- PIT: gradients


def test_one_order_per_utterance_and_a_gradient():
    sources = torch.randn(2, 2, 1, 50)
    estimates = sources.flip(1).clone().requires_grad_()
    value, permutation = permutation_invariant(si_sdr_loss, estimates, sources)
    assert permutation.tolist() == [[1, 0], [1, 0]]
    value.sum().backward()
    assert estimates.grad.isfinite().all()


@pytest.mark.parametrize("S", [2, 3, 4])
def test_gradcheck_in_double_precision(S):
    estimates, sources = sounds(B=2, S=S, N=7, seed=S, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda e: permutation_invariant(squared, e, sources)[0], estimates.requires_grad_())


def test_gradient_is_that_of_the_best_order_alone():
    estimates, sources = sounds(seed=5)
    estimates.requires_grad_()
    value, permutation = permutation_invariant(si_sdr_loss, estimates, sources)
    (through_pit,) = torch.autograd.grad(value.sum(), estimates)
    plain = si_sdr_loss(reorder(estimates, permutation), sources, "none")
    (through_order,) = torch.autograd.grad(plain.sum(), estimates)
    torch.testing.assert_close(through_pit, through_order)


def test_a_coin_leads_to_the_mean_and_pit_to_the_sources():
    sources = torch.randn(1, 2, 1, 50, generator=torch.Generator().manual_seed(1))
    ends = {}
    for name in ("coin", "pit"):
        estimates = torch.randn(1, 2, 1, 50, generator=torch.Generator().manual_seed(2))
        for _ in range(200):
            estimates.requires_grad_()
            if name == "pit":
                value = permutation_invariant(mse, estimates, sources)[0]
            else:
                value = (mse(estimates, sources, "none") + mse(estimates, sources.flip(1), "none")) / 2
            estimates = (estimates - 20 * torch.autograd.grad(value.sum(), estimates)[0]).detach()
        ends[name] = estimates
    torch.testing.assert_close(ends["coin"], sources.mean(1, keepdim=True).expand_as(sources), atol=1e-4, rtol=0)
    assert permutation_invariant(mse, ends["pit"], sources)[0] < 1e-8


@pytest.mark.parametrize("loss", [mse, si_sdr_loss])
@pytest.mark.parametrize("case", ["silent estimates", "one silent source", "all silent", "perfect", "both equal"])
def test_finite_value_and_gradient(loss, case):
    sources = torch.randn(2, 3, 1, 80, generator=torch.Generator().manual_seed(3))
    if case == "one silent source":
        sources[:, 1] = 0
    if case == "all silent":
        sources = torch.zeros_like(sources)
    estimates = {
        "silent estimates": torch.zeros_like(sources),
        "perfect": sources.flip(1).clone(),
        "both equal": sources.mean(1, keepdim=True).expand_as(sources).clone(),
    }.get(case, torch.randn(2, 3, 1, 80))
    estimates.requires_grad_()
    value, permutation = permutation_invariant(loss, estimates, sources)
    value.sum().backward()
    assert value.isfinite().all() and estimates.grad.isfinite().all()
    assert sorted(permutation[0].tolist()) == [0, 1, 2]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_short_formats_are_computed_in_float32(dtype):
    estimates, sources = sounds(seed=7)
    short = [x.to(dtype) for x in (estimates, sources)]
    for function in (permutation_invariant, mixture_invariant):
        value, order = function(mse, *short)
        expected, same = function(mse, *(x.float() for x in short))
        assert value.dtype == torch.float32 and torch.equal(order, same)
        torch.testing.assert_close(value, expected)
