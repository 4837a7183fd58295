"""One open audio file whose every failure is an `AudioError` that names the file."""

import os
import re
import warnings
from pathlib import Path

import numpy as np

from sepbook.audio import chunks, ffmpeg, mp3, ogg
from sepbook.audio.errors import AudioError, AudioWarning
from sepbook.audio.opening import open_bytes

PIECE = 1 << 18  # frames that are decoded at once: what a header promises is never allocated unseen
RATES = (1_000, 768_000)  # Hz: outside of this a header is damaged
TOLERATED = 0.1  # seconds that may be missing at the end, with a note
FOREIGN = (b"ftyp", b"\x1aE\xdf\xa3", b"0&\xb2u", b"FLV\1", b"caff", b"fLaC", b".snd", b"FORM", b"RIFF")
HINT = "sepbook reads wav, flac, ogg and mp3; other formats convert with: ffmpeg -i INPUT output.wav"


class Reader:
    """An audio file opened for reading: `rate`, `channels`, `frames`, and `pieces()`.

    Raises AudioError where the file is missing, empty, truncated, no audio, or holds NaN or infinity,
    and where it changes while it is read. Use it in a `with` block.

    Some files hold several streams of sound, as a .stem.mp4 does: `stream` counts them from 0.

    Taught on: book/how_to_read
    """

    def __init__(self, path, stream=None):
        self.path, self._stream = Path(path), stream
        self.notes = []  # what is told when the sound is read
        self._file = open_bytes(self.path)
        try:
            self._stamp = self._state()
            self._sound = self._open_sound()
        except BaseException:
            self._file.close()
            raise
        try:
            self.rate, self.channels, self.frames = self._sound.rate, self._sound.channels, self._sound.frames
            self._check_header()
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._sound.close()
        self._file.close()

    def pieces(self, start=0, frames=None):
        """Yield float32 arrays (frames, C) from frame `start` on, `frames` in all or up to the end."""
        at, end = start, self.frames if frames is None else start + frames
        for note in self.notes:
            warnings.warn(f"{self.path}: {note}.", AudioWarning, stacklevel=2)
        if start:
            self._guarded(lambda: self._sound.seek(min(start, self.frames)), at)
        while at < min(end, self.frames):
            wanted = min(PIECE, min(end, self.frames) - at)
            piece = self._guarded(lambda wanted=wanted: self._sound.read(wanted), at)
            if len(piece) == 0:
                break
            self._check_finite(piece, at)
            at += len(piece)
            yield piece
        if self._state() != self._stamp:
            raise AudioError(f"{self.path}: the file changed while it was read. Read it again when it is still.")
        if at == 0 and frames != 0:
            raise AudioError(f"{self.path}: holds no samples at all. Was the recording stopped at once?")
        if end >= self.frames:
            self._check_end(at)

    def _open_sound(self):
        """The decoder that gets all of the sound out of this file."""
        from sepbook.audio import decoders

        self._failures, size = decoders.FAILURES, self._stamp[0]
        if size == 0:
            raise AudioError(f"{self.path}: the file is empty (0 bytes). Copy or download it again.")
        if self._stream is not None:
            return self._open_foreign(f"stream {self._stream}", decoders)
        self._file.seek(0)
        head = self._file.read(12)
        try:
            if head[:4] == b"OggS":
                return self._walked(ogg.Walk(self._file, size), decoders)
            if samples := chunks.find(self._file, size):
                return self._open_chunks(samples, decoders)
            return self._open_other(head, size, decoders)
        except self._failures as error:
            if isinstance(error, AudioError):
                raise
            return self._open_foreign(_reason(error), decoders)

    def _walked(self, walk, decoders):
        """A file of frames or pages: as it is where it is plain, else through a clean copy."""
        if walk.lost > TOLERATED:
            self._refuse_as_cut(f"the last {walk.lost:.2f} s" if walk.lost < 1e6 else "its last page")
        self.notes += walk.notes
        if walk.plain or not walk.parts:
            return decoders.Plain(self.path)
        return decoders.Joined(self._file, walk.parts)

    def _open_chunks(self, samples, decoders):
        """A file of chunks: plain numbers from byte to byte; where they are coded, what libsndfile makes of them."""
        missing = 0 if samples.claimed is None else samples.claimed - samples.there
        if missing > 0 and samples.lost > TOLERATED:
            self._refuse_as_cut(f"{missing} bytes ({samples.lost:.2f} s)")
        if missing > 0:
            self.notes.append(f"its header promises {missing} bytes more than are there ({samples.lost:.4f} s)")
        if samples.format.subtype:
            return decoders.Bare(self._file, samples)
        sound = decoders.Plain(self.path)
        if samples.claimed is None:
            sound.close()
            raise ValueError("it does not say how long it is")
        return sound

    def _open_other(self, head, size, decoders):
        """MP3, even behind junk; FLAC, and what else libsndfile knows."""
        if not (head[:4] in FOREIGN or head[4:8] in FOREIGN or self._is_tagged_flac(head)):
            walk = mp3.Walk(self._file, size)
            if walk.runs:
                return self._walked(walk, decoders)
        sound = decoders.Plain(self.path)
        if sound.frames > decoders.UNKNOWN:
            sound.close()
            raise ValueError("it does not say how long it is")
        return sound

    def _is_tagged_flac(self, head):
        self._file.seek(mp3.tag_length(head))
        return self._file.read(4) == b"fLaC"

    def _open_foreign(self, reason, decoders):
        """What libsndfile cannot read, or not all of it, through ffmpeg."""
        if not ffmpeg.installed():
            advice = f"More formats are read where ffmpeg is installed ({ffmpeg.INSTALL})."
            raise AudioError(f"{self.path}: not a readable audio file ({reason}). {HINT}. {advice}") from None
        try:
            return decoders.Streamed(self.path, self._stamp, self._stream or 0)
        except ffmpeg.Stopped as error:
            raise AudioError(f"{self.path}: not a readable audio file ({reason}; ffmpeg: {error}). {HINT}") from None

    def _check_header(self):
        if not RATES[0] <= self.rate <= RATES[1]:
            raise AudioError(
                f"{self.path}: its header says {self.rate} samples per second; "
                f"expected {RATES[0]} to {RATES[1]}. The header is damaged: export the file again."
            )

    def _refuse_as_cut(self, what):
        raise AudioError(f"{self.path}: the file is truncated, {what} missing. Copy or export it again.")

    def _check_end(self, at):
        """FLAC, and frames that cannot be decoded, show only at the end whether something is missing."""
        missing = (self.frames - at) / self.rate
        if missing > TOLERATED or at == 0:
            raise AudioError(
                f"{self.path}: the file is truncated: {at / self.rate:.2f} s of "
                f"{self.frames / self.rate:.2f} s could be read. Copy or export it again."
            )
        if note := getattr(self._sound, "note", None):
            warnings.warn(f"{self.path}: {note}.", AudioWarning, stacklevel=3)
        if missing > 0:
            note = f"the last {missing:.3f} s could not be decoded and are left out"
            warnings.warn(f"{self.path}: {note}.", AudioWarning, stacklevel=3)

    def _guarded(self, action, at):
        try:
            return action()
        except self._failures as error:
            where = f"after {at / self.rate:.2f} s"
            raise AudioError(
                f"{self.path}: damaged or truncated {where} ({_reason(error)}). Copy or export it again."
            ) from None

    def _check_finite(self, piece, at):
        with np.errstate(invalid="ignore", over="ignore"):  # infinity minus infinity; large numbers
            if np.isfinite(piece.sum()):
                return
        bad = np.flatnonzero(~np.isfinite(piece).all(axis=1))
        if len(bad):
            raise AudioError(
                f"{self.path}: holds NaN or infinity, first at {(at + bad[0]) / self.rate:.3f} s. "
                "Samples must be finite numbers: export the file again, or replace them by zero."
            )

    def _state(self):
        """What changes when somebody writes to the open file: its size and its time stamp."""
        status = os.fstat(self._file.fileno())
        return status.st_size, status.st_mtime_ns


def _reason(error):
    reason = str(getattr(error, "error_string", error)).strip().rstrip(".").removeprefix("Error : ")
    return "no sound in it" if re.match("File does not exist", reason) else reason  # said of an MP3 without frames
