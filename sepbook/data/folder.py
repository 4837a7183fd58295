"""Any folder of stems as a data set: `root/split/track/stem.wav` (or .flac, .ogg, .mp3).

::

    my_songs/
      train/
        first song/   vocals.wav  drums.wav  bass.wav  other.wav
        second song/  vocals.flac drums.flac bass.flac other.flac
      test/
        …

The mixture is always the sum of the stems. A file that holds the whole (`mixture.wav`, or any other word for it)
is not used; `Track.deviation` says how far it is from the sum. A file that is the sum of others (an accompaniment
beside drums and bass) is found by its sound and refused, as it would be in the mixture twice.

Names count without case and blanks: `Vocals.wav` and `01 vocals.wav` are the stem `vocals`, and the split `valid`
may be called `validation`, `val` or `dev`.

Taught on: book/data/corpus
"""

import json
import warnings
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import torch

from sepbook import audio
from sepbook.data import _roles
from sepbook.data._cache import Cache
from sepbook.data._layout import (
    FolderError,
    all_names,
    asked_names,
    find_tracks,
    missing_message,
    sum_error,
)
from sepbook.data._stem_files import stream_of


class StemFolder(Sequence):
    """The tracks of one split of a folder, in the order of their names.

    `split=None` takes `root/track/stem.wav`, without the level of splits. `sample_rate` (Hz) and `channels`
    convert every track; without them a track keeps the highest rate and the most channels of its stems.

    `source_names` chooses and orders the stems; other audio files of a track are left out of the mixture too.
    Without it the stems are all those found in any track. A track that lacks one is an error, unless
    `allow_missing=True` puts silence in its place.

    With `cache=True` decoded stems stay in memory, up to `cache_bytes`; those not used for longest are
    dropped first. With `cache=False` an excerpt of a .wav or .flac is read from the disk each time.

    Hidden files, files that are no audio, and folders without audio are passed over.
    Raises FolderError where the folder, the split, a track or a stem is missing or ambiguous.

    Taught on: book/data/corpus
    """

    def __init__(
        self,
        root,
        split="train",
        sample_rate=None,
        channels=None,
        source_names=None,
        allow_missing=False,
        cache=True,
        cache_bytes=2 << 30,
    ):
        self.root, self.split = Path(root), split
        found = find_tracks(self.root, split)
        asked = (source_names,) if isinstance(source_names, str) else tuple(source_names or ())
        names = asked_names(asked, found.values()) or all_names(found.values())
        kept = Cache(cache_bytes) if cache else None
        self.source_names = names
        self._tracks = []
        for name, paths in found.items():
            missing = [stem for stem in names if stem not in paths]
            if missing and not (allow_missing and len(missing) < len(names)):
                raise missing_message(self.root, split, name, missing, paths, asked)
            self._tracks.append(Track(name, split, paths, names, sample_rate, channels, kept, look=not asked))

    def __len__(self):
        return len(self._tracks)

    def __getitem__(self, index):
        return self._tracks[index]

    def __repr__(self):
        seconds = sum(track.seconds for track in self)
        stems = ", ".join(self.source_names)
        return f"StemFolder({str(self.root)!r}, {self.split!r}): {len(self)} tracks, {seconds:.0f} s, {stems}"


class Deviation(NamedTuple):
    """How far a mixture file is from the sum of the stems: `peak` of the difference, and its level in dB.

    Taught on: book/data/corpus
    """

    peak: float
    decibels: float


