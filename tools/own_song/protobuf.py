"""The few messages of onnx.proto that a network needs, written byte by byte: no package has to be installed for it.

A message is a row of fields. Each begins with its number and how it is written: 0 for a whole number of 7 bits a
byte, 2 for bytes that follow their length, 5 for a float. Numbers of fields are those of
https://github.com/onnx/onnx/blob/main/onnx/onnx.proto (ONNX is under the Apache licence 2.0).
"""

import struct

import numpy as np

FLOAT, INT64, HALF = 1, 7, 10  # TensorProto.DataType
KINDS = {"float32": FLOAT, "int64": INT64, "float16": HALF}
OPSET, IR = 17, 8


def varint(number: int) -> bytes:
    """A whole number, 7 bits a byte, the low ones first; the top bit says that more follow."""
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def field(number: int, value) -> bytes:
    """One field: an int, a float, a str, or bytes such as another message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def tensor(name: str, values: np.ndarray) -> bytes:
    """A constant: TensorProto."""
    dims = b"".join(field(1, size) for size in values.shape)
    raw = np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<")).tobytes()
    return dims + field(2, KINDS[values.dtype.name]) + field(8, name) + field(9, raw)


def attribute(name: str, value) -> bytes:
    """An attribute of a node: AttributeProto with a float, an int or ints."""
    if isinstance(value, float):
        return field(1, name) + field(2, value) + field(20, 1)
    if isinstance(value, int):
        return field(1, name) + field(3, value) + field(20, 2)
    return field(1, name) + b"".join(field(8, each) for each in value) + field(20, 7)


def node(kind: str, inputs, output: str, **attributes) -> bytes:
    """One operation: NodeProto."""
    names = b"".join(field(1, name) for name in inputs) + field(2, output) + field(3, output) + field(4, kind)
    return names + b"".join(field(5, attribute(*pair)) for pair in attributes.items())


def value(name: str, dims) -> bytes:
    """An input or output of 32-bit floats: ValueInfoProto; a size that is a word may be any."""
    sizes = b"".join(field(1, field(2 if isinstance(size, str) else 1, size)) for size in dims)
    return field(1, name) + field(2, field(1, field(1, FLOAT) + field(2, sizes)))


def model(name: str, nodes, constants, inputs, outputs) -> bytes:
    """The whole file: ModelProto."""
    parts = [(1, nodes), (5, constants), (11, inputs), (12, outputs)]
    graph = field(2, name) + b"".join(field(number, each) for number, rows in parts for each in rows)
    return field(1, IR) + field(2, "sepbook") + field(7, graph) + field(8, field(1, "") + field(2, OPSET))
