"""Two processes that call each other's functions, gradients included, and share no memory.

Each side has a `Link` at its end of a pipe. A call carries its inputs as plain values; the answer carries the result
and what the function changed in its inputs. Where a result depends on an input, `backward` asks the other side. While
a side waits for an answer, it serves the calls that come back. Each request has a number that nobody can guess, and its
answer must bear it: an answer that nobody asked for ends the talk.
"""

import builtins
import pickle
import secrets
from collections import OrderedDict

import torch
from torch import Tensor, nn

from sepbook.grading.codec import LARGEST, CannotPass, Packer, Refused, Unpacker
from sepbook.grading.shipping import restore, ship, state, unship, weights

KEPT = 64  # calls whose gradients can still be asked for


class Gone(ConnectionError):
    """The other process has ended, or sends what is no message."""


class Link:
    """One end of the pipe. `handlers` maps the name of a request to what answers it."""

    def __init__(self, pipe, handlers=None, ships=False):
        self.pipe, self.ships, self.functions, self.kept, self.number = pipe, ships, {}, OrderedDict(), 0
        self.handlers = {"call": self._called, "slopes": self._slopes} | (handlers or {})

    def ask(self, request: str, *given, slopes=None):
        """Send a request and wait for its answer. Raises Gone, or what the other side raised.

        `slopes` collects the tensors of the answer that have a gradient.
        """
        number = secrets.randbits(60)
        self._send(["ask", number, request, list(given)])
        while True:
            kind, of, *rest = self._receive(slopes)
            if kind == "ask":
                self._serve(of, *rest)
            elif of != number:
                raise Gone("the other process answers what nobody has asked")
            elif kind == "error":
                raise _rebuilt(*rest)
            else:
                return rest[0]

    def serve(self) -> None:
        """Answer requests until the other side ends."""
        while True:
            try:
                kind, *rest = self._receive()
            except Gone:
                return
            if kind == "ask":
                self._serve(*rest)

    def _serve(self, number, request, given) -> None:
        try:
            answer = self.handlers[request](*given)
            self._send(["answer", number, answer])
        except Gone:
            raise
        except (Exception, SystemExit) as error:
            self._send(["error", number, type(error).__name__, str(error)[:500]])

    def _send(self, message) -> None:
        data = Packer(self._refer).pack(message)
        try:
            self.pipe.send_bytes(data)
        except (OSError, ValueError):
            raise Gone("the other process has ended") from None

    def _receive(self, slopes=None):
        try:
            data = self.pipe.recv_bytes(LARGEST)
        except (EOFError, OSError):
            raise Gone("the other process has ended") from None
        try:
            reader = Unpacker(self._borrowed)
            message = reader.unpack(data)
            if type(message) is not list or len(message) < 3 or message[0] not in ("ask", "answer", "error"):
                raise Refused("no request")
            if type(message[1]) is not int or (
                message[0] == "ask" and (len(message) != 4 or type(message[3]) is not list)
            ):
                raise Refused("no request")
        except Refused as error:
            raise Gone(f"the other process sends what is no message: {error}") from None
        for x in reader.slopes:
            x.sepbook_slope = True
        if slopes is not None:
            slopes += reader.slopes
        return message

    # ------------------------------------------------------------- functions of the other side

    def _refer(self, function):
        """Return the number of one of our functions, by which the other side can call it."""
        if isinstance(function, nn.Module | type):
            raise CannotPass(f"a value of type {type(function).__name__} has no plain form")
        number = next((n for n, known in self.functions.items() if known is function), len(self.functions))
        self.functions[number] = function
        return number

    def _borrowed(self, number):
        """Return a function that calls the other side's function of this number."""
        number = int(number)
        return lambda *inputs, **named: self.call(number, inputs, named)

    def call(self, number: int, inputs: tuple, named: dict):
        """Call the other side's function, on copies; what it changes in its inputs changes here too."""
        given = [x for x in tensors([inputs, named]) if x.requires_grad] + weights([inputs, named])
        slopes, random = [], torch.random.get_rng_state()
        try:
            call, result, changed, states = self.ask("call", number, list(inputs), named, random, slopes=slopes)
        except CannotPass:
            bundle = self._bundle(inputs, named)
            call, result, changed, states = self.ask("bundle", number, bundle, random, slopes=slopes)
        for place, value in changed:
            overwrite(inputs[int(place)], value)
        restore([inputs, named], states)
        found = [x for x in tensors([result]) if any(x is s for s in slopes)]
        if not found:
            return result
        joined = _Remote.apply(self, int(call), found, torch.zeros((), requires_grad=True), *given)
        return replaced(result, {id(old): new for old, new in zip(found, joined, strict=True)})

    def _bundle(self, inputs, named):
        """Return inputs that hold networks. Raises CannotPass where this side may not ship, or something cannot be."""
        if not self.ships:
            raise CannotPass("networks go one way only")
        try:
            return ship((list(inputs), named), self._refer)
        except (pickle.PicklingError, TypeError, AttributeError, RuntimeError) as error:
            raise CannotPass(f"an input cannot be shipped: {error}") from None

    def _called(self, number, inputs, named, random):
        """Run one of our functions for the other side."""
        leaves = [x.requires_grad_() for x in tensors([inputs, named]) if getattr(x, "sepbook_slope", False)]
        swap = {id(x): x.clone() for x in leaves}
        inputs, named = replaced(inputs, swap), replaced(named, swap)
        return self._run(number, inputs, named, leaves, random)

    def _run(self, number, inputs, named, leaves, random):
        before = [_plain(value) for value in inputs]
        torch.random.set_rng_state(random)
        result = self.functions[int(number)](*inputs, **named)
        changed = [[i, v] for i, (old, v) in enumerate(zip(before, inputs, strict=True)) if old and _plain(v) != old]
        self.number += 1
        outputs = [x for x in tensors([result]) if x.requires_grad]
        if outputs:
            self.kept[self.number] = (leaves, outputs)
            while len(self.kept) > KEPT:
                self.kept.popitem(last=False)
        return [self.number, result, changed, state([inputs, named])]

    def unbundled(self, number, bundle, random):
        """Run one of our functions on inputs that were shipped: the handler "bundle" of the student's side."""
        inputs, named = unship(bundle, self._borrowed)
        leaves = [x for x in tensors([inputs, named]) if x.requires_grad]
        swap = {id(x): x.clone() for x in leaves}
        leaves += weights([inputs, named])
        return self._run(number, replaced(inputs, swap), replaced(named, swap), leaves, random)

    def _slopes(self, call, upstream):
        """Return the gradients of an earlier call's inputs."""
        leaves, outputs = self.kept[int(call)]
        if not leaves:
            return []
        return list(torch.autograd.grad(outputs, leaves, upstream, allow_unused=True, retain_graph=True))


