import math
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sepbook.building_blocks.stft import STFT
from sepbook.data.corpus import songs
from sepbook.evaluation import oracles
from sepbook.losses import spectrogram
from sepbook.losses.spectrogram import TARGETS, l1, log_magnitude, mse, multi_resolution, spectrum_approximation

MAGNITUDES = {"l1": l1, "mse": mse, "log": log_magnitude, "convergence": spectrogram.spectral_convergence}
EVERY = {**MAGNITUDES, "multi": multi_resolution}
on_magnitudes = pytest.mark.parametrize("loss", MAGNITUDES.values(), ids=MAGNITUDES)
every = pytest.mark.parametrize("name", EVERY)
shown = settings(max_examples=20, deadline=None)


def pair(seed, name="l1", B=2, dtype=torch.float64):
    """Estimates and sources: magnitudes `(B, S=2, C=2, F=5, T=7)`, or waveforms `(B, S=2, C=1, N=700)` for "multi"."""
    random = torch.Generator().manual_seed(seed)
    shape = (B, 2, 1, 700) if name == "multi" else (B, 2, 2, 5, 7)
    sources, noise = (torch.randn(shape, generator=random, dtype=torch.float64).to(dtype) for _ in range(2))
    estimates = sources + 0.3 * noise
    return (estimates, sources) if name == "multi" else (estimates.abs(), sources.abs())


def bins(seed, B=2, S=3, silent_mixture=False):
    """A mixture `(B, C, F, T)` and its sources `(B, S, C, F, T)`, complex; one bin of the mixture cancels exactly."""
    random = torch.Generator().manual_seed(seed)
    sources = torch.randn(B, S, 2, 5, 7, generator=random, dtype=torch.complex128)
    if silent_mixture:
        sources[0, :, 0, 1, 2] = torch.tensor([1 + 1j, -1j, -1], dtype=torch.complex128)
    return sources.sum(1), sources


