"""Values as bytes, without pickle: what a student's process sends may be anything, and reading it must run nothing.

A message is a head of JSON and the bytes of its tensors. Numbers, texts, lists, tuples, dicts, tensors and arrays pass;
of a function only a number passes, by which the other side can call it.
"""

import json
import math
import struct
from pathlib import PurePath

import numpy as np
import torch
from torch import Tensor

LARGEST = 256 * 2**20  # bytes of one message
DEEPEST, MOST = 24, 200_000  # lists within lists, values in all
DTYPES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.float16)
    + (torch.bfloat16, torch.float32, torch.float64, torch.complex64, torch.complex128)
}
ARRAYS = "biufc"  # kinds of NumPy arrays that pass


class CannotPass(TypeError):
    """A value that cannot go from one process to the other."""


class Refused(ValueError):
    """Bytes that are no message."""


class Packer:
    """Turn a value into bytes; `refer` gives numbers to functions, or raises CannotPass."""

    def __init__(self, refer=None):
        self.refer, self.blobs, self.count = refer, [], 0

    def pack(self, value) -> bytes:
        """Return the message. Raises CannotPass for what has no plain form."""
        head = json.dumps(self._plain(value, 0)).encode()
        message = struct.pack("<I", len(head)) + head + b"".join(self.blobs)
        if len(message) > LARGEST:
            raise CannotPass(f"the value has {len(message):,} bytes, and at most {LARGEST:,} pass")
        return message

    def _plain(self, value, depth: int):
        self.count += 1
        if depth > DEEPEST or self.count > MOST:
            raise CannotPass("the value has too many parts")
        if value is None or isinstance(value, bool | str) and len(str(value)) <= 100_000:
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return {"int": str(value)} if value.bit_length() < 10_000 else self._never(value)
        if isinstance(value, float):
            return {"float": value.hex()}
        if isinstance(value, complex):
            return {"complex": [value.real.hex(), value.imag.hex()]}
        return self._compound(value, depth)

    def _compound(self, value, depth: int):
        if value is Ellipsis:
            return {"dots": 0}
        if isinstance(value, Tensor):
            return self._tensor(value)
        if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in ARRAYS:
            kind = "array" if isinstance(value, np.ndarray) else "scalar"
            return {kind: self._blob(np.ascontiguousarray(value).tobytes()), "is": [value.dtype.str, list(value.shape)]}
        if isinstance(value, PurePath):
            return {"path": str(value)}
        if type(value) in (list, tuple):
            return {type(value).__name__: [self._plain(part, depth + 1) for part in value]}
        if type(value) is dict:
            pairs = [[self._plain(k, depth + 1), self._plain(v, depth + 1)] for k, v in value.items()]
            return {"dict": pairs}
        return {"function": self.refer(value)} if self.refer and callable(value) else self._never(value)

    def _tensor(self, x: Tensor):
        if x.layout != torch.strided or x.is_quantized or x.device.type == "meta" or str(x.dtype)[6:] not in DTYPES:
            self._never(x)
        plain = (
            x.detach().to("cpu").resolve_conj().resolve_neg().clone(memory_format=torch.contiguous_format).reshape(-1)
        )
        blob = self._blob(plain.view(torch.uint8).numpy().tobytes() if plain.numel() else b"")
        return {"tensor": blob, "is": [str(x.dtype)[6:], list(x.shape), bool(x.requires_grad)]}

    def _blob(self, data: bytes) -> int:
        self.blobs.append(data)
        return len(data)

    @staticmethod
    def _never(value):
        raise CannotPass(f"a value of type {type(value).__name__} has no plain form")


class Unpacker:
    """Turn bytes into a value; `function(about)` makes something callable. Whatever the bytes are, none of them is run.

    `slopes` lists the tensors that were marked as having a gradient.
    """

    def __init__(self, function=None):
        self.function, self.slopes = function, []

    def unpack(self, message: bytes):
        """Return the value. Raises Refused for bytes that are no message."""
        try:
            (size,) = struct.unpack_from("<I", message)
            self.rest = memoryview(message)[4 + size :]
            head = json.loads(message[4 : 4 + size])
            return self._value(head, 0)
        except Refused:
            raise
        except Exception as error:  # they were made to do harm, or the process was cut off while it wrote
            raise Refused(f"not a message: {type(error).__name__}") from None

    def _value(self, head, depth: int):
        if depth > DEEPEST:
            raise Refused("too deep")
        if head is None or isinstance(head, bool | str):
            return head
        kind, what = next(iter(head.items()))
        make = getattr(self, f"_{kind}", None) if kind in KINDS else None
        if make is None:
            raise Refused(f"no kind of value: {kind!r:.40}")
        return make(what, head.get("is"), depth)

    def _int(self, what, about, depth):
        return int(str(what))

    def _float(self, what, about, depth):
        return float.fromhex(what)

    def _complex(self, what, about, depth):
        return complex(*map(float.fromhex, what))

    def _dots(self, what, about, depth):
        return ...

    def _path(self, what, about, depth):
        from pathlib import Path

        return Path(what)

    def _list(self, what, about, depth):
        return [self._value(part, depth + 1) for part in what]

    def _tuple(self, what, about, depth):
        return tuple(self._list(what, about, depth))

    def _dict(self, what, about, depth):
        return {self._value(k, depth + 1): self._value(v, depth + 1) for k, v in what}

    def _array(self, what, about, depth):
        dtype, shape = np.dtype(str(about[0])), _shape(about[1])
        if dtype.kind not in ARRAYS:
            raise Refused("no array of numbers")
        return np.frombuffer(self._take(what), dtype).reshape(shape).copy()

    def _scalar(self, what, about, depth):
        return self._array(what, about, depth)[()]

    def _tensor(self, what, about, depth):
        dtype, shape = DTYPES[about[0]], _shape(about[1])
        data = self._take(what)
        if len(data) != math.prod(shape) * dtype.itemsize:
            raise Refused("shape and bytes differ")
        x = torch.frombuffer(bytearray(data), dtype=dtype).reshape(shape) if data else torch.empty(shape, dtype=dtype)
        if about[2] is True:
            self.slopes.append(x)
        return x

    def _function(self, what, about, depth):
        if self.function is None:
            raise Refused("a function where none may be")
        return self.function(what)

    def _take(self, size: int) -> bytes:
        size = int(size)
        if not 0 <= size <= len(self.rest):
            raise Refused("bytes are missing")
        data, self.rest = bytes(self.rest[:size]), self.rest[size:]
        return data


KINDS = set("int float complex dots path list tuple dict array scalar tensor function".split())


def _shape(sizes) -> list[int]:
    shape = [int(size) for size in sizes]
    if any(size < 0 for size in shape) or len(shape) > 16:
        raise Refused("no shape")
    return shape
