"""Read, write, resample and measure sound.

Samples are torch float32 tensors (C, N): channel, sample. Files are read by libsndfile (wav, flac, ogg,
mp3, and what else it knows), others (m4a, wma, video) by ffmpeg where it is installed, and resampled by
soxr. Silent and one-sample files, eight channels, 8 kHz and 192 kHz are all handled. All of the sound of a
file comes back, or an `AudioError` names the file; an `AudioWarning` says what was left out.

Taught on: book/how_to_read
"""

from sepbook.audio.converting import remix, resample, resampled, resampled_length
from sepbook.audio.errors import AudioError, AudioWarning
from sepbook.audio.files import AudioInfo, blocks, info, load, mp3_bytes, save
from sepbook.audio.measuring import loudness
from sepbook.audio.writing import ClippingWarning, Writer, sweep

__all__ = [
    "READABLE", "SUFFIXES", "AudioError", "AudioInfo", "AudioWarning", "ClippingWarning", "Writer",
    "blocks", "info", "load", "loudness", "mp3_bytes", "remix", "resample", "resampled", "resampled_length", "save",
    "sweep",
]  # fmt: skip

SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")  # what is written
READABLE = (  # what counts as a stem in a folder; the second line is read where ffmpeg is installed
    *(*SUFFIXES, ".oga", ".opus", ".mp2", ".aif", ".aiff", ".aifc", ".caf", ".w64", ".au"),
    *(".m4a", ".m4b", ".aac", ".wma", ".mka", ".weba", ".webm", ".mp4", ".ac3", ".ape", ".wv", ".tta"),
)
