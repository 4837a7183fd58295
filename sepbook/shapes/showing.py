"""Print one tensor with its axes named, unless the names cannot be right.

Taught on: book/how_to_read
"""

from sepbook.shapes.dims import Item, ShapeError, bare, describe, parse_item

MOST = {"C": 64, "S": 64}  # audio channels and sources are counted on the fingers; samples, bins and frames are not


def show(x, dims: str, label: str = "") -> None:
    """Print one tensor with its axes named: `magnitude: (B=2, T=50, F=129) float32`.

    `dims` are the letters of its axes, as in `"B T F"`. Raises ShapeError when the tensor has another number of
    axes, when one letter would have two sizes, and when an axis is too large for its letter: more than 64 audio
    channels or sources are samples, bins or frames in the wrong place. Letters that could be right are believed.
    Taught on: book/how_to_read
    """
    item, name = parse_item(dims), label or "this tensor"
    if not hasattr(x, "shape"):
        raise ShapeError(f"show: {name} is a {type(x).__name__}; expected a tensor or an array: torch.as_tensor(x)")
    if not item.fits(x.shape):
        raise ShapeError(
            f"show: {name} has {len(x.shape)} axes, {bare(x.shape)}, but {dims!r} names {len(item.axes)}. "
            "Name every axis once, in order."
        )
    sizes = {}
    for axis, size in item.split(x.shape)[1]:
        known = sizes.setdefault(axis.text, int(size)) if axis.plain else int(size)
        if known != size:
            raise ShapeError(
                f"show: {name} is {bare(x.shape)}, but {dims!r} has axis {axis.text} twice, "
                f"once {known} and once {size} long. Write {axis.text}' for the second size."
            )
        if _too_many(axis, size):
            raise ShapeError(
                f"show: axis {describe(axis.text)} of {name} would be {size}, in {bare(x.shape)}, "
                f"and no sound has so many. {_hint(item, x.shape)}"
            )
    print(f"{label}: " * bool(label) + f"{item.show(x.shape)} {str(x.dtype).removeprefix('torch.')}")


def _too_many(axis, size: int) -> bool:
    return axis.plain and size > MOST.get(axis.letters[0][0], size)


def _hint(item: Item, shape) -> str:
    """Look for the letter that should change places with the one that cannot be right."""
    axes, lead = [*item.axes], len(shape) - len(item.axes)
    wrong = next(i for i, axis in enumerate(axes) if _too_many(axis, shape[lead + i]))
    for i, axis in enumerate(axes):
        if axis.text[0] in "NTFHK" and not _too_many(axes[wrong], shape[lead + i]):
            axes[i], axes[wrong] = axes[wrong], axes[i]
            other = Item(item.name, tuple(axes), item.open)
            return f'Is it "{" ".join(one.text for one in axes)}"? That would be {other.show(shape)}.'
    return "Look at the line that made this tensor, and name its axes in their order."
