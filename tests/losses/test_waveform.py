"""The losses on waveforms: their values, against NumPy and public implementations, and their gradients."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sepbook.losses import waveform
from sepbook.losses.waveform import si_sdr, si_sdr_loss
from tests.losses.waves import LOSSES, every, pair


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


def numpy_loss(name, e, s):
    """Compute a loss `(S, C, N), (S, C, N) -> ()` in another way, in NumPy and without any epsilon."""
    if name in ("l1", "mse"):
        return np.mean(np.abs(e - s) ** (1 if name == "l1" else 2))
    if name == "si_snr":
        e, s = e - e.mean(-1, keepdims=True), s - s.mean(-1, keepdims=True)
    values = []
    for a, b in zip(e.reshape(len(e), -1), s.reshape(len(s), -1), strict=True):
        if name == "sdr":
            values.append(np.linalg.norm(b) / np.linalg.norm(a - b))
        else:  # by the angle between them
            cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
            values.append(1 / np.tan(np.arccos(abs(cosine))))
    return -20 * np.mean(np.log10(values))


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("noise", [0.03, 0.3, 3.0])
def test_losses_agree_with_numpy(name, noise):
    estimates, sources = pair(1, noise)
    values = LOSSES[name](estimates, sources, "none")
    expected = [numpy_loss(name, e.numpy(), s.numpy()) for e, s in zip(estimates, sources, strict=True)]
    assert values.shape == (3,)
    np.testing.assert_allclose(values.numpy(), expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(LOSSES[name](estimates, sources), values.mean())


@every
@pytest.mark.parametrize("noise", [0.03, 1.0])
def test_gradient_agrees_with_differences(loss, noise):
    estimates, sources = pair(2, noise, (2, 2, 1, 12))
    assert torch.autograd.gradcheck(lambda e: loss(e, sources, "none"), estimates.requires_grad_())


def silent(which):
    estimates, sources = pair(3, 0.3, (2, 2, 1, 400), torch.float32)
    return (0 if which in ("estimate", "both") else 1) * estimates, (0 if which in ("source", "both") else 1) * sources


@every
@pytest.mark.parametrize("which", ["estimate", "source", "both", "one source", "perfect"])
def test_value_and_gradient_are_finite(loss, which):
    estimates, sources = silent(which)
    if which == "one source":
        sources = sources * torch.tensor([0.0, 1.0])[:, None, None]
    if which == "perfect":
        estimates = sources.clone()
    for scale in (1.0, 1e-4, 1e-12):
        e = (scale * estimates).requires_grad_()
        value = loss(e, sources)
        value.backward()
        assert value.isfinite() and e.grad.isfinite().all() and e.grad.abs().max() < 1e5


@every
def test_the_gradient_has_a_bound_however_quiet_the_estimate(loss):
    """A ratio's slope is at most that of its floor, whatever the estimate is."""
    N = 400
    bound = 2 * 10 / math.log(10) / math.sqrt(waveform.EPSILON * N)
    for exponent in range(-20, 4):
        for source in (torch.zeros(1, 1, 1, N), torch.randn(1, 1, 1, N)):
            e = (10.0**exponent * torch.randn(1, 1, 1, N)).requires_grad_()
            (slope,) = torch.autograd.grad(loss(e, source), e)
            assert slope.norm() <= bound


@every
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(loss, dtype):
    estimates, sources = (x.to(dtype) for x in pair(4, dtype=torch.float32))
    value = loss(estimates, sources)
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, loss(estimates.double(), sources.double()).float(), rtol=1e-5, atol=1e-4)
    e = estimates.requires_grad_()
    loss(e, sources).backward()
    assert e.grad.dtype == dtype and e.grad.isfinite().all()


@every
def test_autocast_changes_nothing(loss):
    estimates, sources = pair(5, dtype=torch.float32)
    plain = loss(estimates, sources, "none")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(loss(estimates, sources, "none"), plain)


