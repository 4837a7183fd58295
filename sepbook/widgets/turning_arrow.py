"""The turning arrow: drag an arrow, let it turn, and see and hear its shadow, which is a tone.

Like the stem player it is one page module, ``turning_arrow.js``, with two hosts: a page of the book and a notebook. The
sounds are computed where they are heard.

Taught on: book/foundations/complex
"""

from cmath import exp, pi
from functools import cached_property

from ._hosts import Hosted, table

__all__ = ["TurningArrow", "tip", "turning_arrow"]


def tip(length: float, phase: float, frequency: float, ms: float) -> complex:
    """Return the tip of an arrow after so many milliseconds.

    At the start it has a length and points to ``phase`` degrees; it turns ``frequency`` times a second, with the clock
    where that is negative. Taught on: book/foundations/complex
    """
    return length * exp(1j * (phase * pi / 180 + 2 * pi * frequency * ms / 1000))


def turning_arrow(title=""):
    """Return the turning arrow. Taught on: book/foundations/complex."""
    return TurningArrow(title)


class TurningArrow(Hosted):
    """What `turning_arrow` returns: a page element in the book, a widget in a notebook."""

    module, element, prefix, sheets = "turning_arrow", "arrow", "ex", ("explorer",)

    def __init__(self, title=""):
        self.title = str(title)

    def __repr__(self):
        return f"<TurningArrow '{self.title}'>"

    @cached_property
    def content(self):
        """``(spec, files)``: what there is as JSON data, and no files."""
        return {"title": self.title}, {}

    def fallback(self, spec, where):
        """Return a table: the tip of an arrow that turns 250 times a second, at a few moments."""
        moments = (0, 0.5, 1, 2, 4)
        tips = [tip(1, 45, 250, ms) for ms in moments]
        parts = {"real part (right)": [z.real for z in tips], "imaginary part (up)": [z.imag for z in tips]}
        rows = {name: [f"{x + 0:.2f}".replace("-0.00", "0.00") for x in values] for name, values in parts.items()}
        return table("length 1, phase 45°, 250 Hz, after", [f"{ms} ms" for ms in moments], rows)
