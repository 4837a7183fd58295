"""Where the tracks and stems of a folder lie, and what to say when they do not.

Taught on: book/data/corpus
"""

from sepbook import audio

USUAL_ORDER = ("vocals", "drums", "bass", "other")
MIXTURE_NAMES = ("mixture", "mix")
LAYOUT = "Expected: ROOT/train/TRACK/vocals.wav (and drums.wav, …), one folder for each track."


class FolderError(ValueError):
    """A folder of stems that cannot be used. The message names the folder, track or stem, and the mend.

    Taught on: book/data/corpus
    """


def find_tracks(root, split):
    """A dict from the name of each track to its audio files."""
    folder = _existing(root, split)
    found = {entry.name: _audio_files(entry) for entry in _visible(folder) if entry.is_dir()}
    found = {name: paths for name, paths in found.items() if set(paths) - set(MIXTURE_NAMES)}
    if not found:
        here = ", ".join(entry.name for entry in _visible(folder)[:8]) or "nothing"
        raise FolderError(f"{folder}: no track with stems in it (found: {here}). {LAYOUT}")
    return found


def _existing(root, split):
    """The folder of a split, or an error that tells what is there instead."""
    if not root.is_dir():
        what = "this is a file" if root.exists() else "there is no such folder"
        raise FolderError(f"{root}: {what}. {LAYOUT}")
    if split is None:
        return root
    if not (root / split).is_dir():
        here = ", ".join(entry.name for entry in _visible(root)[:8]) or "nothing"
        flat = any(_audio_files(entry) for entry in _visible(root) if entry.is_dir())
        advice = "The tracks lie there directly: use split=None." if flat else LAYOUT
        raise FolderError(f"{root}: has no folder for the split {split!r} (found: {here}). {advice}")
    return root / split


def _visible(folder):
    try:
        return sorted(entry for entry in folder.iterdir() if not entry.name.startswith((".", "__MACOSX")))
    except OSError as error:
        raise FolderError(f"{folder}: cannot be listed ({error.strerror}). Check its permissions.") from None


def _audio_files(folder):
    """A dict from the name of each stem to its file."""
    paths = {}
    for path in _visible(folder):
        if path.suffix.lower() not in audio.SUFFIXES or path.is_dir():
            continue
        if not path.is_file():
            raise FolderError(f"{path}: this link leads nowhere. Mend or remove it.")
        if path.stem in paths:
            raise FolderError(
                f"{folder}: two files for one stem, {paths[path.stem].name} and {path.name}. Remove one of them."
            )
        paths[path.stem] = path
    return paths


def all_names(tracks):
    """The stems of all tracks: the usual four first, then by name."""
    names = {name for paths in tracks for name in paths if name not in MIXTURE_NAMES}
    return tuple(name for name in USUAL_ORDER if name in names) + tuple(sorted(names - set(USUAL_ORDER)))


def missing_message(root, split, name, missing, paths, asked):
    has = ", ".join(stem for stem in paths if stem not in MIXTURE_NAMES)
    advice = "" if asked else " or name the stems to use with source_names=[…],"
    return (
        f"{root / (split or '') / name}: the stem {missing[0]!r} is missing (the track has {has}). "
        f"Add the file,{advice} or put silence in its place with allow_missing=True."
    )
