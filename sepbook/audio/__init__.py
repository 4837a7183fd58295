"""Read, write, resample and measure sound.

Samples are torch float32 tensors (C, N): channel, sample. Files are read by libsndfile (wav, flac, ogg,
mp3, and what else it knows) and resampled by soxr. Silent and one-sample files, eight channels, 8 kHz
and 192 kHz are all handled. What cannot be used gives an `AudioError` that names the file.

Taught on: book/how_to_read
"""

from sepbook.audio.converting import remix, resample, resampled, resampled_length
from sepbook.audio.errors import AudioError, AudioWarning
from sepbook.audio.files import AudioInfo, blocks, info, load, mp3_bytes, save
from sepbook.audio.measuring import loudness
from sepbook.audio.writing import ClippingWarning, Writer

__all__ = [
    "SUFFIXES", "AudioError", "AudioInfo", "AudioWarning", "ClippingWarning", "Writer",
    "blocks", "info", "load", "loudness", "mp3_bytes", "remix", "resample", "resampled", "resampled_length", "save",
]  # fmt: skip

SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")
