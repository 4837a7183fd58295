"""Are the fields of a configuration what the dataclass says they are? And is the system one that can be built?

A configuration may come from a command line or from the header of a file, so it is looked at before anything is built
with it: each value against the type of its field, each number against the numbers of the presets.
"""

import reprlib
import types
import typing
from collections.abc import Mapping
from contextlib import contextmanager
from threading import get_ident

LARGEST = 1_000_000_000  # no number of a configuration is above this, or below its negative
LONGEST = 1000  # entries of a list, and characters of a word
MOST_LAYERS = 3_000  # and as many parameters: tensors, not numbers
MOST_WEIGHTS = 1 << 31  # numbers in all parameters: 8 GiB

WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a word"}
short = reprlib.Repr()
short.maxstring = short.maxother = 60


class FieldError(ValueError):
    """A field of a configuration that holds what it cannot hold. `field` is its name, `example` a value that fits."""

    def __init__(self, field: str, given, expected: str, example):
        self.field, self.expected, self.example = field, expected, example
        super().__init__(f"field {field} is {short.repr(given)}, but must be {expected}, like {example!r}")


def check_fields(config, given: Mapping, presets: Mapping) -> None:
    """Raise FieldError for the first value that has another type than its field, or a number out of its range.

    `config` is what the values are to be put into. No number is below 0, no whole number is 0 and no list is empty,
    unless a preset says otherwise.
    """
    kinds = typing.get_type_hints(type(config))
    for field, value in given.items():
        usual = [getattr(preset, field) for preset in presets.values()]
        if wrong := _what_is_wrong(value, kinds[field], usual):
            raise FieldError(field, value, wrong, getattr(config, field))


def _what_is_wrong(value, kind, usual: list) -> str:
    """Say what a value must be and is not, or nothing."""
    if not fits(value, kind):
        return in_words(kind)
    if value == () and () not in usual:
        return "a list with at least one entry"
    if isinstance(value, tuple | str) and len(value) > LONGEST:
        return f"no longer than {LONGEST}"
    smallest = min(numbers(usual), default=0)
    for number in numbers(value):
        if not -LARGEST <= number <= LARGEST:
            return f"no larger than {LARGEST:,}"
        least = 1 if type(number) is int and smallest > 0 else 0
        if number < least and smallest >= 0:
            return f"{least} or more"
    return ""


def fits(value, kind) -> bool:
    """Tell whether a value has a type, as in `fits((16, 32), tuple[int, ...])`. A whole number is a number too."""
    outer, inner = typing.get_origin(kind), typing.get_args(kind)
    if outer in (typing.Union, types.UnionType):
        return any(fits(value, choice) for choice in inner)
    if outer is tuple:
        inner = inner[:1] * len(value) if isinstance(value, tuple) and inner[1:] == (...,) else inner
        return isinstance(value, tuple) and len(value) == len(inner) and all(map(fits, value, inner))
    if outer is typing.Literal:
        return value in inner
    if kind is float:
        return type(value) in (int, float) and -float("inf") < value < float("inf")  # NaN is not
    return type(value) is kind if kind in (int, bool, str, types.NoneType) else isinstance(value, outer or kind)


def in_words(kind) -> str:
    """Say a type in words, as in "a list of which each is a whole number"."""
    outer, inner = typing.get_origin(kind), typing.get_args(kind)
    if outer in (typing.Union, types.UnionType):
        return " or ".join("none" if choice is types.NoneType else in_words(choice) for choice in inner)
    if outer is typing.Literal:
        return "one of " + ", ".join(map(repr, inner))
    if outer is tuple and inner[1:] == (...,):
        return f"a list, each entry {in_words(inner[0])}"
    if outer is tuple:
        return f"a list of {len(inner)}: {', '.join(map(in_words, inner))}"
    return WORDS.get(kind, getattr(kind, "__name__", str(kind)))


def numbers(value):
    """Yield the numbers in a value, also in lists of lists."""
    if isinstance(value, tuple | list):
        for entry in value:
            yield from numbers(entry)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield value


@contextmanager
def bounded():
    """Refuse, in a `with` block, to build more layers or weights than any system of this book could need.

    Raises ValueError while the network is built, so that a size of millions costs neither minutes nor memory.
    """
    from torch.nn.modules import module as hooks

    layers, weights, tensors, thread = [0], [0], [0], get_ident()

    def count_layer(*_):
        layers[0] += get_ident() == thread
        _refuse(layers[0], MOST_LAYERS, "layers")

    def count_weights(_, name, parameter):
        if parameter is not None and get_ident() == thread:
            tensors[0], weights[0] = tensors[0] + 1, weights[0] + parameter.numel()
        _refuse(tensors[0], MOST_LAYERS, "parameters")
        _refuse(weights[0], MOST_WEIGHTS, "weights")

    handles = [
        hooks.register_module_module_registration_hook(count_layer),
        hooks.register_module_parameter_registration_hook(count_weights),
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _refuse(count: int, most: int, what: str) -> None:
    if count > most:
        raise ValueError(f"this would need more than {most:,} {what}; look for a number that is too large")


def first_line(error: Exception) -> str:
    """Return what an error says first, or its kind where it says nothing."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
