"""Compare a tensor with what was expected, and say in the book's letters how they differ.

Taught on: book/how_to_read
"""

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import Tensor

from sepbook.check._exercise import CheckFailure, NotYet, is_empty, short
from sepbook.shapes.dims import bare, describe, parse_item


def expect_tensor(given) -> Tensor:
    """Return `given` as a tensor of real or complex numbers; else raise CheckFailure.

    A NumPy array of numbers is as good as a tensor. Where a gradient is wanted, `expect_gradient` misses it.
    Taught on: book/how_to_read
    """
    if is_empty(given):
        raise NotYet("There is no answer in it.")
    if isinstance(given, np.ndarray | np.generic) and given.dtype.kind in "biufc":
        given = torch.from_numpy(np.array(given))  # a copy, in order, that may be written to
    if not isinstance(given, Tensor):
        kind = f"{type(given).__module__}.{type(given).__name__}".removeprefix("builtins.")
        raise CheckFailure(
            f"The result is of type {kind}, but should be a torch tensor.",
            "Look for .tolist(), .item(), and numbers that a loop has collected in a list.",
            "Stack them to one tensor, for example with torch.stack or torch.tensor.",
            kind="type",
        )
    return given


def expect_shape(given, shape, dims: str, where: str = "", how: str = "") -> Tensor:
    """Return `given` if it is a tensor of this shape; `dims` names the axes, as in "B H F T".

    Raises CheckFailure that says both shapes and which axis differs. Taught on: book/how_to_read
    """
    given = expect_tensor(given)
    item, shape = parse_item(dims), tuple(shape)
    if given.dim() != len(shape):
        what = (
            f"The result has {given.dim()} axes, {bare(given.shape)}, but should have {len(shape)}: {item.show(shape)}."
        )
        raise CheckFailure(what, where, how, kind="shape")
    wrong = [
        f"{describe(axis.text)} is {g} instead of {e}"
        for axis, g, e in zip(item.axes, given.shape, shape, strict=True)
        if g != e
    ]
    if wrong:
        what = f"The result has shape {item.show(given.shape)}, but should have {item.show(shape)}: {'; '.join(wrong)}."
        raise CheckFailure(what, where, how, kind="shape")
    return given


def expect_values(
    given,
    expected: Tensor,
    dims: str,
    known: Mapping[str, Tensor] | None = None,
    where: str = "",
    how: str = "",
    tolerance: float = 1e-5,
) -> None:
    """Check that `given` equals `expected` up to `tolerance` times the largest expected value.

    `known` maps usual mistakes to their results: when one of them is recognised, its name is the hint where to look.
    Raises CheckFailure that says how many values differ, where the first one is, and how the two are related (swapped
    axes, shifted, flipped, scaled). Taught on: book/how_to_read
    """
    _refuse_known_shapes(expect_tensor(given).detach(), expected, known or {}, dims, how)
    given = expect_shape(given, expected.shape, dims, where, how).detach()
    if not given.isfinite().all():
        place = parse_item(dims).show((~given.isfinite()).nonzero()[0])
        raise CheckFailure(f"The result holds NaN or infinity, first at {place}.", where, how, kind="finite")
    if given.is_complex() and not expected.is_complex():
        raise CheckFailure("The result is complex, but should be real.", where, how, kind="type")
    given, expected = _exact(given), _exact(expected)
    limit = tolerance * max(float(expected.abs().max()), tolerance)
    wrong = (given - expected).abs() > limit
    if not wrong.any():
        return
    for mistake, result in (known or {}).items():
        if result.shape == given.shape and ((given - _exact(result)).abs() <= limit).all():
            what = f"The shape is right, the values are not: {_located(given, expected, wrong, dims)}"
            recognised = f"This is exactly what comes out of a common mistake: {mistake}."
            raise CheckFailure(what, recognised, how, kind=mistake, known=True)
    relation = next(_relations(given, expected, dims, limit), "")
    what = f"The shape is right, the values are not: {_located(given, expected, wrong, dims)}"
    raise CheckFailure(what, " ".join(filter(None, [relation, where])), how, kind="values")


