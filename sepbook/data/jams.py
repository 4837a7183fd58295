"""JAMS: what a soundscape holds, written beside its sound, so that it can be read, drawn and made once more.

A JAMS file is JSON. Scaper writes into it, for each event, the file that the sound was taken from, where in that file
it begins, where in the soundscape it is heard, how loud it was made, and by how much pitch and duration were changed.
The sound can be made again from that, as long as the files are there.

Taught on: book/data/scaper
"""

import json
import warnings
from dataclasses import dataclass
from pathlib import Path

import torch

from sepbook import compat

NAMESPACE = "scaper"  # of the annotations that Scaper writes; a JAMS file may hold others too
FIELDS = ("label", "role", "source_file", "source_time", "event_time", "event_duration", "snr")


class JamsError(ValueError):
    """A JAMS file that cannot be read, or made into sound again: the file, and how to mend it.

    Taught on: book/data/scaper
    """


@dataclass(frozen=True)
class Event:
    """One sound in a soundscape. Times are in seconds, `snr` is in dB above the reference, `pitch_shift` in semitones.

    Taught on: book/data/scaper
    """

    label: str  # the name of the folder that its file lies in
    role: str  # "foreground" or "background"
    start: float  # where it begins in the soundscape
    seconds: float  # how long it is heard
    source_file: Path
    source_time: float  # where it begins in the file
    source_seconds: float  # how much of the file is used: another duration than it is heard, where it is stretched
    snr: float
    pitch_shift: float | None = None
    time_stretch: float | None = None  # 2 lasts twice as long

    @property
    def end(self):
        """Where it ends in the soundscape, in seconds."""
        return self.start + self.seconds


@dataclass(frozen=True)
class Annotation:
    """What a soundscape holds: its events, and how long, at which rate (Hz) and how loud (`reference`, LUFS) it is.

    Taught on: book/data/scaper
    """

    events: tuple[Event, ...]
    seconds: float
    sample_rate: int
    channels: int
    reference: float


def read(path):
    """Read the annotation of a soundscape from a JAMS file. It needs neither Scaper nor the sounds.

    Raises JamsError where there is no such file, it is no JSON, or it holds no soundscape.
    Source: Humphrey et al. 2014 (JAMS), Salamon et al. 2017 (Scaper). Taught on: book/data/scaper
    """
    path = Path(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise JamsError(f"{path}: cannot be read ({error.strerror}). Is the path right?") from None
    except ValueError as error:
        raise JamsError(f"{path}: this is not valid JSON ({error}). Copy the file again, or make it anew.") from None
    return annotation(content, path)


def annotation(content, path="the annotation"):
    """Take the annotation of a soundscape from what a JAMS file holds, as a dict; `path` is named in errors.

    Raises JamsError as `read` does. Taught on: book/data/scaper
    """
    notes = content.get("annotations") if isinstance(content, dict) else None
    if not isinstance(notes, list):
        raise JamsError(f"{path}: JSON, but no JAMS: it has no list 'annotations'.")
    found = [note for note in notes if isinstance(note, dict) and note.get("namespace") == NAMESPACE]
    if not found:
        others = (
            ", ".join(sorted({str(note.get("namespace")) for note in notes if isinstance(note, dict)})) or "nothing"
        )
        raise JamsError(f"{path}: holds no soundscape by Scaper, but {others}. Take the file that Scaper wrote.")
    try:
        about = found[0]["sandbox"][NAMESPACE]
        events = tuple(_event(entry, number, path) for number, entry in enumerate(found[0]["data"]))
        numbers = float(about["duration"]), int(about["sr"]), int(about["n_channels"]), float(about["ref_db"])
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, JamsError):
            raise
        raise JamsError(f"{path}: the annotation is incomplete ({error!r}). Make the soundscape anew.") from None
    return Annotation(events, *numbers)


def replay(path, foreground=None, background=None):
    """Make the sound of a JAMS file again: mixture (C, N), sources (S, C, N) with one for each event, and annotation.

    `foreground` and `background` are folders to be used where the sounds have moved since. In each, a folder for each
    label is expected, as at first. Raises JamsError where the file is broken or a sound is missing; CompatError without
    Scaper. Taught on: book/data/scaper
    """
    found = read(path)
    for number, event in enumerate(found.events):
        moved = foreground if event.role == "foreground" else background
        place = event.source_file if moved is None else Path(moved) / event.label / event.source_file.name
        if not place.is_file():
            raise JamsError(
                f"{path}: the sound of event {number}, {place}, is not there. Put it back, or say where the folders "
                "are now: replay(path, foreground=…, background=…)."
            )
    if not found.events:
        raise JamsError(f"{path}: holds no events, so there is nothing to hear.")
    mixture, parts = _make(compat.scaper(), str(path), foreground and str(foreground), background and str(background))
    return samples(mixture), torch.stack([samples(part) for part in parts]), found


def _make(scaper, path, foreground, background):
    """Let Scaper make the sound, and say in one line where it cannot."""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Soundscape audio is clipping")  # in floats nothing is cut off
            mixture, _, _, parts = scaper.generate_from_jams(path, fg_path=foreground, bg_path=background)
    except Exception as error:  # of jams, soundfile, sox or Scaper: each has its own
        line = (str(error).strip().splitlines() or ["no message"])[0]
        raise JamsError(f"{path}: Scaper cannot make its sound ({type(error).__name__}: {line}).") from error
    return mixture, parts


def samples(array):
    """Turn sound as Scaper holds it, (N, C), into ours: (C, N), float32. Taught on: book/data/scaper."""
    return torch.from_numpy(array.T.copy()).float()


def _event(entry, number, path):
    value = entry["value"]
    missing = [field for field in FIELDS if field not in value]
    if missing:
        raise JamsError(f"{path}: event {number} lacks the field {missing[0]!r}. Make the soundscape anew.")
    return Event(
        label=str(value["label"]),
        role=str(value["role"]),
        start=float(entry["time"]),
        seconds=float(entry["duration"]),
        source_file=Path(value["source_file"]),
        source_time=float(value["source_time"]),
        source_seconds=float(value["event_duration"]),
        snr=float(value["snr"]),
        pitch_shift=value.get("pitch_shift"),
        time_stretch=value.get("time_stretch"),
    )
