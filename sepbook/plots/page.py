"""Show a figure: on a page of the book in a light and a dark version, elsewhere as it is.

Taught on: book/how_to_read
"""

import hashlib
import io
import os
from html import escape
from pathlib import Path

from matplotlib import pyplot as plt
from PIL import Image

from sepbook.plots.style import styled

SHARPNESS = 2  # pixels of the file per pixel of the page, for fine screens
PALETTE = 96  # colours per picture; more makes files heavy and is hardly seen
SHORTEST_ALT = 20  # characters


def show(draw, alt: str, width: int | None = None) -> None:
    """Draw a figure and show it.

    `draw` is a function without arguments that makes one figure; it may return the figure or its axes. `alt` tells
    a reader who cannot see the figure what it shows. `width` in pixels limits how wide it is shown on a page of the
    book. On such a page `draw` runs twice, in the light and in the dark style; elsewhere once, in the light style.
    Raises ValueError when `alt` is missing or too short to say anything. Taught on: book/how_to_read
    """
    if not isinstance(alt, str) or len(alt.strip()) < SHORTEST_ALT:
        raise ValueError(
            f"alt is {alt!r}, but a figure needs a description of at least {SHORTEST_ALT} characters: "
            "say what is drawn and what there is to see, for readers who cannot see it."
        )
    if not os.environ.get("SEPBOOK_BOOK"):
        return _display(draw)
    pictures = [_picture(draw, mode, alt.strip(), width) for mode in ("light", "dark")]
    from IPython.display import display

    display({"text/html": f'<div class="sepbook-figure">{"".join(pictures)}</div>'}, raw=True)


def figure_of(drawn):
    """Return the figure that a drawing function made, whatever it returned. Taught on: book/how_to_read."""
    while isinstance(drawn, list | tuple) or hasattr(drawn, "ravel"):
        drawn = drawn[0]
    if drawn is None:
        return plt.gcf()
    return drawn if hasattr(drawn, "savefig") else drawn.figure


def _display(draw) -> None:
    with styled():
        figure = figure_of(draw())
        try:
            from IPython import get_ipython
            from IPython.display import display
        except ImportError:
            return plt.show()
        if get_ipython() is None:
            return plt.show()
        display(figure)
        plt.close(figure)


def _picture(draw, mode: str, alt: str, width: int | None) -> str:
    with styled(mode):
        figure = figure_of(draw())
        shown = [round(side * figure.dpi) for side in figure.get_size_inches()]
        picture = png(figure)
        plt.close(figure)
    if width:
        shown = [width, round(shown[1] * width / shown[0])]
    name = f"{hashlib.sha256(picture).hexdigest()[:20]}.png"
    write(Path(os.environ["SEPBOOK_BOOK_FIGURES"]) / name, picture)
    return (
        f'<img class="only-{mode}" src="{{{{SEPBOOK_STATIC}}}}/figures/{name}" alt="{escape(alt)}" '
        f'width="{shown[0]}" height="{shown[1]}" loading="lazy">'
    )


def png(figure, paper: str | None = None) -> bytes:
    """Return a figure as a small, sharp PNG with a palette and a transparent background.

    Soft edges are blended with `paper`, the colour of the page (default: the style's). Taught on: book/how_to_read
    """
    drawn = io.BytesIO()
    quick = {"compress_level": 0}  # a file that knows its own size: inches times dots need not be a whole number
    figure.savefig(drawn, format="png", dpi=SHARPNESS * figure.dpi, transparent=True, pil_kwargs=quick)
    image = Image.open(drawn).convert("RGBA")
    sheet = Image.new("RGBA", image.size, paper or plt.rcParams["figure.facecolor"])
    flat = Image.alpha_composite(sheet, image).convert("RGB").quantize(PALETTE - 1, dither=Image.Dither.NONE)
    colours = flat.getpalette()[: 3 * (PALETTE - 1)]
    clear = len(colours) // 3  # one more entry of the palette: nothing is drawn here
    flat.putpalette([*colours, 0, 0, 0])
    flat.paste(clear, mask=image.getchannel("A").point(lambda alpha: 255 * (alpha == 0)))
    small = io.BytesIO()
    flat.save(small, "PNG", transparency=clear, compress_level=9)
    return small.getvalue()


def write(path: Path, content: bytes) -> None:
    """Write a file named by its content, whole or not at all; nothing to do if it is there.

    Taught on: book/how_to_read
    """
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    part.write_bytes(content)
    os.replace(part, path)