def _refuse_known_shapes(given: Tensor, expected: Tensor, known: Mapping[str, Tensor], dims: str, how: str) -> None:
    """Raise CheckFailure when a usual mistake is recognised whose result has another shape than the right one."""
    item = parse_item(dims)
    for mistake, result in known.items():
        if result.shape != expected.shape and result.numel() and is_close(given, result, 1e-4):
            has = item.show(given.shape) if given.dim() == expected.dim() else bare(given.shape)
            what = f"The result has shape {has}, but should have {item.show(expected.shape)}."
            recognised = f"This is exactly what comes out of a common mistake: {mistake}."
            raise CheckFailure(what, recognised, how, kind=mistake, known=True)


def is_close(given, wanted: Tensor, tolerance: float = 1e-5) -> bool:
    """Say whether a tensor has the wanted shape and, up to `tolerance`, the wanted values, in whatever precision.

    Taught on: book/how_to_read
    """
    if isinstance(given, np.ndarray | np.generic) and given.dtype.kind in "biufc":
        given = torch.from_numpy(np.array(given))
    if not isinstance(given, Tensor) or given.shape != wanted.shape:
        return False
    return torch.allclose(_exact(given), _exact(wanted), rtol=tolerance, atol=tolerance)


def expect_gradient(result: Tensor, *inputs: Tensor) -> None:
    """Raise CheckFailure unless the gradient flows from `result` back to every input (which must require it).

    Taught on: book/how_to_read
    """
    how = "Stay with torch functions on the tensor itself, from the first line to the return."
    where = "Look for .detach(), .data, .numpy(), .item(), torch.tensor(...), names in np. and torch.no_grad()."
    if not result.requires_grad:
        raise CheckFailure("The values are right, but the gradient is cut off.", where, how, kind="gradient")
    try:
        slopes = torch.autograd.grad(result.abs().sum(), inputs, allow_unused=True)
    except RuntimeError as error:
        raise CheckFailure(
            f"The values are right, but the gradient cannot be taken: {short(error)}.",
            "Look for x[...] = ..., +=, and methods that end in an underscore: they overwrite what the gradient needs.",
            "Make a new tensor instead, for example with torch.where, torch.stack or torch.cat.",
            kind="gradient",
        ) from None
    for number, slope in enumerate(slopes, 1):
        if slope is None or not slope.abs().sum() > 0 or not slope.isfinite().all():
            raise CheckFailure(f"No gradient arrives at input number {number}.", where, how, kind="gradient")


def expect_finite_slope(result: Tensor, x: Tensor, where: str, how: str, fault="holds NaN or infinity") -> None:
    """Raise CheckFailure when the slope of a right `result` with respect to `x` is NaN or infinite somewhere.

    A result without a slope passes: `expect_gradient` speaks of that. Taught on: book/how_to_read
    """
    if not result.requires_grad:
        return
    (slope,) = torch.autograd.grad(result.sum(), x, allow_unused=True, retain_graph=True)
    if slope is not None and not slope.isfinite().all():
        raise CheckFailure(f"The values are right, but the gradient {fault}.", where, how, kind="gradient of silence")


def expect_parts(given, count: int, what: str, where: str = "", how: str = "") -> tuple:
    """Return the parts of an answer that has to return `count` things; else raise CheckFailure, which says `what`.

    Taught on: book/how_to_read
    """
    if not isinstance(given, tuple | list) or len(given) != count:
        raise CheckFailure(what, where, how, kind="parts")
    for number, part in enumerate(given, 1):
        if is_empty(part):
            raise CheckFailure(f"{what} But thing number {number} is {part!r:.20}.", where, how, kind="parts")
    return tuple(given)


def expect_pair(given, what: str, how: str = "") -> Tensor:
    """Return two numbers as a tensor (2,) of float64; else raise CheckFailure, which says `what`.

    A tuple, list, array or tensor will do. Taught on: book/how_to_read
    """
    parts = tuple(given) if isinstance(given, Tensor | np.ndarray) and given.ndim == 1 else given
    parts = expect_parts(parts, 2, what, "Look at the last line of the function.", how)
    try:
        return torch.stack([torch.as_tensor(x, dtype=torch.float64).reshape(()) for x in parts])
    except (TypeError, ValueError, RuntimeError):
        raise CheckFailure(f"{what} Both should be numbers, but the answer is {parts!r:.80}.", kind="type") from None


