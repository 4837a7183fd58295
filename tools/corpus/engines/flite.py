"""flite: small voices of Carnegie Mellon University, with the times of their phones."""

import re
import tempfile
from pathlib import Path

import soundfile

from tools.corpus import phones
from tools.corpus.engines.errors import EngineError, run

SAMPLE_RATE = 16000


def speak(voice, text, stretch):
    """Samples (N,) at 16 kHz and phones of a text."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        command = ["flite", "-voice", voice, "--setf", f"duration_stretch={stretch}", "-psdur", "-t", text, str(path)]
        printed = run(command, "flite")
        samples, rate = soundfile.read(path)
    if rate != SAMPLE_RATE:
        raise EngineError(f"flite's voice {voice} speaks at {rate} Hz, expected {SAMPLE_RATE}")
    return samples, phones.from_ends([(name, float(end)) for name, end in re.findall(r"(\S+):([\d.]+)", printed)])
