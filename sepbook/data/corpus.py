"""The built-in corpus: songs of four stems with their score, and talkers, rendered by the book's own script.

It is small, free to use, and comes with the package, so that every page and lab works without a download.
`card()` says what is in it, under which licences, and how hard it is.

Taught on: book/data/corpus
"""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tqdm import tqdm

from sepbook import audio
from sepbook.data.folder import FolderError, StemFolder

SOURCES = ("vocals", "drums", "bass", "other")
SPLITS = ("train", "valid", "test")
SAMPLE_RATE = 16_000  # Hz
ROOT = Path(__file__).parent.parent / "assets" / "corpus"


class CorpusError(ValueError):
    """The built-in corpus is missing or not what its checksums say.

    Taught on: book/data/corpus
    """


def songs(split="train"):
    """The songs of a split ("train", "valid" or "test") as a StemFolder: mono, 16 kHz, stems as in SOURCES.

    Raises ValueError for another split and CorpusError where the corpus is not installed.

    Taught on: book/data/corpus
    """
    _check(split)
    try:
        return StemFolder(ROOT / "songs", split, SAMPLE_RATE, 1, SOURCES)
    except FolderError as error:
        raise CorpusError(f"The built-in corpus is damaged: {error} Install sepbook again.") from None


@dataclass(frozen=True)
class Utterance:
    """One sentence of a talker: `identity`, `split`, `text`, `path`, and what else is known of the voice in `details`.

    Several identities may be made from one base `voice`, which is one speaker. Talkers that only training hears, on
    request, have the `split` "more".

    Taught on: book/data/corpus
    """

    identity: str
    split: str
    text: str
    path: Path
    details: dict = field(repr=False, compare=False)

    @property
    def voice(self):
        """The base speaker that this talker is made from: one voice to statistics, however many talkers it gives."""
        return self.details["voice"]

    def samples(self):
        """The sound as a tensor (C=1, N) at 16 kHz."""
        return audio.load(self.path, SAMPLE_RATE, 1)[0]

    @property
    def seconds(self):
        """Duration in seconds."""
        return audio.info(self.path).seconds


@dataclass(frozen=True)
class Noise:
    """Some seconds of noise: its `kind` ("babble", "traffic", "recorded"), `split` and `path`.

    `details` holds its source and licence. It goes round without a seam: after its last sample its first may follow.

    Taught on: book/data/corpus
    """

    kind: str
    split: str
    path: Path
    details: dict = field(repr=False, compare=False)

    @property
    def name(self):
        """What it is called within its split."""
        return self.path.stem

    def samples(self):
        """The sound as a tensor (C=1, N) at 16 kHz."""
        return audio.load(self.path, SAMPLE_RATE, 1)[0]

    @property
    def seconds(self):
        """Duration in seconds."""
        return audio.info(self.path).seconds


def talkers(split="train", more=False):
    """The utterances of a split ("train", "valid" or "test"): a list of Utterance, those of one talker together.

    With `more` those of further talkers follow, whose voices no split has. They are for training alone.
    Raises ValueError for another split, and for `more` of validation or test; CorpusError where the corpus is not
    installed.

    Taught on: book/data/corpus
    """
    _check(split)
    if more and split != "train":
        raise ValueError(f"split {split!r} has no more talkers: they are for training alone.")
    return [
        Utterance(row["name"], row["split"], row["text"], ROOT / row["path"], row)
        for row in _read(ROOT / "talkers" / "talkers.json")
        if row["split"] == split or (more and row["split"] == "more")
    ]


def noise(split="train"):
    """The noise for speech of a split ("train", "valid" or "test"): a list of Noise; empty in an edition without any.

    Raises ValueError for another split and CorpusError where the corpus is not installed.

    Taught on: book/data/corpus
    """
    _check(split)
    table = ROOT / "noise" / "noise.json"
    if not table.parent.is_dir():
        return []
    return [Noise(row["kind"], split, ROOT / row["path"], row) for row in _read(table) if row["split"] == split]


def card():
    """The data card as a dict: contents, licences, and measured difficulty.

    Taught on: book/data/corpus
    """
    _check()
    return _read(ROOT / "card.json")


def checksum(path):
    """The SHA-256 of the decoded samples of a file, as little-endian 16-bit integers.

    The bytes of an Ogg file differ each time it is written; what is heard does not.

    Taught on: book/data/corpus
    """
    samples, _ = audio.load(path)
    heard = np.rint(samples.numpy() * np.float32(32767)).clip(-32768, 32767).astype("<i2")  # (C, N)
    return hashlib.sha256(heard.T.tobytes()).hexdigest()


def verify(progress=True):
    """Decode every file of the corpus, compare it with `checksums.json`, and return the number of files.

    A file is right if its decoded samples are, or if its bytes are: another processor may round a sample otherwise.
    Raises CorpusError that names what is missing, changed or too much.

    Taught on: book/data/corpus
    """
    _check()
    expected = _read(ROOT / "checksums.json")
    present = {path.relative_to(ROOT).as_posix(): path for path in sorted(ROOT.rglob("*.ogg"))}
    faults = [f"missing: {name}" for name in expected if name not in present]
    faults += [f"not in checksums.json: {name}" for name in present if name not in expected]
    both = [name for name in expected if name in present]
    watched = tqdm(both, desc="Verifying the corpus", delay=2, disable=not progress)
    faults += [f"changed: {name}" for name in watched if not _same(present[name], expected[name])]
    if faults:
        more = f" and {len(faults) - 5} more" if len(faults) > 5 else ""
        raise CorpusError(f"{ROOT}: {'; '.join(faults[:5])}{more}. Install sepbook again, or run make corpus.")
    return len(expected)


def _same(path, expected):
    try:
        right = checksum(path) == expected["sha256"]
    except audio.AudioError:
        return False
    return right or hashlib.sha256(path.read_bytes()).hexdigest() == expected["bytes_sha256"]


def _check(split="train"):
    if split not in SPLITS:
        raise ValueError(f"The corpus has no split {split!r}; choose from {', '.join(SPLITS)}.")
    if not ROOT.is_dir():
        raise CorpusError(f"The built-in corpus is not at {ROOT}. Install sepbook again, or run make corpus.")


def _read(path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CorpusError(f"{path}: cannot be read ({error}). Install sepbook again.") from None