def numpy_magnitudes(x, n_fft, hop):
    """Transform `(N,)` float64 without torch: |STFT| `(F, T)`, zeros around, frames at 0, hop, 2 hop, …"""
    x = np.pad(x, (n_fft // 2, n_fft // 2 + -len(x) % hop))
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    frames = [x[i : i + n_fft] * window for i in range(0, len(x) - n_fft + 1, hop)]
    return np.abs(np.fft.rfft(frames)).T


def numpy_loss(name, e, s, floor=spectrogram.FLOOR):
    """Compute a loss of one item `(S, …)` in NumPy."""
    if name == "multi":
        values = []
        for n_fft, hop in spectrogram.RESOLUTIONS:
            a, b = (np.stack([numpy_magnitudes(each[0], n_fft, hop) for each in x]) for x in (e, s))
            logs = np.mean(np.abs(np.log(a + floor) - np.log(b + floor)))
            values.append(logs + numpy_loss("convergence", a, b))
        return np.mean(values)
    if name == "log":
        return np.mean(np.abs(20 * np.log10((e + floor) / (s + floor))))
    if name == "convergence":
        ratios = [np.linalg.norm(a - b) / (np.linalg.norm(b) + floor * b.size**0.5) for a, b in zip(e, s, strict=True)]
        return np.mean(ratios)
    return np.mean(np.abs(e - s) ** (1 if name == "l1" else 2))


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


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("loss", [l1, mse])
def test_gradient_of_masks_agrees_with_differences(target, loss):
    mixture, sources = bins(3, B=1, S=2)
    masks = torch.rand(sources.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 0.9 + 0.05
    assert torch.autograd.gradcheck(
        lambda m: spectrum_approximation(m, mixture, sources, target, loss, "none"), masks.requires_grad_()
    )


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


@pytest.mark.parametrize("target", TARGETS)
def test_masks_learn_from_silence_without_nan(target):
    mixture, sources = torch.zeros(2, 1, 5, 7, dtype=torch.complex64), torch.zeros(2, 2, 1, 5, 7, dtype=torch.complex64)
    for loss in (l1, mse, log_magnitude):
        masks = torch.full(sources.shape, 0.5, requires_grad=True)
        value = spectrum_approximation(masks, mixture, sources, target, loss)
        value.backward()
        assert value == 0 and not masks.grad.any()


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


# --- bad input --------------------------------------------------------------------------------------------------


@on_magnitudes
@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((2, 3, 1, 5, 6), r"T \(frame\) is 6 and 7.*lengths or hops"),
        ((2, 3, 1, 4, 7), r"F \(frequency bin\) is 4 and 5.*n_fft"),
        ((2, 2, 1, 5, 7), r"S \(source\) is 2 and 3.*different number of sources"),
        ((2, 3, 2, 5, 7), r"C \(audio channel\) is 2 and 1.*same number of channels"),
        ((1, 3, 1, 5, 7), r"B \(item of the batch\) is 1 and 2"),
        ((3, 1, 5, 7), "4 and 5 axes"),
    ],
)
def test_an_unlike_axis_is_named(loss, shape, words):
    with pytest.raises(ValueError, match=words):
        loss(torch.zeros(shape), torch.zeros(2, 3, 1, 5, 7))


@every
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_nan_is_located(name, bad):
    estimates, sources = pair(15, name)
    place = (1, 0, 0, 17) if name == "multi" else (1, 0, 1, 2, 3)
    estimates[place] = bad
    letters = "BSCN" if name == "multi" else "BSCFT"
    words = ", ".join(f"{letter}={i}" for letter, i in zip(letters, place, strict=True))
    with pytest.raises(ValueError, match=rf"estimates hold 1 .* first at \({words}\)"):
        EVERY[name](estimates, sources)
    with pytest.raises(ValueError, match="sources hold 1"):
        EVERY[name](sources, estimates)


@every
def test_swapped_arguments_are_noticed(name):
    estimates, sources = pair(14, name)
    estimates.requires_grad_()
    with pytest.raises(ValueError, match="swapped"):
        EVERY[name](sources, estimates)
    with torch.no_grad():
        assert EVERY[name](sources, estimates).isfinite()


def test_a_mask_outside_its_range_is_located():
    mixture, sources = bins(9)
    masks = torch.full(sources.shape, 0.5, dtype=torch.float64)
    masks[1, 0, 1, 2, 3], masks[1, 2, 0, 0, 0] = 1.25, -0.5
    with pytest.raises(ValueError, match=r": 2 of 420, the first at \(B=1, S=0, C=1, F=2, T=3\), .* from -0.5 to 1.25"):
        spectrum_approximation(masks, mixture, sources)
    assert spectrum_approximation(masks, mixture, sources, bounded=False).isfinite()
    masks[0, 0, 0, 0, 0] = math.nan
    with pytest.raises(ValueError, match=r"NaN or infinite, the first at \(B=0, S=0, C=0, F=0, T=0\)"):
        spectrum_approximation(masks.clamp(0, 1), mixture, sources)


def test_targets_ask_for_the_right_tensors():
    mixture, sources = bins(10)
    with pytest.raises(ValueError, match="do they stand in this order"):
        spectrogram.tpsa(sources, mixture)
    with pytest.raises(ValueError, match="no phase in the mixture.*complex bins"):
        spectrogram.psa(mixture.abs(), sources)
    with pytest.raises(ValueError, match=r"T \(frame\) is 6 and 7"):
        spectrogram.tpsa(mixture[..., :-1], sources)
    with pytest.raises(ValueError, match=r"masks .*S \(source\) is 2 and 3"):
        spectrum_approximation(torch.zeros(2, 2, 2, 5, 7), mixture, sources)
    with pytest.raises(ValueError, match="choose one of msa, psa, tpsa"):
        spectrum_approximation(torch.zeros(sources.shape), mixture, sources, "tPSA")
    assert torch.equal(spectrogram.msa(mixture, sources.abs()), sources.abs())  # magnitudes are enough for this one


@on_magnitudes
def test_other_bad_input(loss):
    with pytest.raises(ValueError, match=r"take their magnitudes with \.abs\(\)"):
        loss(torch.zeros(1, 1, 1, 2, 2, dtype=torch.complex64), torch.zeros(1, 1, 1, 2, 2))
    with pytest.raises(ValueError, match="floating point"):
        loss(torch.zeros(1, 1, 1, 2, 2), torch.zeros(1, 1, 1, 2, 2, dtype=torch.int16))
    with pytest.raises(ValueError, match="there must be bins"):
        loss(torch.zeros(1, 1, 1, 0, 2), torch.zeros(1, 1, 1, 0, 2))
    with pytest.raises(ValueError, match="reduction is 'sum'"):
        loss(torch.zeros(2, 3), torch.zeros(2, 3), "sum")
    with pytest.raises(ValueError, match=r"\(2, 3\)"):
        loss(torch.zeros(2, 3), torch.zeros(2, 4))


def test_a_logarithm_takes_magnitudes_and_a_floor():
    mixture, sources = bins(11)
    masks = torch.full(sources.shape, 0.5, dtype=torch.float64)
    with pytest.raises(ValueError, match="sources hold values below 0.*such as psa"):
        spectrum_approximation(masks, mixture, sources, "psa", log_magnitude)
    with pytest.raises(ValueError, match="resolutions is empty"):
        multi_resolution(*pair(12, "multi"), resolutions=())
    with pytest.raises(ValueError, match="floor is 0"):
        log_magnitude(sources.abs(), sources.abs(), floor=0)


def test_bins_too_large_for_float32():
    with pytest.raises(ValueError, match="the squares exceed float32"):
        mse(torch.full((1, 1, 1, 2, 2), 1e30), torch.zeros(1, 1, 1, 2, 2))


def test_an_all_silent_target_costs_the_more_the_louder_the_estimate():
    quiet, loud = torch.full((1, 1, 1, 9, 9), 0.01), torch.full((1, 1, 1, 9, 9), 1.0)
    for loss in MAGNITUDES.values():
        assert loss(quiet, 0 * quiet) < loss(loud, 0 * loud)