class _Remote(torch.autograd.Function):
    """The step of a graph that was computed in the other process."""

    @staticmethod
    def forward(ctx, link, call, outputs, anchor, *inputs):
        ctx.link, ctx.call, ctx.shapes = link, call, [(x.shape, x.dtype) for x in inputs]
        ctx.outputs = [(x.shape, x.dtype) for x in outputs]
        return tuple(outputs)

    @staticmethod
    def backward(ctx, *upstream):
        pairs = zip(upstream, ctx.outputs, strict=True)
        filled = [torch.zeros(shape, dtype=dtype) if g is None else g for g, (shape, dtype) in pairs]
        found = ctx.link.ask("slopes", ctx.call, filled) if ctx.shapes else []
        for x, (shape, dtype) in zip(found, ctx.shapes, strict=True):
            if x is not None and (not isinstance(x, Tensor) or x.shape != shape or x.dtype != dtype):
                raise RuntimeError("the gradient has another shape than the input")
        return None, None, None, None, *found


def tensors(value) -> list[Tensor]:
    """Return the tensors of a value, in order."""
    if isinstance(value, Tensor):
        return [value]
    parts = value.values() if type(value) is dict else value if type(value) in (list, tuple) else ()
    return [x for part in parts for x in tensors(part)]


def replaced(value, swap: dict):
    """Return a value in which some tensors are others."""
    if isinstance(value, Tensor):
        return swap.get(id(value), value)
    if type(value) is dict:
        return {key: replaced(part, swap) for key, part in value.items()}
    return type(value)(replaced(part, swap) for part in value) if type(value) in (list, tuple) else value


def overwrite(old, new) -> None:
    """Change an input as the other side has changed its copy."""
    if isinstance(old, Tensor) and isinstance(new, Tensor) and old.shape == new.shape:
        with torch.no_grad():
            old.copy_(new)
    elif type(old) is list and type(new) is list:
        old[:] = new
    elif type(old) is dict and type(new) is dict:
        old.clear()
        old.update(new)


def _plain(value) -> bytes:
    """Return what tells whether a value has changed; nothing for what has no plain form."""
    try:
        return Packer().pack(value)
    except TypeError:
        return b""


def _rebuilt(name, text="", *_) -> BaseException:
    """Return an error like the one on the other side: of a built-in kind, or a RuntimeError that names it."""
    if name == "CannotPass":
        return CannotPass(str(text))
    kind = getattr(builtins, str(name), None)
    plain = isinstance(kind, type) and issubclass(kind, Exception) and not issubclass(kind, UnicodeError)
    return kind(str(text)) if plain else RuntimeError(f"{str(name)[:60]}: {text}")