class Track:
    """One song: a file for each stem, decoded when first needed.

    `paths` maps the names of the audio files to their places. All stems come out with one rate (Hz), one number
    of channels and one length (N): others are resampled, remixed, and padded with zeros at their end. A warning
    says so where the padding is longer than a second. With `look`, the first sound that is asked for is preceded by
    a look at a few seconds: a file that is the sum of others raises FolderError, and a warning tells of a mixture
    file that is far from the sum.

    Taught on: book/data/corpus
    """

    def __init__(self, name, split, paths, stem_names=None, sample_rate=None, channels=None, cache=None, look=False):
        self.name, self.split, self.paths = name, split, dict(paths)
        self.stem_names = tuple(stem_names or all_names([self.paths]))
        self._rate, self._channels, self._cache = sample_rate, channels, cache
        self._unseen = look  # is each file a stem of its own? looked at when sound is first asked for

    def __repr__(self):
        return f"Track({self.name!r}, {self.seconds:.1f} s, {', '.join(self.stem_names)})"

    @cached_property
    def _infos(self):
        return {name: audio.info(*self._place(name)) for name in self.stem_names if name in self.paths}

    def _place(self, name):
        """Where a stem is: a file, and which of its streams of sound; None for a file of one sound."""
        return self.paths[name], stream_of(self.paths[name], name)

    @cached_property
    def sample_rate(self):
        """Samples per second (Hz)."""
        return self._rate or max(info.sample_rate for info in self._infos.values())

    @cached_property
    def channels(self):
        """Number of audio channels (C)."""
        return self._channels or max(info.channels for info in self._infos.values())

    @cached_property
    def length(self):
        """Number of samples (N): that of the longest stem."""
        lengths = {name: self._length_of(info) for name, info in self._infos.items()}
        longest, shortest = max(lengths, key=lengths.get), min(lengths, key=lengths.get)
        padded = (lengths[longest] - lengths[shortest]) / self.sample_rate
        if padded > 1:
            warnings.warn(
                f"track {self.name!r}: {shortest} ends {padded:.1f} s before {longest}; zeros fill it up.",
                stacklevel=2,
            )
        return lengths[longest]

    def _length_of(self, info):
        return audio.resampled_length(info.frames, info.sample_rate, self.sample_rate)

    @property
    def seconds(self):
        """Duration in seconds."""
        return self.length / self.sample_rate

    @property
    def score_path(self):
        """Where the score of the track lies, if it has one."""
        return next(iter(self.paths.values())).parent / "score.json"

    @cached_property
    def score(self):
        """What `score.json` in the folder of the track holds, as a dict; None without that file."""
        path = self.score_path
        if not path.is_file():
            return None
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise FolderError(f"{path}: this is not valid JSON ({error}). Write it again or remove it.") from None

    @property
    def voice(self):
        """Whose voice sings: the base speaker that the score names. None without a score, or where nobody sings."""
        score = self.score
        return score.get("voice") if isinstance(score, dict) else None

    def sources(self, names=None, start=0, length=None):
        """The stems as a tensor (S, C, N), in the order of `names` (all of them unless given).

        `start` and `length` take an excerpt, in samples at `sample_rate`. Where it reaches beyond the
        end of the track, zeros follow. Raises FolderError for a name that the track lacks, AudioError for a file
        that cannot be read.
        """
        names = self.stem_names if names is None else tuple(names)
        length = self.length - start if length is None else length
        if start < 0 or length < 0:
            raise ValueError(f"track {self.name!r}: start={start}, length={length}; both must be 0 or more.")
        excerpts = [self.excerpt(name, start, length) for name in names]
        out = torch.empty(len(names), self.channels, length)  # (S, C, N)
        for stem, excerpt in zip(out, excerpts, strict=True):
            stem[:, : excerpt.shape[-1]] = excerpt
            stem[:, excerpt.shape[-1] :] = 0
        return out

    def excerpt(self, name, start, length):
        """Samples (C, up to length) of one stem; none where the stem is silent or over.

        They are those in memory and no copy: read them, and do not write into them. Raises as `sources` does.
        """
        self._look()
        if name not in self.stem_names:
            raise FolderError(f"track {self.name!r} has no stem {name!r}; it has {', '.join(self.stem_names)}.")
        if name not in self.paths:
            return torch.zeros(self.channels, 0)
        info = self._infos[name]
        if self._cache is None and info.sample_rate == self.sample_rate and _seeks_exactly(self.paths[name]):
            if start >= info.frames:
                return torch.zeros(self.channels, 0)
            return audio.load(self.paths[name], channels=self.channels, start=start, frames=length)[0]
        return self._decode(name)[:, start : start + length]

    def mixture(self):
        """The sum of all stems (C, N)."""
        return self.sources().sum(dim=0)

    def deviation(self):
        """How far `mixture.wav` is from the sum of the stems, as a Deviation; None without such a file."""
        name = self._whole()
        if name is None:
            return None
        given, total = self._decode(name), self.mixture()
        length = max(given.shape[-1], total.shape[-1])
        given, total = (torch.nn.functional.pad(x, (0, length - x.shape[-1])).double() for x in (given, total))
        difference = total - given
        level = 10 * torch.log10(difference.square().sum() / given.square().sum().clamp_min(1e-30))
        return Deviation(float(difference.abs().max()), float(level))

    def _whole(self):
        """The name of the file that holds the mixture; None without one."""
        return next((name for name in self.paths if _roles.is_whole(name) and name not in self.stem_names), None)

    def _look(self):
        """Once: is one file the sum of others, and is the sum of all what the mixture file holds?"""
        if not self._unseen or len(self.stem_names) < 3 and self._whole() is None:
            return
        self._unseen = False
        parts = {name: self._sample(name) for name in self.stem_names if name in self.paths}
        if found := _roles.find_sum(parts):
            self._unseen = True
            raise sum_error(self, *found)
        if (whole := self._whole()) is not None:
            left = _roles.distance(self._sample(whole), sum(parts.values()))
            if left > _roles.RESIDUAL:
                warnings.warn(
                    f"track {self.name!r}: the sum of the stems is far from {self.paths[whole].name} (the difference "
                    f"is {left:+.0f} dB of it). Is a file no stem, or is one missing? What is used is the sum.",
                    stacklevel=4,
                )

    def _sample(self, name):
        """Pieces of a file, spread over the song, as one signal (N,), mono."""
        size, pieces = round(_roles.SECONDS * self.sample_rate), _roles.PIECES
        room = max(0, self.length - size)
        starts = [room * k // (pieces - 1) for k in range(pieces if room else 1)]
        return torch.cat([self._piece(name, start, size) for start in starts]).numpy()

    def _piece(self, name, start, size):
        """Samples (size,) of a file, the mixture included, mono; zeros where it is over. The cache stays as it is."""
        path = self.paths[name]
        if path.suffix.lower() in _roles.QUICK:
            rate = audio.info(path).sample_rate
            start, frames = (n * rate // self.sample_rate for n in (start, size))
            found, _ = audio.load(path, self.sample_rate, 1, start, frames)
        else:
            found = audio.remix(self._decode(name), 1)[:, start : start + size]
        return torch.nn.functional.pad(found[0, :size], (0, max(0, size - found.shape[-1])))

    def _decode(self, name):
        """All of one file (C, N), from the cache where there is one."""
        path, stream = self._place(name)
        key = (path, stream, self.sample_rate, self.channels)
        samples = self._cache.get(key) if self._cache is not None else None
        if samples is None:
            samples, _ = audio.load(path, self.sample_rate, self.channels, stream=stream)
            if self._cache is not None:
                self._cache.put(key, samples)
        return samples


def _seeks_exactly(path):
    return path.suffix.lower() in (".wav", ".flac")
