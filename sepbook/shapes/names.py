"""Letters for tensors that no `dims` declares: an axis keeps its identity through the operations between modules.

Every axis of every tensor that depends on the input is an `Identity`. A transposition moves it, an element-wise
operation makes two into one, a convolution changes its size, a view may merge it with others. Where a module declares
`dims`, the letters stick to the identities, and so reach PyTorch's own layers before and after it. No letter is ever
guessed from a size: an axis whose identity is lost prints a bare number.

Taught on: book/how_to_read
"""

import torch
from torch.utils.weak import WeakTensorKeyDictionary

from sepbook.shapes import costs
from sepbook.shapes.dims import Axis, Item
from sepbook.shapes.ops import known
from sepbook.shapes.views import groups

aten = torch.ops.aten
DEEPEST = 20  # steps that an axis is traced back


class Identity:
    """One axis of one size: the letters that modules have given it, and the axes that it came from.

    Taught on: book/how_to_read
    """

    def __init__(self, size: int, came_from=()):
        self.size = int(size)
        self.came_from = list(came_from)  # the same axis, of another size
        self.parts = ()  # the axes that were merged into this one
        self.letters = {}  # number of a call: the letter that its module uses
        self.feature = False  # what a layer of PyTorch made: features
        self.same = None

    def root(self) -> "Identity":
        """Return the identity that stands for all that are one."""
        return self if self.same is None else self.same.root()

    def unite(self, other: "Identity") -> bool:
        """Make two identities one. Returns False if a module has given them different letters."""
        one, two = self.root(), other.root()
        if one is two:
            return True
        if one.size != two.size or any(two.letters.get(call, letter) != letter for call, letter in one.letters.items()):
            return False
        two.same = one
        one.letters |= two.letters
        one.came_from += two.came_from
        one.parts = one.parts or two.parts
        one.feature |= two.feature
        return True

    def call_it(self, letter: str, call: int) -> None:
        """Note which letter a module uses; two different ones in one call cancel out."""
        root = self.root()
        root.letters[call] = letter if root.letters.get(call, letter) == letter else None

    def declared(self, calls, deep: int = 0) -> str | None:
        """Return the letter that the nearest of these calls uses, else one that all others agree on."""
        root = self.root()
        for call in calls:
            if call in root.letters:
                return root.letters[call]
        found = set(root.letters.values())
        if not found and deep < DEEPEST:
            found = {one.letter(calls, deep + 1) for one in root.came_from}
        if not found and root.parts and deep < DEEPEST:
            parts = [one.letter(calls, deep + 1) for one in root.parts]
            found = {f"({' '.join(parts)})"} if all(parts) and not any("(" in part for part in parts) else {None}
        return found.pop() if len(found) == 1 else None

    def letter(self, calls, deep: int = 0) -> str | None:
        """Return the letter that is declared, else H for the features that a layer has made."""
        return self.declared(calls, deep) or ("H" if self.root().feature else None)


class Names:
    """The identities of the axes of every tensor that depends on the input. Taught on: book/how_to_read."""

    def __init__(self):
        self.known = WeakTensorKeyDictionary()

    def of(self, tensor) -> list[Identity]:
        """Return the identities of a tensor's axes; new ones for a tensor that was never seen."""
        if tensor not in self.known:
            self.known[tensor] = [Identity(size) for size in tensor.shape]
        return self.known[tensor]

    def declare(self, tensor, item: Item, call: int) -> None:
        """Give the axes of a tensor the letters of an item of `dims`."""
        axes = self.of(tensor)[len(tensor.shape) - len(item.axes) :]
        for axis, identity in zip(item.axes, axes, strict=True):
            if axis.plain:
                identity.call_it(axis.letters[0].rstrip("'"), call)
            elif axis.letters:
                identity.call_it(f"({' '.join(axis.text.strip('()').split())})", call)

    def follow(self, func, args, operands, out) -> None:
        """Give each axis of a result its identity, where one operand has it."""
        for result in out if isinstance(out, list | tuple) else [out]:
            if isinstance(result, torch.Tensor) and result not in self.known:
                found = self._follow(func, args, operands, result)
                if found is not None and [one.size for one in found] == list(result.shape):
                    self.known[result] = found

    def _follow(self, func, args, operands, out) -> list[Identity] | None:
        packet, x = func.overloadpacket, operands[0]
        if packet in LAYOUT:
            return LAYOUT[packet](self.of(x), x, args, out)
        if packet in PRODUCT:
            left, right = args[PRODUCT[packet] : PRODUCT[packet] + 2]
            return [*self.of(left)[:-1], self.of(right)[-1]] if left.dim() == right.dim() else None
        if costs.is_pointwise(func) or packet in SAME:
            return self._together(operands, out)
        if packet is aten.cat:
            return self._beside(operands, args[1] % out.dim() if len(args) > 1 else 0, out)
        if packet in ALIKE and x.dim() == out.dim():
            return self._beside([x], None, out)
        return None

    def _together(self, operands, out) -> list[Identity]:
        found = []
        for axis in range(-out.dim(), 0):
            having = [self.of(x)[axis] for x in operands if x.dim() >= -axis and x.shape[axis] == out.shape[axis]]
            agree = out.shape[axis] == 1 or all(having[0].unite(one) for one in having[1:])
            found.append(having[0] if having and agree else Identity(out.shape[axis]))
        return found

    def _beside(self, operands, axis, out) -> list[Identity]:
        found = []
        for i, size in enumerate(out.shape):
            having = [self.of(x)[i] for x in operands]
            if i != axis and having[0].size == size and all(having[0].unite(one) for one in having[1:]):
                found.append(having[0])
            else:
                found.append(Identity(size, having))
        return found

    def item(self, tensor_axes, sizes, calls, bound: dict[str, int]) -> Item | None:
        """Return the letters of a tensor as an item, primed where the size is a new one; None if there are none."""
        if not any(one.declared(calls) for one in tensor_axes):
            return None
        letters = [one.letter(calls) for one in tensor_axes]
        axes = []
        for letter, size in zip(letters, sizes, strict=True):
            if letter is None:
                axes.append(Axis(str(size), size, ()))
                continue
            while bound.setdefault(letter, size) != size and "(" not in letter:
                letter += "'"
            axes.append(Axis(letter, 1, (letter,)))
        return Item(None, tuple(axes))


