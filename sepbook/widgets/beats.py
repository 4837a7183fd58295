"""The beats explorer: two tones are added; move the second one and hear the sum swell, or cancel.

Like the stem player it is one page module, ``beats.js``, with two hosts: a page of the book and a notebook. The sounds
are computed where they are heard.

Taught on: book/foundations/sound
"""

from functools import cached_property
from math import cos, pi, sqrt

from ._hosts import Hosted, table

__all__ = ["BeatsExplorer", "beats", "envelope"]


def envelope(difference: float, phase: float, level: float, seconds: float) -> float:
    """Return the amplitude of the sum of two tones at a moment, where the first tone alone has 1.

    The second tone is ``difference`` hertz higher, begins ``phase`` degrees further in its swing, and has ``level`` dB
    against the first. Taught on: book/foundations/sound
    """
    gain, angle = 10 ** (level / 20), 2 * pi * difference * seconds + phase * pi / 180
    return sqrt(max(0.0, 1 + gain**2 + 2 * gain * cos(angle)))


def beats(title=""):
    """Return the beats explorer. Taught on: book/foundations/sound."""
    return BeatsExplorer(title)


class BeatsExplorer(Hosted):
    """What `beats` returns: a page element in the book, a widget in a notebook."""

    module, element, prefix, sheets = "beats", "beats", "ex", ("explorer",)

    def __init__(self, title=""):
        self.title = str(title)

    def __repr__(self):
        return f"<BeatsExplorer '{self.title}'>"

    @cached_property
    def content(self):
        """``(spec, files)``: what there is as JSON data, and no files."""
        return {"title": self.title}, {}

    def fallback(self, spec, where):
        """Return a table: the amplitude of two sums at a few moments."""
        moments = (0, 0.125, 0.25, 0.375, 0.5)
        kinds = {"2 Hz apart": (2, 0, 0), "same pitch, in step": (0, 0, 0), "same pitch, opposite": (0, 180, 0)}
        rows = {name: [f"{envelope(*kind, moment):.2f}" for moment in moments] for name, kind in kinds.items()}
        return table("amplitude of the sum after", [f"{moment} s" for moment in moments], rows)
