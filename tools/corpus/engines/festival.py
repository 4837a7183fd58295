"""Festival: diphone voices of the University of Edinburgh, with the times of their phones."""

import tempfile
from pathlib import Path

import soundfile

from tools.corpus import phones
from tools.corpus.engines.errors import EngineError, missing, run

SAMPLE_RATE = 16000
VOICES = Path("/usr/share/festival/voices/english")
PACKAGES = "festival festvox-kdlpc16k festlex-cmu festlex-poslex"
SILENCES = frozenset(("pau", "h#", "brth"))
SCRIPT = """\
(voice_{voice})
(Parameter.set 'Duration_Stretch {stretch})
(set! said (utt.synth (Utterance Text "{text}")))
(utt.save.segs said "{folder}/segs")
(utt.save.wave said "{folder}/speech.wav" 'riff)
"""


def speak(voice, text, stretch):
    """Samples (N,) at 16 kHz and phones of a text."""
    if VOICES.parent.exists() and not (VOICES / voice).exists():
        raise missing(f"Festival's voice {voice}", PACKAGES)
    if '"' in text or "\\" in text:
        raise ValueError(f"Festival cannot be given quotation marks or backslashes: {text!r}")
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "say.scm"
        script.write_text(SCRIPT.format(voice=voice, stretch=stretch, text=text, folder=folder))
        run(["festival", "-b", str(script)], PACKAGES)
        samples, rate = soundfile.read(Path(folder) / "speech.wav")
        segments = (Path(folder) / "segs").read_text()
    if rate != SAMPLE_RATE:
        raise EngineError(f"Festival's voice {voice} speaks at {rate} Hz, expected {SAMPLE_RATE}")
    return samples, read(segments)


def read(segments):
    """Phones of the file that ``utt.save.segs`` writes: a line ``#``, then ``end colour name`` per phone."""
    rows = [row.split() for row in segments.split("#\n", 1)[1].splitlines()]
    ends = [(phones.PAUSE if row[2] in SILENCES else row[2], float(row[0])) for row in rows if len(row) == 3]
    return phones.from_ends(ends)
