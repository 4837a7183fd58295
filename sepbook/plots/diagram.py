"""Diagrams drawn from a model: the ladder of an encoder and a decoder, with every shape on it.

Taught on: book/architectures/unet
"""

import re
from math import log2, prod

from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from sepbook.plots.style import COLOURS, OTHERS, axes

LEFT, RIGHT = -1.0, 1.0  # columns of the ladder
BOX_WIDTHS, BOX_HEIGHTS = (0.66, 1.5), (0.32, 0.62)  # smallest and largest


def ladder(
    encoder_shapes,
    decoder_shapes,
    input_shape=None,
    letters: str = "H F T",
    labels=("encoder", "decoder"),
    skips: bool = True,
    skip_label: str = "skip",
    ax=None,
    title: str = "",
):
    """Draw an encoder going down on the left, a decoder coming up on the right, and skips between; returns the axes.

    Shapes are tuples without batch: `(H, F, T)` or `(H, T)`, from the first block to the last. A box is as wide as its
    map is large (F times T) and as high as it has features (H), both on a logarithmic scale. Block i of the decoder
    comes out on the level of the encoder block that it mirrors. `skips=False` leaves the arrows across out.
    Raises ValueError for an empty encoder, or a decoder longer than the encoder. Taught on: book/architectures/unet
    """
    encoder, decoder = [tuple(s) for s in encoder_shapes], [tuple(s) for s in decoder_shapes]
    if not encoder or len(decoder) > len(encoder):
        raise ValueError(
            f"A ladder needs 1 or more encoder blocks, and at most as many decoder blocks: {len(decoder)}."
        )
    bottom = len(encoder)
    ax = axes(ax, 0.9 + 0.72 * (bottom + 1))
    size = _scales([*encoder, *decoder, *([input_shape] if input_shape else [])])
    left = [(LEFT, -level - 1, shape) for level, shape in enumerate(encoder[:-1])] + [(0.0, -bottom, encoder[-1])]
    left = [(LEFT, 0, tuple(input_shape)), *left] if input_shape else left
    right = [(RIGHT, -bottom + 1 + i, shape) for i, shape in enumerate(decoder)]
    for i, place in enumerate(left):
        _box(ax, place, size, COLOURS["mixture"] if input_shape and i == 0 else OTHERS["blue"])
    for place in right:
        _box(ax, place, size, OTHERS["teal"])
    path = [*left, *right]
    for here, there in zip(path, path[1:], strict=False):
        _arrow(ax, *_ends(here, there, size))
    if skips:
        for x, y, shape in left:
            partner = next((p for p in right[:-1] if p[1] == y and x == LEFT), None)
            if partner:
                _skip(ax, (x, y, shape), partner, size, skip_label)
    _frame(ax, bottom, letters, labels, title)
    return ax


def _scales(shapes):
    """Return a function from a shape to the width and height of its box."""
    areas, features = [log2(prod(shape[1:])) for shape in shapes], [log2(shape[0]) for shape in shapes]

    def scale(value, values, smallest, largest):
        reach = max(values) - min(values)
        return smallest + (largest - smallest) * ((value - min(values)) / reach if reach else 0.5)

    def size(shape):
        width = scale(log2(prod(shape[1:])), areas, *BOX_WIDTHS)
        return width, scale(log2(shape[0]), features, *BOX_HEIGHTS)

    return size


def _box(ax, place, size, paint: str) -> None:
    x, y, shape = place
    width, height = size(shape)
    corner = (x - width / 2, y - height / 2)
    style = "round,pad=0,rounding_size=0.04"
    ax.add_patch(FancyBboxPatch(corner, width, height, boxstyle=style, fc=paint, ec="none", alpha=0.22))
    ax.add_patch(FancyBboxPatch(corner, width, height, boxstyle=style, fc="none", ec=paint, lw=1.4))
    ax.text(x, y, "×".join(map(str, shape)), ha="center", va="center", fontsize=11)


def _ends(here, there, size):
    """Return where an arrow leaves one box and enters the next."""
    (x, y, shape), (u, v, other) = here, there
    width, height = size(shape)
    far_width, far_height = size(other)
    if x == u:
        side = 1 if v > y else -1
        return (x, y + side * height / 2), (u, v - side * far_height / 2), 0
    if v < y:  # down to the bottom box: out below, in from the left
        return (x, y - height / 2), (u - far_width / 2, v), 0.35
    return (x + width / 2, y), (u, v - far_height / 2), 0.35  # up from the bottom box


def _arrow(ax, start, end, bend, dashed: bool = False) -> None:
    patch = FancyArrowPatch(
        start,
        end,
        arrowstyle="-|>",
        mutation_scale=11,
        shrinkA=1,
        shrinkB=1,
        linewidth=1.3,
        linestyle=(0, (4, 2)) if dashed else "-",
        connectionstyle=f"arc3,rad={bend}",
        color=ax.xaxis.label.get_color(),
    )
    ax.add_patch(patch)


def _skip(ax, here, there, size, label: str) -> None:
    start, end = here[0] + size(here[2])[0] / 2, there[0] - size(there[2])[0] / 2
    _arrow(ax, (start, here[1]), (end, there[1]), 0, dashed=True)
    ax.text((start + end) / 2, here[1] + 0.07, label, ha="center", va="bottom", fontsize=10.5)


def _frame(ax, bottom: int, letters: str, labels, title: str) -> None:
    ax.set(xlim=(LEFT - 0.85, RIGHT + 0.85), ylim=(-bottom - 0.45, 0.85), title=title)
    for x, label in zip((LEFT, RIGHT), labels, strict=True):
        ax.text(x, 0.62, label, ha="center", va="center", fontsize=12.5, fontweight="bold")
    ax.text(0, 0.62, "×".join(letters.split()), ha="center", va="center", fontsize=11)
    ax.axis("off")


def unet_diagram(model_or_trace, mixture=None, encoder: str = "encoder", decoder: str = "decoder", **options):
    """Draw a U-Net, or another encoder and decoder, from a trace of it; returns the axes.

    Give a `shapes.Trace`, or a model and a `mixture` to trace it with. `encoder` and `decoder` are the names of the
    two lists of blocks in the model. `options` go to `ladder`. Raises ValueError when the model has no such lists.
    Taught on: book/architectures/unet
    """
    trace = model_or_trace
    if not hasattr(trace, "calls"):
        from sepbook import shapes

        if mixture is None:
            raise ValueError("unet_diagram needs a trace, or a model and a mixture: unet_diagram(model, mixture).")
        trace = shapes.trace(model_or_trace, mixture)
    down, up = (_blocks(trace, name) for name in (encoder, decoder))
    if not down or not up:
        raise ValueError(f"The model has no blocks called {encoder}.0, {encoder}.1, … and {decoder}.0, {decoder}.1, …")
    options.setdefault("input_shape", down[0].input[1:])
    return ladder([row.output[1:] for row in down], [row.output[1:] for row in up], **options)


def _blocks(trace, name: str) -> list:
    return [row for row in trace.calls if re.fullmatch(rf"(.*\.)?{re.escape(name)}\.\d+", row.path)]
