"""Soundscapes by Scaper: mixtures whose parts, places, levels, pitches and tempi are drawn from distributions.

::

    foreground/                        a folder for each stem, and in it a file for each song
      vocals/  amber.wav  copper.wav
      drums/   amber.wav  copper.wav

    foreground = scaper.lay_out(corpus.songs("train"), "foreground")
    scapes = scaper.Soundscapes(foreground, Plan(pitch_shift=("uniform", -2, 2)))
    scapes[0]                                            # mixture (C, N), sources (S, C, N)
    scaper.generate(foreground, "scapes", count=500)     # the same as a folder, for the task "folder"

Scaper draws each value and makes the sound; this module lets the stems of one song stay together, keeps rests quiet,
and hands the outcome to whatever reads a folder of stems. It needs `sepbook[scaper]`, and nothing else of the book
needs it: `sepbook.data.mixing` makes mixtures many times as fast, and `sepbook.data.varying` changes their pitch and
tempo.

Taught on: book/data/scaper
"""

import dataclasses
import json
import shutil
import threading
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import Dataset
from tqdm import tqdm

from sepbook import audio, compat
from sepbook.data import jams
from sepbook.data._foreground import SoundscapeError, labels, lay_out, songs_of

__all__ = ["Plan", "SoundscapeError", "Soundscapes", "generate", "labels", "lay_out"]

LONG = 1e6  # seconds: an event as long as can be, a place anywhere in the file; Scaper cuts both to what there is
REST = -60.0  # LUFS: a softer piece is a rest, and is never made louder
ITEMS = {"const": 1, "choose": 1, "choose_weighted": 2, "uniform": 2, "normal": 2, "truncnorm": 4}  # of a distribution
LEVELS = ("equal", "own")
SOX = threading.Lock()  # libsox keeps state of its own: one soundscape at a time in a process


@dataclass(frozen=True)
class Plan:
    """How soundscapes are drawn. A distribution is a tuple such as ("const", 0) or ("uniform", -5, 5).

    Taught on: book/data/scaper
    """

    seconds: float = 3.0
    sample_rate: int = 16_000  # Hz
    channels: int = 1
    incoherent: float = 0.5  # probability that each stem comes from a song and place of its own
    source_time: tuple = ("uniform", 0, LONG)  # seconds into the file; never so late that the piece would end early
    snr: tuple = ("uniform", -5, 5)  # dB above the reference or, with levels="own", above the stem's own level
    pitch_shift: tuple | None = None  # semitones; the stems of one song get one value
    time_stretch: tuple | None = None  # factor of duration: 2 is half as fast; the stems of one song get one value
    levels: str = "equal"  # "equal": each stem is brought to the reference; "own": the balance of the song stays
    reference: float = -25.0  # LUFS
    quick: bool = False  # change pitch and tempo faster and worse

    def check(self):
        """Raise SoundscapeError for a field that makes no sense. Taught on: book/data/scaper."""
        wrong = {
            f"seconds={self.seconds}: expected a positive number": not 0 < self.seconds < LONG,
            f"sample_rate={self.sample_rate}: expected a positive number of Hz": not self.sample_rate > 0,
            f"channels={self.channels}: expected 1 or more": self.channels < 1,
            f"incoherent={self.incoherent}: expected a probability, 0 to 1": not 0 <= self.incoherent <= 1,
            f"levels={self.levels!r}: expected one of {', '.join(LEVELS)}": self.levels not in LEVELS,
        }
        for message, true in wrong.items():
            if true:
                raise SoundscapeError(f"Plan: {message}.")
        for name in ("source_time", "snr", "pitch_shift", "time_stretch"):
            _check_distribution(name, getattr(self, name))


