"""MUSDB18: 150 real songs of four stems, in either of its two layouts, and a sample of it to download.

::

    MUSDB18/                          MUSDB18-HQ/
      train/  Artist - Song.stem.mp4    train/  Artist - Song/  mixture.wav vocals.wav drums.wav bass.wav other.wav
      test/   …                         test/   …

Both are read by `StemFolder` as they are; this module adds what belongs to MUSDB18 alone. The songs may be used for
education and research only, so none of them comes with this book: see https://sigsep.github.io/datasets/musdb.html.

Taught on: book/data/musdb
"""

import shutil
from pathlib import Path

from tqdm import tqdm

from sepbook import audio
from sepbook.data import _fetching
from sepbook.data._fetching import DownloadError
from sepbook.data._stem_files import STREAMS, VALIDATION
from sepbook.data.folder import StemFolder

__all__ = ["LICENCE", "SAMPLE", "SOURCES", "STREAMS", "VALIDATION", "DownloadError", "decode", "download", "songs"]

SOURCES = ("vocals", "drums", "bass", "other")
SAMPLE = "https://github.com/sigsep/sigsep-mus-db/releases/download/v0.4.0/MUSDB18-7-STEMS.zip"
LICENCE = (
    "MUSDB18 may be used for academic purposes only, and each song has a licence of its own: see "
    "https://sigsep.github.io/datasets/musdb.html"
)


def songs(root, split="train", sample_rate=None, channels=None, cache_bytes=2 << 30):
    """The songs of a split ("train", "valid" or "test") of MUSDB18 or MUSDB18-HQ, as a StemFolder.

    They are stereo at 44 100 Hz unless `sample_rate` (Hz) or `channels` (C) say otherwise. "valid" are the 14 songs of
    the folder `train` that stand in VALIDATION; "train" are the others. The mixture is the sum of the stems.

    A .stem.mp4 needs ffmpeg. It is decoded whole when a stem is first asked for, and stays in memory as long as
    `cache_bytes` allow. To decode each song once and for all, use `decode`.

    Raises FolderError where the folder is none of these; AudioError, when sound is asked for, where a file is truncated
    or ffmpeg is missing. Source: Rafii et al., MUSDB18, 2017. Taught on: book/data/musdb
    """
    return StemFolder(root, split, sample_rate, channels, SOURCES, cache_bytes=cache_bytes)


def download(folder="~/MUSDB18/MUSDB18-7", url=SAMPLE, progress=True):
    """Fetch the sample, seven seconds of each song, and return its folder. What is there already is left as it is.

    The licence and the size are told before the first byte. A download that broke off goes on where it stopped.
    Raises DownloadError where there is no network, no room, or another number of bytes than was promised; what has
    arrived then stays, save where it cannot be right. Taught on: book/data/musdb
    """
    folder = Path(folder).expanduser()
    if (folder / "train").is_dir():
        return folder
    print(LICENCE)
    folder.mkdir(parents=True, exist_ok=True)
    archive = _fetching.fetch(url, folder / "sample.zip", progress)
    _fetching.unpack(archive, folder)
    return folder


def decode(root, into, split=None, sample_rate=None, channels=None, suffix=".wav", progress=True):
    """Write the songs as folders of audio files, the layout of MUSDB18-HQ, and return that folder.

    Decoding takes a second or two for a song, each time; a .wav or .flac is read at any place at once. With
    `sample_rate` (Hz) and `channels` (C) the copy is that of a small system. A song that is there already is left as
    it is, so a second call goes on where a first one stopped. `split=None` takes train, valid and test, and writes
    them as three folders. Raises as `songs` does. Taught on: book/data/musdb
    """
    into = Path(into)
    for name in ("train", "valid", "test") if split is None else (split,):
        tracks = songs(root, name, sample_rate, channels, cache_bytes=0)
        for track in tqdm(tracks, desc=f"Decoding {name}", delay=1, disable=not progress):
            _write(track, into / name / track.name, suffix)
    return into


def _write(track, folder, suffix):
    """One song as a folder, whole or not at all."""
    if folder.is_dir():
        return
    begun = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(begun, ignore_errors=True)
    for name, samples in zip(track.stem_names, track.sources(), strict=True):
        audio.save(begun / f"{name}{suffix}", samples, track.sample_rate)
    begun.rename(folder)
