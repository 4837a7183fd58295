"""Letters for PyTorch's own layers, which declare no `dims`: taken from the modules around them.

Taught on: book/how_to_read
"""

from dataclasses import replace

import torch
from torch import nn

from sepbook.shapes.names import Identity, Names

FEATURES = {  # which axis of their output PyTorch's layers make: features
    **dict.fromkeys((nn.Conv1d, nn.ConvTranspose1d), -2),
    **dict.fromkeys((nn.Conv2d, nn.ConvTranspose2d), -3),
    **dict.fromkeys((nn.Conv3d, nn.ConvTranspose3d), -4),
    **dict.fromkeys((nn.Linear, nn.RNNBase, nn.MultiheadAttention), -1),
}


class Letters:
    """Notes at every call which axes it was given and returned, and writes their letters at the end.

    Only then is all known: the letters of a `Linear` may be declared by the module whose output it becomes.
    Taught on: book/how_to_read
    """

    def __init__(self, names: Names):
        self.names = names
        self.axes = {}  # number of a call of PyTorch's own: identities of its inputs, and of its outputs
        self.sizes = {}  # number of a call with dims: the sizes of its letters

    def given(self, index: int, module, pairs) -> None:
        """Note the inputs of a call."""
        for item, _, tensor in pairs:
            if item is not None:
                self.names.declare(tensor, item, index)
        if type(module).__module__.startswith("torch.nn") and getattr(module, "dims", None) is None:
            self.axes[index] = [[*self.names.of(tensor)] for _, _, tensor in pairs], []

    def returned(self, index: int, module, data, pairs, sizes: dict[str, int]) -> None:
        """Note the outputs of a call."""
        output = pairs[0][2]
        if isinstance(module, nn.RNNBase | nn.MultiheadAttention) and isinstance(data, torch.Tensor):
            self.names.known[output] = [*self.names.of(data)[:-1], Identity(output.shape[-1])]
        place = next((axis for kind, axis in FEATURES.items() if isinstance(module, kind)), None)
        if place is not None and output.dim() >= -place:
            self.names.of(output)[place].root().feature = True
        for item, _, tensor in pairs:
            if item is not None:
                self.names.declare(tensor, item, index)
        if getattr(module, "dims", None) is not None:
            self.sizes[index] = dict(sizes)
        if index in self.axes:
            self.axes[index][1].extend([*self.names.of(tensor)] for _, _, tensor in pairs)

    def write(self, rows) -> None:
        """Give the shapes of PyTorch's own layers their letters, where they are known."""
        for index, sides in self.axes.items():
            row, around = rows[index], []
            above = row.parent
            while above is not None:
                around.append(above)
                above = rows[above].parent
            bound = dict(next((self.sizes[call] for call in around if call in self.sizes), {}))
            for shapes, axes in zip((row.inputs, row.outputs), sides, strict=True):
                for i, (shape, identities) in enumerate(zip(shapes, axes, strict=False)):
                    item = self.names.item(identities, shape.sizes, around, bound)
                    shapes[i] = replace(shape, item=item)