class Soundscapes(Dataset):
    """An endless data set of soundscapes: item i is a function of (seed, i), whoever makes it.

    foreground: a folder with a folder for each label, see `lay_out`. Each label is a source of every item.
    plan: what is drawn. length: number of items in an epoch.

    An item is a dict: mixture (C, N), which is `sources.sum(0)`, and sources (S, C, N). Files of another rate or number
    of channels are converted by Scaper. Raises SoundscapeError for a folder or a plan that gives none; CompatError
    without Scaper; AudioError for a file that cannot be read.
    Source: Salamon et al. 2017. Taught on: book/data/scaper
    """

    endless = True

    def __init__(self, foreground, plan=None, length=1000, seed=0):
        self.foreground, self.plan, self.length, self.seed = Path(foreground), plan or Plan(), length, seed
        self.plan.check()
        if length < 1 or seed < 0:
            raise SoundscapeError(f"length={length}, seed={seed}: expected at least one item, and a seed of 0 or more.")
        self.files = labels(self.foreground)
        self.source_names = tuple(self.files)
        self.sample_rate, self.channels = self.plan.sample_rate, self.plan.channels
        self.samples = int(self.plan.seconds * self.sample_rate)  # N, rounded as Scaper does
        self.songs = songs_of(self.foreground, self.files) if self.plan.incoherent < 1 else []
        self.draw(0)  # what Scaper refuses is refused here

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        sources, _ = self.make(index)
        return {"mixture": sources.sum(dim=0), "sources": sources}

    def settings(self):
        """What decides which items come out, ready for JSON: a training run must go on with the same."""
        files = {name: [path.name for path in paths] for name, paths in self.files.items()}
        return {**dataclasses.asdict(self.plan), "files": files, "data_seed": self.seed}

    def draw(self, index):
        """What is in item `index`, as a list of `jams.Event`, one for each source. No sound is made."""
        if index < 0:
            raise IndexError(f"item {index}: items count from 0")
        random = np.random.default_rng(np.random.SeedSequence([self.seed, index]))
        together = random.random() >= self.plan.incoherent
        song = self.songs[int(random.integers(len(self.songs)))] if together and self.songs else None
        files = {name: self._file(name, song, random) for name in self.source_names}
        events = self._instantiated(files, int(random.integers(2**32)))
        if together:
            same = {key: getattr(events[0], key) for key in ("source_time", "source_seconds", "seconds")}
            same |= {"pitch_shift": events[0].pitch_shift, "time_stretch": events[0].time_stretch}
            events = [dataclasses.replace(event, **same) for event in events]
        return [self._levelled(event) for event in events]

    def make(self, index, jams_path=None):
        """The sources (S, C, N) of an item, and its annotation; on request it is written to a file too."""
        maker = self._maker()
        for event in self.draw(index):
            _add(maker, event)
        path = None if jams_path is None else str(jams_path)
        with SOX, warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Soundscape audio is clipping")  # in floats nothing is cut off
            _, jam, _, parts = maker.generate(
                jams_path=path, quick_pitch_time=self.plan.quick, disable_instantiation_warnings=True
            )
        found = jams.annotation(json.loads(jam.dumps()))
        return torch.stack([jams.samples(part) for part in parts]), found

    def _file(self, name, song, random):
        paths = self.files[name]
        if song is None:
            return paths[int(random.integers(len(paths)))]
        return next(path for path in paths if path.stem == song)

    def _maker(self, seed=0):
        """A Scaper of our rate and reference, without fades: a stem is no event, and begins before its piece."""
        plan, folder = self.plan, str(self.foreground)
        maker = compat.scaper().Scaper(plan.seconds, folder, folder, random_state=seed)
        maker.sr, maker.n_channels, maker.ref_db = plan.sample_rate, plan.channels, plan.reference
        maker.fade_in_len = maker.fade_out_len = 0
        return maker

    def _instantiated(self, files, seed):
        """Let Scaper draw the values of each event."""
        plan, scaper = self.plan, compat.scaper()
        maker = self._maker(seed)
        try:
            for name, path in files.items():
                place = ("const", name), ("const", str(path)), plan.source_time, ("const", 0), ("const", LONG)
                maker.add_event(*place, plan.snr, plan.pitch_shift, plan.time_stretch)
            jam = maker.generate(no_audio=True, disable_instantiation_warnings=True)[1]
        except scaper.scaper_exceptions.ScaperError as error:
            raise SoundscapeError(f"Scaper refuses the plan: {error}") from None
        return jams.annotation(json.loads(jam.dumps())).events

    def _levelled(self, event):
        """The event with an SNR that says how loud it is to be, counted from the reference as Scaper does."""
        rate = audio.info(event.source_file).sample_rate
        start, stop = (int(t * rate) for t in (event.source_time, event.source_time + event.source_seconds))
        piece, _ = audio.load(event.source_file, channels=self.channels, start=start, frames=stop - start)
        loudness = compat.scaper().audio.get_integrated_lufs(piece.double().numpy().T, rate)
        own = loudness - self.plan.reference  # with this SNR a piece keeps its level
        if loudness < REST:
            return dataclasses.replace(event, snr=own)
        return dataclasses.replace(event, snr=event.snr + (own if self.plan.levels == "own" else 0.0))


def generate(foreground, into, split="train", count=100, plan=None, seed=0, progress=True):
    """Write soundscapes as INTO/SPLIT/000000/STEM.wav with their soundscape.jams, and return INTO.

    That is a folder of stems: `StemFolder`, the task "folder" and the command line read it. What is there already is
    left as it is, so a second call goes on where a first one stopped. Raises SoundscapeError where the folder holds
    soundscapes of another plan, seed or foreground, and what `Soundscapes` raises. Taught on: book/data/scaper
    """
    into, scapes = Path(into), Soundscapes(foreground, plan, count, seed)
    _agree(into / split / "plan.json", json.loads(json.dumps(scapes.settings())))
    for index in tqdm(range(count), desc="Soundscapes", delay=1, disable=not progress):
        folder = into / split / f"{index:06d}"
        if folder.is_dir():
            continue
        begun = folder.with_name(f".{folder.name}.part")
        shutil.rmtree(begun, ignore_errors=True)
        begun.mkdir(parents=True)
        sources, _ = scapes.make(index, begun / "soundscape.jams")
        for name, samples in zip(scapes.source_names, sources, strict=True):
            audio.save(begun / f"{name}.wav", samples, scapes.sample_rate)
        begun.rename(folder)
    return into


def _agree(path, settings):
    """Keep the settings beside the soundscapes, and see that those that lie there have the same."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings, indent=1), encoding="utf-8")
        return
    before = json.loads(path.read_text(encoding="utf-8"))
    different = [key for key in settings if before.get(key) != settings[key]]
    if different:
        raise SoundscapeError(
            f"{path.parent}: holds soundscapes that differ in {', '.join(different)}. Choose another folder, or remove "
            "this one."
        )


def _add(maker, event):
    """Add an event all of whose values are known."""
    known = event.source_time, event.start, event.source_seconds, event.snr, event.pitch_shift, event.time_stretch
    values = [None if value is None else ("const", value) for value in known]
    maker.add_event(("const", event.label), ("const", str(event.source_file)), *values)


def _check_distribution(name, given):
    if given is None and name in ("pitch_shift", "time_stretch"):
        return
    kind = given[0] if isinstance(given, tuple | list) and given else None
    if kind not in ITEMS or len(given) != 1 + ITEMS[kind]:
        raise SoundscapeError(
            f"Plan: {name}={given!r} is no distribution. Expected a tuple such as ('const', 0) or ('uniform', -5, 5); "
            f"there are: {', '.join(ITEMS)}."
        )
