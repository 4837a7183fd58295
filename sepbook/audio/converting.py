"""Another sample rate, another number of channels.

Taught on: book/how_to_read
"""

import numpy as np
import soxr
import torch

from sepbook._given import as_samples
from sepbook.audio.errors import AudioError

MOST_RATIO = 1000  # of two sample rates
MOST_SAMPLES = 1 << 32  # in memory at once: 16 GiB
MOST_CHANNELS = 1024


def resample(samples, from_rate, to_rate):
    """Change the sample rate of samples (..., N) in Hz: N becomes ceil(N * to_rate / from_rate).

    High quality, without delay; no gradient. The signal counts as silent before its start and after its end.
    Raises AudioError for rates that are not positive whole numbers.

    Taught on: book/how_to_read
    """
    samples = as_samples(samples, "samples", "(…, C, N)")
    if samples.dim() < 1:
        raise AudioError("samples are one number; expected (…, N), for example (C, N).")
    check_rates(from_rate, to_rate, samples.numel())
    if from_rate == to_rate or samples.shape[-1] == 0:
        return samples
    if samples.numel() == 0:
        return samples.new_zeros(*samples.shape[:-1], resampled_length(samples.shape[-1], from_rate, to_rate))
    flat = samples.detach().cpu().float().reshape(-1, samples.shape[-1])  # (channels of any kind, N)
    length = resampled_length(flat.shape[-1], from_rate, to_rate)
    padded = torch.nn.functional.pad(flat, (0, _padding(from_rate, to_rate)))
    out = soxr.resample(padded.numpy().T, from_rate, to_rate)[:length].T
    return in_rows(out.T).view(*samples.shape[:-1], length)


def resampled_length(length, from_rate, to_rate):
    """Number of samples that `resample` makes of `length` samples: length * to_rate / from_rate, rounded up.

    Taught on: book/how_to_read
    """
    check_rates(from_rate, to_rate)
    return int(-(-length * to_rate // from_rate))


def check_rates(from_rate, to_rate, count=0):
    """Raise AudioError unless both rates are whole numbers, not too far from each other for `count` numbers.

    Taught on: book/how_to_read
    """
    for rate in (from_rate, to_rate):
        if isinstance(rate, bool) or not isinstance(rate, int | float | np.number) or not 1 <= rate < np.inf:
            raise AudioError(f"a sample rate of {rate} Hz; expected a positive whole number, such as 16000.")
        if rate != int(rate):
            raise AudioError(f"a sample rate of {rate} Hz; expected a positive whole number, such as {round(rate)}.")
    if not 1 / MOST_RATIO <= to_rate / from_rate <= MOST_RATIO:
        raise AudioError(
            f"from {from_rate} to {to_rate} Hz is more than {MOST_RATIO} times the rate, or less than a part of that; "
            "rates of sound lie between 8000 and 192000 Hz. Are the two of the right order of size?"
        )
    if count * to_rate / from_rate > MOST_SAMPLES:
        raise AudioError(
            f"{count:,} samples at {from_rate} Hz would be {count * to_rate // from_rate:,} at {to_rate} Hz, more than "
            "the memory can hold. Resample piece by piece, with audio.resampled or audio.blocks."
        )


def _padding(from_rate, to_rate):
    """soxr rounds the length down: these zeros make sure that the last sample comes out."""
    return int(-(-from_rate // to_rate)) + 1


def in_rows(array):
    """Turn an array (N, C) into a tensor (C, N) whose samples lie one after the other, N for each channel.

    NumPy leaves an array of one channel as it is, with a step of one sample along both axes. torch takes that for a
    transposed matrix, and copies it ten times as slowly.
    """
    N, C = array.shape
    return torch.from_numpy(np.ascontiguousarray(array.T).reshape(-1)).view(C, N)


def resampled(stream, from_rate, to_rate):
    """Resample a stream of blocks (C, any N), block by block: joined together, what `resample` returns.

    Taught on: book/how_to_read
    """
    check_rates(from_rate, to_rate)
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


def remix(samples, channels):
    """Change the number of channels of samples (..., C, N).

    To fewer: output channel k is the mean of the inputs k, k + channels, k + 2 * channels, … (so mono is
    the mean of all). To more: the inputs are repeated in turn (so mono is copied to each).

    Taught on: book/how_to_read
    """
    samples = as_samples(samples, "samples")
    if samples.dim() < 2:
        raise AudioError(f"remix: samples are {tuple(samples.shape)}, but must be (…, C, N); add C with samples[None].")
    given = samples.shape[-2]
    if isinstance(channels, bool) or channels != int(channels) or channels > MOST_CHANNELS:
        raise AudioError(f"remix: {channels} channels wanted; expected a whole number from 1 to {MOST_CHANNELS}.")
    if channels < 1 or given < 1:
        raise AudioError(f"remix: {given} channels given, {channels} wanted; both must be at least 1.")
    if channels >= given:
        return samples if channels == given else samples[..., torch.arange(channels) % given, :]
    return torch.stack([samples[..., k::channels, :].mean(dim=-2) for k in range(channels)], dim=-2)
