"""Loudness."""

import numpy as np
import pytest
import torch

from sepbook import audio
from tests.audio.waves import noise


def test_loudness_follows_the_standard():
    # EBU Tech 3341, case 1: a stereo sine of 1 kHz with a peak of -23 dBFS measures -23 LUFS.
    rate = 48000
    sine = 10 ** (-23 / 20) * torch.sin(2 * torch.pi * 1000 * torch.arange(rate * 20) / rate).repeat(2, 1)
    assert audio.loudness(sine, rate) == pytest.approx(-23.0, abs=0.1)
    assert audio.loudness(sine / 10, rate) == pytest.approx(-43.0, abs=0.1)
    assert audio.loudness(sine[:, :4800], rate) == pytest.approx(-23.0, abs=1.0)


@pytest.mark.parametrize(
    "sound", [torch.zeros(2, 16000), torch.zeros(1, 1), torch.zeros(1, 0), torch.full((1, 16000), 1e-9)]
)
def test_silence_has_no_loudness(sound):
    assert audio.loudness(sound, 16000) == float("-inf")


def test_loudness_of_odd_signals_is_a_number():
    assert np.isfinite(audio.loudness(torch.ones(1, 1), 8000))
    assert np.isfinite(audio.loudness(noise(8, 192000), 192000))
