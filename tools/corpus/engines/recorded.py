"""Recorded people: prompts of telephone systems under CC BY 3.0."""

import subprocess
from pathlib import Path

import numpy as np

from tools.corpus.engines.errors import EngineError, missing
from tools.corpus.engines.quiet import spoken_part
from tools.corpus.sentences import PROMPTS

FOLDER = Path("/usr/share/asterisk/sounds")
PACKAGES = "asterisk-core-sounds-it-g722 asterisk-core-sounds-ru-g722 ffmpeg"


def speak(voice, text, stretch):
    """Samples (N,) at 16 kHz and the spoken part of a recorded text. It has its own pace: ``stretch`` must be 1."""
    if stretch != 1:
        raise ValueError(f"{voice} is a recording and cannot be stretched by {stretch}")
    if text not in PROMPTS[voice]:
        raise ValueError(f"{voice} never said {text!r}: PROMPTS in tools/corpus/sentences.py has what was recorded")
    path = FOLDER / voice / f"{PROMPTS[voice][text]}.g722"
    if not path.exists():
        raise missing(f"The recording {path}", PACKAGES)
    samples = decode(path)
    return samples, spoken_part(samples)


def decode(path):
    """Samples (N,) of a G.722 file: 16 kHz, content to 7 kHz."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-f", "g722", "-i", str(path), "-f", "s16le", "-ac", "1", "-"]
    try:
        done = subprocess.run(command, capture_output=True)
    except FileNotFoundError:
        raise missing("The program ffmpeg", PACKAGES) from None
    if done.returncode:
        raise EngineError(f"ffmpeg could not read {path}: {done.stderr.decode(errors='replace').strip()}")
    return np.frombuffer(done.stdout, "<i2") / 32768
