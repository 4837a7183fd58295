"""What happens between the modules: every tensor operation of a forward pass is seen, counted and followed.

Four things are read off each operation: what it costs (`costs`), how far its result sees (`field`, `moves`, `joins`),
which axes its result has (`names`), and where its result comes from (`origins`).

Time is one axis of the input. It is followed through convolutions, pooling, resampling, framing, views,
transpositions and whatever leaves it alone. An operation without a rule, or one that mixes all of time, such as a
recurrent layer, ends the field: the ledger then prints nothing rather than a guess. Statistics of the whole input (a
peak, a global norm) reach everywhere; by convention they are not counted. Nor is the edge where a roll comes round.

Taught on: book/how_to_read
"""

from collections import Counter

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakTensorKeyDictionary

from sepbook.shapes import costs, joins
from sepbook.shapes.field import Field
from sepbook.shapes.moves import RULES
from sepbook.shapes.names import Names
from sepbook.shapes.origins import Origins, place_of

aten = torch.ops.aten


class Flow(TorchDispatchMode):
    """Watch all operations while it is active: `macs` grows, `fields` holds what each tensor sees of the input.

    A tensor that does not depend on the input is not in `fields`; one whose field is unknown is there with None.
    `uncounted` names the operations whose MACs nobody has counted, `used` the parameters that took part.
    Taught on: book/how_to_read
    """

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Do not load PyTorch's compiler (seconds) to keep it away from a pass that is never compiled."""
        return False

    def __init__(self, source: torch.Tensor, axis: int = -1):
        super().__init__()
        self.macs = 0
        self.uncounted = Counter()
        self.used = {}  # id of a parameter: the parameter
        self.fields = WeakTensorKeyDictionary()
        if source.dim():
            self.fields[source] = Field.of_input(source.dim(), axis)
        self.written = set()  # memory that was filled piece by piece with what depends on the input
        self.names, self.origins = Names(), Origins()
        self.origins.known[source] = "input"

    def begin(self, pairs) -> None:
        """Look at the model's inputs: `dims` tell which axis of the mixture is time; others are inputs too."""
        for item, name, tensor in pairs:
            if tensor in self.fields:
                letters = [axis.text for axis in item.axes] if item else []
                time = next((letter for letter in ("N", "T") if letter in letters), None)
                if time:
                    self.fields[tensor] = Field.of_input(tensor.dim(), letters.index(time) - len(letters))
            else:
                self.fields[tensor] = None
                self.origins.known[tensor] = name

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        packet = func.overloadpacket
        if packet is aten.equal and args[0].is_meta:
            return False  # nothing has a value on the meta device; istft asks whether any overlap of windows is 0
        out = func(*args, **(kwargs or {}))
        tensors = flat(args)
        self._count(func, args, out, tensors)
        operands = [tensor for tensor in tensors if self.depends(tensor)] if not costs.is_made(func) else []
        if operands:
            self._note_writing(func, args)
            self._follow(func, args, operands, out)
            self.names.follow(func, args, operands, out)
            self.origins.follow(func, args, operands, out)
        return out

    def made(self, results, data) -> None:
        """Let results depend on data, where no operation has shown it: as on the meta device."""
        origin = self.origins.of(data) if isinstance(data, torch.Tensor) else None
        for tensor in results if origin is not None else ():
            if self.origins.of(tensor) is None:
                self.fields[tensor], self.origins.known[tensor] = None, origin

    def depends(self, tensor) -> bool:
        """Whether a tensor depends on the input."""
        return tensor in self.fields or place_of(tensor) in self.written

    def _count(self, func, args, out, tensors) -> None:
        first = out[0] if isinstance(out, list | tuple) and out else out
        macs = costs.macs(func, args, first)
        self.macs += macs or 0
        if macs is None or costs.is_named(func):
            self.uncounted[costs.label(func)] += 1
        for tensor in tensors:
            if isinstance(tensor, torch.nn.Parameter):
                self.used[id(tensor)] = tensor

    def _note_writing(self, func, args) -> None:
        target = args[0]
        if func._schema.is_mutable and isinstance(target, torch.Tensor) and target not in self.fields:
            self.written.add(place_of(target))

    def _follow(self, func, args, operands, out) -> None:
        results = out if isinstance(out, list | tuple) else [out]
        first = next((result for result in results if isinstance(result, torch.Tensor)), None)
        if first is None:
            return
        found = self._field(func, args, operands, out if func.overloadpacket in PIECES else first)
        several = found if isinstance(found, list) else [found] * len(results)
        for result, field in zip(results, several, strict=True):
            if isinstance(result, torch.Tensor):
                self.fields[result] = field

    def _field(self, func, args, operands, out):
        packet, x = func.overloadpacket, operands[0]
        if packet in RULES:
            field = self.fields.get(x) if x is args[0] and len(operands) == 1 else None
            return RULES[packet](field, x, args, out) if field else [None] * len(out) if isinstance(out, list) else None
        if packet in (aten.cat, aten.stack):
            return self._side_by_side(packet, args, out)
        if packet in costs.PRODUCTS:
            return joins.product(func, args, self._given)
        if packet in costs.ATTENTION:
            return joins.attend(args, self._given)
        if costs.is_pointwise(func) or packet in POINTWISE:
            return joins.pointwise([(tensor, self.fields.get(tensor)) for tensor in operands], out)
        return None

    def _given(self, tensor):
        """Return the field of a tensor, False if it is unknown, None if it does not depend on the input."""
        return (self.fields.get(tensor) or False) if self.depends(tensor) else None

    def _side_by_side(self, packet, args, out):
        axis = (args[1] if len(args) > 1 else 0) % out.dim()
        fields, sizes = [self._given(tensor) for tensor in args[0]], [1] * len(args[0])
        if packet is aten.stack:
            fields = [field.inserted(axis) if field else field for field in fields]
        else:
            sizes = [tensor.shape[axis] for tensor in args[0]]
        return joins.cat(sizes, fields, axis)


POINTWISE = (aten._prelu_kernel, aten.polar, aten.complex)
PIECES = (aten.split, aten.split_with_sizes, aten.unsafe_split, aten.unbind)


def flat(values) -> list[torch.Tensor]:
    """List the tensors among arguments or results, opening lists and tuples. Taught on: book/how_to_read."""
    found = []
    for value in values:
        if isinstance(value, torch.Tensor):
            found.append(value)
        elif isinstance(value, list | tuple):
            found += flat(value)
    return found
