"""Other people's layouts of stems, written as the layout of this book: ROOT/split/track/stem.wav.

==========  ================================================  =====================================================
name        looks like                                        becomes
==========  ================================================  =====================================================
slakh       train/Track00001/stems/S00.flac, metadata.yaml    drums, bass, and all else as other
moisesdb    SONG/vocals/ID.wav, SONG/data.json                a stem for each folder: the sum of its files
librimix    wav8k/min/test/s1/ID.wav, also from train-100     talker_1, talker_2, with score.json: who they are
==========  ================================================  =====================================================

Taught on: book/data/musdb
"""

import json
import re
import shutil
from pathlib import Path

import torch
from torch.nn.functional import pad
from tqdm import tqdm

from sepbook import audio
from sepbook.data._layout import SPLITS, FolderError

PARTS = {"Drums": "drums", "Bass": "bass"}  # of Slakh's classes of instruments; the others are `other`


def recognise(root):
    """The name of the layout of a folder: "slakh", "moisesdb" or "librimix". Raises FolderError for another one.

    Taught on: book/data/musdb
    """
    root = Path(root)
    looks = {
        "slakh": [*root.glob("*/Track*/metadata.yaml"), *root.glob("Track*/metadata.yaml")],
        "moisesdb": _songs_of_moises(root),
        "librimix": (path.parent for path in root.glob("**/s1") if (path.parent / "s2").is_dir()),
    }
    for name, found in looks.items():
        if next(iter(found), None):
            return name
    raise FolderError(f"{root}: is laid out like none of {', '.join(looks)}. See the table on the page on MUSDB18.")


def arrange(root, into, sample_rate=None, channels=None, split="train", progress=True):
    """Write the tracks of a collection in the layout of this book, and return that folder.

    `sample_rate` (Hz) and `channels` (C) convert. `split` is for a collection without splits. A track that is there
    already is left as it is. Raises FolderError where the layout is none of the three or a file lacks what it needs;
    AudioError for a file that cannot be read. Taught on: book/data/musdb
    """
    root, into = Path(root), Path(into)
    found = list({"slakh": _slakh, "moisesdb": _moisesdb, "librimix": _librimix}[recognise(root)](root, split))
    for place, stems, score in tqdm(found, desc="Arranging", delay=1, disable=not progress):
        _write(into / place, stems, score, sample_rate, channels)
    return into


def _slakh(root, split):
    """Stems are numbers; metadata.yaml has `S00:` and below it `inst_class: Bass`."""
    for about in sorted([*root.glob("*/Track*/metadata.yaml"), *root.glob("Track*/metadata.yaml")]):
        track, stems = about.parent, {}
        for number, details in re.findall(r"^  (S\d+):\n((?:    .*\n?)+)", about.read_text(), re.M):
            kind = re.search(r"inst_class: *(.+)", details)
            path = track / "stems" / f"{number}.flac"
            if path.exists():  # some were never rendered
                name = PARTS.get(kind[1].strip() if kind else "", "other")
                stems.setdefault(name, []).append(path)
        if not stems:
            raise FolderError(f"{about}: names no stem that lies in {track / 'stems'}. Unpack the track again.")
        yield Path(split if track.parent == root else _split(track.parent.name), track.name), stems, None


def _songs_of_moises(root):
    """Songs lie in the folder of a release, moisesdb_v0.1: that one may be given, or the one above it."""
    return sorted([*root.glob("*/data.json"), *root.glob("*/*/data.json")])


def _moisesdb(root, split):
    """A folder for each stem, with one file for each microphone or instrument in it."""
    for about in _songs_of_moises(root):
        stems = {}
        for path in sorted(about.parent.glob("*/*")):
            if path.suffix.lower() in audio.READABLE:
                stems.setdefault(path.parent.name, []).append(path)
        if not stems:
            raise FolderError(f"{about.parent}: has no folders with sound in them. Unpack the song again.")
        yield Path(split, about.parent.name), stems, None


def _librimix(root, split):
    """A folder for each talker; a file name holds both: 1272-128104-0000_2035-147961-0014 are 1272 and 2035."""
    for first in sorted(root.glob("**/s1/*.wav")):
        above = first.parent.parent
        talkers = {path.name: path / first.name for path in sorted(above.glob("s[1-9]"))}
        stems = {f"talker_{name[1:]}": [path] for name, path in talkers.items()}
        if noise := [path for path in [above / "noise" / first.name] if path.exists()]:
            stems["noise"] = noise
        who = [part.split("-")[0] for part in first.stem.split("_")]
        score = {"identities": dict(zip(stems, who, strict=False))}
        yield Path(_split(above.name), first.stem), stems, score


def _split(name):
    """The book's word for a split: "validation" is valid, "train-100" is train; unknown ones keep their name."""
    bare = name.casefold().split("-")[0]
    return next((split for split, words in SPLITS.items() if bare in words), name)


def _write(folder, stems, score, sample_rate, channels):
    """One track, whole or not at all; files of one stem are added."""
    if folder.is_dir():
        return
    begun = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(begun, ignore_errors=True)
    rate = sample_rate or max(audio.info(path).sample_rate for paths in stems.values() for path in paths)
    width = channels or max(audio.info(path).channels for paths in stems.values() for path in paths)
    for name, paths in stems.items():
        sounds = [audio.load(path, rate, width)[0] for path in paths]
        longest = max(x.shape[-1] for x in sounds)
        audio.save(
            begun / f"{name}.wav", torch.stack([pad(x, (0, longest - x.shape[-1])) for x in sounds]).sum(0), rate
        )
    if score:
        (begun / "score.json").write_text(json.dumps(score), encoding="utf-8")
    begun.rename(folder)
