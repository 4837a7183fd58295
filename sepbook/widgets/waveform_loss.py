"""The loss explorer: scale, rotate, distort, shift an estimate or add noise to it, watch five losses, hear it.

Like the stem player it is one page module, ``waveform_loss.js``, with two hosts: a page of the book, where the two
sounds are files, and a notebook, where anywidget hands them over. The losses are computed in the browser, as
`sepbook.losses.waveform` computes them. The sounds travel as 16-bit WAV, because MP3 would move their samples.

Taught on: book/losses/waveform
"""

from functools import cached_property

import numpy as np

from ._content import keep
from ._hosts import Hosted
from ._versions import PlayerError, as_samples
from .mask_painter import wav

__all__ = ["WaveformLoss", "waveform_loss"]

MAX_SECONDS = 5
ROOM = 0.4  # the highest peak of source and wrong sound together: they can be added and turned up without clipping


def waveform_loss(source, wrong, rate, title=""):
    """Return an explorer of waveform losses around one source.

    - ``source``: the true sound, mono samples `(1, N)` or `(N,)`, five seconds at most
    - ``wrong``: another sound of the same length. Its part along the source is taken out, and it is made as loud
    - ``rate``: samples per second
    - ``title``: shown above it

    Raises PlayerError that says what is wrong with the sounds. Taught on: book/losses/waveform
    """
    return WaveformLoss(source, wrong, rate, title)


class WaveformLoss(Hosted):
    """What `waveform_loss` returns: a page element in the book, a widget in a notebook."""

    module, element, prefix = "waveform_loss", "waveform", "ex"
    sheets = ("explorer", "waveform_loss")

    def __init__(self, source, wrong, rate, title=""):
        self.source, self.wrong = read_pair(source, wrong, rate)
        self.rate, self.title = round(rate), str(title)

    def __repr__(self):
        return f"<WaveformLoss '{self.title}': {len(self.source) / self.rate:.1f} s at {self.rate} Hz>"

    @cached_property
    def content(self):
        """``(spec, files)``: what there is as JSON data, and the bytes of each file by name. Made once."""
        from sepbook.plots import colour

        files = {}
        spec = {
            "title": self.title,
            "rate": self.rate,
            "length": len(self.source),
            "colour": colour("vocals"),
            "source": keep(files, wav(self.source, self.rate), "wav"),
            "wrong": keep(files, wav(self.wrong, self.rate), "wav"),
        }
        return spec, files

    def fallback(self, spec, where):
        """Return the browser's own players."""
        return self.native([("true source", where[spec["source"]]), ("wrong sound", where[spec["wrong"]])])


def read_pair(source, wrong, rate):
    """Return both sounds as float32 `(N,)`, turned down together so that their sum has room.

    Raises PlayerError unless they are mono, of one length, short, and not silent. Taught on: book/losses/waveform
    """
    pair = {name: as_samples(x, f"'{name}'") for name, x in (("source", source), ("wrong", wrong))}
    sizes = {name: samples.shape for name, samples in pair.items()}
    if len(set(sizes.values())) > 1 or sizes["source"][0] != 1:
        raise PlayerError(f"Both sounds must be mono and of one length, (1, N), but they are {sizes}.")
    if (seconds := sizes["source"][1] / rate) > MAX_SECONDS:
        raise PlayerError(f"The sounds last {seconds:.1f} s. Cut out {MAX_SECONDS} s at most.")
    silent = [name for name, samples in pair.items() if not samples.any()]
    if silent:
        raise PlayerError(f"'{silent[0]}' is silent: choose an excerpt in which it sounds.")
    levels = {name: float(np.sqrt(np.square(samples).mean())) for name, samples in pair.items()}
    pair["wrong"] = pair["wrong"] * (levels["source"] / levels["wrong"])  # as loud, so that 16 bits are used alike
    peak = sum(float(np.abs(samples).max()) for samples in pair.values())
    return tuple((samples[0] * min(1.0, 2 * ROOM / peak)).astype(np.float32) for samples in pair.values())
