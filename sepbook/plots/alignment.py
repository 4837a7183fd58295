"""A picture of broadcasting: whose axes stand above whose, which are stretched, and where it cannot be.

Taught on: book/foundations/tensors
"""

from matplotlib.patches import FancyBboxPatch

from sepbook.plots.style import COLOURS, OTHERS, WIDTH, axes

BOX, GAP = 0.9, 0.1  # width of a box, and what is free beside it


def align(shapes) -> list[tuple[list, int | None]]:
    """Return for each axis of the result, from the left, (the sizes there, the common size).

    A size is None where a tensor has no such axis. The common size is None where the sizes conflict. `shapes` are
    tuples; they are aligned at their last axes, as torch does it. Taught on: book/foundations/tensors
    """
    shapes = [tuple(shape) for shape in shapes]
    count = max(map(len, shapes))
    columns = []
    for i in range(count):
        sizes = [shape[i - count] if len(shape) >= count - i else None for shape in shapes]
        other = {size for size in sizes if size not in (None, 1)}
        common = None if len(other) > 1 else next(iter(other), 1)
        columns.append((sizes, common))
    return columns


def alignment(tensors: dict, ax=None, title: str = ""):
    """Draw how the axes of tensors align, and the shape that comes out; returns the axes.

    `tensors` maps names to pairs (dims, tensor or shape): ``{"masks": ("B S F T", masks), "gain": ("S 1 1", gain)}``.
    Dashed boxes are stretched, grey ones are not there and count as 1. Pink columns do not fit. A brown result has two
    letters in one column: torch computes it, but it is probably a mistake.
    Raises ShapeError when a shape has another number of axes than its dims. Taught on: book/foundations/tensors
    """
    from sepbook.shapes.dims import parse_item

    items = {name: (parse_item(dims), tuple(getattr(x, "shape", x))) for name, (dims, x) in tensors.items()}
    for name, (item, shape) in items.items():
        _check(name, item, shape)
    columns = align(shape for _, shape in items.values())
    ax = axes(ax, 0.75 + 0.62 * (len(items) + 1))
    for row, (name, (item, shape)) in enumerate(items.items()):
        texts = [None] * (len(columns) - len(shape)) + [axis.text for axis in item.axes]
        _label(ax, row, name)
        for i, (text, (sizes, common)) in enumerate(zip(texts, columns, strict=True)):
            _box(ax, i, row, text, sizes[row], common)
    _result(ax, columns, [item for item, _ in items.values()], len(items))
    width = (WIDTH - 1.2) / max(len(columns), 4)  # inches per column, as near as it gets
    ax.set(xlim=(-1.2 / width - 0.55, max(len(columns), 4) - 0.45), ylim=(len(items) + 0.62, -0.62), title=title)
    ax.axis("off")
    return ax


def _check(name, item, shape) -> None:
    from sepbook.shapes.dims import ShapeError, bare

    if len(item.axes) != len(shape):
        raise ShapeError(f"{name} has {len(shape)} axes, {bare(shape)}, but {str(item)!r} names {len(item.axes)}.")


def _label(ax, row: int, name: str) -> None:
    ax.text(-0.62, row, name, ha="right", va="center", fontsize=11.5)


def _box(ax, column: int, row: int, text: str | None, size: int | None, common: int | None) -> None:
    if size is None:
        _frame(ax, column, row, COLOURS["mixture"], "1", dashed=True)
    elif size == 1 and common != 1:
        _frame(ax, column, row, OTHERS["brown"], _words(text, size), dashed=True)
    else:
        paint = OTHERS["rose"] if common is None else OTHERS["blue"]
        _frame(ax, column, row, paint, _words(text, size))


def _words(text: str, size: int) -> str:
    return str(size) if text.isdigit() else f"{text} = {size}"


def _frame(ax, column: int, row: int, paint: str, words: str, dashed: bool = False) -> None:
    corner = (column - BOX / 2, row - 0.34)
    look = {"boxstyle": "round,pad=0,rounding_size=0.08", "linewidth": 1.5}
    ax.add_patch(FancyBboxPatch(corner, BOX, 0.68, fc=paint, ec="none", alpha=0.08 if dashed else 0.22, **look))
    style = (0, (3, 2)) if dashed else "-"
    ax.add_patch(FancyBboxPatch(corner, BOX, 0.68, fc="none", ec=paint, linestyle=style, **look))
    ax.text(column, row, words, ha="center", va="center", fontsize=10.5 if len(words) < 9 else 9)


def _result(ax, columns, items, row: int) -> None:
    _label(ax, row, "result" if all(common is not None for _, common in columns) else "no result")
    for i, (_, common) in enumerate(columns):
        texts = [item.axes[i - len(columns)].text for item in items if len(item.axes) >= len(columns) - i]
        letters = list(dict.fromkeys(text for text in texts if not text.isdigit()))
        if common is None:
            _frame(ax, i, row, OTHERS["rose"], "✗")
        else:
            paint = OTHERS["brown"] if len(letters) > 1 else OTHERS["teal"]
            _frame(ax, i, row, paint, _words(" or ".join(letters) or "1", common))
