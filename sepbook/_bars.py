"""One way to show that long work goes on: a bar after two seconds, and none in the pages of the book.

In a notebook the bar is a widget. On a built page a widget would fetch scripts from another host.
"""

import os

from tqdm.auto import tqdm

AFTER = 2  # seconds


def progress_bar(*items, progress: bool = True, **options) -> tqdm:
    """Return a `tqdm` bar over items, or to be moved by hand; `progress=False` shows none."""
    shown = progress and os.environ.get("SEPBOOK_BOOK") != "1"
    return tqdm(*items, disable=not shown, **({"delay": AFTER} | options))
