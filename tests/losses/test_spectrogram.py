"""The losses on spectrograms: their values, against NumPy, their gradients, and what they ignore."""

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sepbook.building_blocks.stft import STFT
from sepbook.losses import spectrogram
from sepbook.losses.spectrogram import mse, multi_resolution
from tests.losses.spectra import EVERY, MAGNITUDES, every, numpy_loss, pair, shown


@every
def test_agrees_with_numpy(name):
    estimates, sources = pair(1, name, B=3)
    values = EVERY[name](estimates, sources, "none")
    assert values.shape == (3,)
    expected = [numpy_loss(name, e.numpy(), s.numpy()) for e, s in zip(estimates, sources, strict=True)]
    np.testing.assert_allclose(values.numpy(), expected, rtol=1e-9)
    torch.testing.assert_close(EVERY[name](estimates, sources), values.mean())


@every
def test_gradient_agrees_with_differences(name):
    estimates, sources = pair(2, name)
    loss = EVERY[name]
    if name == "multi":  # short windows, so that the differences are few
        estimates, sources = estimates[:1, :1, :, :40], sources[:1, :1, :, :40]
        loss = partial(multi_resolution, resolutions=((16, 4), (32, 8)))
    assert torch.autograd.gradcheck(lambda e: loss(e, sources, "none"), estimates.requires_grad_())


@every
@pytest.mark.parametrize("which", ["estimate", "source", "both", "one source", "perfect"])
def test_value_and_gradient_are_finite(name, which):
    estimates, sources = pair(3, name, dtype=torch.float32)
    estimates = 0 * estimates if which in ("estimate", "both") else estimates
    sources = 0 * sources if which in ("source", "both") else sources
    if which == "one source":
        sources = sources * torch.tensor([0.0, 1.0]).view(2, *[1] * (sources.dim() - 2))
    if which == "perfect":
        estimates = sources.clone()
    for scale in (1.0, 1e-4, 1e-12):
        e = (scale * estimates).requires_grad_()
        value = EVERY[name](e, scale * sources)
        value.backward()
        assert value.isfinite() and e.grad.isfinite().all() and e.grad.abs().max() < 1e4
        assert value == 0 or which not in ("both", "perfect")


@every
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(name, dtype):
    estimates, sources = (x.to(dtype) for x in pair(4, name))
    value = EVERY[name](estimates, sources)
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, EVERY[name](estimates.double(), sources.double()).float(), rtol=1e-5, atol=1e-5)
    e = estimates.requires_grad_()
    EVERY[name](e, sources).backward()
    assert e.grad.dtype == dtype and e.grad.isfinite().all()


@every
def test_autocast_changes_nothing(name):
    estimates, sources = pair(5, name, dtype=torch.float32)
    plain = EVERY[name](estimates, sources, "none")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(EVERY[name](estimates, sources, "none"), plain)


def test_mse_is_the_squared_norm_divided_by_the_count():
    estimates, sources = pair(6)
    norm = torch.linalg.vector_norm(estimates - sources)
    torch.testing.assert_close(mse(estimates, sources), norm**2 / sources.numel())


def test_magnitudes_are_those_of_the_transform():
    x = torch.randn(2, 1, 3000, generator=torch.Generator().manual_seed(0))
    for n_fft, hop in ((1024, 256), (512, 200), (64, 16), (75, 25)):
        torch.testing.assert_close(spectrogram.magnitudes(x, n_fft, hop), STFT(n_fft, hop)(x).abs())


# --- invariances ------------------------------------------------------------------------------------------------


@every
@shown
@given(seed=st.integers(0, 10**6), gain=st.floats(0.05, 20))
def test_gain_of_both(name, seed, gain):
    """Distances follow the gain (or its square); the others compare, up to the floor, which has to follow too."""
    estimates, sources = pair(seed, name)
    before = EVERY[name](estimates, sources).item()
    if name in ("l1", "mse"):
        after = EVERY[name](gain * estimates, gain * sources).item()
        assert after == pytest.approx(before * gain ** (1 if name == "l1" else 2))
    else:
        after = EVERY[name](gain * estimates, gain * sources, floor=gain * spectrogram.FLOOR).item()
        assert after == pytest.approx(before)


@every
@shown
@given(seed=st.integers(0, 10**6))
def test_permutation(name, seed):
    """The order of both may change, of items too; that of the estimates alone may not."""
    estimates, sources = pair(seed, name)
    before = EVERY[name](estimates, sources, "none")
    torch.testing.assert_close(EVERY[name](estimates.flip(1), sources.flip(1), "none"), before)
    torch.testing.assert_close(EVERY[name](estimates.flip(0), sources.flip(0), "none"), before.flip(0))
    assert (EVERY[name](estimates.flip(1), sources, "none") > before).all()


@pytest.mark.parametrize("name", ["l1", "mse", "log"])
@shown
@given(seed=st.integers(0, 10**6))
def test_bins_have_no_neighbours(name, seed):
    """However the bins of both are shuffled, and whichever of the two is the estimate, the value is the same."""
    estimates, sources = pair(seed)
    order = torch.randperm(7, generator=torch.Generator().manual_seed(seed))
    before = EVERY[name](estimates, sources)
    torch.testing.assert_close(EVERY[name](estimates[..., order], sources[..., order]), before)
    torch.testing.assert_close(EVERY[name](sources, estimates), before)


@shown
@given(seed=st.integers(0, 10**6))
def test_multi_resolution_does_not_see_the_sign_but_the_level(seed):
    estimates, sources = pair(seed, "multi")
    before = multi_resolution(estimates, sources)
    torch.testing.assert_close(multi_resolution(-estimates, sources), before)
    assert multi_resolution(-sources, sources) < 1e-9 < multi_resolution(0.9 * sources, sources)


@shown
@given(seed=st.integers(0, 10**6), shift=st.sampled_from([128, 256, 384]))
def test_multi_resolution_hardly_changes_when_both_are_late(seed, shift):
    estimates, sources = (torch.nn.functional.pad(x, (2048, 4096)) for x in pair(seed, "multi", B=1))
    before = multi_resolution(estimates, sources)
    torch.testing.assert_close(
        multi_resolution(estimates.roll(shift, -1), sources.roll(shift, -1)), before, rtol=0.1, atol=0
    )


def test_an_all_silent_target_costs_the_more_the_louder_the_estimate():
    quiet, loud = torch.full((1, 1, 1, 9, 9), 0.01), torch.full((1, 1, 1, 9, 9), 1.0)
    for loss in MAGNITUDES.values():
        assert loss(quiet, 0 * quiet) < loss(loud, 0 * loud)


def test_a_silent_source_is_judged_by_the_logarithms_alone():
    estimates, sources = torch.randn(1, 2, 1, 8000) * 0.1, torch.randn(1, 2, 1, 8000) * 0.1
    sources[:, 1] = 0
    quiet = estimates.clone()
    quiet[:, 1] *= 1e-3
    assert multi_resolution(quiet, sources) < multi_resolution(estimates, sources) < 20  # it was 200
    assert multi_resolution(torch.zeros_like(sources[:, 1:]), sources[:, 1:]) == 0


def test_a_silent_estimate_has_no_slope_and_a_very_quiet_one_has():
    sources = torch.randn(1, 1, 1, 8000)
    for level, moves in ((0.0, False), (1e-4, True)):
        estimates = (level * torch.randn(1, 1, 1, 8000)).requires_grad_()
        multi_resolution(estimates, sources).backward()
        assert estimates.grad.isfinite().all() and bool(estimates.grad.any()) is moves
