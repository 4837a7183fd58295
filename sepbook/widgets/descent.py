"""The descent explorer: a real loss over two weights, and three optimisers that walk down from where you put them.

Like the stem player it is one page module, ``descent.js``, with two hosts: a page of the book and a notebook. All
steps are computed in the browser, as the page computes them in Python.

Taught on: book/training/optimization
"""

from functools import cached_property

import torch

from ._hosts import Hosted

__all__ = ["Descent", "descent"]

METHODS = {"sgd": "rose", "momentum": "brown", "adam": "blue", "goal": "teal"}  # their colours


def descent(energy, overlap, middle, title=""):
    """Return an explorer of the loss ``1 + Σ (σ² energy - 2 σ overlap)`` with ``σ = sigmoid(w · middle + b)``.

    - ``energy``: `(K,)`, for each pile of points the mixture's energy, in shares of the source's whole energy
    - ``overlap``: `(K,)`, for each pile the sum of mixture times source, in the same shares
    - ``middle``: `(K,)`, the feature at the middle of each pile
    - ``title``: shown above it

    Raises ValueError unless all three are of one length, finite and not empty. Taught on: book/training/optimization
    """
    return Descent(energy, overlap, middle, title)


class Descent(Hosted):
    """What `descent` returns: a page element in the book, a widget in a notebook."""

    module, element, prefix = "descent", "descent", "ex"
    sheets = ("explorer", "descent")

    def __init__(self, energy, overlap, middle, title=""):
        self.piles = [torch.as_tensor(x).double().flatten() for x in (energy, overlap, middle)]
        sizes = [len(x) for x in self.piles]
        if len(set(sizes)) > 1 or not sizes[0] or not all(x.isfinite().all() for x in self.piles):
            raise ValueError(
                f"energy, overlap and middle must be finite and of one length, but hold {sizes} numbers: "
                "give one of each per pile"
            )
        self.title = str(title)

    def __repr__(self):
        return f"<Descent '{self.title}': {len(self.piles[0])} piles>"

    def height(self, w, b):
        """Return the loss at weights of any shape."""
        energy, overlap, middle = self.piles
        share = torch.sigmoid(w[..., None] * middle + b[..., None])
        return 1 + (share**2 * energy - 2 * share * overlap).sum(-1)

    @cached_property
    def lowest(self):
        """``(w, b, loss)`` at the lowest point of a fine grid."""
        w, b = torch.meshgrid(torch.linspace(-1.5, 4.7, 311), torch.linspace(-3.1, 3.3, 321), indexing="ij")
        heights = self.height(w.double(), b.double())
        at = int(heights.argmin())
        return w.flatten()[at].item(), b.flatten()[at].item(), heights.min().item()

    @cached_property
    def content(self):
        """``(spec, files)``: what there is as JSON data, and no files."""
        from sepbook.plots import colour

        w, b, height = self.lowest
        piles = {name: [round(value, 9) for value in x.tolist()] for name, x in zip("adc", self.piles, strict=True)}
        colours = {name: colour(source) for name, source in METHODS.items()}
        return {"title": self.title, "piles": piles, "lowest": [w, b], "goal": height, "colours": colours}, {}

    def fallback(self, spec, where):
        """Return a sentence: the figures of the page show the same walks."""
        return "<p>With JavaScript you could choose a method, a rate and a start here, and follow the steps.</p>"
