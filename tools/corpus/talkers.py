"""Talkers: flite voices with another mouth, pitch and pace, made by WORLD."""

from dataclasses import dataclass

import numpy as np

from tools.corpus import mastering, voice
from tools.corpus.sentences import SENTENCES

COUNTS = {"train": 40, "valid": 8, "test": 8}
UTTERANCES = {"train": 3, "valid": 4, "test": 4}
VOICES = {"train": ("slt", "awb", "kal16"), "valid": ("awb", "slt"), "test": ("rms",)}
SCALES = {"slt": (0.80, 1.18), "awb": (0.86, 1.26), "kal16": (0.86, 1.26), "rms": (0.90, 1.30)}  # formants
NAMES = {"train": "t", "valid": "v", "test": "x"}
SEED = 90_000


@dataclass(frozen=True)
class Talker:
    """An identity: a flite voice, formant scale, tilt (dB per octave), mean pitch (Hz), liveliness, pace, breath."""

    name: str
    split: str
    voice: str
    scale: float
    tilt: float
    pitch: float
    lively: float
    pace: float
    breath: float


def talkers(split):
    """All identities of a split. Formant scales are spread evenly, so that no two mouths are alike."""
    rng = np.random.default_rng([SEED, ("train", "valid", "test").index(split)])
    bases = VOICES[split]
    shift = {"train": 0.0, "valid": 0.37, "test": 0.6}[split]
    made = []
    for k in range(COUNTS[split]):
        base = bases[k % len(bases)]
        low, high = SCALES[base]
        scale = low + (high - low) * (k // len(bases) + shift) / (COUNTS[split] / len(bases))
        made.append(talker(rng, f"{NAMES[split]}{k:02d}", split, base, scale))
    return made


def talker(rng, name, split, base, scale):
    """One identity: a small head speaks high, with some luck."""
    height = (scale * (1.17 if base == "slt" else 1.0)) ** 4.2
    return Talker(
        name=name,
        split=split,
        voice=base,
        scale=round(scale, 3),
        tilt=round(float(rng.uniform(-1.5, 1.5)), 2),
        pitch=round(float(np.clip((95 * height + 25) * rng.uniform(0.9, 1.15), 88, 280)), 1),
        lively=round(float(rng.uniform(0.7, 1.6)), 2),
        pace=round(float(rng.uniform(1.02, 1.25)) * (1.15 if base == "kal16" else 1.0), 2),
        breath=round(float(rng.uniform(0, 0.15)), 3),
    )


def texts(split, index):
    """The sentences that talker ``index`` of a split says."""
    pool, count = SENTENCES[split], UTTERANCES[split]
    order = np.random.default_rng([SEED, 5]).permutation(len(pool))
    return [pool[order[(index * count + k) % len(pool)]] for k in range(count)]


def say(talker, text):
    """Samples (N,) at 16 kHz: the sentence in this talker's voice, with 50 ms of silence around it."""
    speech = voice.analyse(talker.voice, text, talker.pace)
    filled = voice.fill(speech.f0)
    middle = np.exp(np.log(filled).mean())
    f0 = np.where(speech.f0 > 0, talker.pitch * (filled / middle) ** talker.lively, 0.0)
    envelope = voice.reshape(voice.microphone(speech.envelope, talker.voice), talker.scale, talker.tilt)
    aperiodicity = np.where(speech.f0[:, None] > 0, speech.aperiodicity, 1.0)
    aperiodicity = np.clip(aperiodicity + talker.breath * (1 - aperiodicity), 1e-6, 1.0)
    samples = mastering.high_pass(voice.synthesise(f0, envelope, aperiodicity), 60.0)
    return finish(samples, speech.phones)


def finish(samples, phones):
    """Trim to the spoken part, fade its ends, set the level."""
    spoken = [phone for phone in phones if phone.name != "pau"]
    first = max(0, int((spoken[0].start - 0.05) * voice.SAMPLE_RATE))
    last = min(len(samples), int((spoken[-1].end + 0.1) * voice.SAMPLE_RATE))
    part = samples[first:last].copy()
    ramp = np.linspace(0, 1, 480)
    part[:480] *= ramp
    part[-480:] *= ramp[::-1]
    part = mastering.to_level(part, -23.0)
    return part * min(1.0, 0.9 / np.abs(part).max())
