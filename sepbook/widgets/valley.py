"""The valley explorer: one number, its loss, and the steps downhill for the learning rate that you choose.

Like the stem player it is one page module, ``valley.js``, with two hosts: a page of the book and a notebook. All steps
are computed in the browser, as the page computes them in Python.

Taught on: book/foundations/learning
"""

from functools import cached_property
from math import isfinite

from ._hosts import Hosted, table

__all__ = ["Valley", "descend", "valley"]


def descend(best, curvature, share, start, steps):
    """Return the number after 0, 1, … ``steps`` steps downhill on ``curvature / 2 · (m - best)²``, as a list.

    ``share`` is the learning rate as a share of the limit ``2 / curvature``, beyond which each step goes further away.
    Taught on: book/foundations/learning
    """
    return [best + (start - best) * (1 - 2 * share) ** k for k in range(steps + 1)]


def valley(best, curvature, rest=0.0, title=""):
    """Return an explorer of the loss ``rest + curvature / 2 · (m - best)²`` of one number ``m``.

    - ``best``: the number at which the loss is lowest
    - ``curvature``: how quickly the parabola bends, above 0
    - ``rest``: the loss that is left at its lowest
    - ``title``: shown above it

    Raises ValueError unless the numbers are finite and the curvature is above 0. Taught on: book/foundations/learning
    """
    return Valley(best, curvature, rest, title)


class Valley(Hosted):
    """What `valley` returns: a page element in the book, a widget in a notebook."""

    module, element, prefix, sheets = "valley", "valley", "ex", ("explorer",)

    def __init__(self, best, curvature, rest=0.0, title=""):
        self.best, self.curvature, self.rest = (float(x) for x in (best, curvature, rest))
        if not all(map(isfinite, (self.best, self.curvature, self.rest))) or self.curvature <= 0:
            raise ValueError(
                f"a valley needs finite numbers and a curvature above 0, not best={best}, curvature={curvature}, "
                f"rest={rest}"
            )
        self.title = str(title)

    def __repr__(self):
        return f"<Valley '{self.title}': lowest at {self.best:.3g}>"

    @cached_property
    def content(self):
        """``(spec, files)``: what there is as JSON data, and no files."""
        return {"title": self.title, "best": self.best, "curvature": self.curvature, "rest": self.rest}, {}

    def fallback(self, spec, where):
        """Return a table: the number after a few steps, at four rates."""
        kinds = {"short steps": 0.15, "long steps": 0.85, "at the limit": 1.0, "too long": 1.1}
        walks = {name: descend(self.best, self.curvature, share, self.best + 1, 5) for name, share in kinds.items()}
        rows = {name: [f"{number:.2f}" for number in walk] for name, walk in walks.items()}
        return table("m", [f"step {k}" for k in range(6)], rows)
