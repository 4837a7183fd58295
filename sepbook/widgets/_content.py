"""From checked versions to what the page needs: a description, and the bytes of sounds and pictures.

``build`` returns ``(spec, files)``; ``player.js`` describes the same data from its side.
"""

import hashlib
import io
import math

import numpy as np

from . import _picture
from ._versions import Version, headroom

BUDGET = 390_000  # bytes that a player fetches when it first plays


def build(versions, rate, title):
    """Return ``(spec, files)``: the player's content as JSON data, and its files as bytes by name."""
    files, rows, scale = {}, rows_of(versions), headroom(versions)
    versions = [Version(v.name, v.whole, {stem: clip * scale for stem, clip in v.clips.items()}) for v in versions]
    pictures = draw(versions, rate, {row["name"]: row["colour"] for row in rows})
    described = [describe(version, rate, pictures[version.name], files) for version in versions]
    spec = {
        "title": title,
        "seconds": next(iter(versions[0].clips.values())).shape[1] / rate,
        "rate": rate,
        "hertz": _picture.limits(rate),
        "gain": headroom([played(version, files) for version in described], 1.0),
        "rows": rows,
        "versions": described,
    }
    return spec, files


def describe(version, rate, pictures, files):
    """Return one version as JSON data, and put its sounds and pictures among the files."""
    clips = [
        {
            "row": stem,
            "audio": keep(files, *encode(clip, rate, len(version.clips))),
            "picture": keep(files, pictures[stem], "png"),
            "loudness": loudness(clip, rate),
        }
        for stem, clip in version.clips.items()
    ]
    total = loudness(version.total(), rate)
    return {"name": version.name, "whole": version.whole, "loudness": total, "clips": clips}


def played(version, files):
    """Return a described version as it comes out of its files: encoding makes some peaks higher."""
    clips = {clip["row"]: decode(files[clip["audio"]]) for clip in version["clips"]}
    return Version(version["name"], version["whole"], clips)


def draw(versions, rate, colours):
    """Return ``{version: {stem: PNG}}``: spectrograms on one scale of levels, so that they compare."""
    powers = {
        version.name: {stem: _picture.power_spectrogram(clip.mean(0), rate) for stem, clip in version.clips.items()}
        for version in versions
    }
    loudest = max(float(power.max()) for stems in powers.values() for power in stems.values())
    return {
        name: {stem: _picture.picture(power, loudest, colours[stem]) for stem, power in stems.items()}
        for name, stems in powers.items()
    }


def rows_of(versions):
    """Return one row per stem, in order of first appearance; whole sounds come first."""
    from sepbook.plots import colour

    rows = {}
    for version in sorted(versions, key=lambda version: not version.whole):
        for stem in version.clips:
            rows.setdefault(stem, {"name": stem, "whole": version.whole})
    for index, (stem, row) in enumerate(rows.items()):
        row["colour"] = colour("mixture" if row["whole"] else stem, index)
    return list(rows.values())


def encode(samples, rate, together=1):
    """Return ``(bytes, suffix)`` of samples `(C, N)`: MP3, or 16-bit WAV where libsndfile has no MP3.

    ``together`` clips are fetched at the first press of play: many long ones get fewer bits each.
    """
    import soundfile
    import torch

    from sepbook import audio

    if "MP3" in soundfile.available_formats():
        return audio.mp3_bytes(torch.from_numpy(samples), rate, kbps(samples, rate, together)), "mp3"
    file = io.BytesIO()
    soundfile.write(file, samples.T, rate, format="WAV", subtype="PCM_16")
    return file.getvalue(), "wav"


def kbps(samples, rate, together):
    """Return the rate of an MP3 that lets ``together`` clips like this one stay within BUDGET; None is the usual rate.

    It is never below 32 kilobits per second and channel, and below 16 kHz always the usual one, which is low already.
    """
    channels, count = samples.shape
    fitting = round(BUDGET * 8 / 1000 * rate / count / together / channels)
    return max(fitting, 32) * channels if fitting < 64 and rate >= 16000 else None


def decode(data):
    """Return what a browser will hear of an encoded sound: samples `(C, N)`."""
    import soundfile

    return soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)[0].T


def loudness(samples, rate):
    """Return loudness in dB, or None for silence (JSON has no minus infinity)."""
    import torch

    from sepbook import audio

    value = float(audio.loudness(torch.from_numpy(np.ascontiguousarray(samples)), rate))
    return round(value, 2) if math.isfinite(value) and value > -70 else None


def keep(files, data, suffix):
    """Put bytes among the files under a name made from their content, and return the name."""
    name = f"{hashlib.sha256(data).hexdigest()[:20]}.{suffix}"
    files[name] = data
    return name
