"""What the losses on waveforms ignore, and what they do not."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sepbook.data.corpus import songs
from sepbook.evaluation.oracles import separate_ideal
from sepbook.losses import waveform
from sepbook.losses.waveform import si_sdr
from tests.losses.waves import LOSSES, RATIOS, pair

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
