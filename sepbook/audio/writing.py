"""Audio files that are written whole or not at all."""

import os
import stat
import uuid
import warnings
from contextlib import suppress
from pathlib import Path

import numpy as np

from sepbook._given import KindError, as_samples
from sepbook.audio.errors import AudioError
from sepbook.audio.opening import name_for_c

PIECE = 1 << 16  # frames that are encoded at once
FORMATS = {
    ".wav": ("WAV", "FLOAT"),  # 32-bit float: nothing clips, stems still add up to their mixture
    ".flac": ("FLAC", "PCM_24"),
    ".ogg": ("OGG", "VORBIS"),
    ".mp3": ("MP3", "MPEG_LAYER_III"),
}
MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
MOST_CHANNELS = {".flac": 8, ".mp3": 2, ".ogg": 255, ".wav": 1024}
HIGHEST_RATE = {".flac": 655_350, ".mp3": 192_000, ".ogg": 192_000, ".wav": 768_000}
WAV_BYTES = (1 << 32) - 4096


class ClippingWarning(UserWarning):
    """Samples beyond -1 … 1 were clipped, because the file format cannot hold them.

    Taught on: book/how_to_read
    """


class Writer:
    """Write an audio file block by block; it appears under its name only when it is complete.

    The blocks (C, N) go to a hidden file beside `path`, which is renamed at the end of the `with` block.
    After an error, a full disk or ctrl-C the hidden file is removed, and an older `path` is untouched.

    The suffix decides the format: .wav (32-bit float), .flac (24 bit), .ogg (Vorbis), .mp3 (`kbps`).
    All but .wav clip at -1 and 1; `clipped` counts these samples, and a ClippingWarning reports them.

    Raises AudioError: unknown suffix, a rate or number of channels that the format cannot hold, NaN or
    infinity, a place that cannot be written, a full disk.

    Taught on: book/how_to_read
    """

    def __init__(self, path, rate, channels, kbps=None):
        self.path, self.rate, self.channels = Path(path), int(rate), int(channels)
        self.frames, self.clipped, self.peak = 0, 0, 0.0
        self.suffix = _check_format(self.path, self.rate, self.channels, kbps)
        self._kbps, self._sound = kbps, None
        self._part = self.path.with_name(f".sepbook-{os.getpid()}-{uuid.uuid4().hex[:12]}.part")

    def __enter__(self):
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            _check_place(self.path)
        except OSError as error:
            raise self._cannot(error) from None
        try:  # from the first moment that there is a file, ctrl-C included
            open(self._part, "xb").close()
            self._guarded(self._open)
        except BaseException as error:
            self._discard()
            if isinstance(error, OSError):
                raise self._cannot(error) from None
            raise
        return self

    def write(self, samples):
        """Append samples (C, N), a tensor or an array."""
        samples = as_array(samples, self.path)
        if len(samples) != self.channels:
            raise AudioError(f"{self.path}: the block has {len(samples)} channels (axis C), expected {self.channels}.")
        self._check_room(samples.shape[1])
        self.peak = max(self.peak, float(np.abs(samples).max(initial=0.0)))
        if self.suffix != ".wav":
            self.clipped += int((np.abs(samples) > 1).sum())
            samples = samples.clip(-1, 1)
        self.frames += samples.shape[1]
        self._guarded(lambda: encode(self._sound, samples))

    def __exit__(self, kind, *_):
        if kind is not None:
            self._discard()
            return
        try:
            self._guarded(self._finish)
        except BaseException:
            self._discard()
            raise
        if self.clipped:
            warnings.warn(self._report(), ClippingWarning, stacklevel=3)

    def _open(self):
        self._sound = open_encoder(self._part, self.suffix, self.rate, self.channels, self._kbps)

    def _finish(self):
        if self.frames == 0:
            raise AudioError(f"{self.path}: no samples were given (N = 0), so there is nothing to save.")
        self._sound.close()
        if error := _what_stops_writing(self._part):  # what is written on closing can fail unnoticed
            raise error
        os.replace(self._part, self.path)

    def _guarded(self, action):
        """The encoder tells little about a full disk; trying to write on tells more."""
        try:
            action()
        except AudioError:
            raise
        except (OSError, RuntimeError) as error:  # soundfile's errors are RuntimeErrors
            raise self._cannot(_what_stops_writing(self._part) or error) from None

    def _discard(self):
        try:
            if self._sound is not None:
                self._sound.close()
        except RuntimeError:  # the file is given up: only its removal matters
            pass
        self._part.unlink(missing_ok=True)

    def _check_room(self, frames):
        if self.suffix == ".wav" and (self.frames + frames) * self.channels * 4 > WAV_BYTES:
            raise AudioError(f"{self.path}: a .wav file holds at most 4 GiB. Save it as .flac instead.")

    def _cannot(self, error):
        reason = getattr(error, "strerror", None) or error
        return AudioError(f"{self.path}: cannot be written ({reason}). Nothing was left there; choose another place.")

    def _report(self):
        return (
            f"{self.path}: {self.clipped} samples beyond -1 … 1 were clipped (peak {self.peak:.2f}). "
            "Save as .wav, which keeps them, or divide all stems by the same number first."
        )