# --- public implementations -------------------------------------------------------------------------------------


@pytest.mark.parametrize("noise", [0.03, 0.3, 3.0])
def test_agrees_with_torchmetrics(noise):
    audio = pytest.importorskip("torchmetrics.functional.audio")
    estimates, sources = pair(10, noise, (3, 2, 1, 4000))
    e, s = estimates[:, :, 0], sources[:, :, 0]
    for ours, theirs in (
        (waveform.sdr(estimates, sources), audio.signal_noise_ratio(e, s)),
        (si_sdr(estimates, sources), audio.scale_invariant_signal_distortion_ratio(e, s)),
        (si_sdr(estimates, sources, zero_mean=True), audio.scale_invariant_signal_noise_ratio(e, s)),
        (si_sdr(estimates, sources), audio.signal_distortion_ratio(e, s, filter_length=1)),
    ):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=0)


@pytest.mark.parametrize("noise", [0.03, 0.3, 3.0])
def test_agrees_with_fast_bss_eval(noise):
    fast_bss_eval = pytest.importorskip("fast_bss_eval")
    estimates, sources = pair(11, noise, (3, 2, 1, 4000))
    for zero_mean in (False, True):
        theirs = fast_bss_eval.si_sdr_loss(estimates[:, :, 0], sources[:, :, 0], zero_mean=zero_mean)
        torch.testing.assert_close(-si_sdr(estimates, sources, zero_mean), theirs, atol=1e-4, rtol=0)


def test_agrees_with_museval():
    metrics = pytest.importorskip("museval.metrics")
    estimates, sources = pair(12, 0.3, (1, 2, 1, 4000))
    e, s = (x[0].transpose(1, 2).numpy() for x in (estimates, sources))  # (S, N, C)
    common = {"window": np.inf, "compute_permutation": False, "filters_len": 1, "framewise_filters": False}
    images = metrics.bss_eval(s, e, bsseval_sources_version=False, **common)[0]
    np.testing.assert_allclose(waveform.sdr(estimates, sources)[0], images[:, 0], atol=1e-4)
    scaled = metrics.bss_eval(s[:1], e[:1], bsseval_sources_version=True, **common)[0]
    np.testing.assert_allclose(si_sdr(estimates, sources)[0, 0], scaled[0, 0], atol=1e-4)


def test_float32_stays_right_where_the_short_formula_fails():
    estimates, sources = pair(13, 1e-3, (1, 1, 1, 16000))
    exact = si_sdr(estimates, sources).item()
    e, s = estimates.float(), sources.float()
    assert si_sdr(e, s).item() == pytest.approx(exact, abs=1e-3)
    cosine = (e * s).sum() ** 2 / ((e * e).sum() * (s * s).sum())
    assert abs((10 * torch.log10(cosine / (1 - cosine))).item() - exact) > 0.01


def test_an_all_silent_target_costs_the_more_the_louder_the_estimate():
    quiet, loud = torch.full((1, 1, 1, 500), 0.001), torch.full((1, 1, 1, 500), 0.1)
    for name in ("l1", "mse", "sdr", "si_sdr"):
        assert LOSSES[name](quiet, 0 * quiet) < LOSSES[name](loud, 0 * loud)


def test_the_short_formula_in_float32_is_off_by_more_than_a_decibel_at_60_db():
    fast_bss_eval = pytest.importorskip("fast_bss_eval")
    worst = {}
    for level in (0.01, 0.001):
        for seed in range(10):
            noise = torch.Generator().manual_seed(seed)
            x, e = torch.randn(2, 1, 1, 16000, generator=noise)
            e = x + level * e
            theirs = -fast_bss_eval.si_sdr_loss(e, x, zero_mean=False)
            ours = waveform.si_sdr(e[:, None], x[:, None])
            worst[level] = max(worst.get(level, 0), float((theirs - ours).abs().max()))
    assert 0.01 < worst[0.01] < 0.2 and worst[0.001] > 1
