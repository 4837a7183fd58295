"""The tensors of one call of a module: their names, and whether they fit the module's `dims`.

Taught on: book/how_to_read
"""

import functools
import inspect

import torch

from sepbook.shapes.binding import Binding
from sepbook.shapes.dims import Item, ShapeError, parse

PACKED = torch.nn.utils.rnn.PackedSequence
Paired = list[tuple[Item | None, str, torch.Tensor]]


def tensors_in(value, name: str) -> dict[str, torch.Tensor]:
    """Name the tensors in an argument or a result; lists, tuples and dicts are opened one level deep.

    Taught on: book/how_to_read
    """
    if isinstance(value, PACKED):
        value = value.data
    if isinstance(value, torch.Tensor):
        return {name: value}
    if isinstance(value, dict):
        return {str(key): one for key, one in value.items() if isinstance(one, torch.Tensor)}
    if isinstance(value, list | tuple):
        found = [one.data if isinstance(one, PACKED) else one for one in value]
        return {f"{name}[{i}]": one for i, one in enumerate(found) if isinstance(one, torch.Tensor)}
    return {}


def all_tensors(value) -> list[torch.Tensor]:
    """List the tensors in a result, however deep they lie. Taught on: book/how_to_read."""
    value = value.data if isinstance(value, PACKED) else value
    if isinstance(value, torch.Tensor):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return [tensor for one in inner for tensor in all_tensors(one)]


def tensors_given(module, args, kwargs) -> dict[str, torch.Tensor]:
    """Name the tensors of a call by the parameters of `module.forward`. Taught on: book/how_to_read."""
    try:
        arguments = inspect.signature(module.forward).bind(*args, **kwargs).arguments
    except (TypeError, ValueError):  # a call that forward itself will refuse, or a forward without a signature
        arguments = {f"input {i}": value for i, value in enumerate(args)} | kwargs
    found = {}
    for name, value in arguments.items():
        found |= tensors_in(value, name)
    return found


def tensors_returned(result, items: tuple[Item, ...]) -> dict[str, torch.Tensor]:
    """Name the tensors of a result: by the keys of a dict, else in order by the names in `dims`.

    Taught on: book/how_to_read
    """
    found = tensors_in(result, "output")
    if isinstance(result, dict):
        return found
    names = [item.name for item in items]
    renamed = {(names[i] if i < len(names) else None) or name: one for i, (name, one) in enumerate(found.items())}
    return renamed if len(renamed) == len(found) else found


def pair(items: tuple[Item, ...], tensors: dict, where: str) -> Paired:
    """Give each tensor its item: by name where the item has one, else in order.

    Raises ShapeError for an item whose name no tensor has, while some tensor is left over (a slip of the pen).
    Taught on: book/how_to_read
    """
    by_name = {item.name: item for item in items if item.name in tensors}
    in_order = iter([item for item in items if item.name is None])
    pairs = [(by_name.get(name) or next(in_order, None), name, tensor) for name, tensor in tensors.items()]
    lost = [item.name for item in items if item.name and item.name not in tensors]
    left = [name for item, name, _ in pairs if item is None]
    if lost and left:
        raise ShapeError(f"{where}: dims names {', '.join(lost)}, but the tensors are called {', '.join(tensors)}.")
    return pairs


def match_inputs(binding: Binding, items: tuple[Item, ...], module, args, kwargs) -> Paired:
    """Bind the inputs of a call and return them with their items. Raises ShapeError. Taught on: book/how_to_read."""
    pairs = pair(items, tensors_given(module, args, kwargs), binding.where)
    for item, name, tensor in pairs:
        if item is not None:
            binding.match(item, tensor.shape, f"input {name}")
    return pairs


def match_outputs(binding: Binding, items: tuple[Item, ...], result) -> Paired:
    """Bind the outputs of a call and return them with their items. Raises ShapeError. Taught on: book/how_to_read."""
    tensors = tensors_returned(result, items)
    if len(tensors) < len(items):
        raise ShapeError(f"{binding.where}: dims declares {len(items)} outputs, but forward returned {len(tensors)}.")
    pairs = pair(items, tensors, binding.where)
    for item, name, tensor in pairs:
        if item is not None:
            binding.match(item, tensor.shape, "the output" if name == "output" else f"output {name}")
    return pairs


def check_dims(module, *inputs, **named) -> dict[str, int]:
    """Check inputs against `module.dims` without running the module, and return the size of each letter.

    Raises ShapeError if the module declares no `dims`, or an input has other axes or sizes. Taught on: book/how_to_read
    """
    kind = type(module).__name__
    if getattr(module, "dims", None) is None:
        raise ShapeError(f'{kind} declares no dims. Add a class attribute, for example dims = "B C N -> B S C N".')
    binding = Binding(kind)
    match_inputs(binding, parse(module.dims).inputs, module, inputs, named)
    return binding.sizes


def checked(forward):
    """Decorate a `forward`: check inputs and outputs against `dims` at every call. Raises ShapeError.

    Taught on: book/how_to_read
    """

    @functools.wraps(forward)
    def checking(self, *args, **kwargs):
        if torch.compiler.is_compiling():
            return forward(self, *args, **kwargs)
        binding, dims = Binding(type(self).__name__), parse(self.dims)
        match_inputs(binding, dims.inputs, self, args, kwargs)
        result = forward(self, *args, **kwargs)
        match_outputs(binding, dims.outputs, result)
        return result

    return checking
