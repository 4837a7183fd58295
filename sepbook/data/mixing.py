"""Training items: short mixtures, drawn from the tracks of a folder or of the built-in corpus.

A *coherent* item is an excerpt of one song. An *incoherent* item takes each stem from another song and
place: it sounds like no music, but it shows the network many more combinations. Where tracks say who talks
in them (`identities`), an incoherent item never mixes a talker with himself.

Taught on: book/data/corpus
"""

import zlib

import numpy as np
import torch
from torch.utils.data import Dataset

LABEL_RATE = 100  # frames per second of the labels in a score
TRIES = 100  # draws of stems in which no talker meets himself
LABELS = ("vocal_activity", "f0")  # 0 or 1; fundamental frequency in Hz, 0 where nobody sings


class Mixtures(Dataset):
    """A data set of random mixtures: item i is a function of (seed, i), whoever draws it.

    tracks: a StemFolder, or any list of tracks with equal stems, rate and channels.
    seconds: duration of an item. A shorter track is followed by zeros.
    length: number of items in an epoch.
    incoherent: probability that an item takes its stems from different songs and places.
    gain_db: each stem is made louder or softer by a random number of decibels between these two.
    flip: whether the sign of each stem is drawn at random too.
    labels: any of "vocal_activity" and "f0" (Hz), taken from the scores of the tracks.

    The data set is endless: `length` is where an epoch ends, but item 5000 exists too, so that a long training
    never meets an item twice.

    An item is a dict: mixture (C, N), sources (S, C, N), and each label as a float tensor (T,) with 100
    frames a second, which follows the excerpt that the vocals come from. The mixture is exactly
    `sources.sum(0)`.

    Raises ValueError where the tracks differ in what has to be equal, where a setting makes no sense, or
    where a label has no score.

    Taught on: book/data/corpus
    """

    endless = True

    def __init__(
        self,
        tracks,
        seconds=3.0,
        length=1000,
        incoherent=0.5,
        gain_db=(-6.0, 3.0),
        flip=True,
        seed=0,
        labels=(),
    ):
        self.tracks, self.length, self.seed = tracks, length, seed
        self.incoherent, self.gain_db, self.flip, self.labels = incoherent, gain_db, flip, tuple(labels)
        self._check_settings(seconds)
        self.source_names, self.sample_rate, self.channels = _common(tracks)
        self.samples = round(seconds * self.sample_rate)  # N
        if self.samples == 0:
            raise ValueError(f"Mixtures: seconds={seconds} is less than one sample at {self.sample_rate} Hz.")
        self._lengths, self._scores = [track.length for track in tracks], {}
        self._identities = [_identities(track, self.source_names) for track in tracks]
        self._check_labels()

    def __len__(self):
        return self.length

    def __iter__(self):
        return (self[index] for index in range(self.length))

    def __getitem__(self, index):
        places, gains = self.draw(index)
        sources = self._cut(places, torch.from_numpy(gains)[:, None, None])  # (S, C, N)
        return {"mixture": sources.sum(dim=0), "sources": sources, **self.labels_at(places)}

    def draw(self, index):
        """What item `index` is: for each stem (number of a track, first sample), and its gain `(S,)` as float32.

        Whoever has the tracks in memory can make the item from that.
        """
        if index < 0:
            raise IndexError(f"item {index}: items count from 0")
        random = np.random.default_rng(np.random.SeedSequence([self.seed, index]))
        places = self._draw_places(random)
        return places, self._draw_gains(random)

    def labels_at(self, places):
        """The labels of an item, each (T,), which follow the excerpt that the vocals come from."""
        if not self.labels:
            return {}
        track, start = places[self.source_names.index("vocals")]
        return {label: self._label(label, track, start) for label in self.labels}

    def settings(self):
        """What decides which items come out, ready for JSON: a training run must go on with the same."""
        names = "\n".join(str(getattr(track, "name", "")) for track in self.tracks)
        return {
            "seconds": self.samples / self.sample_rate,
            "sample_rate": self.sample_rate,
            "channels": self.channels,
            "tracks": len(self.tracks),
            "track_names": f"checksum {zlib.crc32(names.encode(errors='surrogateescape')):08x}",
            "incoherent": self.incoherent,
            "gain_db": list(self.gain_db),
            "flip": self.flip,
            "data_seed": self.seed,
            "labels": list(self.labels),
        }

    def _draw_places(self, random):
        """For each stem the number of a track and the first sample: one place for all, or one for each."""
        different = random.random() < self.incoherent
        if not different:
            return [self._draw_place(random)] * len(self.source_names)
        for _ in range(TRIES):
            drawn = [self._draw_place(random) for _ in self.source_names]
            if self._all_others(drawn):
                return drawn
        raise ValueError(
            f"Mixtures: {TRIES} draws gave no {len(self.source_names)} different talkers: the tracks have too few. "
            "Add some, or set incoherent=0.0."
        )

    def _all_others(self, places):
        """Whether no talker is there twice; stems of which nobody says who it is are all different."""
        known = [self._identities[track].get(name) for name, (track, _) in zip(self.source_names, places, strict=True)]
        known = [identity for identity in known if identity is not None]
        return len(known) == len(set(known))

    def _draw_place(self, random):
        track = int(random.integers(len(self.tracks)))
        room = max(0, self._lengths[track] - self.samples)
        grid = self._grid()
        return track, int(random.integers(room // grid + 1)) * grid

    def _grid(self):
        """Excerpts start where a label frame starts, if these fall on whole samples."""
        return self.sample_rate // LABEL_RATE if self.sample_rate % LABEL_RATE == 0 else 1

    def _cut(self, places, gains):
        """The excerpts at their levels (S, C, N): each sample is read, multiplied and written once."""
        out = torch.empty(len(places), self.channels, self.samples)
        for stem, gain, name, (track, start) in zip(out, gains, self.source_names, places, strict=True):
            part = _samples(self.tracks[track], name, start, self.samples)  # (C, up to N)
            torch.mul(part, gain, out=stem[:, : part.shape[-1]])
            stem[:, part.shape[-1] :] = 0
        return out

    def _draw_gains(self, random):
        gains = 10 ** (random.uniform(*self.gain_db, size=len(self.source_names)) / 20)
        if self.flip:
            gains *= random.choice((-1.0, 1.0), size=len(gains))
        return gains.astype(np.float32)

    def _label(self, label, track, start):
        """Frames of one label (T,) from sample `start` on; zeros after the end."""
        frames = -(-self.samples * LABEL_RATE // self.sample_rate)  # T
        first = round(start * LABEL_RATE / self.sample_rate)
        out = torch.zeros(frames)
        found = self._score(label, track)[first : first + frames]
        out[: len(found)] = found
        return out

    def _score(self, label, number):
        if (label, number) not in self._scores:
            track = self.tracks[number]
            if not track.score or label not in track.score:
                raise ValueError(
                    f"track {track.name!r}: the label {label!r} needs a score.json that has it, "
                    f"with {LABEL_RATE} numbers for each second. Add it, or ask for no labels."
                )
            self._scores[label, number] = _frames(track, label)
        return self._scores[label, number]

    def _check_settings(self, seconds):
        low, high = self.gain_db
        wrong = {
            f"tracks is empty: give at least one track, got {self.tracks!r}": len(self.tracks) == 0,
            f"seconds={seconds}: expected a positive number": not 0 < seconds < float("inf"),
            f"length={self.length}: expected at least one item": self.length < 1,
            f"incoherent={self.incoherent}: expected a probability, 0 to 1": not 0 <= self.incoherent <= 1,
            f"gain_db={self.gain_db}: expected (low, high) with low <= high": not low <= high,
            f"seed={self.seed}: expected 0 or more": self.seed < 0,
        }
        for message, true in wrong.items():
            if true:
                raise ValueError(f"Mixtures: {message}.")

    def _check_labels(self):
        for label in self.labels:
            if label not in LABELS:
                raise ValueError(f"Mixtures: unknown label {label!r}; choose from {', '.join(LABELS)}.")
            if "vocals" not in self.source_names:
                raise ValueError(f"Mixtures: labels follow the stem 'vocals'; the stems are {self.source_names}.")
            for number in range(len(self.tracks)):
                self._score(label, number)


def _frames(track, label):
    """A label of a track (T,), if it is as long as the track; one frame more or less is rounding."""
    where = getattr(track, "score_path", f"track {track.name!r}")
    try:
        given = torch.tensor(track.score[label], dtype=torch.float32).reshape(-1)
    except (TypeError, ValueError):
        raise ValueError(f"{where}: the label {label!r} must be a list of numbers, {LABEL_RATE} a second.") from None
    expected = round(track.length * LABEL_RATE / track.sample_rate)
    if abs(len(given) - expected) > 1:
        raise ValueError(
            f"{where}: the label {label!r} has {len(given)} numbers, but the track of {track.seconds:.2f} s needs "
            f"{expected}: {LABEL_RATE} for each second. Write the score anew for this sound, or ask for no labels."
        )
    return given


def _samples(track, name, start, length):
    """Samples (C, up to length) of a stem: those in memory, where the track can give them without a copy."""
    if hasattr(track, "excerpt"):
        return track.excerpt(name, start, length)
    return track.sources([name], start, length)[0]


def _common(tracks):
    """The stem names, rate (Hz) and channels (C) of all tracks, which have to be equal."""
    first = tracks[0]
    for track in tracks:
        for what in ("stem_names", "sample_rate", "channels"):
            ours, theirs = getattr(track, what), getattr(first, what)
            if ours != theirs:
                raise ValueError(
                    f"Mixtures: {what} differs between tracks: {ours} in {track.name!r}, {theirs} in "
                    f"{first.name!r}. Give StemFolder a sample_rate, channels and source_names to convert to."
                )
    return first.stem_names, first.sample_rate, first.channels


def _identities(track, names):
    """Who talks in which stem of a track, as it says itself or its score.json does; empty where nobody knows."""
    told = getattr(track, "identities", None)
    if told is None and any(name.startswith("talker") for name in names):
        told = (track.score or {}).get("identities")
    return told or {}
