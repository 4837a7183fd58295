"""How near Kokoro's voices are to those of validation and test: ``python -m tools.corpus.nearness``.

Each voice says the same sentences. Two are compared by the distance of their mean cepstra, without the loudness, in
units of the median pair. It is a coarse measure: it finds a voice that was made from another, and no person.
"""

import itertools

import librosa
import numpy as np

from tools.corpus import engines
from tools.corpus.sentences import SENTENCES
from tools.corpus.speakers import MORE, SPEAKERS
from tools.corpus.talkers import PACE

TEXTS = SENTENCES["train"][:2]
SAMPLE_RATE = 16000
AUDIBLE = -35.0  # dB below the loudest frame


def cepstrum(samples):
    """Mean of the cepstral coefficients 1 to 12 over the audible frames of samples (N,): (12,)."""
    settings = {"y": samples.astype(np.float32), "hop_length": 160}
    rows = librosa.feature.mfcc(sr=SAMPLE_RATE, n_mfcc=13, n_fft=512, **settings)[1:]
    levels = librosa.feature.rms(frame_length=512, **settings)[0]
    return rows[:, levels > levels.max() * 10 ** (AUDIBLE / 20)].mean(axis=1)


def distances(points):
    """Pairs (name, name): distance, in units of the median, of points {name: (12,)}."""
    found = {(a, b): float(np.linalg.norm(points[a] - points[b])) for a, b in itertools.combinations(points, 2)}
    median = np.median(list(found.values()))
    return {pair: distance / median for pair, distance in found.items()}


def measure(names):
    """The distances of speakers. Those whose speech is not in the cache are spoken."""
    engines.fill_cache([(name, text, PACE) for name in names for text in TEXTS], jobs=2)
    said = {name: np.concatenate([engines.speak(name, text, PACE)[0] for text in TEXTS]) for name in names}
    return distances({name: cepstrum(samples) for name, samples in said.items()})


def main():
    """Print each further voice with the held-out voice that is nearest to it, the nearest first."""
    names = [name for name, who in SPEAKERS.items() if who.engine == "kokoro"]
    held = [name for name in names if SPEAKERS[name].split in ("valid", "test")]
    table = measure(names)
    near = {}
    for name in (n for n in names if SPEAKERS[n].split in ("train", MORE)):
        near[name] = min((distance, *set(pair) & set(held)) for pair, distance in table.items()
                         if name in pair and set(pair) & set(held))  # fmt: skip
    for name, (distance, other) in sorted(near.items(), key=lambda row: row[1]):
        print(f"{name:14} {SPEAKERS[name].split:6} {distance:.2f} from {other}")


if __name__ == "__main__":
    main()
