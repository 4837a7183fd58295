"""Run a student's function: on copies, with its mistakes told in its own words and at its own line.

Taught on: book/how_to_read
"""

import dis
import inspect
import linecache
import sysconfig
import traceback
from pathlib import Path

import torch
from torch import Tensor, nn

from sepbook.check._exercise import CheckFailure, NotYet, is_empty, short

OURS = (str(Path(__file__).parents[1]), *{sysconfig.get_path(key) for key in ("purelib", "platlib", "stdlib")})
TRIVIAL = {"RESUME", "NOP", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST"}


def call(function, *inputs):
    """Call an answer on copies of `inputs` and return what it returns.

    Raises NotYet for a stub, and CheckFailure for anything but a function with these arguments, for an error inside it
    (with its line and the shapes there), for a forgotten `return`, and for inputs that it changed.
    Taught on: book/how_to_read
    """
    name = _check_callable(function, inputs)
    copies = [_copy(value) for value in inputs]
    try:
        with torch.random.fork_rng(devices=[]):  # the notebook's own random numbers go on as if nothing had been
            result = function(*copies)
    except NotImplementedError:
        raise NotYet(f"{name} still raises NotImplementedError.") from None
    except (Exception, SystemExit) as error:
        raise _explain(error, name) from None
    if is_empty(result) and not isinstance(result, tuple | list):
        _check_return(function, name)
    changed = [i for i, (old, new) in enumerate(zip(inputs, copies, strict=True), 1) if not _same(old, new)]
    if changed:
        raise CheckFailure(
            f"{name} changed its input number {changed[0]} while it worked.",
            "Look for x[...] = ..., +=, .pop() and methods that end in an underscore, such as relu_().",
            "Work on a new tensor: x = x + 1 instead of x += 1, or start with x = x.clone().",
            kind="in place",
        )
    return result


def _check_callable(function, inputs: tuple) -> str:
    if is_empty(function):
        raise NotYet("There is no answer in it.")
    if not callable(function):
        raise CheckFailure(
            f"The check wants the function itself, but was given a value of type {type(function).__name__}.",
            "Look at the line that calls the check: is the function called there?",
            "Give its name without brackets: my_function, and not my_function(…).",
            kind="callable",
        )
    name = getattr(function, "__name__", type(function).__name__)
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # built-in functions do not tell
        return name
    try:
        signature.bind(*inputs)
    except TypeError as error:
        raise CheckFailure(
            f"{name}{signature} cannot be called with {len(inputs)} arguments: {error}.",
            "Look at the line that begins with def.",
            "Copy that line from the stub again, and change only what stands below it.",
            kind="signature",
        ) from None
    return name


def is_stub(function) -> bool:
    """Say whether a function has nothing in it yet but its docstring or dots. Taught on: book/how_to_read."""
    function = inspect.unwrap(function)
    code = getattr(
        getattr(type(function), "forward", None) if isinstance(function, nn.Module) else function, "__code__", None
    )
    return code is not None and all(step.opname in TRIVIAL for step in dis.get_instructions(code))


def _check_return(function, name: str) -> None:
    """Tell a stub, which returns nothing because it does nothing, from a forgotten return."""
    if is_stub(function):
        raise NotYet(f"{name} is still empty.")
    raise CheckFailure(
        f"{name} ran to its end, but returned nothing (None).",
        "Look at its last line.",
        "End it with return and the result, indented like the lines above it.",
        kind="return",
    )


def _explain(error: BaseException, name: str) -> CheckFailure:
    """Show an error with the last line of the student's own code that it came through, and the shapes there."""
    frames = [pair for pair in traceback.walk_tb(error.__traceback__) if _is_theirs(pair[0].f_code.co_filename)]
    if not frames:
        return CheckFailure(f"{name} stops with {short(error)}.", kind="error")
    frame, number = frames[-1]
    line = linecache.getline(frame.f_code.co_filename, number).strip()
    place = f"line {number}, `{line}`" if line else f"line {number}"
    shapes = [f"{key} {tuple(v.shape)}" for key, v in frame.f_locals.items() if isinstance(v, Tensor)]
    where = f"When it stopped there was: {', '.join(shapes[:6])}." if shapes else ""
    return CheckFailure(f"{name} stops in {place} with {short(error)}.", where, kind="error")


def _is_theirs(file: str) -> bool:
    return not file.startswith(OURS) and not file.startswith("<frozen")


def _copy(value):
    if isinstance(value, Tensor):
        return value.clone()  # the gradient still flows to the original
    return [_copy(part) for part in value] if isinstance(value, list) else value


def _same(old, new) -> bool:
    if isinstance(old, Tensor):
        same = old.shape == new.shape and old.dtype == new.dtype
        return same and bool(((old == new) | ((old != old) & (new != new))).all())  # nan is not equal to itself
    if isinstance(old, list):
        return len(old) == len(new) and all(map(_same, old, new))
    return True
