"""Paint a mask: the reader marks on a spectrogram what to keep, hears the result at once, and sees its SI-SDR.

Like the stem player it is one page module, ``mask_painter.js``, with two hosts: a page of the book, where the stems are
files, and a notebook, where anywidget hands them over. The transform, the ideal masks and SI-SDR run in the browser.
The stems travel as 16-bit WAV, because MP3 would move their samples.

Taught on: book/foundations/masks
"""

import io
from functools import cached_property

import numpy as np

from . import _picture
from ._content import keep
from ._hosts import Hosted
from ._versions import CEILING, PlayerError, as_samples

__all__ = ["MaskPainter", "mask_painter"]

MAX_SECONDS = 10
ROWS = 240  # pixels of the picture; it has one column per frame
BEND_HZ = 300.0  # the frequency axis is nearly linear below, logarithmic above


def mask_painter(sources, rate, title="", n_fft=1024, hop=256):
    """Return an explorer in which one paints the mask of each source on the mixture's spectrogram.

    - ``sources``: a dictionary from name to mono samples `(1, N)` or `(N,)`, ten seconds at most. Their sum is the
      mixture
    - ``rate``: samples per second
    - ``title``: shown above it
    - ``n_fft``, ``hop``: of the spectrogram, in samples; n_fft is a power of two

    For example::

        mask_painter(dict(zip(song.stem_names, sources)), song.sample_rate)

    Raises PlayerError that says what is wrong with the sources.

    Taught on: book/foundations/masks
    """
    return MaskPainter(sources, rate, title, n_fft, hop)


class MaskPainter(Hosted):
    """What `mask_painter` returns: a page element in the book, a widget in a notebook."""

    module, element, prefix = "mask_painter", "painter", "ex"
    sheets = ("explorer", "mask_painter")

    def __init__(self, sources, rate, title="", n_fft=1024, hop=256):
        self.sources, self.rate, self.title = read_sources(sources, rate), round(rate), str(title)
        if n_fft & (n_fft - 1) or n_fft < 16:
            raise PlayerError(f"n_fft is {n_fft}, but the painter's Fourier transform needs a power of two.")
        self.n_fft, self.hop = n_fft, hop

    def __repr__(self):
        return f"<MaskPainter '{self.title}' at {self.rate} Hz: {', '.join(self.sources)}>"

    @cached_property
    def content(self):
        """``(spec, files)``: what there is as JSON data, and the bytes of each file by name. Made once."""
        from sepbook.plots import colour

        files = {}
        mixture = sum(self.sources.values())  # (N,)
        spec = {
            "title": self.title,
            "rate": self.rate,
            "length": len(mixture),
            "size": self.n_fft,
            "hop": self.hop,
            "picture": keep(files, picture(mixture, self.rate, self.n_fft, self.hop), "png"),
            "mixture": keep(files, wav(mixture, self.rate), "wav"),
            "sources": [
                {"name": name, "colour": colour(name, index), "audio": keep(files, wav(samples, self.rate), "wav")}
                for index, (name, samples) in enumerate(self.sources.items())
            ],
        }
        return spec, files

    def fallback(self, spec, where):
        """Return the picture, and the browser's own players."""
        sounds = {"mixture": spec["mixture"], **{source["name"]: source["audio"] for source in spec["sources"]}}
        alt = "Spectrogram of the mixture. With JavaScript you could paint on it what to keep."
        image = f'<img class="dark-light" src="{where[spec["picture"]]}" alt="{alt}">\n'
        return image + self.native((name, where[file]) for name, file in sounds.items())


def read_sources(sources, rate):
    """Return the sources as float32 `(N,)`, turned down together if they or their sum would clip.

    Raises PlayerError unless they are mono, of one length, and short. Taught on: book/foundations/masks
    """
    if not isinstance(sources, dict) or len(sources) < 2:
        raise PlayerError("sources must be a dictionary from name to samples (1, N), with two names at least.")
    arrays = {str(name): as_samples(value, f"'{name}'") for name, value in sources.items()}
    sizes = {name: samples.shape for name, samples in arrays.items()}
    if len(set(sizes.values())) > 1 or next(iter(sizes.values()))[0] != 1:
        raise PlayerError(f"All sources must be mono and of one length, (1, N), but they are {sizes}.")
    seconds = next(iter(sizes.values()))[1] / rate
    if seconds > MAX_SECONDS:
        raise PlayerError(
            f"The sources last {seconds:.1f} s. Cut out {MAX_SECONDS} s at most: they are painted by hand."
        )
    peaks = [float(np.abs(samples).max()) for samples in [*arrays.values(), sum(arrays.values())]]
    scale = min(1.0, CEILING / max(*peaks, 1e-9))
    return {name: (scale * samples[0]).astype(np.float32) for name, samples in arrays.items()}


def wav(samples, rate):
    """Return samples `(N,)` as the bytes of a 16-bit WAV file. Taught on: book/foundations/masks."""
    import soundfile

    file, whole = io.BytesIO(), np.rint(32768 * samples).clip(-32768, 32767).astype(np.int16)
    soundfile.write(file, whole, rate, format="WAV", subtype="PCM_16")
    return file.getvalue()


def picture(mixture, rate, n_fft, hop):
    """Return the spectrogram of a mixture `(N,)` as PNG: one column per frame, on the painter's frequency axis.

    Taught on: book/foundations/masks
    """
    from sepbook.plots import colour

    padded = np.pad(mixture, (n_fft // 2, n_fft // 2 + -len(mixture) % hop))
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[::hop]  # (T, n_fft)
    power = np.abs(np.fft.rfft(frames * np.hanning(n_fft + 1)[:-1])).T ** 2  # (F, T)
    edges = BEND_HZ * np.expm1(np.linspace(0, 1, ROWS + 1) * np.log1p(rate / 2 / BEND_HZ)) / rate * n_fft  # in bins
    running = np.concatenate([np.zeros((1, power.shape[1])), power.cumsum(0)])  # (F + 1, T)
    at = np.arange(len(running)) - 0.5  # a bin reaches half a bin up and down
    below = np.stack([np.interp(edges, at, column) for column in running.T], axis=1)  # (ROWS + 1, T)
    rows = (np.diff(below, axis=0) / np.diff(edges)[:, np.newaxis])[::-1]  # high frequencies first
    return _picture.picture(rows, float(rows.max()), colour("mixture"))
