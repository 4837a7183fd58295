"""A room: reflections of a box (image sources), then a tail of noise that decays and darkens.

Source: Allen and Berkley, "Image method for efficiently simulating small-room acoustics", JASA 65(4), 1979. The walls
absorb what Eyring's formula asks for to let the sound fall by 60 dB in the given time.
"""

import itertools

import numpy as np
import scipy.signal

SPEED = 343.0  # of sound, m/s
ORDER = 4  # walls that an early reflection has met, at most
EARLY = 0.06  # seconds of single reflections: after that there are too many to tell apart
DARKER = 0.55  # high frequencies fall in this part of the time of the low ones
CROSSOVER = 2500.0  # Hz


def response(rng, seconds, box, rate=16000):
    """What a room of (x, y, z) metres adds to the direct sound: (N,) of energy 1. ``seconds``: to fall by 60 dB."""
    count = int(seconds * rate)
    early = reflections(rng, seconds, box, rate, count)
    time = np.arange(count) / rate
    tail = rng.standard_normal((2, count)) * 10 ** (-3 * time / np.array([[seconds], [DARKER * seconds]]))
    low, high = (scipy.signal.butter(1, CROSSOVER, kind, fs=rate) for kind in ("low", "high"))
    tail = scipy.signal.lfilter(*low, tail[0]) + scipy.signal.lfilter(*high, tail[1])
    mixed = int(min(EARLY, seconds / 2) * rate)
    before, after = early[mixed // 2 : mixed], tail[mixed // 2 : mixed]
    tail *= np.sqrt((before**2).sum() / ((after**2).sum() + 1e-12))  # as loud as the reflections that it goes on from
    tail *= np.clip((np.arange(count) - mixed / 2) / (mixed / 2 + 1), 0, 1)
    whole = scipy.signal.sosfilt(scipy.signal.butter(1, 120, "high", fs=rate, output="sos"), early + tail)
    return whole / np.sqrt((whole**2).sum() + 1e-12)


def reflections(rng, seconds, box, rate, count):
    """Early reflections (N,) of a source in the box, heard from another place; the direct sound is left out."""
    box = np.asarray(box)
    ear, source = box * rng.uniform(0.3, 0.7, 3), box * rng.uniform(0.15, 0.85, 3)
    volume, surface = box.prod(), 2 * (box[0] * box[1] + box[1] * box[2] + box[2] * box[0])
    bounce = np.exp(-0.161 * volume / (surface * seconds) / 2)  # amplitude that a wall gives back
    direct = np.linalg.norm(source - ear)
    heard = np.zeros(count)
    for cell in itertools.product(range(-ORDER, ORDER + 1), repeat=3):
        met = sum(map(abs, cell))
        if not 0 < met <= ORDER:
            continue
        image = np.where(np.array(cell) % 2 == 0, source, box - source) + np.array(cell) * box
        distance = np.linalg.norm(image - ear)
        at = int(round((distance - direct) / SPEED * rate))
        if 0 < at < min(count, EARLY * rate):
            heard[at] += bounce**met * direct / distance
    return heard


def box(rng, seconds):
    """Metres of a room that may sound for so long: from a booth to a hall."""
    return np.array([3.0, 2.4, 2.2]) * rng.uniform(1.0, 1.5, 3) * (1 + 1.6 * seconds)


def reverberate(samples, rng, seconds, decibels, box, rate=16000):
    """The samples (N,) with their room, ``decibels`` of energy against the dry sound; a room of 0 s changes nothing."""
    if seconds < 0.05:
        return samples
    wet = scipy.signal.fftconvolve(samples, response(rng, seconds, box, rate))[: len(samples)]
    return samples + 10 ** (decibels / 20) * wet