def _exact(x: Tensor) -> Tensor:
    """Return the values in double precision, whatever type they have (bool and int too)."""
    return x.detach().to("cpu", torch.complex128 if x.is_complex() else torch.float64)


def _located(given: Tensor, expected: Tensor, wrong: Tensor, dims: str) -> str:
    """Say how many values differ, where the first one is, and along which axis only some places are concerned."""
    item, first = parse_item(dims), tuple(wrong.nonzero()[0].tolist())
    count, total = int(wrong.sum()), wrong.numel()
    many = "all of them" if count == total else f"{count:,} of {total:,}"
    values = f"{_number(given[first])} instead of {_number(expected[first])}"
    text = f"{many} differ, the first at {item.show(first)}: {values}."
    for i, axis in enumerate(item.axes):
        places = wrong.movedim(i, 0).reshape(wrong.shape[i], -1).any(1).nonzero().flatten().tolist()
        if 1 < wrong.shape[i] > 2 * len(places):
            shown = ", ".join(map(str, places[:4])) + (", …" if len(places) > 4 else "")
            text += f" Along {describe(axis.text)}, only {shown} of 0 to {wrong.shape[i] - 1} differ."
    return text


def _relations(given: Tensor, expected: Tensor, dims: str, limit: float) -> Iterator[str]:
    """Yield what turns the expected values into the given ones, the simplest first."""

    def same(a: Tensor, b: Tensor) -> bool:
        return a.shape == b.shape and bool(((a - b).abs() <= limit).all())

    names, size = [describe(axis.text) for axis in parse_item(dims).axes], given.dim()
    if same(given, -expected):
        yield "The sign is the other way round."
    if not given.any():
        yield "Every value is zero."
    if given.is_complex() and same(given.conj(), expected):
        yield "It is the complex conjugate: the imaginary parts have the other sign."
    if not given.is_complex():
        yield from (f"It is {words} of what it should be." for words, made in _powers(expected) if same(given, made))
    scale = float((given * expected.conj()).sum().real / expected.abs().square().sum().clamp_min(1e-30))
    if (expected != expected.flatten()[0]).any():  # of one number, every wrong value is some multiple
        if abs(scale) > 1e-6 and same(given / scale, expected):
            yield f"Every value is {scale:.4g} times what it should be."
        if same(given - (given - expected).mean(), expected):
            yield f"Every value is off by {_number((given - expected).mean())}."
    for i in range(size):
        for j in range(i + 1, size):
            if same(given.transpose(i, j), expected):
                yield f"The axes {names[i]} and {names[j]} are swapped."
        n = given.shape[i]
        if n > 1 and same(given.flip(i), expected):
            yield f"The order along {names[i]} is reversed."
        if n > 1 and n % 2 == 0 and same(given.roll(n // 2, i), expected):
            yield f"The first and the second half of {names[i]} are swapped."
        for shift in range(1, min(4, n // 2)):
            late, early = (slice(shift, None), slice(None, n - shift))
            moved = {"later": (late, early), "earlier": (early, late)}
            for word, (a, b) in moved.items():
                if same(given.movedim(i, 0)[a], expected.movedim(i, 0)[b]):
                    yield f"Along {names[i]} every value stands {shift} place{'s' * (shift > 1)} too much {word}."


def _powers(expected: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Yield what is often taken for the value itself."""
    if expected.is_complex():
        expected = expected.abs()
    yield "the size, without its sign," if (expected < 0).any() else "the size", expected.abs()
    yield "the square", expected.square()
    if (expected >= 0).all():
        yield "the square root", expected.sqrt()
    if (expected != 0).all():
        yield "the inverse (one divided by it)", 1 / expected


def _number(x: Tensor) -> str:
    value = x.item()
    return f"{value:.4g}" if isinstance(value, float | complex) else f"{value}"


def told_apart(known: dict[str, Tensor], right: Tensor) -> dict[str, Tensor]:
    """Keep those known mistakes that differ from the right answer in this case, by shape or by values.

    Taught on: book/how_to_read
    """
    return {
        name: wrong for name, wrong in known.items() if wrong.shape != right.shape or not torch.allclose(wrong, right)
    }
