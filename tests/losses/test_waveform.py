"""The losses on waveforms: against formulas, other implementations and differences; invariances, silence, bad input."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sepbook.data.corpus import songs
from sepbook.evaluation.oracles import separate_ideal
from sepbook.losses import waveform
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


LOSSES = {
    "l1": waveform.l1,
    "mse": waveform.mse,
    "sdr": waveform.sdr_loss,
    "si_sdr": waveform.si_sdr_loss,
    "si_snr": waveform.si_snr_loss,
}
RATIOS = [name for name in LOSSES if name not in ("l1", "mse")]
every = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)


def pair(seed, noise=0.3, shape=(3, 2, 2, 200), dtype=torch.float64):
    """Return estimates and sources `(B, S, C, N)`."""
    random = torch.Generator().manual_seed(seed)
    sources = torch.randn(shape, generator=random, dtype=dtype)
    return sources + noise * torch.randn(shape, generator=random, dtype=dtype), sources


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


SCALES = st.floats(0.05, 20)
shown = settings(max_examples=25, deadline=None)


@pytest.mark.parametrize("name", LOSSES)
@shown
@given(seed=st.integers(0, 10**6), gain=SCALES, sign=st.sampled_from([-1, 1]))
def test_scale_of_the_estimate(name, seed, gain, sign):
    estimates, sources = pair(seed)
    change = (LOSSES[name](sign * gain * estimates, sources) - LOSSES[name](estimates, sources)).abs().item()
    if name.startswith("si"):
        assert change < 1e-3
    elif abs(sign * gain - 1) > 0.5:
        assert change > 1e-3


@pytest.mark.parametrize("name", LOSSES)
@shown
@given(seed=st.integers(0, 10**6), gain=SCALES)
def test_gain_of_both(name, seed, gain):
    """Turning everything up changes distances by the gain (or its square), and ratios not at all."""
    estimates, sources = pair(seed)
    before, after = (LOSSES[name](g * estimates, g * sources).item() for g in (1, gain))
    expected = {"l1": before * gain, "mse": before * gain**2}.get(name, before)
    assert after == pytest.approx(expected, abs=1e-3, rel=1e-9)


@pytest.mark.parametrize("name", LOSSES)
@shown
@given(seed=st.integers(0, 10**6), shift=st.integers(1, 199))
def test_time_shift_of_both_and_of_one(name, seed, shift):
    estimates, sources = pair(seed)
    before = LOSSES[name](estimates, sources).item()
    assert LOSSES[name](estimates.roll(shift, -1), sources.roll(shift, -1)).item() == pytest.approx(before)
    assert LOSSES[name](estimates.roll(shift, -1), sources).item() > before  # noise has no period


@pytest.mark.parametrize("name", LOSSES)
@shown
@given(seed=st.integers(0, 10**6), order=st.permutations(range(3)))
def test_permutation(name, seed, order):
    """The order of both may change, of items too; that of the estimates alone may not."""
    estimates, sources = pair(seed, shape=(2, 3, 1, 200))
    loss, order = LOSSES[name], list(order)
    before = loss(estimates, sources, "none")
    torch.testing.assert_close(loss(estimates[:, order], sources[:, order], "none"), before)
    torch.testing.assert_close(loss(estimates.flip(0), sources.flip(0), "none"), before.flip(0))
    if order != [0, 1, 2]:
        assert (loss(estimates[:, order], sources, "none") > before).all()


@shown
@given(seed=st.integers(0, 10**6), offset=st.floats(-3, 3))
def test_a_constant_is_nothing_to_si_snr_alone(seed, offset):
    estimates, sources = pair(seed)
    value = waveform.si_snr_loss(estimates, sources)
    torch.testing.assert_close(waveform.si_snr_loss(estimates + offset, sources), value, atol=1e-6, rtol=0)
    if abs(offset) > 0.5:
        assert waveform.si_sdr_loss(estimates + offset, sources) > value + 0.1


@shown
@given(seed=st.integers(0, 10**6))
def test_si_sdr_does_not_know_which_is_the_estimate(seed):
    estimates, sources = pair(seed, noise=1.0)
    torch.testing.assert_close(si_sdr(3 * estimates, sources), si_sdr(sources, estimates), atol=1e-5, rtol=0)
    assert not torch.allclose(waveform.sdr(estimates, sources), waveform.sdr(sources, estimates), atol=1e-3)


@pytest.mark.parametrize("name", ["si_sdr", "si_snr"])
def test_gradient_is_orthogonal_to_the_estimate_and_inverse_to_its_length(name):
    estimates, sources = pair(6, shape=(1, 1, 1, 300))
    slopes = []
    for gain in (1, 2):
        e = (gain * estimates).requires_grad_()
        (slope,) = torch.autograd.grad(LOSSES[name](e, sources), e)
        assert abs((slope * e).sum() / (slope.norm() * e.norm())) < 1e-6
        slopes.append(slope.norm())
    assert slopes[0] / slopes[1] == pytest.approx(2, rel=1e-6)


def test_gradient_is_as_long_as_the_angle_says():
    for noise in (0.05, 0.5, 5.0):
        estimates, sources = pair(7, noise, (1, 1, 1, 300))
        e = estimates.clone().requires_grad_()
        (slope,) = torch.autograd.grad(waveform.si_sdr_loss(e, sources), e)
        angle = math.acos((estimates * sources).sum().item() / (estimates.norm() * sources.norm()).item())
        expected = 40 / math.log(10) / abs(math.sin(2 * angle)) / e.norm().item()
        assert slope.norm().item() == pytest.approx(expected, rel=1e-4)


def test_length_does_not_matter():
    estimates, sources = pair(8)
    for loss in LOSSES.values():
        twice = loss(estimates.repeat(1, 1, 1, 2), sources.repeat(1, 1, 1, 2))
        torch.testing.assert_close(twice, loss(estimates, sources))


def test_values_at_the_mixture_and_at_the_ideal_mask():
    """The order that every loss has to keep: truth, ideal mask, mixture; and silence beats a mixture of four."""
    sources = songs("test")[2].sources(start=80000, length=80000)
    mixture = sources.sum(0).expand_as(sources)
    masked = separate_ideal(sources, "ratio")
    for name, loss in LOSSES.items():
        guesses = (sources, masked, mixture, torch.zeros_like(sources))
        truth, ideal, mixed, nothing = (loss(e[None], sources[None]).item() for e in guesses)
        assert truth < ideal < mixed and nothing < mixed, name


@pytest.mark.parametrize("name", RATIOS)
def test_silent_sources_can_be_left_out(name):
    estimates, sources = pair(9, shape=(3, 2, 1, 300), dtype=torch.float32)
    sources[1, 0] = sources[2] = 0
    e = estimates.requires_grad_()
    values = LOSSES[name](e, sources, "none", skip_silent=True)
    values.sum().backward()
    full = LOSSES[name](estimates, sources, "none")
    assert values[0] == full[0] and values[2] == 0
    torch.testing.assert_close(values[1], LOSSES[name](estimates[1:2, 1:], sources[1:2, 1:]))
    assert not e.grad[1, 0].any() and not e.grad[2].any() and e.grad[1, 1].any()


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


# --- bad input --------------------------------------------------------------------------------------------------


@every
@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((2, 3, 1, 90), r"N \(sample\) is 90 and 100.*[Cc]rop or pad"),
        ((2, 2, 1, 100), r"S \(source\) is 2 and 3.*different number of sources"),
        ((2, 3, 2, 100), r"C \(audio channel\) is 2 and 1.*same number of channels"),
        ((1, 3, 1, 100), r"B \(item of the batch\) is 1 and 2"),
        ((3, 1, 100), "3 and 4 axes"),
    ],
)
def test_an_unlike_axis_is_named(loss, shape, words):
    with pytest.raises(ValueError, match=words):
        loss(torch.zeros(shape), torch.zeros(2, 3, 1, 100))


@every
def test_swapped_arguments_are_noticed(loss):
    estimates, sources = pair(14, shape=(1, 2, 1, 50))
    estimates.requires_grad_()
    with pytest.raises(ValueError, match="swapped"):
        loss(sources, estimates)
    with torch.no_grad():
        assert loss(sources, estimates).isfinite()  # nobody trains here


@every
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_nan_is_located(loss, bad):
    estimates, sources = pair(15)
    estimates[1, 0, 1, 17] = bad
    with pytest.raises(ValueError, match=r"estimates hold 1 samples .* first at \(B=1, S=0, C=1, N=17\)"):
        loss(estimates, sources)
    with pytest.raises(ValueError, match="sources hold 1 samples"):
        loss(sources, estimates)


def test_samples_too_large_for_float32():
    with pytest.raises(ValueError, match="the squares exceed float32"):
        waveform.mse(torch.full((1, 1, 1, 10), 1e30), torch.zeros(1, 1, 1, 10))


@every
def test_other_bad_input(loss):
    with pytest.raises(ValueError, match="floating point"):
        loss(torch.zeros(1, 1, 1, 9, dtype=torch.int16), torch.zeros(1, 1, 1, 9))
    with pytest.raises(ValueError, match="there must be samples"):
        loss(torch.zeros(1, 1, 1, 0), torch.zeros(1, 1, 1, 0))
    with pytest.raises(ValueError, match="reduction is 'sum'"):
        loss(torch.zeros(1, 1, 1, 9), torch.zeros(1, 1, 1, 9), "sum")


def test_an_all_silent_target_costs_the_more_the_louder_the_estimate():
    quiet, loud = torch.full((1, 1, 1, 500), 0.001), torch.full((1, 1, 1, 500), 0.1)
    for name in ("l1", "mse", "sdr", "si_sdr"):
        assert LOSSES[name](quiet, 0 * quiet) < LOSSES[name](loud, 0 * loud)
