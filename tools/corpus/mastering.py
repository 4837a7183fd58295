"""From dry parts to a mix: tone, drive, dynamics, the room, and levels. Nothing clips."""

import numpy as np
import scipy.signal

from tools.corpus.rooms import reverberate

SAMPLE_RATE = 16000
STEMS = ("vocals", "drums", "bass", "other")
LEVELS = {"vocals": -21.5, "drums": -23.0, "bass": -23.5, "other": -20.5}  # dB, where a stem sounds; before its own
LOW_CUTS = {"vocals": 70.0, "drums": 35.0, "bass": 30.0}  # Hz; that of ``other`` is the song's
OFFSET_CUT = 20.0  # Hz
PEAK = 0.9  # of the sum of the stems
SLOPE = 0.35  # seconds in which a stem goes from one level to the next


def active_level(samples, block=1600):
    """Level in dB over the blocks of 0.1 s that sound (within 30 dB of the loudest)."""
    blocks = samples[: len(samples) // block * block].reshape(-1, block)
    power = (blocks**2).mean(axis=1)
    if power.max(initial=0) == 0:
        return -np.inf
    return 10 * np.log10(power[power > 1e-3 * power.max()].mean())


def level(samples):
    """Root mean square of all samples, in dB."""
    power = float((samples**2).mean())
    return 10 * np.log10(power) if power > 0 else -np.inf


def to_level(samples, decibels, measure=active_level):
    """Scale so that the level is ``decibels``; silence stays silence."""
    level = measure(samples)
    return samples if np.isinf(level) else samples * 10 ** ((decibels - level) / 20)


def shelves(samples, rng, depth=4.0):
    """A random tone: a low and a high shelf of up to ``depth`` dB."""
    for kind, corner in (("low", rng.uniform(120, 300)), ("high", rng.uniform(2000, 4000))):
        gain = 10 ** (rng.uniform(-depth, depth) / 20)
        b, a = scipy.signal.butter(1, corner, "low" if kind == "low" else "high", fs=SAMPLE_RATE)
        samples = samples + (gain - 1) * scipy.signal.lfilter(b, a, samples)
    return samples


def drive(samples, decibels):
    """Distort softly: the level at which it bends lies ``decibels`` below the peak. 0 changes nothing."""
    peak = np.abs(samples).max()
    if not decibels or peak == 0:
        return samples
    knee = peak * 10 ** (-decibels / 20)
    return knee * np.tanh(samples / knee)


def dynamics(samples, spans):
    """Follow ``spans`` of (start second, dB), without a step: each change takes ``SLOPE`` seconds."""
    curve = np.zeros(len(samples))
    for start, decibels in spans:
        curve[max(0, int(start * SAMPLE_RATE)) :] = decibels
    window = np.hanning(int(SLOPE * SAMPLE_RATE) | 1)
    half = len(window) // 2
    smooth = scipy.signal.oaconvolve(np.pad(curve, half, mode="edge"), window / window.sum(), "valid")
    return samples * 10 ** (smooth / 20)


def tame(samples, above):
    """Round off peaks: ``above`` dB over the active level is where it bends."""
    knee = 10 ** ((active_level(samples) + above) / 20)
    if knee == 0:
        return samples
    return knee * np.tanh(samples / knee)


def high_pass(samples, corner=30.0):
    """Remove what is below hearing, and any offset."""
    sections = scipy.signal.butter(2, corner, "high", fs=SAMPLE_RATE, output="sos")
    return scipy.signal.sosfilt(sections, samples)


def fade(samples, seconds=0.4):
    """Fade the end out, so that the excerpt stops in silence."""
    count = int(seconds * SAMPLE_RATE)
    faded = samples.copy()
    faded[-count:] *= np.cos(np.linspace(0, np.pi / 2, count)) ** 2
    return faded


def master(stems, rng, desk, spans):
    """Finish dry stems {name: (N,)} as the ``desk.Desk`` of the song says.

    ``spans``: {name: [(start second, dB)]}, the dynamics. The room of a stem is part of the stem: the sum is the
    mixture. A stem that is silent stays so.
    """
    finished = {}
    for name in STEMS:
        samples = shelves(high_pass(stems[name], LOW_CUTS.get(name, desk.low_cut)), rng)
        samples = drive(samples, desk.bass_drive if name == "bass" else 0.0)
        samples = tame(samples, {"drums": 12.0}.get(name, 10.5))
        samples = high_pass(samples, OFFSET_CUT)  # a lopsided wave that is bent gets an offset
        samples = to_level(samples, LEVELS[name] + desk.levels[name])
        samples = dynamics(samples, spans[name])
        samples = reverberate(samples, rng, desk.room_seconds, desk.room_db + desk.sends[name], desk.box)
        finished[name] = fade(samples)
    return in_range(finished, desk.loudness)


def in_range(stems, loudness):
    """Bring the sum to a level (dB) with one gain for all stems, less where it would go above ``PEAK``."""
    mixture = sum(stems.values())
    now = level(mixture)
    peak = max(np.abs(mixture).max(), *(np.abs(x).max() for x in stems.values()))
    if np.isinf(now):
        return stems
    gain = min(10 ** ((loudness - now) / 20), PEAK / peak)
    return {name: samples * gain for name, samples in stems.items()}
