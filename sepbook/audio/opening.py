"""Files on disk: opened as bytes, or a word on why not."""

import os
import stat
from pathlib import Path

from sepbook.audio.errors import AudioError


def open_bytes(path):
    """Open a plain file to read its bytes. Raises AudioError for a folder, a device, a pipe, a missing file."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise AudioError(f"{path}: this is a folder; expected one audio file.")
        if not stat.S_ISREG(mode):
            raise AudioError(f"{path}: this is a device or a pipe; expected an audio file on disk.")
        return open(path, "rb")
    except FileNotFoundError:
        if path.is_symlink():
            target = os.readlink(path)
            raise AudioError(f"{path}: this link leads to {target}, which is missing. Mend or remove it.") from None
        raise AudioError(f"{path}: there is no such file (looked in {Path.cwd()}). {_neighbours(path)}") from None
    except (OSError, ValueError) as error:
        if isinstance(error, AudioError):
            raise
        raise AudioError(f"{path}: cannot be opened ({getattr(error, 'strerror', None) or error}).") from None


def _neighbours(path):
    """A missing file is mostly a typing mistake: name what lies beside it."""
    from difflib import get_close_matches

    try:
        names = [entry.name for entry in path.parent.iterdir() if not entry.name.startswith(".")]
    except OSError:
        return "Its folder does not exist either."
    close = get_close_matches(path.name, names, n=3, cutoff=0.75)
    return f"Did you mean {' or '.join(close)}?" if close else "Check the spelling and the folder."


def name_for_c(path):
    """The path as libsndfile wants it: bytes can name any file on POSIX, even one that is no valid text."""
    return os.fsencode(path) if os.name == "posix" else str(path)
