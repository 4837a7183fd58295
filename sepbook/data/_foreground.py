"""The folder that soundscapes are made from: one folder for each stem, and in it a file for each song.

Taught on: book/data/scaper
"""

from pathlib import Path

from sepbook import audio
from sepbook.data._roles import USUAL_ORDER

READ = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".caf", ".w64", ".au")  # by Scaper


class SoundscapeError(ValueError):
    """A foreground folder or a plan that gives no soundscapes: what is wrong, and how to mend it.

    Taught on: book/data/scaper
    """


def lay_out(tracks, folder, source_names=None):
    """Write the stems of tracks as Scaper wants them, FOLDER/STEM/TRACK.wav, and return that folder.

    A stem that rests throughout is left out. Taught on: book/data/scaper
    """
    folder = Path(folder)
    for track in tracks:
        names = source_names or track.stem_names
        for name, samples in zip(names, track.sources(names), strict=True):
            if samples.any():
                audio.save(folder / name / f"{track.name}.wav", samples, track.sample_rate)
    return folder


def labels(foreground):
    """The files of a foreground folder, by label: {"vocals": [paths], …}, the usual four first.

    Raises SoundscapeError where there is no such folder, none for a label, or an empty one.
    Taught on: book/data/scaper
    """
    foreground = Path(foreground)
    if not foreground.is_dir():
        raise SoundscapeError(f"{foreground}: there is no such folder. Expected: {foreground}/vocals/a.wav, …")
    entries = sorted(entry for entry in foreground.iterdir() if not entry.name.startswith("."))
    found = {entry.name: _sounds(entry) for entry in entries if entry.is_dir()}
    if not found:
        here = "sounds lie there directly" if _sounds(foreground) else "it is empty"
        raise SoundscapeError(f"{foreground}: no folder for a label in it; {here}. Expected: {foreground}/vocals/a.wav")
    for name, paths in found.items():
        if not paths:
            raise SoundscapeError(
                f"{foreground / name}: no sound in this folder, so the label {name!r} cannot be drawn. Add a file "
                f"({', '.join(READ[:4])}, …), or remove the folder."
            )
    usual = [name for name in USUAL_ORDER if name in found]
    return {name: found[name] for name in [*usual, *(name for name in found if name not in usual)]}


def songs_of(foreground, files):
    """The songs that have a file in every label's folder, all of one length.

    Raises SoundscapeError where there is none, or where the stems of one differ in length.
    """
    names = [{path.stem: path for path in paths} for paths in files.values()]
    songs = sorted(set(names[0]).intersection(*names[1:]))
    if not songs:
        raise SoundscapeError(
            f"{foreground}: no song has a file in all of {', '.join(files)}, so no stems can stay together. Name the "
            "files of one song alike, or set incoherent=1.0."
        )
    for song in songs:
        spans = {label: audio.info(each[song]).seconds for label, each in zip(files, names, strict=True)}
        if max(spans.values()) - min(spans.values()) > 0.01:
            said = ", ".join(f"{label} {span:.2f} s" for label, span in spans.items())
            raise SoundscapeError(
                f"{foreground}: the stems of {song!r} differ in length ({said}), so they would not stay together. "
                "Fill them with zeros, or set incoherent=1.0."
            )
    return songs


def _sounds(folder):
    return [path for path in sorted(folder.iterdir()) if path.suffix.lower() in READ and not path.name.startswith(".")]
