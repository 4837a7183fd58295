"""Another sample rate, another number of channels.

Taught on: book/how_to_read
"""

import numpy as np
import soxr
import torch

from sepbook.audio.errors import AudioError


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
