"""Wrong input of the losses on spectrograms is refused in words."""

import math

import pytest
import torch

from sepbook.losses import spectrogram
from sepbook.losses.spectrogram import log_magnitude, mse, multi_resolution, spectrum_approximation
from tests.losses.spectra import EVERY, bins, every, on_magnitudes, pair


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
