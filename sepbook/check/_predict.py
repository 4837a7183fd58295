"""Check predictions: sizes, numbers and choices. The hints say what is wrong with the guess, and not the answer.

Taught on: book/how_to_read
"""

import math
from collections.abc import Mapping, Sequence

from sepbook.check._exercise import CheckFailure, NotYet, is_empty
from sepbook.shapes.dims import describe, parse_item


def expect_sizes(given, expected: Sequence[int], dims: str, known: Mapping | None = None, where="", how="") -> None:
    """Check a predicted shape, axis by axis; `known` maps wrong shapes (tuples) to what leads to them.

    Raises NotYet for a stub, CheckFailure for another number of axes or wrong sizes. Taught on: book/how_to_read
    """
    if is_empty(given):
        raise NotYet("Write your numbers in place of the dots.")
    try:
        sizes = tuple(whole(size) for size in given)
    except (TypeError, ValueError):
        what = f"A shape is a row of whole numbers, but the answer is {given!r:.80}."
        names = ", ".join(axis.text for axis in parse_item(dims).axes)
        raise CheckFailure(what, f"Its axes are {names}.", f"Write it as ({names}).", kind="type") from None
    axes = parse_item(dims).axes
    if len(sizes) != len(axes):
        names = ", ".join(describe(axis.text) for axis in axes)
        raise CheckFailure(f"There are {len(sizes)} sizes, but {len(axes)} axes: {names}.", where, how, kind="axes")
    wrong = [
        f"{describe(axis.text)} is not {g} but {'smaller' if g > e else 'larger'}"
        for axis, g, e in zip(axes, sizes, expected, strict=True)
        if g != e
    ]
    if wrong:
        right = [axis.text for axis, g, e in zip(axes, sizes, expected, strict=True) if g == e]
        what = f"{'; '.join(wrong)}." + (f" Right so far: {', '.join(right)}." if right else "")
        named = (known or {}).get(sizes, "")
        raise CheckFailure(what, named or where, how, kind="sizes", known=bool(named))


def expect_number(given, expected: float, known: Mapping | None = None, where="", how="", tolerance=0.0) -> None:
    """Check a predicted number within `tolerance` (relative); `known` maps wrong numbers to what leads to them.

    Raises NotYet for a stub, CheckFailure for anything else. Taught on: book/how_to_read
    """
    if is_empty(given):
        raise NotYet("Write your number in place of the dots.")
    try:
        value = math.nan if isinstance(given, bool | str) else float(given)
    except (TypeError, ValueError):
        value = math.nan
    if math.isnan(value):
        how = "Take the quotation marks away." if isinstance(given, str) else ""
        raise CheckFailure(f"The answer should be one number, but is {given!r:.80}.", "", how, kind="type")
    if abs(value - expected) <= tolerance * abs(expected):
        return
    for wrong, reason in (known or {}).items():
        if abs(value - wrong) <= max(tolerance, 1e-6) * abs(wrong):
            raise CheckFailure(f"{given} is not the answer.", reason, how, kind=f"number {wrong}", known=True)
    raise CheckFailure(f"{given} is too {'large' if value > expected else 'small'}.", where, how, kind="number")


def expect_choice(given, expected, choices: Mapping[str, str], how="") -> None:
    """Check one of several answers by letter or word; `choices` maps each wrong one to why it is wrong.

    Raises NotYet for a stub, CheckFailure for anything else. Taught on: book/how_to_read
    """
    if is_empty(given):
        raise NotYet("Write your choice in place of the dots.")
    answer = str(given).strip().lower()
    if answer == str(expected).lower():
        return
    wrong = {str(key).lower(): reason for key, reason in choices.items()}
    if answer not in wrong:
        listed = ", ".join(sorted([*wrong, str(expected).lower()]))
        raise CheckFailure(f"{given!r:.80} is none of the choices: {listed}.", kind="type")
    raise CheckFailure(f"{given!r} is not right.", wrong[answer], how, kind=answer, known=True)


def whole(size) -> int:
    """Return a size as int. Raises TypeError for anything but a whole number (NumPy's and torch's included)."""
    number = float(size)
    if isinstance(size, bool | str) or not number.is_integer():
        raise TypeError(size)
    return int(number)
