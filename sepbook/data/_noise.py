"""Noise for speech: hum and hiss from a seed, and what the built-in corpus has recorded or rendered; rooms.

An edition of the corpus without a folder of noise has hum and hiss alone, and its talkers stand in no room.

Taught on: book/data/corpus
"""

import numpy as np
import torch

from sepbook import audio
from sepbook.data import corpus

HUM_AND_HISS = "hum and hiss"
HARMONICS = 20  # of the mains, in a hum
ROOMS = (0.0, 0.8)  # seconds in which a room's echo falls by 60 dB: from dry to a hall
ECHO = 0.12  # energy of the echo of the largest room, that of the direct sound being 1


class Noises:
    """The kinds of noise that a split has at one rate: all are equally likely, whatever the number of their files."""

    def __init__(self, split, sample_rate):
        self.sample_rate, self.files, self._kept = sample_rate, {}, {}
        for noise in corpus.noise(split):
            self.files.setdefault(noise.kind, []).append(noise)
        self.kinds = (HUM_AND_HISS, *sorted(self.files))
        self.rooms = ROOMS if self.files else (0.0, 0.0)

    def draw(self, random, length, kind=None):
        """Noise (N=length,) with a root mean square of 1, and what it is: its kind, and its recording if it is one."""
        if kind is None:
            kind = self.kinds[int(random.integers(len(self.kinds))) if self.files else 0]
        if kind == HUM_AND_HISS:
            return hum_and_hiss(random, length, self.sample_rate), {"noise": kind, "recording": None}
        noise = self.files[kind][int(random.integers(len(self.files[kind])))]
        samples = self._samples(noise)
        places = (int(random.integers(len(samples))) + torch.arange(length)) % len(samples)  # it has no seam
        return level(samples[places]), {"noise": kind, "recording": noise.name}

    def room(self, random, speech):
        """Speech (C, N) in a room that is drawn, and the seconds of its echo; as it was where there are no rooms."""
        if self.rooms[1] == 0:
            return speech, 0.0
        seconds = float(random.uniform(*self.rooms))
        return in_room(random, speech, self.sample_rate, seconds), round(seconds, 3)

    def settings(self):
        """What decides which noise comes out, ready for JSON."""
        names = {kind: [noise.name for noise in noises] for kind, noises in self.files.items()}
        return {"kinds": list(self.kinds), "recordings": names, "rooms": list(self.rooms)}

    def _samples(self, noise):
        if noise.path not in self._kept:
            self._kept[noise.path] = audio.load(noise.path, self.sample_rate, 1)[0][0]  # (N,)
        return self._kept[noise.path]

    def __getstate__(self):
        return {**self.__dict__, "_kept": {}}  # a new process decodes for itself


def level(samples):
    """Samples turned to a root mean square of 1; silence stays as it is."""
    return samples / samples.square().mean().sqrt().clamp_min(1e-12)


def in_room(random, samples, sample_rate, seconds):
    """Samples (C, N) in a room whose echo falls by 60 dB in `seconds`: the direct sound, and decaying noise behind it.

    The direct sound stays where it is in time; the echo is stronger in a larger room, and what rings on beyond the end
    is cut off. With 0 seconds the room is dry.
    """
    tail = round(seconds * sample_rate)
    if tail < 2:
        return samples
    time = np.arange(1, 1 + tail) / sample_rate
    echo = random.standard_normal(tail) * 10 ** (-3 * time / seconds)
    echo *= np.sqrt(ECHO * seconds / ROOMS[1] / np.square(echo).sum())
    answer = torch.tensor(np.concatenate([[1.0], echo]), dtype=samples.dtype)
    length = samples.shape[-1]
    size = 1 << (length + tail).bit_length()
    return torch.fft.irfft(torch.fft.rfft(samples, size) * torch.fft.rfft(answer, size), size)[..., :length]


def hum_and_hiss(random, length, sample_rate):
    """Noise (N,) with a root mean square of 1: the mains with its harmonics, and a hiss that falls with frequency."""
    time = np.arange(length) / sample_rate
    mains = random.choice((50.0, 60.0)) * (1 + random.uniform(-0.002, 0.002))  # Hz
    order = np.arange(1, 1 + max(1, min(HARMONICS, int(sample_rate / 2 / mains) - 1)))
    strength = random.uniform(0.2, 1.0, len(order)) * order ** -random.uniform(0.5, 1.5)
    phase = random.uniform(0, 2 * np.pi, len(order))
    turn, hum = np.exp(2j * np.pi * mains * time), 0.0
    for part in (strength * np.exp(1j * phase))[::-1]:  # a polynomial of the turn: every power is a harmonic
        hum = (hum + part) * turn
    hum = hum.imag
    bins = np.fft.rfft(random.standard_normal(length))
    falling = np.maximum(np.fft.rfftfreq(length, 1 / sample_rate), 50.0) ** -random.uniform(0.0, 1.0)
    hiss = np.fft.irfft(bins * falling, length)
    share = random.uniform()
    parts = [np.sqrt(part) * x / max(np.sqrt(np.mean(x**2)), 1e-12) for part, x in ((share, hum), (1 - share, hiss))]
    total = parts[0] + parts[1]
    return torch.tensor(total / max(np.sqrt(np.mean(total**2)), 1e-12), dtype=torch.float32)
