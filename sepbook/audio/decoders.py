"""Four ways to the samples of a file, with one form: `rate`, `channels`, `frames`, `read`, `seek`, `close`.

`read(frames)` gives float32 samples (up to frames, C), none at the end. Every failure is one of `FAILURES`.
"""

from functools import lru_cache
from io import BytesIO

import numpy as np
import soundfile

from sepbook.audio import ffmpeg
from sepbook.audio.opening import name_for_c

FAILURES = (soundfile.SoundFileError, RuntimeError, TypeError, ValueError, OSError, MemoryError, ffmpeg.Stopped)
PIECE = 1 << 18  # frames that are decoded at once
UNKNOWN = 1 << 60  # frames: libsndfile's number for a length that was never written down


class Plain:
    """A file as libsndfile reads it."""

    def __init__(self, path):
        self._sound = soundfile.SoundFile(name_for_c(path))  # no file object: its callbacks swallow ctrl-C
        self.rate, self.channels = self._sound.samplerate, self._sound.channels
        self.frames, self.format = self._sound.frames, self._sound.format
        if "MPEG" in self._sound.subtype and self.format != "MP3":  # in a WAV: nobody wrote down how long it is
            self.count()

    def count(self):
        """Find the number of frames by decoding them."""
        self.frames = 0
        while found := len(self.read(PIECE)):
            self.frames += found
        self.seek(0)

    def read(self, frames):
        """The next samples (up to frames, C)."""
        return self._sound.read(frames, dtype="float32", always_2d=True)

    def seek(self, frame):
        """Go on from a frame."""
        self._sound.seek(frame)

    def close(self):
        """Let go of the file."""
        self._sound.close()


class Bare:
    """Plain numbers that lie at a known place of an open file: no other library is asked, which is many times as fast.

    Their number is what is there, whatever the header says of it. The samples are those that libsndfile gives.
    """

    format = "BARE"

    def __init__(self, file, samples):
        self._about, self._start = samples.format, samples.start
        self.rate, self.channels, self.frames = self._about.rate, self._about.channels, samples.frames
        self._file, self._at = file, 0
        self.seek(0)

    def read(self, frames):
        """The next samples (up to frames, C)."""
        data = self._file.read(min(frames, self.frames - self._at) * self._about.block)
        found = _as_floats(data[: len(data) - len(data) % self._about.block], self._about)
        self._at += len(found)
        return found

    def seek(self, frame):
        """Go on from a frame."""
        self._at = min(frame, self.frames)
        self._file.seek(self._start + self._at * self._about.block)

    def close(self):
        """Let go of the file, which belongs to the reader."""
        self._file = None


def _as_floats(data, about):
    """Stored bytes as float32 samples (frames, C), rounded as libsndfile does."""
    order = "<" if about.endian == "LITTLE" else ">"
    if about.subtype in ("ALAW", "ULAW"):
        found = _curve(about.subtype)[np.frombuffer(data, np.uint8)]
    elif about.subtype == "PCM_24":
        parts = np.frombuffer(data, np.uint8).reshape(-1, 3)[:, :: 1 if order == "<" else -1]
        whole = np.zeros((len(parts), 4), np.uint8)
        whole[:, 1:] = parts
        found = whole.reshape(-1).view("<i4").astype(np.float32) / np.float32(1 << 31)
    elif about.subtype in ("FLOAT", "DOUBLE"):
        with np.errstate(over="ignore"):  # larger than a float32: infinity
            found = np.frombuffer(data, order + {"FLOAT": "f4", "DOUBLE": "f8"}[about.subtype]).astype(np.float32)
    else:
        kind = {"PCM_U8": "u1", "PCM_S8": "i1", "PCM_16": "i2", "PCM_32": "i4"}[about.subtype]
        found = np.frombuffer(data, order + kind).astype(np.float32)
        found = (found - np.float32(128 if kind == "u1" else 0)) / np.float32(1 << 8 * int(kind[1]) - 1)
    return found.reshape(-1, about.channels)


