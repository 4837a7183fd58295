"""Wrong input of the losses on waveforms is refused in words."""

import math

import pytest
import torch

from sepbook.losses import waveform
from tests.losses.waves import every, pair


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
