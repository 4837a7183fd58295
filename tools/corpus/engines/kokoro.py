"""Kokoro-82M: espeak-ng writes the phonemes, the network speaks them and says how many frames each one takes."""

import re

import scipy.signal

from tools.corpus.engines import environment, ipa
from tools.corpus.engines.errors import run

SAMPLE_RATE = 24000
FRAME_SECONDS = 600 / SAMPLE_RATE
LEAD = 0.045  # seconds: its sounds come before their tokens, measured on sibilants and vowels of nine voices
BRITISH = "b"  # the first letter of a voice is its own language; here all say English
REPLACED = {"r": "ɹ", "ʲ": "j", "x": "k", "ɬ": "l", "\u0329": "", "\u200d": ""}  # what the network has no token for


def phonemes(text, language):
    """The tokens of a text, one character each: espeak-ng's IPA, with the marks between clauses kept."""
    parts = []
    for part in re.findall(rf"[{ipa.MARKS}]|[^{ipa.MARKS}]+", text):
        if part in ipa.MARKS:
            parts.append(part)
        elif part.strip():
            printed = run(["espeak-ng", "-q", "--ipa", "-v", language, "--", part.strip()], "espeak-ng")
            parts.append(("" if not parts else " ") + " ".join(printed.split()))
    spoken = "".join(parts)
    for old, new in REPLACED.items():
        spoken = spoken.replace(old, new)
    return spoken


def request(voice, text, stretch):
    """What the process in the other environment is asked for."""
    tokens = phonemes(text, "en-gb" if voice[0] == BRITISH else "en-us")
    ipa.split(tokens)  # a token without a name is an error now, not after a minute of work
    return {"engine": "kokoro", "voice": voice, "tokens": tokens, "speed": 1 / stretch}


def finish(request, answer):
    """Samples (N,) at 16 kHz and phones of an answer with ``samples`` at 24 kHz and ``frames`` (tokens + 2,)."""
    samples = scipy.signal.resample_poly(answer["samples"].astype(float), 2, 3)
    tokens = ipa.EDGE + request["tokens"] + ipa.EDGE
    return samples, ipa.phones(tokens, answer["frames"], FRAME_SECONDS, LEAD)


def speak(voice, text, stretch):
    """Samples (N,) at 16 kHz and phones of a text."""
    asked = request(voice, text, stretch)
    return finish(asked, environment.ask([asked])[0])
