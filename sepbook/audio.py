"""Read, write, resample and measure sound.

Samples are torch float32 tensors (C, N): channel, sample. Files are read by libsndfile (wav, flac, ogg,
mp3, and what else it knows) and resampled by soxr. Silent and one-sample files, eight channels, 8 kHz
and 192 kHz are all handled. What cannot be used gives an `AudioError` that names the file.

Taught on: book/how_to_read
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import soxr
import torch

from sepbook._reading import AudioError, Reader
from sepbook._writing import MP3_RATES, ClippingWarning, Writer, as_array

__all__ = [
    "SUFFIXES", "AudioError", "AudioInfo", "ClippingWarning", "Writer",
    "blocks", "info", "load", "loudness", "mp3_bytes", "remix", "resample", "resampled", "resampled_length", "save",
]  # fmt: skip

SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")


class AudioInfo(NamedTuple):
    """What the header of a file says: frames (N), sample_rate in Hz, channels (C), seconds.

    Taught on: book/how_to_read
    """

    frames: int
    sample_rate: int
    channels: int
    seconds: float


def info(path):
    """Read the header of a file and return its AudioInfo, without decoding it.

    The length of an MP3 whose header does not state it is an estimate. Raises AudioError as `load` does.

    Taught on: book/how_to_read
    """
    with Reader(path) as reader:
        return AudioInfo(reader.frames, reader.rate, reader.channels, reader.frames / reader.rate)


def load(path, sample_rate=None, channels=None, start=0, frames=None):
    """Read a file: samples (C, N) and their rate in Hz.

    `sample_rate` resamples and `channels` remixes. `start` and `frames` read an excerpt, counted in
    samples of the file itself.

    Raises AudioError where the file is missing, empty, truncated, not audio, changes while it is read,
    or holds NaN or infinity.

    Taught on: book/how_to_read
    """
    with Reader(path) as reader:
        pieces = list(reader.pieces(start, frames))
        rate = reader.rate
        found = np.concatenate(pieces) if pieces else np.zeros((0, reader.channels), np.float32)
    samples = torch.from_numpy(np.ascontiguousarray(found.T))  # (C, N)
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


def resampled(stream, from_rate, to_rate):
    """Resample a stream of blocks (C, any N), block by block: joined together, what `resample` returns.

    Taught on: book/how_to_read
    """
    resampler, given, made = None, 0, 0
    for block in stream:
        if resampler is None:
            resampler = soxr.ResampleStream(from_rate, to_rate, len(block), dtype="float32")
        out = resampler.resample_chunk(np.ascontiguousarray(block.numpy().T))  # (N, C)
        given, made = given + block.shape[-1], made + len(out)
        yield torch.from_numpy(out.T)
    if resampler is None:
        return
    tail = np.zeros((_padding(from_rate, to_rate), len(block)), np.float32)
    rest = resampler.resample_chunk(tail, last=True)[: resampled_length(given, from_rate, to_rate) - made]
    yield torch.from_numpy(rest.T)


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


def resample(samples, from_rate, to_rate):
    """Change the sample rate of samples (..., N) in Hz: N becomes ceil(N * to_rate / from_rate).

    High quality, without delay; no gradient. The signal counts as silent before its start and after its end.
    Raises AudioError for rates that are not positive whole numbers.

    Taught on: book/how_to_read
    """
    samples = torch.as_tensor(samples)
    if from_rate == to_rate or samples.shape[-1] == 0:
        return samples
    flat = samples.detach().cpu().float().reshape(-1, samples.shape[-1])  # (channels of any kind, N)
    length = resampled_length(flat.shape[-1], from_rate, to_rate)
    padded = torch.nn.functional.pad(flat, (0, _padding(from_rate, to_rate)))
    out = soxr.resample(padded.numpy().T, from_rate, to_rate)[:length].T
    return torch.from_numpy(np.ascontiguousarray(out)).reshape(*samples.shape[:-1], length)


def resampled_length(length, from_rate, to_rate):
    """Number of samples that `resample` makes of `length` samples: length * to_rate / from_rate, rounded up.

    Taught on: book/how_to_read
    """
    for rate in (from_rate, to_rate):
        if rate != int(rate) or rate < 1:
            raise AudioError(f"a sample rate of {rate} Hz; expected a positive whole number, such as 16000.")
    return int(-(-length * to_rate // from_rate))


def _padding(from_rate, to_rate):
    """soxr rounds the length down: these zeros make sure that the last sample comes out."""
    return int(-(-from_rate // to_rate)) + 1


def remix(samples, channels):
    """Change the number of channels of samples (..., C, N).

    To fewer: output channel k is the mean of the inputs k, k + channels, k + 2 * channels, … (so mono is
    the mean of all). To more: the inputs are repeated in turn (so mono is copied to each).

    Taught on: book/how_to_read
    """
    samples = torch.as_tensor(samples)
    given = samples.shape[-2]
    if channels < 1 or given < 1:
        raise AudioError(f"remix: {given} channels given, {channels} wanted; both must be at least 1.")
    if channels >= given:
        return samples if channels == given else samples[..., torch.arange(channels) % given, :]
    return torch.stack([samples[..., k::channels, :].mean(dim=-2) for k in range(channels)], dim=-2)


def loudness(samples, rate):
    """Integrated loudness of samples (C, N) in LUFS; minus infinity for silence.

    Frequency weighting and gating are those of ITU-R BS.1770-4, by pyloudnorm. A signal shorter than the
    0.4 s that the standard's window needs is measured in one window of its own length.

    Taught on: book/how_to_read
    """
    import pyloudnorm

    array = as_array(samples)
    array = remix(torch.from_numpy(array), min(len(array), 2)).numpy().T  # (N, C)
    if not len(array) or not np.abs(array).max() > 0:
        return float("-inf")
    window = min(0.4, len(array) / rate)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = pyloudnorm.Meter(rate, block_size=window).integrated_loudness(array.astype(np.float64))
    return float(value) if np.isfinite(value) else float("-inf")
