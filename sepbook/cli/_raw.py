"""Sound without a header, as it comes through a pipe: numbers in a row, channel by channel within each frame."""

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sepbook.audio import AudioError

DTYPES = {"f32le": np.dtype("<f4"), "s16le": np.dtype("<i2")}
SCALE = 1 << 15  # of 16-bit samples


@contextmanager
def raw_input(path: Path):
    """Standard input for "-", else a file, a named pipe or a device."""
    if str(path) == "-":
        if sys.stdin is None or sys.stdin.isatty():
            raise AudioError("-: nothing comes through a pipe. Send sound into it: ffmpeg … | sepbook stream - …")
        yield sys.stdin.buffer
        return
    try:
        file = open(path, "rb")
    except OSError as error:
        raise AudioError(f"{path}: cannot be opened ({error.strerror}). Check the name and the permissions.") from None
    with file:
        yield file


def raw_chunks(file, format: str, channels: int, size: int) -> Iterator[Tensor]:
    """Read chunks `(C, size)`, the last one shorter. What is left of a frame at the end is told and left out."""
    dtype = DTYPES[format]
    frame = dtype.itemsize * channels  # bytes
    while data := file.read(size * frame):
        whole = len(data) // frame * frame
        if whole < len(data):
            warnings.warn(
                f"the stream ended in the middle of a frame: {len(data) - whole} of {frame} bytes were left out. "
                f"If it sounds wrong: is it really {format} with {channels} channel{'s' * (channels > 1)}?",
                stacklevel=2,
            )
        if whole:
            numbers = np.frombuffer(data[:whole], dtype).astype(np.float32).reshape(-1, channels)  # (n, C)
            yield torch.from_numpy(np.ascontiguousarray(numbers.T)) / (SCALE if format == "s16le" else 1)


class RawOutput:
    """Write samples `(C, n)` to standard output, each chunk at once; `clipped` counts what 16 bits cannot hold."""

    def __init__(self, format: str):
        self.format, self.clipped = format, 0
        sys.stdout.flush()
        self.file = sys.stdout.fileno()

    def write(self, samples: Tensor) -> None:
        """Raises BrokenPipeError when nobody listens any more."""
        numbers = samples.numpy().T  # (n, C)
        if self.format == "s16le":
            numbers = np.rint(numbers * SCALE)
            held = numbers.clip(-SCALE, SCALE - 1)
            self.clipped += int((numbers != held).sum())
            numbers = held
        data = memoryview(np.ascontiguousarray(numbers.astype(DTYPES[self.format])).tobytes())
        while data:
            data = data[os.write(self.file, data) :]
