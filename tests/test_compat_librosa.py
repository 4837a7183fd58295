"""The same sound from librosa 0.11 and 1.0."""

import inspect

import librosa
import numpy as np
import pytest

from sepbook import compat

OPTIONS = {"n_iter": 2, "hop_length": 16, "n_fft": 64, "length": 200, "pad_mode": "constant"}


@pytest.fixture
def magnitude():
    return np.abs(librosa.stft(np.random.default_rng(0).normal(size=200), n_fft=64, hop_length=16, pad_mode="constant"))


def test_griffin_lim_begins_where_an_integer_did_in_0_11(magnitude):
    if "random_state" not in inspect.signature(librosa.griffinlim).parameters or librosa.__version__ >= "1":
        pytest.skip("librosa 1.0 lets an integer begin elsewhere")
    expected = librosa.griffinlim(magnitude, random_state=3, **OPTIONS)
    assert np.array_equal(compat.griffin_lim(magnitude, seed=3, **OPTIONS), expected)


def test_griffin_lim_gives_one_sound_for_one_seed_whatever_librosa(magnitude):
    sound = compat.griffin_lim(magnitude, **OPTIONS)
    assert np.array_equal(sound, compat.griffin_lim(magnitude, **OPTIONS))
    assert not np.allclose(sound, compat.griffin_lim(magnitude, seed=1, **OPTIONS))
    np.testing.assert_allclose(sound[100:104], FIRST, atol=1e-5)  # written down with 0.11, and the same with 1.0


@pytest.mark.parametrize("name", ["rng", "random_state"])
def test_the_argument_is_the_one_that_librosa_has(monkeypatch, name, magnitude):
    seen = {}

    def old(S, *, random_state=None):
        seen["random_state"] = random_state

    def new(S, *, rng=None, random_state=None):
        seen["rng"] = rng

    monkeypatch.setattr(librosa, "griffinlim", {"rng": new, "random_state": old}[name])
    compat.griffin_lim(magnitude, seed=5)
    assert seen[name].random() == np.random.RandomState(5).random()  # noqa: NPY002


FIRST = [0.227837, -0.831210, -0.072128, -0.893515]
