"""The window explorer: choose window, shape and hop, see the spectrogram, and hear what ideal masks make of it.

Like the stem player it is one page module, ``window_hop.js``, with two hosts: a page of the book, and a notebook,
where anywidget hands the sounds over. Transforms, masks and scores are computed in the browser, as the package computes
them. The sounds travel as 16-bit WAV, because MP3 would move their samples.

Taught on: book/building_blocks/stft
"""

from functools import cached_property

from ._content import keep
from ._hosts import Hosted
from ._versions import PlayerError
from .mask_painter import read_sources, wav

__all__ = ["WindowHop", "window_hop"]

MAX_SECONDS = 5  # every change of the window transforms them anew


def window_hop(sources, rate, title=""):
    """Return an explorer of window and hop around the mixture of some sources.

    - ``sources``: a dictionary from name to mono samples `(1, N)` or `(N,)`, five seconds at most. Their sum is the
      mixture; each is heard through its ideal ratio mask (p = 2) at the chosen window
    - ``rate``: samples per second
    - ``title``: shown above it

    Raises PlayerError that says what is wrong with the sources. Taught on: book/building_blocks/stft
    """
    return WindowHop(sources, rate, title)


class WindowHop(Hosted):
    """What `window_hop` returns: a page element in the book, a widget in a notebook."""

    module, element, prefix = "window_hop", "window", "ex"
    sheets = ("explorer", "window_hop")

    def __init__(self, sources, rate, title=""):
        self.sources, self.rate, self.title = read_sources(sources, rate), round(rate), str(title)
        if reserved := {"mixture", "cell", "leak", "numbers"} & set(self.sources):
            raise PlayerError(f"A source cannot be called {sorted(reserved)[0]!r}: the explorer uses this name itself.")
        silent = [name for name, samples in self.sources.items() if not samples.any()]
        if silent:
            raise PlayerError(f"'{silent[0]}' is silent: choose an excerpt in which it sounds.")
        if self.length > MAX_SECONDS * rate:
            raise PlayerError(f"The sources last {self.length / rate:.1f} s. Cut out {MAX_SECONDS} s at most.")

    @property
    def length(self):
        """N, the number of samples."""
        return len(next(iter(self.sources.values())))

    def __repr__(self):
        return f"<WindowHop '{self.title}' at {self.rate} Hz: {', '.join(self.sources)}>"

    @cached_property
    def content(self):
        """``(spec, files)``: what there is as JSON data, and the bytes of each file by name. Made once."""
        files = {}
        sources = [
            {"name": name, "audio": keep(files, wav(samples, self.rate), "wav")}
            for name, samples in self.sources.items()
        ]
        return {"title": self.title, "rate": self.rate, "length": self.length, "sources": sources}, files

    def fallback(self, spec, where):
        """Return the browser's own players, one for each source."""
        return self.native((source["name"], where[source["audio"]]) for source in spec["sources"])
