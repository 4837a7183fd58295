"""Where the tracks and stems of a folder lie, and what to say when they do not.

Taught on: book/data/corpus
"""

import warnings

from sepbook import audio
from sepbook.data import _roles, _stem_files
from sepbook.data._roles import USUAL_ORDER, canonical, folded, is_whole

SPLITS = {
    "train": ("train", "training", "trainset", "tr"),
    "valid": ("valid", "validation", "val", "dev", "devel", "cv"),
    "test": ("test", "testing", "testset", "eval", "evaluation", "tt"),
}
LAYOUT = "Expected: ROOT/train/TRACK/vocals.wav (and drums.wav, …), one folder for each track."


class FolderError(ValueError):
    """A folder of stems that cannot be used. The message names the folder, track or stem, and the mend.

    `plain` says the same where the mend is another one on the command line.

    Taught on: book/data/corpus
    """

    def __init__(self, message, plain=None):
        super().__init__(message)
        self.plain = plain or message


def find_tracks(root, split):
    """A dict from the name of each track to its audio files, by the names of the stems."""
    folder = _existing(root, split)
    entries = _of_split(root, folder, split)
    found = {entry.name: _audio_files(entry) for entry in entries if entry.is_dir()} | _stem_files.tracks_in(entries)
    found = {name: paths for name, paths in found.items() if not all(map(is_whole, paths))}
    if not found:
        raise FolderError(f"{folder}: no track with stems in it (found: {_seen(folder)}). {_deeper(folder) or LAYOUT}")
    spelling = {}
    for paths in found.values():
        for name in paths:
            spelling.setdefault(folded(name), name)
    return {track: {spelling[folded(name)]: path for name, path in paths.items()} for track, paths in found.items()}


def has_split(root, split):
    """Whether a folder has this split, under any of its names."""
    return root.is_dir() and _folder_of(root, split) is not None


def _of_split(root, folder, split):
    """What lies in the folder of a split. MUSDB18 has no folder for validation: 14 songs of `train` are held out."""
    entries = _visible(folder)
    held_out = _stem_files.held_out(entries) if split and folder == _named(root, "train") else ()
    if not held_out or _named(root, "valid"):
        return entries
    valid = split.casefold() in SPLITS["valid"]
    return [entry for entry in entries if (_stem_files.title(entry) in held_out) == valid]


def _existing(root, split):
    """The folder of a split, or an error that tells what is there instead."""
    if not root.is_dir():
        what = "this is a file" if root.exists() else "there is no such folder"
        raise FolderError(f"{root}: {what}. {LAYOUT}")
    if split is None:
        return root
    if folder := _folder_of(root, split):
        return folder
    said = f"{root}: has no folder for the split {split!r} (found: {_seen(root)}). "
    if any(_audio_files(entry) for entry in _visible(root) if entry.is_dir()):
        moved = f"Move them into {root / split}"
        raise FolderError(
            f"{said}The tracks lie there directly: use split=None. Or: {moved}.",
            f"{said}The songs lie there directly. {moved}.",
        )
    if any(path.suffix.lower() in audio.READABLE for path in _visible(root) if path.is_file()):
        raise FolderError(f"{said}Stems lie there directly: move them into {root / split / 'a song'}.")
    raise FolderError(said + LAYOUT)


def _folder_of(root, split):
    """The folder of a split; that of `train` for the validation of MUSDB18; else None."""
    folder = _named(root, split)
    if folder is None and split.casefold() in SPLITS["valid"] and (train := _named(root, "train")):
        return train if _stem_files.held_out(_visible(train)) else None
    return folder


def _named(root, split):
    """The folder of this very name, or the one with another spelling or word for it; else None."""
    if (root / split).is_dir():
        return root / split
    words = next((words for words in SPLITS.values() if split.casefold() in words), (split.casefold(),))
    alike = [entry for entry in _visible(root) if entry.is_dir() and entry.name.strip().casefold() in words]
    if len(alike) > 1:
        names = " and ".join(entry.name for entry in alike)
        raise FolderError(f"{root}: {names} could both be the split {split!r}. Rename one of them to {split}.")
    return alike[0] if alike else None


def _seen(folder):
    return ", ".join(entry.name for entry in _visible(folder)[:8]) or "nothing"


def _deeper(folder):
    """What to say where the stems lie in folders inside the folders of the tracks; nothing where they do not."""
    for track in (entry for entry in _visible(folder) if entry.is_dir()):
        for inner in (entry for entry in _visible(track) if entry.is_dir()):
            if _audio_files(inner):
                return f"Sound lies one folder deeper, in {inner}: move it up, so that it is ROOT/train/TRACK/STEM.wav."
    if any(path.suffix.lower() in audio.READABLE for path in _visible(folder) if path.is_file()):
        return f"Sound lies there directly: move it into a folder for each track. {LAYOUT}"
    return None


def _visible(folder):
    try:
        return sorted(entry for entry in folder.iterdir() if not entry.name.startswith((".", "__MACOSX")))
    except OSError as error:
        raise FolderError(f"{folder}: cannot be listed ({error.strerror}). Check its permissions.") from None


def _audio_files(folder):
    """A dict from the name of each stem to its file."""
    paths, taken = {}, {}
    for path in _visible(folder):
        if path.suffix.lower() not in audio.READABLE or path.is_dir():
            continue
        if not path.is_file():
            raise FolderError(f"{path}: this link leads nowhere. Mend or remove it.")
        name = canonical(path.stem)
        if other := taken.get(folded(name)):
            what = "two files for the mixture" if is_whole(name) else "two files for one stem"
            raise FolderError(f"{folder}: {what}, {other.name} and {path.name}. Remove one of them.")
        paths[name] = taken[folded(name)] = path
    return paths


def all_names(tracks):
    """The stems of all tracks: the usual four first, then by name. Files that their names call sums are left out."""
    tracks = list(tracks)
    names = {name for paths in tracks for name in paths if not is_whole(name)}
    left_out = {name for paths in tracks for name in _roles.sums(paths)}
    if left_out:
        warnings.warn(
            f"left out of the mixture, as their names stand for sums of stems: {', '.join(sorted(left_out))}. "
            "Move these files away, or name the stems to use with source_names=[…].",
            stacklevel=3,
        )
    names -= left_out
    return tuple(name for name in USUAL_ORDER if name in names) + tuple(sorted(names - set(USUAL_ORDER)))


def asked_names(asked, tracks):
    """Names that a user chose, spelled as the files are."""
    spelling = {folded(name): name for paths in tracks for name in paths}
    return tuple(spelling.get(folded(name), name) for name in asked)


def missing_message(root, split, name, missing, paths, asked):
    """The error for a stem that a track lacks, for Python and for the command line."""
    has = ", ".join(stem for stem in paths if not is_whole(stem))
    advice = "" if asked else " or name the stems to use with source_names=[…],"
    said = f"{root / (split or '') / name}: the stem {missing[0]!r} is missing (the track has {has}). Add the file,"
    return FolderError(
        f"{said}{advice} or put silence in its place with allow_missing=True.",
        f"{said} or put silence in its place with --allow-missing.",
    )


def sum_error(track, name, others, left):
    """The error for a file that is a sum of others, to be found in one track."""
    path = track.paths[name]
    return FolderError(
        f"{path}: is no stem of its own but {', '.join(others)} together ({left:.0f} dB is left of it without them). "
        "It would be added to the mixture a second time. Move the file away, or name the stems to use with "
        "source_names=[…].",
        f"{path}: is no stem of its own but {', '.join(others)} together ({left:.0f} dB is left of it without them). "
        "It would be added to the mixture a second time. Move the file away.",
    )
