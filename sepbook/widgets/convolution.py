"""The convolution explorer: move a kernel by hand, and watch the output length being worked out.

Like the stem player it is one page module, ``convolution.js``, with two hosts: a page of the book, and a notebook. It
shows convolutions and transposed ones along one or two axes. The steps of the arithmetic are those of
`sepbook.shapes.conv_length`, word for word, computed in the browser.

Taught on: book/building_blocks/convolution
"""

import html
from functools import cached_property

from sepbook.shapes import ShapeError, conv_length

from ._hosts import Hosted

__all__ = ["Convolution", "convolution"]

LIMITS = {  # of the sliders: smallest, largest
    "n": (1, 12),
    "kernel": (1, 7),
    "stride": (1, 4),
    "padding": (0, 4),
    "dilation": (1, 3),
    "output_padding": (0, 3),
}


def convolution(title="", n=7, kernel=3, axes=1, transposed=False, **geometry):
    """Return an explorer of convolution arithmetic.

    - ``title``: shown above it
    - ``n``, ``kernel`` and, by name, ``stride``, ``padding``, ``dilation``, ``output_padding``: where it starts, within
      `LIMITS`; a geometry that cannot be is allowed, and explained
    - ``axes``: 1 for a signal, 2 for a picture with the same geometry along both axes
    - ``transposed``: whether it starts with the transposed convolution

    Raises ShapeError for a number outside its limits. Taught on: book/building_blocks/convolution
    """
    return Convolution(title, n, kernel, axes, transposed, **geometry)


class Convolution(Hosted):
    """What `convolution` returns: a page element in the book, a widget in a notebook."""

    module, element, prefix = "convolution", "convolution", "ex"
    sheets = ("explorer", "convolution")

    def __init__(self, title, n, kernel, axes, transposed, stride=1, padding=0, dilation=1, output_padding=0):
        self.title = str(title)
        self.settings = {"n": n, "kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation}
        self.settings["output_padding"] = output_padding
        for name, (low, high) in LIMITS.items():
            value = self.settings[name]
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise ShapeError(f"{name} is {value!r}; the explorer takes whole numbers from {low} to {high}.")
        if axes not in (1, 2):
            raise ShapeError(f"axes is {axes!r}; choose 1 for a signal or 2 for a picture.")
        self.settings |= {"axes": axes, "transposed": bool(transposed)}

    def __repr__(self):
        return f"<Convolution explorer '{self.title}': {self.settings}>"

    @cached_property
    def content(self):
        """``(spec, files)``: what there is as JSON data; there are no files."""
        return {"title": self.title, "settings": self.settings, "limits": LIMITS}, {}

    def fallback(self, spec, where):
        """Return the arithmetic of the geometry it starts with, as text."""
        given = {name: value for name, value in self.settings.items() if name != "axes"}
        if not given["transposed"]:
            given.pop("output_padding")
        try:
            steps = conv_length(**given, explain=False).steps
        except ShapeError as error:
            steps = str(error)
        return f'<pre class="cv-steps">{html.escape(steps)}</pre>'
