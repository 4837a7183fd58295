"""The aliasing explorer: move a tone past half the sample rate, see its samples, and hear what they hold.

Like the stem player it is one page module, ``aliasing.js``, with two hosts: a page of the book and a notebook. The
sounds are computed where they are heard.

Taught on: book/foundations/sound
"""

from functools import cached_property

from ._hosts import Hosted, table
from ._versions import PlayerError

__all__ = ["AliasingExplorer", "aliasing", "heard_at"]


def heard_at(frequency: float, rate: float, filtered: bool = False) -> float | None:
    """Return the frequency, in hertz, that a tone is heard as when it has been sampled at a rate.

    A tone below half the rate is heard as it is. Above, it is folded back: ``frequency`` and ``rate - frequency`` have
    the same samples. With the anti-alias filter (``filtered``) it is removed instead: None. Raises PlayerError for a
    negative frequency and for a rate that is not positive. Taught on: book/foundations/sound
    """
    if frequency < 0 or not rate > 0:
        raise PlayerError(
            f"a tone of {frequency} Hz at {rate} samples per second: give a frequency ≥ 0 and a rate > 0."
        )
    if filtered and frequency > rate / 2:
        return None
    return abs(frequency - rate * round(frequency / rate))


def aliasing(title=""):
    """Return the aliasing explorer. Taught on: book/foundations/sound."""
    return AliasingExplorer(title)


class AliasingExplorer(Hosted):
    """What `aliasing` returns: a page element in the book, a widget in a notebook."""

    module, element, prefix, sheets = "aliasing", "aliasing", "ex", ("explorer",)

    def __init__(self, title=""):
        self.title = str(title)

    def __repr__(self):
        return f"<AliasingExplorer '{self.title}'>"

    @cached_property
    def content(self):
        """``(spec, files)``: what there is as JSON data, and no files."""
        return {"title": self.title}, {}

    def fallback(self, spec, where):
        """Return a table: what tones are heard as at two rates."""
        tones, rates = (1000, 2000, 3000, 4000, 5000, 7000), (4000, 8000)
        rows = {f"{rate} samples per second": [f"{heard_at(tone, rate):g} Hz" for tone in tones] for rate in rates}
        return table("tone", [f"{tone} Hz" for tone in tones], rows)
