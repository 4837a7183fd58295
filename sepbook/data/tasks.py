"""What a system can learn: one name stands for the data to train on, to choose the best weights by, and to test on.

==============  =============================  ==================================================
task            sources                        made of
==============  =============================  ==================================================
songs           vocals, drums, bass, other     the songs of the built-in corpus
vocals          vocals, accompaniment          the same songs; what is not vocals is accompaniment
talkers         talker_1, talker_2             two talkers of the corpus at once, never the same one
speech_noise    speech, noise                  one talker, in noise of all kinds, 0 to 10 dB above it
folder          the stems of the folder        any folder of stems: see `sepbook.data.folder`
==============  =============================  ==================================================

::

    talkers = tasks.task("talkers")
    items = talkers.training(8000, 1, seconds=3.0, seed=0)   # endless; item i depends on (seed, i) alone
    items = talkers.validation(8000, 1)                      # few, always the same
    tracks = talkers.tracks("test")                          # to score: name, seconds, mixture(), sources(names)

Taught on: book/data/corpus
"""

import difflib
import inspect
import warnings
from pathlib import Path

import torch

from sepbook.data import _scenes, _speech, corpus
from sepbook.data._layout import all_names, find_tracks, has_split
from sepbook.data.folder import StemFolder
from sepbook.data.mixing import Mixtures

VALID_ITEMS, VALID_SECONDS = 16, 10.0  # of songs
SPEECH_SECONDS = 2.5  # of a validation item of speech


class TaskError(ValueError):
    """A task that does not exist, or that cannot be had here. Taught on: book/data/corpus."""


class Task:
    """The data of one task. A `folder` of your own takes the place of the built-in corpus, where a task allows that.

    With `allow_missing` a stem that a track of the folder lacks is silent.
    Taught on: book/data/corpus
    """

    name = ""
    source_names: tuple[str, ...] = ()
    mixtures = None  # the class of the training items; its settings are what `mixing` may hold

    def __init__(self, folder=None, allow_missing=False):
        self.folder = None if folder is None else Path(folder)
        self.allow_missing = allow_missing

    def __repr__(self):
        return f"task({self.name!r}{f', {str(self.folder)!r}' if self.folder else ''})"

    def training(self, sample_rate, channels=1, seconds=3.0, length=1000, seed=0, mixing=None):
        """Endless items of `seconds`, `length` of them in an epoch: dicts with mixture (C, N), sources (S, C, N).

        `mixing` holds further settings of the items, as a recipe gives them. Raises TaskError for one that this task
        does not know. Taught on: book/data/corpus
        """
        mixing = self.check_mixing(mixing or {})
        return self.mixtures(self.material("train", sample_rate, channels), seconds, length, seed=seed, **mixing)

    def validation(self, sample_rate, channels=1):
        """A few items that never change, all of one length; None where the folder has no split for them."""
        raise NotImplementedError

    def tracks(self, split="test", sample_rate=None, channels=None):
        """The tracks of a split, to be separated and scored whole; at their own rate (Hz) and channels unless given."""
        raise NotImplementedError

    def material(self, split, sample_rate, channels):
        """What `mixtures` draws from."""
        raise NotImplementedError

    def check_mixing(self, mixing):
        """Return the settings of the items. Raises TaskError for one that is unknown."""
        known = [name for name in inspect.signature(self.mixtures).parameters if name not in FIRST]
        for name in mixing:
            if name not in known:
                raise TaskError(f"task {self.name!r} knows no mixing {name!r}; it knows: {', '.join(known)}")
        return dict(mixing)


FIRST = ("tracks", "voices", "seconds", "length", "seed")  # parameters of the items that are no settings of mixing


class Songs(Task):
    """Songs of four stems. Taught on: book/data/corpus."""

    name, source_names, mixtures = "songs", corpus.SOURCES, Mixtures

    def tracks(self, split="test", sample_rate=None, channels=None):
        """The songs of a split."""
        if self.folder is not None:
            return self._own(split, sample_rate, channels)
        songs = corpus.songs(split)
        if sample_rate in (None, corpus.SAMPLE_RATE) and channels in (None, 1):
            return songs
        return StemFolder(songs.root, split, sample_rate, channels, songs.source_names)

    def _own(self, split, sample_rate, channels):
        """The tracks of a split of the folder; a stem that only other splits have may be silent here too."""
        found = StemFolder(self.folder, split, sample_rate, channels, allow_missing=self.allow_missing)
        if not self.allow_missing:
            return found
        splits = [find_tracks(self.folder, s) for s in {*corpus.SPLITS, split} if has_split(self.folder, s)]
        names = all_names([paths for tracks in splits for paths in tracks.values()])
        if names == found.source_names:
            return found
        return StemFolder(self.folder, split, sample_rate, channels, names, allow_missing=True)

    material = tracks

    def validation(self, sample_rate, channels=1, labels=()):
        """Sixteen excerpts of ten seconds, as they are in the songs, with the labels asked for: see `Mixtures`."""
        if self.folder is not None and not has_split(self.folder, "valid"):
            return None
        tracks = self.material("valid", sample_rate, channels)
        seconds = min(VALID_SECONDS, max(track.seconds for track in tracks))
        return Mixtures(tracks, seconds, VALID_ITEMS, incoherent=0.0, gain_db=(0.0, 0.0), seed=1, labels=labels)


class Vocals(Songs):
    """Vocals and what accompanies them: all other stems together. Taught on: book/data/corpus."""

    name, source_names = "vocals", ("vocals", "accompaniment")

    def tracks(self, split="test", sample_rate=None, channels=None):
        """The songs of a split, with two sources each."""
        return [Accompanied(track) for track in super().tracks(split, sample_rate, channels)]

    material = tracks


