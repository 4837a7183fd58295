"""Mixture-invariant training against brute force; wrong input of both losses is refused in words."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sepbook.losses.permutation import best_permutation, mixture_invariant, permutation_invariant, remix
from sepbook.losses.spectrogram import mse
from sepbook.losses.waveform import si_sdr_loss
from tests.losses.waves import squared

# ---------------------------------------------------------------- MixIT


def recordings(B=4, S=4, N=50, seed=0, dtype=torch.float32):
    """Return talkers `(B, S, 1, N)`, the assignment `(B, S)` and the mixtures `(B, 2, 1, N)`."""
    generator = torch.Generator().manual_seed(seed)
    talkers = torch.randn(B, S, 1, N, generator=generator, dtype=dtype)
    assignment = torch.randint(2, (B, S), generator=generator)
    sums = [torch.stack([t[a == m].sum(0) for m in (0, 1)]) for t, a in zip(talkers, assignment, strict=True)]
    return talkers, assignment, torch.stack(sums)


@pytest.mark.parametrize("S", [2, 3, 4, 6])
def test_mixit_finds_who_was_recorded_together(S):
    talkers, assignment, mixtures = recordings(S=S, seed=S)
    value, found = mixture_invariant(mse, talkers, mixtures)
    assert value.shape == (4,) and torch.equal(found, assignment)
    assert value.max() < 1e-10
    torch.testing.assert_close(remix(talkers, found), mixtures)


@pytest.mark.parametrize("loss", [mse, si_sdr_loss])
def test_mixit_value_is_the_best_of_all_assignments(loss):
    talkers, _, mixtures = recordings(B=3, S=3, seed=2)
    estimates = talkers + torch.randn(talkers.shape, generator=torch.Generator().manual_seed(1))
    value, assignment = mixture_invariant(loss, estimates, mixtures)
    for b in range(3):
        values = []
        for choice in itertools.product((0, 1), repeat=3):
            A = torch.tensor([[float(c == m) for c in choice] for m in (0, 1)])  # (2, S)
            remixed = torch.from_numpy(np.tensordot(A.numpy(), estimates[b].numpy(), 1))  # (2, C, N)
            values.append(loss(remixed[None], mixtures[b : b + 1], reduction="none").item())
        assert abs(min(values) - value[b].item()) < 1e-4
        best = list(itertools.product((0, 1), repeat=3))[int(np.argmin(values))]
        assert assignment[b].tolist() == list(best)


def test_mixit_does_not_ask_for_separation():
    talkers, _, _ = recordings(S=4, seed=3)
    mixtures = torch.stack([talkers[:, :2].sum(1), talkers[:, 2:].sum(1)], 1)
    nothing = torch.zeros_like(mixtures)
    assert mixture_invariant(mse, torch.cat([mixtures, nothing], 1), mixtures)[0].max() < 1e-10
    wrong = torch.cat([talkers[:, :2] + talkers[:, 2:], nothing], 1)
    assert mixture_invariant(mse, wrong, mixtures)[0].min() > 0.1


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), order=st.permutations(range(4)), gain=st.floats(0.2, 5))
def test_mixit_invariances(seed, order, gain):
    talkers, _, mixtures = recordings(seed=seed)
    estimates = talkers + 0.3 * torch.randn(talkers.shape, generator=torch.Generator().manual_seed(seed))
    value, assignment = mixture_invariant(mse, estimates, mixtures)
    shuffled = mixture_invariant(mse, estimates[:, order], mixtures)
    torch.testing.assert_close(shuffled[0], value)
    assert torch.equal(shuffled[1], assignment[:, order])
    exchanged = mixture_invariant(mse, estimates, mixtures.flip(1))
    torch.testing.assert_close(exchanged[0], value)
    assert torch.equal(exchanged[1], 1 - assignment)
    louder = mixture_invariant(mse, gain * estimates, gain * mixtures)[0]
    torch.testing.assert_close(louder, gain**2 * value, rtol=1e-3, atol=1e-6)


def test_mixit_gradcheck_and_gradient_on_silence():
    talkers, _, mixtures = recordings(B=2, S=3, N=6, seed=4, dtype=torch.float64)
    noise = torch.randn(talkers.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    estimates = (talkers + 0.3 * noise).requires_grad_()
    assert torch.autograd.gradcheck(lambda e: mixture_invariant(squared, e, mixtures)[0], estimates)
    for loss in (mse, si_sdr_loss):
        silent = torch.zeros(2, 3, 1, 6, requires_grad=True)
        value, _ = mixture_invariant(loss, silent, torch.zeros(2, 2, 1, 6))
        value.sum().backward()
        assert value.isfinite().all() and silent.grad.isfinite().all()


# ---------------------------------------------------------------- bad input

X = torch.zeros(2, 3, 1, 50)


@pytest.mark.parametrize(
    ("estimates", "sources", "words"),
    [
        (X[:, :2], X, "2 estimates for 3 sources .axis 1, S."),
        (X[..., :40], X, r"40 on axis 3 \(N\), sources have 50"),
        (X[:1], X, r"1 on axis 0 \(B\), sources have 2"),
        (X.expand(2, 3, 2, 50), X, r"2 on axis 2 \(C\), sources have 1"),
        (X[0], X, "the same number of axes"),
        (X[0, 0, 0], X[0, 0, 0], "must both be"),
        (torch.zeros(1, 2, 5), torch.zeros(1, 3, 5), "axis 1"),
    ],
)
def test_pit_names_the_axis(estimates, sources, words):
    with pytest.raises(ValueError, match=words):
        permutation_invariant(mse, estimates, sources)


def test_pit_says_where_the_nan_is():
    bad = torch.randn(2, 3, 1, 50)
    bad[1, 2, 0, 17] = float("nan")
    with pytest.raises(ValueError, match=r"the estimates hold NaN or infinity, first at \(B=1, S=2, C=0, N=17\)"):
        permutation_invariant(mse, bad, torch.randn(2, 3, 1, 50))
    with pytest.raises(ValueError, match=r"the sources hold NaN or infinity"):
        permutation_invariant(mse, torch.randn(2, 3, 1, 50), bad)
    with pytest.raises(ValueError, match=r"the estimates hold .* \(B=1, S=2, C=0, N=17\)"):
        permutation_invariant(si_sdr_loss, bad, torch.randn(2, 3, 1, 50))  # this loss looks for NaN itself
    with pytest.raises(ValueError, match="or at the loss"):
        permutation_invariant(lambda e, s, reduction: mse(e, s, "none") / 0, X, X)
    with pytest.raises(ValueError, match="none is the smallest"):
        best_permutation(torch.full((1, 2, 2), float("nan")))


def test_too_many_orders_and_an_unknown_method():
    with pytest.raises(ValueError, match="9 sources have 362,880 orders.*hungarian"):
        best_permutation(torch.rand(1, 9, 9), "exhaustive")
    assert best_permutation(torch.rand(1, 30, 30)).sort(1).values.tolist() == [list(range(30))]
    with pytest.raises(ValueError, match="choose one of auto, exhaustive, hungarian"):
        best_permutation(torch.rand(1, 3, 3), "greedy")


@pytest.mark.parametrize(
    ("estimates", "mixtures", "words"),
    [
        (torch.zeros(1, 2, 1, 9), torch.zeros(1, 4, 1, 9), "change places"),
        (torch.zeros(1, 4, 1, 9), torch.zeros(1, 1, 1, 9), "not their sum"),
        (torch.zeros(1, 4, 1, 9), torch.zeros(1, 2, 1, 8), r"9 on axis 3 \(N\), mixtures have 8"),
        (torch.zeros(1, 4, 1, 9), torch.zeros(1, 2, 9), "same number of axes"),
        (torch.zeros(1, 20, 1, 9), torch.zeros(1, 2, 1, 9), "20 estimates have 1,048,576 assignments"),
        (torch.full((1, 4, 1, 9), float("nan")), torch.zeros(1, 2, 1, 9), r"first at \(B=0, S=0, C=0, N=0\)"),
    ],
)
def test_mixit_errors(estimates, mixtures, words):
    with pytest.raises(ValueError, match=words):
        mixture_invariant(mse, estimates, mixtures)


def test_autocast_changes_no_digit_of_a_remix():
    talkers = torch.randn(2, 4, 1, 4000)
    mixtures = torch.stack([talkers[:, :2].sum(1), talkers[:, 2:].sum(1)], dim=1)
    plain, assignment = mixture_invariant(si_sdr_loss, talkers, mixtures)
    with torch.autocast("cpu", torch.bfloat16):
        value, same = mixture_invariant(si_sdr_loss, talkers, mixtures)
        assert remix(talkers, assignment).dtype == torch.float32
    assert torch.equal(assignment, same) and torch.equal(value, plain)
    assert value.max() < -80  # perfect estimates; in bfloat16 it was -52 dB
