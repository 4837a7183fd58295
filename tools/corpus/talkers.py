"""Talkers: speakers as they are, and speakers with another mouth, pitch and pace, made by WORLD."""

from dataclasses import dataclass

import numpy as np

from tools.corpus import mastering, voice
from tools.corpus.phones import spoken
from tools.corpus.sentences import PROMPTS, SENTENCES
from tools.corpus.speakers import MORE, SPLITS, of_split, speaker

PARTS = (*SPLITS, MORE)
COUNTS = {"train": 40, "valid": 8, "test": 10, MORE: 66}
UTTERANCES = {"train": 3, "valid": 4, "test": 4, MORE: 3}
WARPED = {"train": ((0.88, 1.18), (0.90, 1.26)), "valid": ((0.92, 1.10),) * 2, "test": ((0.94, 1.08),) * 2}  # formants
WARPED[MORE] = ((0.88, 1.17), (0.90, 1.25))
HIGH = 150.0  # Hz: who speaks higher takes the first range of formant scales, who speaks lower the second
PACE = 1.1  # a synthetic speaker as it is, a little slower than it would be: clearer
NAMES = {"train": "t", "valid": "v", "test": "x", MORE: "m"}
SEED = 90_000


@dataclass(frozen=True)
class Talker:
    """An identity: a speaker, formant scale, tilt (dB per octave), mean pitch (Hz), liveliness, pace, breath.

    Where scale is 1 and tilt and breath are 0, it is the speaker as he or she is.
    """

    name: str
    split: str
    voice: str
    scale: float
    tilt: float
    pitch: float
    lively: float
    pace: float
    breath: float
    engine: str
    licence: str
    source: str

    @property
    def natural(self):
        """Whether nothing was changed."""
        return self.scale == 1 and self.tilt == 0 and self.breath == 0


def talkers(split):
    """All identities of a split: first each speaker as it is, then warps, spread so that no two mouths are alike."""
    rng = np.random.default_rng([SEED, PARTS.index(split)])
    bases = of_split(split)
    made = [natural(f"{NAMES[split]}{k:02d}", split, base) for k, base in enumerate(bases)]
    able = [base for base in bases if speaker(base).engine != "recorded"]
    rounds = -(-(COUNTS[split] - len(bases)) // len(able))
    for k in range(COUNTS[split] - len(bases)):
        base, turn = able[k % len(able)], k // len(able)
        low, high = WARPED[split][speaker(base).f0 < HIGH]
        place = (turn + 0.15 + 0.7 * (k % len(able)) / len(able)) / rounds
        made.append(warped(rng, f"{NAMES[split]}{len(made):02d}", split, base, low + (high - low) * place))
    return made


def natural(name, split, base):
    """A speaker as it is."""
    who = speaker(base)
    pace = 1.0 if who.engine == "recorded" else PACE
    return Talker(name, split, base, 1.0, 0.0, who.f0, 1.0, pace, 0.0, who.engine, who.licence, who.source)


def warped(rng, name, split, base, scale):
    """A speaker with another mouth: a small head speaks high, with some luck."""
    who = speaker(base)
    return Talker(
        name=name,
        split=split,
        voice=base,
        scale=round(scale, 3),
        tilt=round(float(rng.uniform(-1.5, 1.5)), 2),
        pitch=round(float(np.clip(who.f0 * scale**2.5 * rng.uniform(0.9, 1.12), 75, 280)), 1),
        lively=round(float(rng.uniform(0.7, 1.6)), 2),
        pace=round(float(rng.uniform(1.02, 1.25)) * (1.15 if base == "kal16" else 1.0), 2),
        breath=round(float(rng.uniform(0, 0.15)), 3),
        engine=who.engine,
        licence=who.licence,
        source=who.source,
    )


def texts(split, index):
    """The sentences that talker ``index`` says: a recorded one has its own, further ones say those of training."""
    talker = talkers(split)[index]
    if talker.engine == "recorded":
        return list(PROMPTS[speaker(talker.voice).voice])[: UTTERANCES[split]]
    pool, count = SENTENCES["train" if split == MORE else split], UTTERANCES[split]
    order = np.random.default_rng([SEED, 5]).permutation(len(pool))
    return [pool[order[(index * count + k) % len(pool)]] for k in range(count)]


def say(talker, text):
    """Samples (N,) at 16 kHz: the sentence in this talker's voice, with 50 ms of silence around it."""
    samples, phones = voice.speak(talker.voice, text, talker.pace)
    if not talker.natural:
        samples = warp(talker, text)
    return finish(mastering.high_pass(samples, 60.0), phones)


def warp(talker, text):
    """Samples (N,): the speech with the talker's mouth, pitch and breath."""
    speech = voice.analyse(talker.voice, text, talker.pace)
    filled = voice.fill(speech.f0)
    middle = np.exp(np.log(filled).mean())
    f0 = np.where(speech.f0 > 0, talker.pitch * (filled / middle) ** talker.lively, 0.0)
    envelope = voice.reshape(voice.microphone(speech.envelope, talker.voice), talker.scale, talker.tilt)
    aperiodicity = np.where(speech.f0[:, None] > 0, speech.aperiodicity, 1.0)
    aperiodicity = np.clip(aperiodicity + talker.breath * (1 - aperiodicity), 1e-6, 1.0)
    return voice.synthesise(f0, envelope, aperiodicity)


def finish(samples, phones):
    """Trim to the spoken part, fade its ends, set the level."""
    sounds = spoken(phones)
    first = max(0, int((sounds[0].start - 0.05) * voice.SAMPLE_RATE))
    last = min(len(samples), int((sounds[-1].end + 0.1) * voice.SAMPLE_RATE))
    part = samples[first:last].copy()
    ramp = np.linspace(0, 1, 480)
    part[:480] *= ramp
    part[-480:] *= ramp[::-1]
    part = mastering.to_level(part, -23.0)
    return part * min(1.0, 0.9 / np.abs(part).max())
