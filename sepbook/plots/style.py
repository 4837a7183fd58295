"""One look for all figures: the colours of the sources, and a light and a dark style.

The colours of the stems mean stems only: other things have colours of their own. All keep a contrast of at least 3 to
1 on white and on the dark page, and stay apart for readers with any of the three kinds of colour blindness (a test
measures both).

Taught on: book/how_to_read
"""

from contextlib import contextmanager

import matplotlib as mpl
from matplotlib import pyplot as plt

COLOURS = {
    "vocals": "#c03229",
    "drums": "#d17f01",
    "bass": "#2da469",
    "other": "#b373ea",
    "mixture": "#6b7081",
}
OTHERS = {"blue": "#076db8", "brown": "#b0845a", "teal": "#2a9fb1", "rose": "#f555af"}  # of what is no stem
CYCLE = (*OTHERS.values(), COLOURS["mixture"])  # in this order, where nobody says which
DASHES = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)), (0, (2, 2)))  # so that no line is known by colour alone
LEVELS = "magma"  # colour map of levels in dB: dark is quiet, bright is loud
SHARES = "cividis"  # colour map of masks: dark is 0, bright is 1

WIDTH = 5.8  # inches; at 100 pixels per inch a figure fits a page, and its letters stay legible on a phone
INK = {
    "light": {"text": "#23282f", "quiet": "#55606e", "line": "#c9d0d6", "page": "#ffffff"},
    "dark": {"text": "#d5dade", "quiet": "#a2abb5", "line": "#454d56", "page": "#14171a"},
}


def colour(name: str, index: int = 0) -> str:
    """Return the fixed colour of a stem; other names get one by their index, never that of a stem.

    "blue", "brown", "teal" and "rose" name the colours of other things. Taught on: book/how_to_read
    """
    key = str(name).lower()
    return COLOURS.get(key) or OTHERS.get(key) or CYCLE[index % len(CYCLE)]


def settings(mode: str = "light") -> dict:
    """Return matplotlib's settings for a mode. Raises ValueError unless it is light or dark.

    Taught on: book/how_to_read
    """
    if mode not in INK:
        raise ValueError(f"mode is {mode!r}, but must be 'light' or 'dark'.")
    text, quiet, line = (INK[mode][key] for key in ("text", "quiet", "line"))
    return {
        "figure.figsize": (WIDTH, 3.2),
        "figure.dpi": 100,
        "figure.facecolor": INK[mode]["page"],
        "figure.constrained_layout.use": True,
        "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans"],
        "font.size": 12,
        "axes.titlesize": 12.5,
        "axes.titlelocation": "left",
        "axes.labelsize": 12,
        "figure.labelsize": 12,
        "xtick.labelsize": 11,
        "ytick.labelsize": 11,
        "legend.fontsize": 11.5,
        "legend.frameon": False,
        "axes.facecolor": "none",
        "axes.edgecolor": quiet,
        "axes.linewidth": 0.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "axes.grid": True,
        "grid.color": line,
        "grid.linewidth": 0.6,
        "text.color": text,
        "axes.labelcolor": text,
        "axes.titlecolor": text,
        "xtick.color": quiet,
        "ytick.color": quiet,
        "xtick.labelcolor": text,
        "ytick.labelcolor": text,
        "lines.linewidth": 2.0,
        "lines.solid_capstyle": "round",
        "hatch.linewidth": 1.2,
        "axes.prop_cycle": mpl.cycler(color=[colour("", i) for i in range(len(CYCLE))]),
        "image.cmap": LEVELS,
    }


def use_style(mode: str = "light") -> None:
    """Use the book's style for all figures from here on. `mode` is light or dark. Taught on: book/how_to_read."""
    mpl.rcParams.update(settings(mode))


@contextmanager
def styled(mode: str = "light"):
    """Use the book's style inside a `with` block only. Taught on: book/how_to_read."""
    with plt.rc_context(settings(mode)):
        yield


def axes(ax=None, height: float | None = None):
    """Return the given axes, or new ones in a figure of the book's width and `height` inches.

    Taught on: book/how_to_read
    """
    if ax is not None:
        return ax
    _, ax = plt.subplots(figsize=(WIDTH, height or 3.2))
    return ax


def numbers(values):
    """Return an array from a tensor (on any device, with a gradient or not), a list or an array.

    Taught on: book/how_to_read
    """
    import numpy as np

    from sepbook._given import KindError, as_tensor

    values = as_tensor(values, "a picture") if hasattr(values, "layout") else values  # neither sparse nor on meta
    for step in ("detach", "cpu", "resolve_conj"):
        values = getattr(values, step)() if hasattr(values, step) else values
    array = np.asarray(values)
    if array.dtype.kind not in "fiubc":
        given = type(values).__name__
        raise KindError(f"a picture needs numbers: a tensor, an array or a list of them, but was given a {given}")
    return array