def sweep(folder):
    """Remove the hidden files that runs left behind which were killed while they wrote into a folder.

    Those of a process that still runs stay.

    Taught on: book/how_to_read
    """
    for path in Path(folder).glob(".sepbook-*.part"):
        owner = path.name.removeprefix(".sepbook-").partition("-")[0]
        if not (owner.isdigit() and _runs(int(owner))):
            with suppress(OSError):
                path.unlink()


def _runs(process):
    """Whether a process of this machine is alive."""
    if os.name != "posix":
        return True  # asking would end it
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        pass
    return True


def as_array(samples, name="samples"):
    """A float32 numpy array (C, N) from a tensor or array (C, N) or (N,); AudioError or KindError for anything else."""
    name_of_both = f"{name}: the samples" if name != "samples" else name
    try:
        samples = as_samples(samples, name_of_both, "(C, N)")
    except KindError:
        raise
    except ValueError as error:
        raise AudioError(str(error)) from None
    array = np.atleast_2d(samples.detach().cpu().float().numpy())
    if array.ndim != 2:
        raise AudioError(f"{name}: expected samples (C, N), got {array.ndim} axes {array.shape}.")
    if not np.isfinite(array).all():
        raise AudioError(f"{name}: the samples hold NaN or infinity. Find where they arise before you save them.")
    return array


def open_encoder(path, suffix, rate, channels, kbps=None):
    """A soundfile.SoundFile that writes to a path, whose own suffix does not matter."""
    import soundfile

    kind, subtype = FORMATS[suffix]
    options = {}
    if suffix == ".mp3":
        # an average bit rate, as small frames of constant size have no room for the length of the file
        options = {"bitrate_mode": "AVERAGE", "compression_level": _compression(kbps or 64 * channels, rate)}
    return soundfile.SoundFile(name_for_c(path), "w", rate, channels, subtype, format=kind, **options)


def encode(sound, samples):
    """Write an array (C, N) in pieces."""
    for start in range(0, samples.shape[1], PIECE):
        sound.write(samples[:, start : start + PIECE].T)


def _compression(kbps, rate):
    """libsndfile counts bit rates from 0 (most) to 1 (least), differently for MPEG 1 and 2."""
    least, most = _kbps_range(rate)
    return max((most - kbps - 0.5) / (most - least), 0.0)


def _kbps_range(rate):
    return (32, 320) if rate >= 32_000 else (8, 160)


def _check_place(path):
    """Find out now, and not after an hour of work, that the file cannot take its name."""
    try:
        if stat.S_ISDIR(os.stat(path).st_mode):
            raise AudioError(f"{path}: this is a folder; expected the name of a file.")
    except FileNotFoundError:
        pass
    except ValueError as error:
        raise OSError(str(error)) from None


def _what_stops_writing(path):
    """Try to write on at the end of a file: None, or the OSError that tells more than the encoder does."""
    try:
        with open(path, "ab") as file:
            size = file.tell()
            file.write(bytes(65_536))
            file.flush()
            file.truncate(size)
    except OSError as error:
        return error


def _check_format(path, rate, channels, kbps):
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise AudioError(f"{path}: cannot write '{path.suffix}'. Choose one of: {', '.join(FORMATS)}.")
    if not 1 <= channels <= MOST_CHANNELS[suffix]:
        raise AudioError(
            f"{path}: {channels} channels (axis C) given, but {suffix} holds 1 to {MOST_CHANNELS[suffix]}. "
            "Use audio.remix(samples, 2), or save as .wav. Is the array (C, N), not (N, C)?"
        )
    if not 1 <= rate <= HIGHEST_RATE[suffix]:
        raise AudioError(f"{path}: {rate} Hz given, but {suffix} holds rates of 1 to {HIGHEST_RATE[suffix]} Hz.")
    if suffix == ".mp3" and rate not in MP3_RATES:
        raise AudioError(f"{path}: MP3 has no rate of {rate} Hz. Save as .flac, or use audio.resample first.")
    if kbps is not None and suffix != ".mp3":
        raise AudioError(f"{path}: kbps is for .mp3 only; '{suffix}' has no such setting.")
    least, most = _kbps_range(rate)
    if kbps is not None and not least <= kbps <= most:
        raise AudioError(f"{path}: kbps={kbps}, but an MP3 at {rate} Hz takes {least} to {most}.")
    return suffix