def _view(axes, x, args, out):
    if 0 in x.shape:
        return None
    found = [Identity(size) for size in out.shape]
    for before, after in groups(x.shape, out.shape):
        olds = [i for i in before if x.shape[i] > 1]
        news = [i for i in after if out.shape[i] > 1]
        if len(before) == len(after) == 1:
            found[after[0]] = axes[before[0]]
        elif len(olds) == len(news) == 1:
            found[news[0]] = axes[olds[0]]
        elif len(news) == 1:
            found[news[0]].parts = tuple(axes[i] for i in olds)
        elif len(olds) == 1:
            whole, sizes = axes[olds[0]].root(), [out.shape[i] for i in news]
            if [part.size for part in whole.parts] != sizes:
                if whole.parts:
                    continue
                whole.parts = tuple(found[i] for i in news)
            for i, part in zip(news, whole.parts, strict=True):
                found[i] = part
    return found


def _permute(axes, x, args, out):
    if len(args) == 2:
        return [axes[i] for i in args[1]]
    axes = [*axes]
    a, b = args[1:3] if len(args) > 2 else (0, -1)
    axes[a], axes[b] = axes[b], axes[a]
    return axes


def _drop(axes, x, args, out):
    """Squeeze, select and reductions: what is left keeps its order."""
    gone = args[1] if len(args) > 1 else [i for i, size in enumerate(x.shape) if size == 1]
    gone = {i % x.dim() for i in (gone if isinstance(gone, list | tuple) else [gone])} if gone is not None else set()
    if out.dim() == x.dim():
        return [Identity(out.shape[i]) if i in gone and x.shape[i] > 1 else one for i, one in enumerate(axes)]
    return [one for i, one in enumerate(axes) if i not in gone]


def _squeeze(axes, x, args, out):
    gone = args[1] if len(args) > 1 else list(range(x.dim()))
    gone = {i % x.dim() for i in (gone if isinstance(gone, list | tuple) else [gone])}
    return [one for i, one in enumerate(axes) if i not in gone or x.shape[i] > 1]


def _unsqueeze(axes, x, args, out):
    place = args[1] % out.dim()
    return [*axes[:place], Identity(1), *axes[place:]]


def _expand(axes, x, args, out):
    new = out.dim() - x.dim()
    return [
        Identity(size) if i < new or x.shape[i - new] != size else axes[i - new] for i, size in enumerate(out.shape)
    ]


def _convolution(axes, x, args, out):
    channels = x.dim() - args[1].dim() + 1
    changed = [one if one.size == out.shape[i] else Identity(out.shape[i], [one]) for i, one in enumerate(axes)]
    changed[channels] = Identity(out.shape[channels])
    return changed


def _stack(axes, x, args, out):
    place = (args[1] if len(args) > 1 else 0) % out.dim()
    return [*axes[:place], Identity(out.shape[place]), *axes[place:]]


LAYOUT = {
    **dict.fromkeys((aten.view, aten._unsafe_view, aten.reshape, aten._reshape_alias), _view),
    **dict.fromkeys((aten.transpose, aten.permute, aten.t), _permute),
    **dict.fromkeys((aten.sum, aten.mean, aten.amax, aten.amin, aten.select, aten.max, aten.unbind), _drop),
    aten.squeeze: _squeeze,
    aten.unsqueeze: _unsqueeze,
    aten.expand: _expand,
    aten.convolution: _convolution,
    aten.stack: _stack,
}
PRODUCT = {aten.mm: 0, aten.bmm: 0, aten.addmm: 1, aten.baddbmm: 1}
SAME = {  # the result has the axes of the operands
    *(aten.clone, aten.detach, aten.alias, aten._to_copy, aten._softmax, aten._log_softmax, aten._safe_softmax),
    *(aten.native_batch_norm, aten._native_batch_norm_legit_no_training, aten._native_batch_norm_legit),
    *(aten.native_layer_norm, aten.native_group_norm, aten.complex, aten.polar, aten.cumsum),
    *known("_fused_rms_norm"),
    *(aten.roll, aten.flip, aten._prelu_kernel),
}
ALIKE = {  # axes stay in order, and some change their size
    *(aten.slice, aten.constant_pad_nd, aten.reflection_pad1d, aten.reflection_pad2d, aten.replication_pad1d, aten.glu),
    *(aten.replication_pad2d, aten.max_pool2d_with_indices, aten.avg_pool1d, aten.avg_pool2d, aten.split),
    *(aten.split_with_sizes, aten.upsample_nearest1d, aten.upsample_nearest2d, aten.upsample_linear1d),
    *(aten.upsample_bilinear2d, aten._adaptive_avg_pool2d, aten.unsafe_split),
}
