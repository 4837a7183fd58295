"""The targets of a spectrogram, and masks that are to reach them."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sepbook.building_blocks.stft import STFT
from sepbook.data.corpus import songs
from sepbook.evaluation import oracles
from sepbook.losses import spectrogram
from sepbook.losses.spectrogram import TARGETS, l1, log_magnitude, mse, multi_resolution, spectrum_approximation
from tests.losses.spectra import bins, shown


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("loss", [l1, mse])
def test_gradient_of_masks_agrees_with_differences(target, loss):
    mixture, sources = bins(3, B=1, S=2)
    masks = torch.rand(sources.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 0.9 + 0.05
    assert torch.autograd.gradcheck(
        lambda m: spectrum_approximation(m, mixture, sources, target, loss, "none"), masks.requires_grad_()
    )


@pytest.mark.parametrize("target", TARGETS)
def test_masks_learn_from_silence_without_nan(target):
    mixture, sources = torch.zeros(2, 1, 5, 7, dtype=torch.complex64), torch.zeros(2, 2, 1, 5, 7, dtype=torch.complex64)
    for loss in (l1, mse, log_magnitude):
        masks = torch.full(sources.shape, 0.5, requires_grad=True)
        value = spectrum_approximation(masks, mixture, sources, target, loss)
        value.backward()
        assert value == 0 and not masks.grad.any()


# --- targets ----------------------------------------------------------------------------------------------------


@shown
@given(seed=st.integers(0, 10**6))
def test_targets_by_angles(seed):
    """Against NumPy, by the formulas with angles, also where the mixture is exactly zero."""
    mixture, sources = bins(seed, silent_mixture=True)
    y, s = mixture.numpy()[:, None], sources.numpy()
    projected = np.where(y == 0, 0, np.abs(s) * np.cos(np.angle(s) - np.angle(y)))
    expected = {"msa": np.abs(s), "psa": projected, "tpsa": np.minimum(np.abs(y), np.maximum(0, projected))}
    for name, target in TARGETS.items():
        np.testing.assert_allclose(target(mixture, sources).numpy(), expected[name], atol=1e-12)


@shown
@given(seed=st.integers(0, 10**6), gain=st.floats(0.01, 100), angle=st.floats(-3.1, 3.1))
def test_targets_follow_the_gain_and_forget_a_common_phase(seed, gain, angle):
    mixture, sources = bins(seed)
    turn = torch.polar(torch.tensor(gain), torch.tensor(angle)).to(torch.complex128)
    for target in TARGETS.values():
        torch.testing.assert_close(target(turn * mixture, turn * sources), abs(turn) * target(mixture, sources))


@shown
@given(seed=st.integers(0, 10**6))
def test_order_and_sums_of_targets(seed):
    mixture, sources = bins(seed)
    msa, psa, tpsa = (target(mixture, sources) for target in TARGETS.values())
    loud = mixture.abs().unsqueeze(1)
    assert (psa <= msa + 1e-12).all() and (tpsa >= 0).all() and (tpsa <= loud).all() and (tpsa <= msa + 1e-12).all()
    torch.testing.assert_close(psa.sum(1), mixture.abs())  # what lies along the mixture adds up to it
    assert (msa.sum(1) >= mixture.abs() - 1e-12).all()  # lengths do not


@shown
@given(seed=st.integers(0, 10**6))
def test_mse_of_psa_is_the_complex_error_but_for_a_constant(seed):
    """|M Y - S|² = (M |Y| - psa)² + what no mask can reach."""
    mixture, sources = bins(seed)
    out_of_reach = msa_minus_psa(mixture, sources)
    for seed_of_mask in (0, 1):
        masks = torch.rand(sources.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed_of_mask))
        complex_error = (masks * mixture.unsqueeze(1) - sources).abs().square().mean()
        loss = spectrum_approximation(masks, mixture, sources, "psa", mse)
        torch.testing.assert_close(loss + out_of_reach, complex_error)


def msa_minus_psa(mixture, sources):
    return (spectrogram.msa(mixture, sources).square() - spectrogram.psa(mixture, sources).square()).mean()


@shown
@given(seed=st.integers(0, 10**6))
def test_truncation_is_nothing_to_the_gradient_of_l1(seed):
    """For masks between 0 and 1 the sign of the error is the same; MSE sees the difference."""
    mixture, sources = bins(seed)
    random = torch.Generator().manual_seed(seed)
    masks = (0.01 + 0.98 * torch.rand(sources.shape, dtype=torch.float64, generator=random)).requires_grad_()
    slopes = {
        (loss, target): torch.autograd.grad(spectrum_approximation(masks, mixture, sources, target, loss), masks)[0]
        for loss in (l1, mse)
        for target in ("psa", "tpsa")
    }
    assert torch.equal(slopes[l1, "psa"], slopes[l1, "tpsa"])
    assert not torch.allclose(slopes[mse, "psa"], slopes[mse, "tpsa"], rtol=1e-3)


def test_tpsa_is_the_ideal_mask_times_the_mixture():
    mixture, sources = bins(7, B=1)
    ideal = oracles.truncated_phase_sensitive_mask(sources[0])
    torch.testing.assert_close(spectrogram.tpsa(mixture, sources)[0], ideal * mixture[0].abs())
    assert spectrum_approximation(ideal[None], mixture, sources, "tpsa", mse) < 1e-20


@pytest.mark.filterwarnings("ignore:ComplexHalf")
def test_targets_take_half_precision_and_return_float32():
    mixture, sources = (x.to(torch.complex64) for x in bins(8))
    for target in TARGETS.values():
        short = target(mixture.to(torch.complex32), sources.to(torch.complex32))
        assert short.dtype == torch.float32
        torch.testing.assert_close(short, target(mixture, sources), atol=1e-2, rtol=1e-2)


# --- values at the ideal mask and at the mixture -------------------------------------------------------------------


def test_values_at_the_mixture_and_at_the_ideal_mask():
    sources = songs("test")[2].sources(start=80000, length=48000)[None]  # (B=1, S, C, N)
    mixture = sources.sum(1)
    S = STFT()(sources[0])[None]
    Y = S.sum(1)
    masks = {"mixture": torch.ones(S.shape), "ideal": oracles.ratio_mask(S[0])[None], "none": torch.zeros(S.shape)}
    for target in TARGETS:
        for loss in (l1, mse, log_magnitude):
            if target == "psa" and loss is log_magnitude:
                continue
            value = {name: spectrum_approximation(m, Y, S, target, loss).item() for name, m in masks.items()}
            assert 0 < value["ideal"] < value["none"] and value["ideal"] < value["mixture"]
    separated = oracles.separate_ideal(sources[0], "ratio")[None]
    values = [multi_resolution(e, sources).item() for e in (sources, separated, mixture[:, None].expand_as(sources))]
    assert values[0] == 0 and values == sorted(values)
