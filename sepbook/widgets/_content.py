"""From checked versions to what the page needs: a description, and the bytes of sounds and pictures.

``build`` returns ``(spec, files)``; ``player.js`` describes the same data from its side.
"""

import hashlib
import io
import math

import numpy as np

from . import _picture
from ._versions import headroom


def build(versions, rate, title):
    """Return ``(spec, files)``: the player's content as JSON data, and its files as bytes by name."""
    scale = headroom(versions)
    powers = {
        (version.name, stem): _picture.power_spectrogram(clip.mean(0), rate)
        for version in versions
        for stem, clip in version.clips.items()
    }
    loudest = max(float(power.max()) for power in powers.values())  # one scale, so that pictures compare
    rows = rows_of(versions)
    colours = {row["name"]: row["colour"] for row in rows}
    files, described = {}, []
    for version in versions:
        clips = []
        for stem, clip in version.clips.items():
            image = _picture.picture(powers[version.name, stem], loudest, colours[stem])
            clips.append(
                {
                    "row": stem,
                    "audio": keep(files, *encode(clip * scale, rate)),
                    "picture": keep(files, image, "png"),
                    "loudness": loudness(clip * scale, rate),
                }
            )
        total = loudness(version.total() * scale, rate)
        described.append({"name": version.name, "whole": version.whole, "loudness": total, "clips": clips})
    seconds = next(iter(versions[0].clips.values())).shape[1] / rate
    return {"title": title, "seconds": seconds, "rate": rate, "rows": rows, "versions": described}, files


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


def encode(samples, rate):
    """Return ``(bytes, suffix)`` of samples `(C, N)`: MP3, or 16-bit WAV where libsndfile has no MP3."""
    import soundfile
    import torch

    from sepbook import audio

    if "MP3" in soundfile.available_formats():
        return audio.mp3_bytes(torch.from_numpy(samples), rate), "mp3"
    file = io.BytesIO()
    soundfile.write(file, samples.T, rate, format="WAV", subtype="PCM_16")
    return file.getvalue(), "wav"


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
