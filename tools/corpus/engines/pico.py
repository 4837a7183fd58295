"""SVOX Pico: a small voice without phone times, so it talks and does not sing."""

from tools.corpus.engines import environment
from tools.corpus.engines.quiet import spoken_part


def request(voice, text, stretch):
    """What the process in the other environment is asked for."""
    return {"engine": "pico", "voice": voice, "text": text, "speed": 1 / stretch}


def finish(request, answer):
    """Samples (N,) at 16 kHz, and where they hold speech."""
    samples = answer["samples"].astype(float)
    return samples, spoken_part(samples)


def speak(voice, text, stretch):
    """Samples (N,) at 16 kHz and the spoken part of a text."""
    asked = request(voice, text, stretch)
    return finish(asked, environment.ask([asked])[0])
