"""What happens between the modules: every tensor operation of a forward pass is seen, counted and followed.

Two things are read off each operation. Its multiply-accumulates (MACs):

- convolution: every output number costs `input channels / groups * kernel size` (transposed: every input number costs
  `output channels / groups * kernel size`). Bias, activations and norms are not counted, as is usual.
- matrix product `(..., n, k) @ (..., k, m)`: n * k * m for each pair of matrices. Linear layers are matrix products.
- recurrent layers: every weight is used once per frame and batch item, so `weights * B * T`: all layers, gates and
  directions (see `recurrent`).
- Fourier transforms count as 0.

And the receptive field of its result (see `field`). An operation that is not listed below, such as a transposition of
the last axis, ends the field: the ledger then prints nothing rather than a guess. Statistics of the whole input (a
peak, a global norm) reach everywhere; by convention they are not counted.

Taught on: book/how_to_read
"""

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakTensorKeyDictionary

from sepbook.shapes.field import Field

aten = torch.ops.aten

PRODUCTS = {aten.mm: 0, aten.bmm: 0, aten.mv: 0, aten.addmm: 1, aten.baddbmm: 1, aten.addmv: 1}  # first factor
KEEP = {  # like element-wise operations, these leave the last axis alone where its size stays the same
    *(aten.view, aten._unsafe_view, aten.unsqueeze, aten.squeeze, aten.expand, aten.alias, aten.detach, aten.clone),
    *(aten._to_copy, aten.native_batch_norm, aten._native_batch_norm_legit_no_training, aten.native_group_norm),
    *(aten._prelu_kernel, aten.polar, aten.complex),
}
ALONG = {  # operations along an axis: where the axis stands among the arguments, and its default
    **dict.fromkeys((aten.select, aten.unbind, aten.cat, aten.stack), (1, 0)),
    **dict.fromkeys((aten.split, aten.split_with_sizes), (2, 0)),
    **dict.fromkeys((aten.glu, aten._softmax, aten._log_softmax), (1, -1)),
    **dict.fromkeys((aten.sum, aten.mean, aten.amax, aten.amin), (1, None)),
}


def product_macs(packet, args, out) -> int:
    """Count the multiply-accumulates of one convolution or matrix product, else 0. Taught on: book/how_to_read."""
    if packet is aten.convolution:
        data, weight, transposed = args[0], args[1], args[6]
        return (data if transposed else out).numel() * weight[0].numel()
    if packet in PRODUCTS:
        return out.numel() * args[PRODUCTS[packet]].shape[-1]
    return 0


def _convolution(field: Field, source, args) -> Field:
    stride, padding, dilation = (axis[-1] for axis in args[3:6])
    through = field.transposed if args[6] else field.convolved
    return through(args[1].shape[-1], stride, padding, dilation)


def _pool(field: Field, source, args) -> Field:
    kernel, stride, padding = (*args[1:4], *([], [0])[len(args) - 2 :])
    dilation = args[4][-1] if len(args) > 4 and isinstance(args[4], list) else 1
    return field.convolved(kernel[-1], (stride or kernel)[-1], padding[-1], dilation)


def _pad(field: Field, source, args) -> Field:
    return field.convolved(padding=args[1][0])


def _slice(field: Field, source, args) -> Field:
    axis, start, _, step = (*args[1:], *(0, None, None, 1)[len(args) - 1 :])
    if axis % source.dim() != source.dim() - 1:
        return field
    first = range(source.shape[-1])[slice(start, None)]
    return field.convolved(stride=step, padding=-first.start)


MOVES = {
    aten.convolution: _convolution,
    **dict.fromkeys((aten.max_pool2d_with_indices, aten.avg_pool2d), _pool),
    **dict.fromkeys((aten.constant_pad_nd, aten.reflection_pad1d, aten.replication_pad1d, aten.reflection_pad2d), _pad),
    aten.slice: _slice,
}


def leaves_last_axis(func, args, dims: int) -> bool:
    """Whether an operation mixes nothing along the last axis. Taught on: book/how_to_read."""
    packet = func.overloadpacket
    if packet in (aten.transpose, aten.permute):
        order = list(range(dims))
        if packet is aten.permute:
            return args[1][-1] % dims == dims - 1
        return dims - 1 not in (order[args[1]], order[args[2]])
    if packet in ALONG:
        place, default = ALONG[packet]
        axes = args[place] if len(args) > place else default
        dims += packet is aten.stack
        return axes is not None and dims - 1 not in {a % dims for a in (axes if isinstance(axes, list) else [axes])}
    return packet in KEEP or torch.Tag.pointwise in func.tags


class Flow(TorchDispatchMode):
    """Watch all operations while it is active: `macs` grows, `fields` holds what each tensor sees of the input.

    A tensor that does not depend on the input is not in `fields`; one whose field is unknown is there with None.
    Taught on: book/how_to_read
    """

    def __init__(self, source: torch.Tensor):
        super().__init__()
        self.macs = 0
        self.fields = WeakTensorKeyDictionary()
        self.fields[source] = Field()
        self.written = set()  # memory that was filled piece by piece with what depends on the input

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        packet = func.overloadpacket
        if packet is aten.equal and args[0].is_meta:
            return False  # nothing has a value on the meta device; istft asks whether any overlap of windows is 0
        out = func(*args, **(kwargs or {}))
        self.macs += product_macs(packet, args, out)
        operands = [tensor for tensor in _flat(args) if self._depends(tensor)]
        if operands:
            self._note_writing(func, args)
            for result in _flat([out]):
                self.fields[result] = self._field(func, args, operands, result)
        return out

    def _depends(self, tensor) -> bool:
        return tensor in self.fields or tensor.untyped_storage()._cdata in self.written

    def _note_writing(self, func, args) -> None:
        target = args[0]
        if func._schema.is_mutable and isinstance(target, torch.Tensor) and target not in self.fields:
            self.written.add(target.untyped_storage()._cdata)

    def _field(self, func, args, operands, out) -> Field | None:
        source = operands[0]
        if func.overloadpacket in MOVES:
            known = self.fields.get(source) if len(operands) == 1 else None
            return MOVES[func.overloadpacket](known, source, args) if known else None
        if not leaves_last_axis(func, args, source.dim()):
            return None
        return self._union(operands, out)

    def _union(self, operands, out) -> Field | None:
        fields = []
        for tensor in operands:
            field = self.fields.get(tensor)
            size, wanted = (t.shape[-1] if t.dim() else 1 for t in (tensor, out))
            if field and size == wanted:
                fields.append(field)
            elif field or size != 1 or wanted == 1:  # what is left is a statistic: one number for all positions
                return None
        joined = fields[0] if fields else None
        for field in fields[1:]:
            joined = joined and joined.joined(field)
        return joined


def _flat(values) -> list[torch.Tensor]:
    """List the tensors among arguments or results, opening lists and tuples."""
    found = []
    for value in values:
        if isinstance(value, torch.Tensor):
            found.append(value)
        elif isinstance(value, list | tuple):
            found += _flat(value)
    return found