class Folder(Songs):
    """Any folder of stems: `FOLDER/train/TRACK/STEM.wav`, and the same below valid and test.

    Where the stems are talkers, `score.json` of a track may say who they are, as in
    ``{"identities": {"talker_1": "Anna", "talker_2": "Ben"}}``: then those of different tracks are mixed too, and
    nobody with himself. Taught on: book/data/corpus
    """

    name = "folder"

    def __init__(self, folder=None, allow_missing=False):
        if folder is None:
            raise TaskError("task 'folder' needs a folder of stems: give one, on the command line by --data FOLDER")
        super().__init__(folder, allow_missing)

    @property
    def source_names(self):
        """The stems that its tracks have, those to train on where there are some."""
        split = next((s for s in corpus.SPLITS if has_split(self.folder, s)), "train")
        return all_names(find_tracks(self.folder, split).values())

    def training(self, sample_rate, channels=1, seconds=3.0, length=1000, seed=0, mixing=None):
        """Endless items: see `Task.training`."""
        tracks = self.tracks("train", sample_rate, channels)
        talk = all(name.startswith("talker") for name in tracks.source_names)
        if talk and not all((track.score or {}).get("identities") for track in tracks):
            warnings.warn(
                f"{self.folder}: nothing says who the talkers are, so those of different tracks are not mixed, lest "
                'one meets himself. A score.json in each track, {"identities": {"talker_1": "Anna", …}}, changes that.',
                stacklevel=2,
            )
            mixing = {**(mixing or {}), "incoherent": 0.0}
        return super().training(sample_rate, channels, seconds, length, seed, mixing)


class Talkers(Task):
    """Two talkers at once, of different identities. Taught on: book/data/corpus."""

    name, source_names, mixtures = "talkers", _speech.TalkerItems.source_names, _speech.TalkerItems
    scenes = staticmethod(_scenes.talker_scenes)

    def __init__(self, folder=None, allow_missing=False):
        if folder is not None:
            raise TaskError(
                f"task {self.name!r} is made from the built-in corpus; for stems of your own in {folder} choose the "
                "task 'folder' (--task folder)"
            )
        super().__init__(None, allow_missing)

    def material(self, split, sample_rate, channels):
        """The utterances of a split."""
        return _speech.Voices(split, sample_rate or corpus.SAMPLE_RATE, channels or 1)

    def validation(self, sample_rate, channels=1):
        """The fixed scenes of the split "valid", cut to one length."""
        return _scenes.Excerpts(self.tracks("valid", sample_rate, channels), SPEECH_SECONDS)

    def tracks(self, split="test", sample_rate=None, channels=None):
        """The fixed scenes of a split."""
        return self.scenes(self.material(split, sample_rate, channels))


class SpeechNoise(Talkers):
    """One talker in noise of all kinds that the corpus has. Taught on: book/data/corpus."""

    name, source_names, mixtures = "speech_noise", _speech.NoisyItems.source_names, _speech.NoisyItems
    scenes = staticmethod(_scenes.noisy_scenes)


class Accompanied:
    """A song seen as two sources: its vocals, and the sum of all else. Taught on: book/data/corpus."""

    stem_names = Vocals.source_names

    def __init__(self, track):
        self.track, self.name, self.split = track, track.name, track.split
        self.others = [name for name in track.stem_names if name != "vocals"]
        if "vocals" not in track.stem_names or not self.others:
            given = ", ".join(track.stem_names)
            raise TaskError(f"track {track.name!r}: task 'vocals' needs the stem 'vocals' and others; it has {given}")
        self.sample_rate, self.channels = track.sample_rate, track.channels
        self.length, self.seconds = track.length, track.seconds

    @property
    def score(self):
        """What the song's score.json holds."""
        return self.track.score

    @property
    def score_path(self):
        """Where the song's score.json lies."""
        return self.track.score_path

    @property
    def voice(self):
        """Whose voice sings: see `sepbook.data.folder.Track.voice`."""
        return self.track.voice

    def sources(self, names=None, start=0, length=None):
        """The sources (S, C, N) in the order of `names`: see `sepbook.data.folder.Track.sources`."""
        found = []
        for name in self.stem_names if names is None else names:
            if name not in self.stem_names:
                raise TaskError(f"track {self.name!r}: task 'vocals' has vocals and accompaniment, no {name!r}")
            stems = ["vocals"] if name == "vocals" else self.others
            found.append(self.track.sources(stems, start, length).sum(dim=0))
        return torch.stack(found)

    def mixture(self):
        """The sum of both (C, N)."""
        return self.sources().sum(dim=0)


TASKS = {kind.name: kind for kind in (Songs, Vocals, Talkers, SpeechNoise, Folder)}


def names():
    """Return the names of all tasks. Taught on: book/data/corpus."""
    return tuple(TASKS)


def kind(name):
    """Return the class of a task by its name. Raises TaskError for an unknown one. Taught on: book/data/corpus."""
    if name not in TASKS:
        near = difflib.get_close_matches(str(name), TASKS, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else "."
        raise TaskError(f"task {name!r} is unknown{hint} Choose one of: {', '.join(TASKS)}")
    return TASKS[name]


def task(name, folder=None, allow_missing=False):
    """Return the data of a task by its name, on request with a folder of your own in the place of the corpus.

    Raises TaskError for an unknown task or a folder that it cannot use; CorpusError where the corpus is not installed
    shows when data is asked for. Taught on: book/data/corpus
    """
    return kind(name)(folder, allow_missing)
