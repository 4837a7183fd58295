"""Speech on disk, so that nothing is said twice. The cache is only speed: without it everything comes out the same."""

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import soundfile

from tools.corpus.phones import Phone

SAMPLE_RATE = 16000
EDITION = 1  # raise it when an engine or the names of the phones change
DEFAULT = Path(__file__).parents[3] / "_build" / "corpus" / "speech"


def folder():
    """Where the speech lies: ``SEPBOOK_SPEECH_CACHE``, or ``_build/corpus/speech``, which git ignores."""
    return Path(os.environ.get("SEPBOOK_SPEECH_CACHE") or DEFAULT)


def path(engine, voice, text, stretch):
    """The file of a text in a voice: named by a hash of all that decides its sound."""
    key = json.dumps([EDITION, engine, voice, text, round(float(stretch), 4)])
    return folder() / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.wav"


def write(path, samples, phones):
    """Write samples (N,) as 16-bit WAV and the phones beside them. The WAV comes last: where it is, both are."""
    peak = float(np.abs(samples).max(initial=0))
    if peak > 1:
        samples = samples / peak
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [[p.name, round(p.start, 5), round(p.end, 5)] for p in phones]
    replace(path.with_suffix(".json"), lambda fresh: fresh.write_text(json.dumps(rows)))
    replace(path, lambda fresh: soundfile.write(fresh, samples, SAMPLE_RATE, "PCM_16", format="WAV"))


def replace(path, make):
    """Let ``make`` write a file beside ``path``, then put it in its place at once."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    make(fresh)
    os.replace(fresh, path)


def read(path):
    """Samples (N,) and phones of a file."""
    samples, rate = soundfile.read(path)
    if rate != SAMPLE_RATE:
        raise ValueError(f"{path} holds {rate} Hz, expected {SAMPLE_RATE}: delete it")
    rows = json.loads(path.with_suffix(".json").read_text())
    return samples, tuple(Phone(*row) for row in rows)
