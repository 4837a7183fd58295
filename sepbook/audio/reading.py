"""One open audio file whose every failure is an `AudioError` that names the file."""

import os
import re
from pathlib import Path

import numpy as np

from sepbook.audio.errors import AudioError
from sepbook.audio.mp3 import mp3_length
from sepbook.audio.opening import name_for_c, open_bytes

PIECE = 1 << 18  # frames that are decoded at once: what a header promises is never allocated unseen
RATES = (1_000, 768_000)  # Hz: outside of this a header is damaged
STREAMED = 0x7FFF_0000  # bytes: a WAV whose writer could not go back claims at least this much
UNKNOWN = 1 << 60  # frames: libsndfile's number for a length that was never written down
HINT = "sepbook reads wav, flac, ogg and mp3; other formats convert with: ffmpeg -i INPUT output.wav"


class Reader:
    """An audio file opened for reading: `rate`, `channels`, `frames`, and `pieces()`.

    Raises AudioError where the file is missing, empty, truncated, no audio, or holds NaN or infinity,
    and where it changes while it is read. Use it in a `with` block.

    Taught on: book/how_to_read
    """

    def __init__(self, path):
        self.path = Path(path)
        self._file = open_bytes(self.path)
        try:
            self._stamp = self._state()
            self._sound = self._open_sound()
        except BaseException:
            self._file.close()
            raise
        try:
            self._check_header()
            self._check_complete()
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
        if start:
            self._sound.seek(min(start, self.frames))
        while at < end:
            piece = self._decode(min(PIECE, end - at), at)
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
        import soundfile

        self._failures = (soundfile.SoundFileError, RuntimeError, TypeError, ValueError, OSError, MemoryError)
        if self._stamp[0] == 0:
            raise AudioError(f"{self.path}: the file is empty (0 bytes). Copy or download it again.")
        try:
            return soundfile.SoundFile(name_for_c(self.path))  # not self._file: its callbacks swallow ctrl-C
        except self._failures as error:
            raise AudioError(f"{self.path}: not a readable audio file ({_reason(error)}). {HINT}") from None

    def _check_header(self):
        self.rate, self.channels = self._sound.samplerate, self._sound.channels
        self.frames, self.format = self._sound.frames, self._sound.format
        if not RATES[0] <= self.rate <= RATES[1]:
            raise AudioError(
                f"{self.path}: its header says {self.rate} samples per second; "
                f"expected {RATES[0]} to {RATES[1]}. The header is damaged: export the file again."
            )
        if self.frames > UNKNOWN:
            raise AudioError(
                f"{self.path}: does not say how long it is. Rewrite it: ffmpeg -i INPUT{self.path.suffix} "
                f"output{self.path.suffix}"
            )

    def _check_complete(self):
        """Formats that say in their header or last page how long they ought to be."""
        short, self._estimated = None, False
        if self.format in ("WAV", "WAVEX", "AIFF"):
            short = _wav_missing_bytes(self._sound.extra_info)
        elif self.format == "OGG" and not _ogg_is_closed(self._file):
            short = "its last page"
        elif self.format == "MP3":
            there = mp3_length(self._file)  # None where the header states the length
            self._estimated = there is not None
            if self._estimated and there > self.frames + 4 * 1152:
                raise AudioError(
                    f"{self.path}: this MP3 does not say how long it is, and the decoder would stop after "
                    f"{self.frames / self.rate:.2f} s of {there / self.rate:.2f} s. "
                    "Rewrite it: ffmpeg -i INPUT.mp3 -c copy output.mp3"
                )
        if short:
            raise AudioError(f"{self.path}: the file is truncated, {short} missing. Copy or export it again.")

    def _check_end(self, at):
        """MP3 and FLAC show only at their end whether something is missing."""
        if at < self.frames and not self._estimated:
            raise AudioError(
                f"{self.path}: the file is truncated: {at / self.rate:.2f} s of "
                f"{self.frames / self.rate:.2f} s could be read. Copy or export it again."
            )

    def _decode(self, frames, at):
        try:
            return self._sound.read(frames, dtype="float32", always_2d=True)
        except self._failures as error:
            where = f"after {at / self.rate:.2f} s"
            raise AudioError(
                f"{self.path}: damaged or truncated {where} ({_reason(error)}). Copy or export it again."
            ) from None

    def _check_finite(self, piece, at):
        with np.errstate(invalid="ignore"):  # infinity minus infinity
            if np.isfinite(piece.sum(dtype=np.float64)):
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
    return "no sound in it" if reason.startswith("File does not exist") else reason  # said of an MP3 without frames


def _wav_missing_bytes(log):
    """libsndfile writes what a chunk claims and what is really there into its log."""
    for claimed, there in re.findall(r"^(?:data|SSND)\s*:\s*(\d+) \(should be (\d+)\)", log, re.MULTILINE):
        if int(there) < int(claimed) < STREAMED:
            return f"{int(claimed) - int(there)} bytes"
    return None


def _ogg_is_closed(file):
    """The last page of an Ogg stream is marked as the end, and all of it is there."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 131_072))
    tail = file.read()
    page = tail.rfind(b"OggS")
    if page < 0 or len(tail) < page + 27 or not tail[page + 5] & 4:
        return False
    segments = tail[page + 26]
    return len(tail) >= page + 27 + segments + sum(tail[page + 27 : page + 27 + segments])
