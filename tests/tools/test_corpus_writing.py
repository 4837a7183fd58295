"""What is written of a song: it never clips, and what is broken stops the work in words."""

import numpy as np
import pytest

from tools.corpus.writing import CEILING, COMPRESSION, SAMPLE_RATE, through_the_codec, with_headroom

STEMS = ("vocals", "drums", "bass", "other")


def tones(level: float) -> dict:
    """Four tones of the same level, whose peaks meet."""
    t = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    return {name: level * np.cos(2 * np.pi * 220 * (k + 1) * t) for k, name in enumerate(STEMS)}


def decoded_peak(stems: dict) -> float:
    return np.abs(sum(through_the_codec(x, COMPRESSION[name]) for name, x in stems.items())).max()


def test_a_song_that_fits_is_left_alone():
    stems = tones(0.1)
    assert with_headroom(stems) is stems


@pytest.mark.parametrize("level", [0.3, 1.0, 20.0])
def test_a_loud_song_is_turned_down_as_a_whole(level):
    stems = tones(level)
    stems["drums"] = stems["drums"] * 0.25
    quieter = with_headroom(stems)
    assert 0.9 * CEILING < decoded_peak(quieter) <= CEILING
    factors = [np.abs(quieter[name]).max() / np.abs(stems[name]).max() for name in STEMS]
    np.testing.assert_allclose(factors, factors[0], rtol=1e-9)  # the balance is kept


@pytest.mark.parametrize("stem", STEMS)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_stop_the_work_and_name_the_stem(stem, value):
    stems = tones(0.1)
    stems[stem][77] = value
    with pytest.raises(ValueError, match=f"'{stem}' has samples that are not finite"):
        with_headroom(stems)


def test_a_silent_song_is_left_alone():
    stems = {name: np.zeros(SAMPLE_RATE) for name in STEMS}
    assert with_headroom(stems) is stems
