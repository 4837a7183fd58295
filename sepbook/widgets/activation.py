"""The activation explorer: a curve, its slope, and a point that the reader moves along them.

Like the stem player it is one page module, ``activation.js``, with two hosts: a page of the book and a notebook.

Taught on: book/building_blocks/activation
"""

import html
from functools import cached_property
from math import exp, tanh

from ._hosts import Hosted
from ._versions import PlayerError

__all__ = ["CURVES", "ActivationExplorer", "activation_explorer", "bend"]

CURVES = {"sigmoid": "sigmoid", "tanh": "tanh", "relu": "ReLU", "leaky": "leaky ReLU, PReLU", "linear": "linear"}


def bend(name: str, x: float, slope: float = 0.2) -> tuple[float, float]:
    """Return value and gradient of an activation at x; ``slope`` is that of a leaky ReLU below 0.

    At 0, where a ReLU has no gradient, it is the one that autograd takes: 0, or ``slope`` for the leaky kind.
    Raises PlayerError for another name. Taught on: book/building_blocks/activation
    """
    if name not in CURVES:
        raise PlayerError(f"name {name!r} is unknown; choose one of {', '.join(CURVES)}.")
    if name == "sigmoid":
        value = 1 / (1 + exp(-x)) if x >= 0 else exp(x) / (1 + exp(x))
        return value, value * (1 - value)
    if name == "tanh":
        return tanh(x), 1 - tanh(x) ** 2
    below = {"relu": 0.0, "leaky": slope, "linear": 1.0}[name]
    return (x, 1.0) if x > 0 else (below * x + 0.0, below)  # + 0.0: no minus zero


def activation_explorer(title=""):
    """Return the activation explorer. Taught on: book/building_blocks/activation."""
    return ActivationExplorer(title)


class ActivationExplorer(Hosted):
    """What `activation_explorer` returns: a page element in the book, a widget in a notebook."""

    module, element, prefix = "activation", "activation", "ex"
    sheets = ("explorer", "activation")

    def __init__(self, title=""):
        self.title = str(title)

    def __repr__(self):
        return f"<ActivationExplorer '{self.title}'>"

    @cached_property
    def content(self):
        """``(spec, files)``: what there is as JSON data, and no files."""
        return {"title": self.title, "curves": CURVES}, {}

    def fallback(self, spec, where):
        """Return a table of values and slopes at a few points."""
        points = (-4, -1, 0, 1, 4)
        head = "".join(f'<th scope="col">{text}</th>' for text in ("value (slope) at", *points)).replace("-", "−")
        rows = ""
        for name, words in CURVES.items():
            cells = "".join("<td>{:.3f} ({:.3f})</td>".format(*bend(name, x)) for x in points).replace("-", "−")
            rows += f'<tr><th scope="row">{html.escape(words)}</th>{cells}</tr>'
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
