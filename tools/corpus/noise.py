"""Noise for speech: traffic from a seed, babble of voices that no talker has, and recorded sounds in the public domain.

Each sound goes round without a seam: its end is faded into its beginning. Hum and hiss need no file: the package makes
them. No split shares a recording's excerpt or a babbling voice with another, and the recordings of the test are heard
nowhere else.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.signal
import soundfile

from tools.corpus.mastering import high_pass, level, to_level
from tools.corpus.sentences import SENTENCES

SAMPLE_RATE = 16000
SECONDS = 8.0  # of a sound; recordings may be shorter
SEAM = 0.2  # seconds that are faded into each other
LEVEL = -24.0  # dB, root mean square
SEED = 70_000
SPLITS = ("train", "valid", "test")
TRAFFIC = {"train": 6, "valid": 2, "test": 3}  # sounds
BABBLE = {"train": 8, "valid": 2, "test": 3}
# The speakers of a babble and their languages. tools/corpus/speakers.py knows them; no talker and no singer is one.
VOICES = {
    "train": (("adam", "en"), ("sarah", "en"), ("pico_de", "de"), ("pico_es", "es")),
    "valid": (("puck", "en"), ("pico_it", "it")),
    "test": (("fenrir", "en"), ("pico_fr", "fr")),
}
TEXTS = {
    "de": ("Am Abend sitzen alle noch lange im Garten.", "Der Zug nach Norden hat heute wieder Verspätung.",
           "Sie hat das Fenster geöffnet und auf den Hof geschaut."),
    "es": ("Mañana vamos a comprar pan y naranjas.", "El tren de la tarde llega siempre con retraso.",
           "Mi hermana vive cerca de la plaza vieja."),
    "it": ("Domani mattina andiamo a piedi fino al lago.", "La porta della cucina è rimasta aperta.",
           "Mio zio racconta sempre la stessa storia."),
    "fr": ("Nous avons marché le long de la rivière.", "Le boulanger ouvre sa porte à six heures.",
           "Il pleut depuis ce matin sur toute la ville."),
}  # fmt: skip
SAID = 8  # English sentences of a split: some engines take seconds for each
SAMPLES = Path("/usr/share/sonic-pi/samples")  # Debian's package sonic-pi-samples, whose copyright file names each CC0


@dataclass(frozen=True)
class Recording:
    """A recorded sound: its file, who made it, its number at freesound.org, the seconds to take, what it is."""

    file: str
    author: str
    number: int
    start: float
    end: float
    what: str
    repeated: bool = False  # a short event, which comes again and again


RECORDINGS = {
    "train": (
        Recording("vinyl_hiss", "veezay", 130393, 0.0, 5.0, "the surface of a record"),
        Recording("ambi_haunted_hum", "kaligari", 35392, 0.5, 7.0, "a hum with overtones"),
        Recording("perc_till", "Zott820", 209578, 0.0, 1.6, "a cash register", repeated=True),
    ),
    "valid": (
        Recording("vinyl_hiss", "veezay", 130393, 5.0, 8.0, "the surface of a record"),
        Recording("ambi_glass_hum", "kaligari", 35391, 0.5, 6.8, "a hum like a rubbed glass"),
    ),
    "test": (
        Recording("ambi_lunar_land", "maqsim", 172157, 0.3, 6.0, "a rush of air and rattling"),
        Recording("misc_crow", "davidworksonline", 54973, 0.0, 0.48, "a crow", repeated=True),
        Recording("vinyl_rewind", "TasmanianPower", 162493, 0.0, 2.6, "a record turned back by hand"),
    ),
}
OWN = {"source": "synthesised by tools/corpus/noise.py", "licence": "CC BY 4.0"}
SPOKEN = {
    "source": "synthetic voices of Kokoro-82M and SVOX Pico, laid over each other by tools/corpus/noise.py",
    "licence": "CC BY 4.0; the voices' software and weights: Apache-2.0",
}


def jobs():
    """All sounds that there are: (split, kind, number)."""
    counts = {"traffic": TRAFFIC, "babble": BABBLE, "recorded": {split: len(RECORDINGS[split]) for split in SPLITS}}
    return [(split, kind, k) for split in SPLITS for kind, count in counts.items() for k in range(count[split])]


def make(split, kind, number, speak):
    """One sound: samples (N,), and its row of noise.json. ``speak(voice, text)`` gives samples (N,) at 16 kHz."""
    rng = np.random.default_rng([SEED, SPLITS.index(split), ("traffic", "babble", "recorded").index(kind), number])
    if kind == "traffic":
        samples, row = traffic(rng), OWN
    elif kind == "babble":
        samples, voices = babble(rng, split, speak)
        row = {**SPOKEN, "voices": voices}
    else:
        samples, row = recorded(rng, RECORDINGS[split][number])
    samples = to_level(without_seam(high_pass(samples, 40.0)), LEVEL, level)
    samples *= min(1.0, 0.9 / np.abs(samples).max())
    path = f"noise/{split}/{kind}_{number}.ogg"
    return samples, {"path": path, "split": split, "kind": kind, "seconds": len(samples) / SAMPLE_RATE, **row}


def wanted():
    """All that the babbles say, as (speaker, text, stretch): engines that are slow to start can say it together."""
    return [
        (name, text, 1.0) for split in SPLITS for name, language in VOICES[split] for text in texts(language, split)
    ]


def without_seam(samples):
    """The end faded into the beginning, so that the last sample may be followed by the first."""
    count = int(SEAM * SAMPLE_RATE)
    ramp = np.sin(np.linspace(0, np.pi / 2, count))
    looped = samples[:-count].copy()
    looped[:count] = looped[:count] * ramp + samples[-count:] * ramp[::-1]
    return looped


def coloured(rng, length, slope, low, high):
    """Noise (N,) of level 1 between two frequencies (Hz), falling by ``slope`` in amplitude per frequency."""
    frequencies = np.fft.rfftfreq(length, 1 / SAMPLE_RATE)
    shape = np.maximum(frequencies, low) ** -slope / (1 + (frequencies / high) ** 4)
    samples = np.fft.irfft(np.fft.rfft(rng.standard_normal(length)) * shape, length)
    return samples / np.sqrt(np.mean(samples**2))


def traffic(rng):
    """A far road that never rests, and two to five cars that pass: tyres, engine, and a pitch that falls."""
    length = int((SECONDS + SEAM) * SAMPLE_RATE)
    time = np.arange(length) / SAMPLE_RATE
    swing = 1 + 0.3 * np.sin(2 * np.pi * (rng.uniform(0.08, 0.3) * time + rng.uniform()))
    total = 0.35 * swing * coloured(rng, length, 1.0, 60, 900)
    for _ in range(rng.integers(2, 6)):
        total = total + rng.uniform(0.4, 1.2) * car(rng, time)
    return total


def car(rng, time):
    """One car that passes (N,): at distance ``near`` metres with ``speed`` metres a second."""
    speed, near = rng.uniform(8, 22), rng.uniform(4, 15)
    way = speed * (time - rng.uniform(0.5, time[-1] - 0.5))  # metres along the road; 0 is before us
    distance = np.hypot(way, near)
    closing = speed * way / distance  # metres a second away from us
    tyres = coloured(rng, len(time), rng.uniform(0.4, 0.8), 250, rng.uniform(900, 2500))
    phase = 2 * np.pi * np.cumsum(rng.uniform(35, 90) / (1 + closing / 343)) / SAMPLE_RATE
    engine = sum(rng.uniform(0.3, 1.0) * np.sin(k * phase + rng.uniform(0, 6.28)) / k for k in range(1, 9))
    return (tyres + rng.uniform(0.5, 1.5) * engine) * near / distance


def babble(rng, split, speak):
    """Six to eight talkers at once, who never pause: samples (N,) and the names of the voices."""
    length, voices = int((SECONDS + SEAM) * SAMPLE_RATE), VOICES[split]
    first, count = int(rng.integers(len(voices))), int(rng.integers(6, 9))
    total = np.zeros(length)
    for k in range(count):
        name, language = voices[(first + k) % len(voices)]
        talk = chatter(rng, name, texts(language, split), speak, length)
        total += to_level(talk, rng.uniform(-4, 4), level)
    return total, sorted({voices[(first + k) % len(voices)][0] for k in range(count)})


def texts(language, split):
    """What is said in a language: in English what the talkers of the split say, too."""
    return TEXTS.get(language, SENTENCES[split][:SAID])


def chatter(rng, voice, lines, speak, length):
    """One talker, sentence after sentence (N=length), in a mouth of another size, begun anywhere."""
    pace, said, seconds = rng.uniform(0.86, 1.16), [], 0
    start = int(rng.uniform(0, 1.5) * SAMPLE_RATE)
    for k in rng.permutation(np.resize(np.arange(len(lines)), 40)):
        said.append(resampled(speak(voice, lines[k]), SAMPLE_RATE, SAMPLE_RATE / pace))
        seconds += len(said[-1])
        if seconds >= start + length:
            return np.concatenate(said)[start : start + length]
    raise ValueError(f"voice {voice}: forty sentences last {seconds / SAMPLE_RATE:.1f} s; is it silent?")


def recorded(rng, recording):
    """Samples (N,) of a recording, and what is known of it."""
    samples, rate = soundfile.read(SAMPLES / f"{recording.file}.flac", always_2d=True)
    part = samples[int(recording.start * rate) : int(recording.end * rate)].mean(axis=1)
    part = resampled(part, rate, SAMPLE_RATE)
    if recording.repeated:
        part = again(rng, part)
    return part, {
        "source": f"{recording.file} of sonic-pi-samples ({recording.what}), recorded by {recording.author}, "
        f"https://freesound.org/people/{recording.author}/sounds/{recording.number}/",
        "licence": "CC0 1.0",
        "excerpt": [recording.start, recording.end],
    }


def again(rng, event):
    """An event that comes again and again (N,), each time at another level, over a soft rush of air."""
    length = int((SECONDS + SEAM) * SAMPLE_RATE)
    total, at = 0.03 * np.sqrt(np.mean(event**2)) * coloured(rng, length, 0.5, 100, 3000), 0
    while at < length:
        part = event[: length - at] * rng.uniform(0.5, 1.0)
        total[at : at + len(part)] += part
        at += len(event) + int(rng.uniform(0.1, 0.7) * SAMPLE_RATE)
    return total


def resampled(samples, rate, wanted):
    """Samples (N,) at another rate (Hz)."""
    up, down = round(wanted / 10), round(rate / 10)
    return scipy.signal.resample_poly(samples, up // np.gcd(up, down), down // np.gcd(up, down))
