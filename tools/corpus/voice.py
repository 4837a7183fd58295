"""A speaker says a text, WORLD takes the speech apart: phones with their times, pitch, envelope, aperiodicity."""

import functools
from dataclasses import dataclass

import numpy as np
import pyworld

from tools.corpus import engines
from tools.corpus.phones import syllables
from tools.corpus.speakers import speaker

SAMPLE_RATE = 16000
FRAME_SECONDS = 0.005
STRETCH = 1.25  # what will be sung is said slowly: clearer vowels
LOWEST, HIGHEST = 60.0, 400.0  # Hz, of the voices before they sing


@dataclass(frozen=True)
class Speech:
    """An utterance taken apart, 200 frames a second: f0 (T,), envelope (T, F), aperiodicity (T, F)."""

    phones: tuple
    f0: np.ndarray
    envelope: np.ndarray
    aperiodicity: np.ndarray


@functools.cache
def speak(voice, text, stretch=1.0):
    """Samples (N,) at 16 kHz and phones of a text said by a speaker of ``speakers.SPEAKERS``."""
    return engines.speak(voice, text, stretch)


@functools.cache
def analyse(voice, text, stretch=1.0):
    """Take the speech of a text apart with WORLD."""
    samples, phones = speak(voice, text, stretch)
    samples = np.ascontiguousarray(samples + 1e-5 * np.random.default_rng(0).standard_normal(len(samples)))
    coarse, times = pyworld.dio(
        samples, SAMPLE_RATE, f0_floor=LOWEST, f0_ceil=HIGHEST, frame_period=1000 * FRAME_SECONDS
    )
    f0 = pyworld.stonemask(samples, coarse, times, SAMPLE_RATE)
    filled = fill(f0)
    envelope = pyworld.cheaptrick(samples, filled, times, SAMPLE_RATE)
    aperiodicity = pyworld.d4c(samples, filled, times, SAMPLE_RATE, threshold=0.0)
    return Speech(phones, f0, envelope, aperiodicity)


def fill(f0):
    """Draw the pitch through the unvoiced frames."""
    voiced = np.flatnonzero(f0 > 0)
    if len(voiced) == 0:
        return np.full_like(f0, 150.0)
    return np.interp(np.arange(len(f0)), voiced, f0[voiced])


def sung_syllables(voice, text):
    """The syllables of a line that a speaker is to sing. Raises ValueError where nobody knows its phones."""
    if not speaker(voice).sings:
        raise ValueError(f"speaker {voice} has no phones with times: it can talk, and cannot sing")
    return syllables(speak(voice, text, STRETCH)[1])


def count_syllables(voice, text):
    """How many notes a line needs in this voice."""
    return len(sung_syllables(voice, text))


def reshape(envelope, scale, tilt):
    """Another mouth: formants moved by ``scale``, brightness tilted by ``tilt`` dB per octave around 1 kHz."""
    bins = envelope.shape[1]
    position = np.clip(np.arange(bins) / scale, 0, bins - 1)
    low = np.floor(position).astype(int)
    high = np.minimum(low + 1, bins - 1)
    part = position - low
    logs = np.log(envelope + 1e-16)
    moved = logs[:, low] * (1 - part) + logs[:, high] * part
    frequency = np.maximum(np.arange(bins), 1) / (bins - 1) * SAMPLE_RATE / 2
    gain = tilt * np.clip(np.log2(frequency / 1000), -3, 3) * np.log(10) / 10
    return np.exp(moved + gain)


def microphone(envelope, voice):
    """Bring the recordings behind the voices closer together: a shelf above 3 to 5 kHz."""
    kilohertz = np.linspace(0, SAMPLE_RATE / 2000, envelope.shape[1])
    return envelope * 10 ** (speaker(voice).microphone / 10 * np.clip((kilohertz - 3) / 2, 0, 1))


def synthesise(f0, envelope, aperiodicity):
    """Samples (N,) from pitch (T,), envelope and aperiodicity (T, F)."""
    parts = (np.ascontiguousarray(x, dtype=np.float64) for x in (f0, envelope, aperiodicity))
    return pyworld.synthesize(*parts, SAMPLE_RATE, 1000 * FRAME_SECONDS)
