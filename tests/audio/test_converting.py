"""Another sample rate, another number of channels."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sepbook import audio
from tests.audio.waves import RATES, noise, tone


@settings(max_examples=25, deadline=None)
@given(rates=st.tuples(st.sampled_from(RATES), st.sampled_from(RATES)), length=st.integers(1, 3000))
def test_resampling_keeps_the_length_law_and_the_channels_apart(rates, length):
    sound = noise(3, length)
    found = audio.resample(sound, *rates)
    assert found.shape == (3, audio.resampled_length(length, *rates)) == (3, -(-length * rates[1] // rates[0]))
    torch.testing.assert_close(found[1:2], audio.resample(sound[1:2], *rates))


@pytest.mark.parametrize("to", RATES)
def test_a_tone_is_the_same_tone_at_another_rate(to):
    found, expected = audio.resample(tone(16000), 16000, to), tone(to)
    middle = slice(to // 5, -to // 5)
    assert (found - expected)[:, middle].abs().max() < 1e-3


def test_resampling_removes_what_the_lower_rate_cannot_hold():
    assert audio.resample(tone(44100, hertz=9000), 44100, 16000)[:, 4000:-4000].abs().max() < 1e-5


def test_resampling_takes_any_leading_axes_and_no_samples():
    sources = noise(6, 441).reshape(3, 2, 441)
    found = audio.resample(sources, 44100, 16000)
    torch.testing.assert_close(found[2], audio.resample(sources[2], 44100, 16000))
    assert audio.resample(torch.zeros(2, 0), 44100, 16000).shape == (2, 0)
    assert list(audio.resampled([], 44100, 16000)) == []


@pytest.mark.parametrize("rate", [0, -16000, 0.5])
def test_impossible_rates(tmp_path, rate):
    path = audio.save(tmp_path / "a.wav", torch.ones(1, 9), 8000)
    for use in (lambda: audio.resample(torch.ones(1, 9), 8000, rate), lambda: audio.load(path, rate)):
        with pytest.raises(audio.AudioError, match=f"sample rate of {rate} Hz"):
            use()
    with pytest.raises(ValueError, match="blocks of 0 s"):
        next(audio.blocks(path, 0))
    assert audio.load(path, 16000.0)[0].shape == (1, 18)


def test_remix():
    eight = torch.arange(8.0)[:, None].repeat(1, 5)
    assert audio.remix(eight, 1)[:, 0].tolist() == [3.5]
    assert audio.remix(eight, 2)[:, 0].tolist() == [3.0, 4.0]
    assert audio.remix(eight[:2], 5)[:, 0].tolist() == [0, 1, 0, 1, 0]
    assert torch.equal(audio.remix(eight, 8), eight)
    assert audio.remix(torch.ones(4, 1, 5), 2).shape == (4, 2, 5)
    with pytest.raises(audio.AudioError, match="at least 1"):
        audio.remix(eight, 0)
