"""A small picture of a sound: its spectrogram, in one colour, transparent where nothing sounds.

Transparency carries the level, so the same file suits a light page and a dark one.
"""

import io

import numpy as np

WIDTH, HEIGHT = 640, 44  # pixels
RANGE_DB = 60.0  # what lies this far below the loudest bin of the player is fully transparent
LOWEST_HZ = 60.0
LEVELS = 16


def limits(rate):
    """Return the lowest and the highest frequency of a picture in Hz."""
    return [min(LOWEST_HZ, rate / 8), rate / 2]


def power_spectrogram(mono, rate, columns=WIDTH, rows=HEIGHT):
    """Return the power of `mono` `(N,)` on a logarithmic frequency axis: `(rows, columns)`, low rows last."""
    window = min(2048, 1 << max(4, round(np.log2(rate * 0.064))))
    per_column = int(np.clip(np.ceil(len(mono) / (columns * window)), 1, 4))  # long files: sample, do not read all
    centres = (np.arange(columns * per_column) + 0.5) / (columns * per_column) * len(mono)
    padded = np.pad(mono, window // 2)
    frames = padded[centres.astype(int)[:, np.newaxis] + np.arange(window)] * np.hanning(window)  # (T, window)
    power = np.abs(np.fft.rfft(frames)) ** 2  # (T, F)
    power = power.reshape(columns, per_column, -1).mean(1)  # (columns, F)
    # The mean power between two frequencies is the difference of a running sum, also inside a bin.
    running = np.concatenate([np.zeros((columns, 1)), power.cumsum(1)], axis=1)
    edges = np.geomspace(*limits(rate), rows + 1) / rate * window
    below = np.stack([np.interp(edges, np.arange(running.shape[1]), column) for column in running])
    return (np.diff(below) / np.diff(edges)).T[::-1]


def picture(power, loudest, colour):
    """Return a PNG of a power spectrogram `(rows, columns)`: `colour` "#rrggbb", opaque at power `loudest`."""
    from PIL import Image

    decibels = 10 * np.log10(np.maximum(power, 1e-20) / max(loudest, 1e-20))
    level = np.clip(1 + decibels / RANGE_DB, 0, 1) ** 1.5 if loudest > 0 else np.zeros_like(decibels)
    image = Image.fromarray(np.rint(level * (LEVELS - 1)).astype(np.uint8), mode="P")
    image.putpalette(list(bytes.fromhex(colour[1:])) * LEVELS)
    opacity = bytes(round(255 * step / (LEVELS - 1)) for step in range(LEVELS))
    file = io.BytesIO()
    image.save(file, format="PNG", bits=4, transparency=opacity, optimize=True)
    return file.getvalue()
