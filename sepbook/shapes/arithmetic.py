"""The arithmetic of convolutions, step by step: how long is the output, how far does it see?

Taught on: book/building_blocks/convolution
"""

from sepbook.shapes.dims import ShapeError


class Explained(int):
    """A whole number that remembers how it was found: `.value`, and the text `.steps`.

    Taught on: book/building_blocks/convolution
    """

    steps: str = ""
    hop: int | None = None

    def __new__(cls, value: int, steps: str, hop: int | None = None):
        """Make a number with its explanation."""
        number = super().__new__(cls, value)
        number.steps, number.hop = steps, hop
        return number

    @property
    def value(self) -> int:
        """The bare number."""
        return int(self)

    def milliseconds(self, sample_rate: float) -> float:
        """Return how long so many samples last, in ms, at `sample_rate` in Hz."""
        return 1000 * int(self) / sample_rate


def conv_length(
    n: int,
    kernel: int,
    stride: int = 1,
    padding: int | tuple[int, int] = 0,
    dilation: int = 1,
    transposed: bool = False,
    output_padding: int = 0,
    explain: bool = True,
) -> Explained:
    """Return how many values a convolution makes of `n` along one axis, and print the arithmetic.

    `padding` is the number of zeros at each end, or a pair (before, after); all other arguments are those of
    `torch.nn.Conv1d` and `ConvTranspose1d`. `explain=False` prints nothing; the text is in `.steps` of the result.
    Raises ShapeError for a geometry that cannot be. Taught on: book/building_blocks/convolution
    """
    before, after = padding if isinstance(padding, tuple | list) else (padding, padding)
    _check_whole({"n": n, "kernel": kernel, "stride": stride, "dilation": dilation}, smallest=1)
    _check_whole({"padding": min(before, after), "output_padding": output_padding}, smallest=0)
    if output_padding and not transposed:
        raise ShapeError("output_padding belongs to a transposed convolution: add transposed=True, or leave it 0.")
    count = _transposed if transposed else _direct
    length, lines = count(n, kernel, stride, before, after, dilation, output_padding)
    width = max(len(name) for name, _ in lines) + 2
    steps = "\n".join(f"{name:<{width}}{sum_}" for name, sum_ in lines)
    if explain:
        print(steps)
    return Explained(length, steps)


def _check_whole(numbers: dict, smallest: int) -> None:
    for name, value in numbers.items():
        if isinstance(value, bool) or not hasattr(value, "__index__") or value < smallest:
            raise ShapeError(f"{name} is {value!r}, but must be a whole number of at least {smallest}.")


def _direct(n, kernel, stride, before, after, dilation, _):
    covers, padded = dilation * (kernel - 1) + 1, n + before + after
    lines = [
        ("the kernel covers", f"dilation * (kernel - 1) + 1 = {dilation} * ({kernel} - 1) + 1 = {covers}"),
        ("the padded input has", f"n + before + after = {n} + {before} + {after} = {padded}"),
    ]
    if covers > padded:
        raise ShapeError(
            f"The kernel covers {covers} values, but the padded input has only {padded}: there is no place to put it. "
            f"Give a longer input (n of at least {covers - before - after}), more padding, or a smaller kernel."
        )
    length, rest = (padded - covers) // stride + 1, (padded - covers) % stride
    lines += [("the kernel fits", f"({padded} - {covers}) // {stride} + 1 = {length} times")]
    if rest:
        lines += [("left over", f"{rest} at the end, which no position of the kernel reaches")]
    return length, [*lines, ("output length", str(length))]


def _transposed(n, kernel, stride, before, after, dilation, extra):
    covers = dilation * (kernel - 1) + 1
    painted = (n - 1) * stride + covers
    length = painted - before - after + extra
    if extra >= max(stride, dilation):
        raise ShapeError(
            f"output_padding is {extra}, but must be smaller than the stride ({stride}) or the dilation ({dilation}): "
            "it only chooses between the lengths that a convolution with this stride would map to the same n."
        )
    if length < 1:
        raise ShapeError(
            f"Padding crops {before} + {after} values, but only {painted} were painted: nothing is left. "
            "Use less padding, a longer input or a larger kernel."
        )
    lines = [
        ("each value paints", f"dilation * (kernel - 1) + 1 = {dilation} * ({kernel} - 1) + 1 = {covers}"),
        ("the last one starts at", f"(n - 1) * stride = ({n} - 1) * {stride} = {(n - 1) * stride}"),
        ("painted in all", f"{(n - 1) * stride} + {covers} = {painted}"),
        ("padding crops", f"{painted} - {before} - {after} = {painted - before - after}"),
    ]
    lines += [("output padding adds", f"{painted - before - after} + {extra} = {length}")] if extra else []
    return length, [*lines, ("output length", str(length))]


def receptive_field(layers, explain: bool = True) -> Explained:
    """Return how many input values one output value can see behind a chain of convolutions, and print how it grows.

    `layers` are tuples (kernel, stride, dilation) from input to output; stride and dilation may be left out and
    are then 1. Each layer adds `(kernel - 1) * dilation * hop` values, where the hop is the product of all strides
    before it. The result also has `.hop`, by how many input values neighbouring outputs are apart, and
    `.milliseconds(sample_rate)`. Raises ShapeError for sizes below 1.
    Taught on: book/building_blocks/convolution
    """
    field, hop = 1, 1
    table = [("layer", "kernel", "stride", "dilation", "adds (kernel - 1) * dilation * hop", "sees", "hop")]
    for i, layer in enumerate(layers, 1):
        kernel, stride, dilation = (*((layer,) if isinstance(layer, int) else layer), 1, 1)[:3]
        _check_whole({f"kernel of layer {i}": kernel, f"stride of layer {i}": stride}, smallest=1)
        _check_whole({f"dilation of layer {i}": dilation}, smallest=1)
        added = (kernel - 1) * dilation * hop
        sum_ = f"({kernel} - 1) * {dilation} * {hop} = {added}"
        field, hop = field + added, hop * stride
        table.append((str(i), str(kernel), str(stride), str(dilation), sum_, str(field), str(hop)))
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in table]
    steps = "\n".join([*lines, f"one output sees {field} input values; the next one starts {hop} later"])
    if explain:
        print(steps)
    return Explained(field, steps, hop)
