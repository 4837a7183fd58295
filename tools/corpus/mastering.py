"""From dry parts to a mix: tone, a little room, and levels. Nothing clips."""

import numpy as np
import scipy.signal

SAMPLE_RATE = 16000
STEMS = ("vocals", "drums", "bass", "other")
LEVELS = {"vocals": -21.0, "drums": -22.0, "bass": -21.5, "other": -22.0}  # dB, root mean square
ROOMS = {"vocals": (0.6, -20.0), "drums": (0.3, -21.0), "bass": (0.2, -28.0), "other": (0.5, -20.0)}  # s, dB
LOW_CUTS = {"vocals": 80.0, "drums": 40.0, "bass": 30.0, "other": 140.0}  # Hz: room for the bass
PEAK = 0.9  # of the sum of the stems


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


def room(samples, rng, seconds, decibels):
    """Add the decaying, darkening noise of a small room; it begins 12 ms after the sound."""
    length = int(seconds * SAMPLE_RATE)
    time = np.arange(length) / SAMPLE_RATE
    response = rng.standard_normal(length) * 10 ** (-3 * time / seconds)
    b, a = scipy.signal.butter(1, [180, 3800], "band", fs=SAMPLE_RATE)
    response = scipy.signal.lfilter(b, a, response)
    response *= 10 ** (decibels / 20) / np.sqrt((response**2).sum())
    delay = int(rng.uniform(0.008, 0.018) * SAMPLE_RATE)
    wet = scipy.signal.fftconvolve(np.pad(samples, (delay, 0)), response)[: len(samples)]
    return samples + wet


def tame(samples, drive):
    """Round off peaks: the loudest ``drive`` dB above the active level is where it bends."""
    knee = 10 ** ((active_level(samples) + drive) / 20)
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


def master(stems, rng):
    """Finish dry stems {name: (N,)}: tone, room, level, and one common gain so that the sum stays below ``PEAK``."""
    finished = {}
    for name in STEMS:
        samples = shelves(high_pass(stems[name], LOW_CUTS[name]), rng)
        seconds, wet = ROOMS[name]
        samples = room(samples, rng, seconds * rng.uniform(0.7, 1.3), wet + rng.uniform(-2, 2))
        samples = tame(samples, {"drums": 13.0}.get(name, 12.0))
        finished[name] = to_level(fade(samples), LEVELS[name] + rng.uniform(-1.2, 1.2), level)
    peak = max(np.abs(sum(finished.values())).max(), *(np.abs(x).max() for x in finished.values()))
    gain = min(1.0, PEAK / peak)
    return {name: samples * gain for name, samples in finished.items()}