@lru_cache(maxsize=2)
def _curve(subtype):
    """What each value of a byte stands for in A-law and mu-law."""
    every = BytesIO(bytes(range(256)))
    return soundfile.read(every, dtype="float32", channels=1, samplerate=8000, subtype=subtype, format="RAW")[0]


class Joined:
    """The parts of a file, one after the other, each through a clean copy of its bytes.

    All come out with the channels of the first. Raises ValueError where they differ in rate.
    """

    def __init__(self, file, parts):
        self._file, self._parts = file, parts
        self._number, self._copy, self._sound = -1, None, None
        self._lengths, self.format = [], None
        for number in range(len(parts)):
            self._open(number)
            self._lengths.append(self._sound.frames)
            if number == 0:
                self.rate, self.channels, self.format = self._sound.rate, self._sound.channels, self._sound.format
            if self._sound.rate != self.rate:
                rates = f"{self.rate} and {self._sound.rate} Hz"
                self.close()
                raise ValueError(f"pieces of {rates} in one file")
        self.frames = sum(self._lengths)
        self.seek(0)

    def _open(self, number):
        if number == self._number:
            return
        self.close()
        self._copy = self._parts[number].copy(self._file)
        self._sound, self._number = Plain(self._copy.name), number
        self._check(self._parts[number])
        if self._parts[number].samples and not self._parts[number].first:
            self._sound.count()  # nothing in it says how long it is

    def _check(self, part):
        there, seen = self._sound.frames, part.samples
        if there > UNKNOWN or (seen and abs(seen - there) > self._sound.rate // 5):
            where = f"{there / self._sound.rate:.2f} s" if there < UNKNOWN else "an unknown length"
            self.close()
            raise ValueError(f"the decoder takes it for {where}")

    def read(self, frames):
        """The next samples (up to frames, C)."""
        found = self._sound.read(frames)
        while len(found) == 0 and self._number + 1 < len(self._parts):
            self._open(self._number + 1)
            found = self._sound.read(frames)
        return found if found.shape[1] == self.channels else _remix(found, self.channels)

    def seek(self, frame):
        """Go on from a frame."""
        number = 0
        while number + 1 < len(self._parts) and frame >= self._lengths[number]:
            frame, number = frame - self._lengths[number], number + 1
        self._open(number)
        self._sound.seek(min(frame, self._lengths[number]))

    def close(self):
        """Let go of the file."""
        self._number = -1
        for each in (self._sound, self._copy):
            if each is not None:
                each.close()
        self._sound = self._copy = None


def _remix(samples, channels):
    """Samples (N, C) with other channels: mono is copied to each, and is the mean of all."""
    mono = samples.mean(axis=1, keepdims=True, dtype=np.float32)
    return np.repeat(mono, channels, axis=1)


class Streamed:
    """A file that ffmpeg decodes. Its length is not written anywhere: it is found by decoding it once."""

    format, note = "FFMPEG", None

    def __init__(self, path, stamp, stream=0):
        self._path, self._stream, self._at = path, stream, 0
        self._process = ffmpeg.Process(path, stream)
        self.rate, self.channels = self._process.rate, self._process.channels
        try:
            self.frames = ffmpeg.count(path, stamp, stream)
        except BaseException:
            self.close()
            raise

    def read(self, frames):
        """The next samples (up to frames, C)."""
        found = self._process.read(frames)
        self._at += len(found)
        if len(found) < frames and (said := self._process.complaint()):
            self.note = f"ffmpeg found faults in it ({said})"
        return found

    def seek(self, frame):
        """Go on from a frame."""
        if frame < self._at:
            self._process.close()
            self._process, self._at = ffmpeg.Process(self._path, self._stream), 0
        while self._at < frame and len(self.read(min(PIECE, frame - self._at))):
            pass

    def close(self):
        """Let go of the file."""
        self._process.close()
