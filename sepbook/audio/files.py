"""Audio files as samples, whole or block by block.

Taught on: book/how_to_read
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import torch

from sepbook.audio.converting import in_rows, remix, resample, resampled
from sepbook.audio.reading import Reader
from sepbook.audio.writing import MP3_RATES, Writer, as_array


class AudioInfo(NamedTuple):
    """What a file holds: frames (N), sample_rate in Hz, channels (C), seconds.

    Taught on: book/how_to_read
    """

    frames: int
    sample_rate: int
    channels: int
    seconds: float


def info(path, stream=None):
    """Return the AudioInfo of a file, without decoding it where it says how long it is.

    The length is that of what `load` returns: the frames of an MP3 are counted, and a file that ffmpeg has to read is
    decoded once. `stream` and errors: see `load`.

    Taught on: book/how_to_read
    """
    with Reader(path, stream) as reader:
        return AudioInfo(reader.frames, reader.rate, reader.channels, reader.frames / reader.rate)


def load(path, sample_rate=None, channels=None, start=0, frames=None, stream=None):
    """Read a file: samples (C, N) and their rate in Hz.

    `sample_rate` resamples and `channels` remixes. `start` and `frames` read an excerpt, counted in
    samples of the file itself. `stream` chooses one of several streams of sound in a file, counted from 0; ffmpeg
    reads it. Without it the first one is read.

    Raises AudioError where the file is missing, empty, truncated, not audio, changes while it is read,
    or holds NaN or infinity.

    Taught on: book/how_to_read
    """
    with Reader(path, stream) as reader:
        pieces = list(reader.pieces(start, frames))
        rate = reader.rate
        pieces = pieces or [np.zeros((0, reader.channels), np.float32)]
        found = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
    samples = in_rows(found)
    if channels is not None:
        samples = remix(samples, channels)
    if sample_rate is not None and sample_rate != rate:
        samples, rate = resample(samples, rate, sample_rate), sample_rate
    return samples, rate


def blocks(path, seconds=10.0, sample_rate=None, channels=None):
    """Read a file of any length in bounded memory: yield blocks (C, N) of `seconds`, the last one shorter.

    Joined together, the blocks are what `load` returns, resampled or not.

    Raises AudioError as `load` does, at the block where the trouble is; ValueError for `seconds` of 0 or less.

    Taught on: book/how_to_read
    """
    if not 0 < seconds < float("inf"):
        raise ValueError(f"blocks of {seconds} s; expected a positive number of seconds.")
    with Reader(path) as reader:
        rate = sample_rate or reader.rate
        size = max(1, round(seconds * rate))
        stream = (remix(torch.from_numpy(piece.T), channels or reader.channels) for piece in reader.pieces())
        if rate != reader.rate:
            stream = resampled(stream, reader.rate, rate)
        yield from _regrouped(stream, size)


def _regrouped(stream, size):
    """Cut a stream of blocks (C, any length) into blocks (C, size), the last one shorter."""
    waiting, count = [], 0
    for block in stream:
        waiting.append(block)
        count += block.shape[-1]
        if count < size:
            continue
        joined = torch.cat(waiting, dim=-1)
        whole = count - count % size
        yield from joined[:, :whole].split(size, dim=-1)
        waiting, count = [joined[:, whole:].clone()], count - whole
    if count:
        yield torch.cat(waiting, dim=-1)


def save(path, samples, rate, kbps=None):
    """Write samples (C, N) to a .wav, .flac, .ogg or .mp3 file, whole or not at all; return its path.

    A .wav keeps 32-bit floats. The others clip at -1 and 1, and a ClippingWarning says how many samples
    that touched. MP3 is coded at `kbps` on average (64 per channel unless given) and decodes to the same
    number of samples without delay, because its header notes both.

    Raises AudioError as `Writer` does.

    Taught on: book/how_to_read
    """
    array = as_array(samples, path)
    with Writer(path, rate, len(array), kbps) as writer:
        writer.write(array)
    return writer.path


def mp3_bytes(samples, rate, kbps=None):
    """Code samples (C, N) as MP3 for a page: equal samples give equal bytes.

    More than two channels are remixed to two; a rate that MP3 lacks is resampled to the next one that it
    has. Samples beyond -1 … 1 are clipped without a word. `kbps` is 64 per channel unless given.

    Taught on: book/how_to_read
    """
    samples = torch.from_numpy(as_array(samples))
    fitting = min((r for r in MP3_RATES if r >= rate), default=MP3_RATES[-1])
    samples = resample(remix(samples, min(len(samples), 2)), rate, fitting)
    with TemporaryDirectory(prefix="sepbook-") as folder:
        return save(Path(folder) / "page.mp3", samples.clamp(-1, 1), fitting, kbps).read_bytes()
