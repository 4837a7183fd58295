"""Where a tensor comes from: the call, the input, or the place where several of them meet.

Taught on: book/how_to_read
"""

from dataclasses import dataclass, field

import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils.weak import WeakTensorKeyDictionary

aten = torch.ops.aten

ROUNDS = 6  # how often the same origins may meet again, before the steps are no longer told apart
HOW = {  # what a meeting is called in a diagram
    **dict.fromkeys((aten.cat, aten.stack, aten.complex), "cat"),
    **dict.fromkeys((aten.add, aten.add_, aten.sub, aten.sub_, aten.lerp), "+"),
    **dict.fromkeys((aten.mul, aten.mul_, aten.div, aten.div_, aten.polar), "×"),
}


@dataclass(eq=False)
class Meeting:
    """Several origins in one tensor: added ("+"), multiplied ("×"), concatenated ("cat") or else ("&").

    Taught on: book/how_to_read
    """

    how: str
    call: int = 0  # in which call they meet
    origins: list = field(default_factory=list)  # (call, output), names of inputs, or other meetings
    rounds: int = 0  # how often nothing new has come to them
    bare: list = field(default_factory=list)  # the origins, with the meetings among them opened


class Origins:
    """The origin of every tensor that depends on the input: a call and which of its outputs, a name, or a `Meeting`.

    Taught on: book/how_to_read
    """

    def __init__(self):
        self.known = WeakTensorKeyDictionary()
        self.here = 0  # the call that is running
        self.memory = {}  # tensors that were filled piece by piece, by where they lie

    def of(self, tensor):
        """Return the origin of a tensor, None for one that does not depend on the input."""
        found = self.known.get(tensor)
        return self.memory.get(place_of(tensor)) if found is None else found

    def follow(self, func, args, operands, out) -> None:
        """Note where the result of an operation comes from."""
        found = []
        for tensor in operands:
            origin = self.of(tensor)
            if origin is not None and origin not in found:
                found.append(origin)
        if not found:
            return
        how = HOW.get(func.overloadpacket, "&")
        place = place_of(args[0]) if isinstance(args[0], torch.Tensor) else None
        filled = func._schema.is_mutable and (place in self.memory or args[0] not in self.known)
        origin = found[0] if len(found) == 1 else meet("cat" if filled else how, found, self.here)
        if filled:
            self.memory[place] = origin
            return
        for result in out if isinstance(out, list | tuple) else [out]:
            if isinstance(result, torch.Tensor):
                self.known[result] = origin

    def leave(self, call: int, outputs, inputs):
        """Let the outputs of a call come from it. Returns where they come from inside.

        A tensor that is handed through, as by dropout that is off, keeps its origin.
        """
        given = {id(tensor) for tensor in inputs}
        inside = [self.of(tensor) for tensor in outputs]
        for i, tensor in enumerate(outputs):
            if id(tensor) not in given and inside[i] is not None:
                self.known[tensor] = (call, i)
        return inside


def place_of(tensor: torch.Tensor) -> StorageWeakRef:
    """Return where the numbers of a tensor lie, as a key: while it is kept, no later tensor can get the same place.

    The bare address would not do: memory that is free again goes to the next tensor. Taught on: book/how_to_read
    """
    return StorageWeakRef(tensor.untyped_storage())


def meet(how: str, found: list, call: int) -> Meeting:
    """Return the meeting of several origins; sums of sums become one.

    Arithmetic that goes round and round, as that of k-means does, has no path to be drawn: when the same origins have
    met again more than `ROUNDS` times, all of them meet once ("&"). Taught on: book/how_to_read
    """
    inner = [one for one in found if isinstance(one, Meeting) and one.call == call]
    bare = _opened(found, [(one, one.bare) for one in inner])
    again = [one.rounds for one in inner if len(one.bare) == len(bare)]  # nothing new has come
    if again and max(again) >= ROUNDS:
        return Meeting("&", call, bare, ROUNDS, bare)
    origins = _opened(found, [(one, one.origins) for one in inner if one.how == how])
    return Meeting(how, call, origins, 1 + max(again, default=-1), bare)


def _opened(found: list, inside: list) -> list:
    """List what was found, each once; meetings of which we know what is `inside` are replaced by that."""
    kept = []
    for one in found:
        for part in next((parts for meeting, parts in inside if meeting is one), [one]):
            if part not in kept:
                kept.append(part)
    return kept
