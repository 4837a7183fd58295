"""flite speaks, WORLD takes the speech apart: phones with their times, pitch, spectral envelope, aperiodicity."""

import functools
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyworld
import soundfile

SAMPLE_RATE = 16000
FRAME_SECONDS = 0.005
MICROPHONES = {"slt": 0.0, "awb": 8.0, "kal16": 2.0, "rms": -6.0}  # dB above 5 kHz
VOWELS = frozenset("aa ae ah ao aw ax axr ay eh er ey ih ix iy ow oy uh uw".split())
SONORANTS = frozenset("m n ng l r w y em en el".split())
CLUSTERS = frozenset(
    (
        "p r/b r/t r/d r/k r/g r/f r/th r/sh r/p l/b l/k l/g l/f l/s l/s p/s t/s k/s m/s n/"
        "s w/t w/k w/d w/hh w/p y/k y/m y/f y/b y"
    ).split("/")
)


@dataclass(frozen=True)
class Phone:
    """One phone: its ARPAbet name and where it lies, in seconds."""

    name: str
    start: float
    end: float


@dataclass(frozen=True)
class Speech:
    """An utterance taken apart, 200 frames a second: f0 (T,), envelope (T, F), aperiodicity (T, F)."""

    phones: tuple
    f0: np.ndarray
    envelope: np.ndarray
    aperiodicity: np.ndarray


@functools.cache
def speak(voice, text, stretch=1.0):
    """Samples (N,) at 16 kHz and phones of a text in a flite voice."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        command = ["flite", "-voice", voice, "--setf", f"duration_stretch={stretch}", "-psdur", "-t", text, str(path)]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        samples, rate = soundfile.read(path)
    if rate != SAMPLE_RATE:
        raise ValueError(f"voice {voice} speaks at {rate} Hz, expected {SAMPLE_RATE}")
    ends = [(name, float(end)) for name, end in re.findall(r"(\S+):([\d.]+)", printed)]
    starts = [0.0, *(end for _, end in ends)]
    return samples, tuple(Phone(name, start, end) for (name, end), start in zip(ends, starts, strict=False))


@functools.cache
def analyse(voice, text, stretch=1.0):
    """Take the speech of a text apart with WORLD."""
    samples, phones = speak(voice, text, stretch)
    samples = np.ascontiguousarray(samples + 1e-5 * np.random.default_rng(0).standard_normal(len(samples)))
    coarse, times = pyworld.dio(samples, SAMPLE_RATE, f0_floor=60, f0_ceil=400, frame_period=1000 * FRAME_SECONDS)
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


def syllables(phones):
    """Group phones (without pauses) into (onset, vowel, coda): between vowels the longest legal onset wins."""
    spoken = [phone for phone in phones if phone.name != "pau"]
    nuclei = [k for k, phone in enumerate(spoken) if phone.name in VOWELS]
    cuts = [0]
    for before, after in zip(nuclei, nuclei[1:], strict=False):
        between = after - before - 1
        take = min(between, 1)
        if between >= 2 and f"{spoken[after - 2].name} {spoken[after - 1].name}" in CLUSTERS:
            take = 2
        if take == 1 and spoken[after - 1].name == "ng":
            take = 0
        cuts.append(after - take)
    cuts.append(len(spoken))
    groups = []
    for nucleus, start, end in zip(nuclei, cuts, cuts[1:], strict=False):
        groups.append((tuple(spoken[start:nucleus]), spoken[nucleus], tuple(spoken[nucleus + 1 : end])))
    return groups


def count_syllables(voice, text):
    """How many notes a line needs in this voice."""
    return len(syllables(speak(voice, text)[1]))


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
    return envelope * 10 ** (MICROPHONES[voice] / 10 * np.clip((kilohertz - 3) / 2, 0, 1))


def synthesise(f0, envelope, aperiodicity):
    """Samples (N,) from pitch (T,), envelope and aperiodicity (T, F)."""
    parts = (np.ascontiguousarray(x, dtype=np.float64) for x in (f0, envelope, aperiodicity))
    return pyworld.synthesize(*parts, SAMPLE_RATE, 1000 * FRAME_SECONDS)
