import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sepbook.losses.waveform import si_sdr, si_sdr_loss


def naive(estimate, source):
    alpha = estimate @ source / (source @ source)
    return 10 * np.log10(np.sum((alpha * source) ** 2) / np.sum((estimate - alpha * source) ** 2))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), noise=st.floats(0.03, 3), gain=st.floats(0.5, 10))
def test_agrees_with_the_formula_and_ignores_gain(seed, noise, gain):
    rng = np.random.default_rng(seed)
    source = rng.standard_normal(500)
    estimate = source + noise * rng.standard_normal(500)
    value = si_sdr(torch.tensor(estimate * gain)[None], torch.tensor(source)[None])
    assert abs(value.item() - naive(estimate, source)) < 1e-3


def test_channels_count_jointly():
    source, estimate = torch.randn(2, 300), torch.randn(2, 300)
    joint = si_sdr(estimate, source).item()
    assert abs(joint - naive(estimate.double().flatten().numpy(), source.double().flatten().numpy())) < 1e-3


def test_zero_mean_removes_an_offset():
    source = torch.randn(1, 400)
    estimate = source + 0.1 * torch.randn(1, 400)
    shifted = si_sdr(estimate + 3, source, zero_mean=True)
    torch.testing.assert_close(shifted, si_sdr(estimate, source, zero_mean=True), atol=1e-2, rtol=0)
    assert si_sdr(estimate + 3, source) < shifted - 10


@pytest.mark.parametrize("silent", ["estimate", "source", "both"])
def test_silence_is_finite(silent):
    estimates = torch.randn(1, 2, 1, 300) * (silent == "source")
    sources = torch.randn(1, 2, 1, 300) * (silent == "estimate")
    estimates.requires_grad_()
    loss = si_sdr_loss(estimates, sources)
    loss.backward()
    assert loss.isfinite() and estimates.grad.isfinite().all()
    assert estimates.grad.abs().max() < 1e6


def test_minimising_it_improves_the_estimate():
    torch.manual_seed(0)
    source = torch.randn(1, 1, 1, 300)
    estimate = torch.randn(1, 1, 1, 300, requires_grad=True)
    before = si_sdr_loss(estimate, source)
    before.backward()
    after = si_sdr_loss(estimate - 0.1 * estimate.grad / estimate.grad.norm() * estimate.norm(), source)
    assert after < before


def test_gradient():
    source = torch.randn(1, 1, 1, 20, dtype=torch.float64)
    estimate = torch.randn(1, 1, 1, 20, dtype=torch.float64, requires_grad=True)
    si_sdr_loss(estimate, source).backward()
    step = torch.zeros_like(estimate)
    step[..., 7] = 1e-2
    with torch.no_grad():
        slope = (si_sdr_loss(estimate + step, source) - si_sdr_loss(estimate - step, source)) / 2e-2
    assert abs(slope.item() - estimate.grad[..., 7].item()) < 1e-2


def test_shapes_must_agree():
    with pytest.raises(ValueError, match="same shape"):
        si_sdr(torch.zeros(1, 5), torch.zeros(1, 6))
