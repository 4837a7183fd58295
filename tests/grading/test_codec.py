"""What passes between two processes comes out as it went in, and bytes that are no message run nothing."""

import json
import math
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from sepbook.grading.codec import DTYPES, CannotPass, Packer, Refused, Unpacker


def through(value):
    return Unpacker().unpack(Packer().pack(value))


@pytest.mark.parametrize(
    "value",
    [None, True, 0, -(10**40), 0.1, math.inf, 1 + 2j, "ä\ud800", ..., [1, (2.0, "x")], {"a": {1: [None]}}, Path("a b")],
    ids=repr,
)
def test_plain_values_come_out_as_they_went_in(value):
    found = through(value)
    assert found == value and type(found) is type(value)


def test_nan_comes_out_as_nan():
    assert math.isnan(through(math.nan))


@pytest.mark.parametrize("dtype", DTYPES.values(), ids=DTYPES.keys())
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3)], ids=str)
def test_tensors_of_every_kind_and_shape(dtype, shape):
    x = (torch.randn(shape, dtype=torch.complex64) * 9).abs().to(dtype)
    found = through(x)
    assert found.dtype == dtype and found.shape == x.shape and torch.equal(found, x)


@pytest.mark.parametrize(
    "x",
    [
        torch.arange(6.0).reshape(2, 3).T,
        torch.ones(1).expand(4, 3),
        torch.ones(1, 1).expand(1, 3)[:, :1],
        torch.randn(3, dtype=torch.complex64).conj(),
        nn.Parameter(torch.ones(2)),
    ],
    ids=["transposed", "expanded", "stride 0", "conjugate", "parameter"],
)
def test_views_and_weights(x):
    reader = Unpacker()
    assert torch.equal(reader.unpack(Packer().pack(x)), x) and len(reader.slopes) == int(x.requires_grad)


@pytest.mark.parametrize("x", [np.ones((2, 3)), np.float32(2.5), np.arange(4)[::2], np.array(True)], ids=repr)
def test_arrays(x):
    found = through(x)
    assert type(found) is type(x) and found.dtype == x.dtype and np.array_equal(found, x)


@pytest.mark.parametrize(
    "value",
    [
        object(),
        nn.Linear(2, 2),
        len,
        np.array([object()]),
        {1, 2},
        torch.ones(2).to_sparse(),
        torch.ones(2, device="meta"),
    ],
    ids=lambda v: type(v).__name__,
)
def test_what_has_no_plain_form_is_refused(value):
    with pytest.raises(CannotPass):
        Packer().pack([value])


def test_a_list_in_itself_and_too_many_parts_are_refused():
    loop = []
    loop.append(loop)
    for value in (loop, [0] * 300_000):
        with pytest.raises(CannotPass):
            Packer().pack(value)


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("a message was unpickled",))


def message(head, rest=b""):
    text = json.dumps(head).encode()
    return struct.pack("<I", len(text)) + text + rest


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        pickle.dumps(Bomb()),
        struct.pack("<I", 2**31) + b"{}",
        message({}),
        message({"pack": 1}),
        message({"__class__": 1}),
        message({"value": [1]}),
        message(7),
        message({"tensor": 4, "is": ["float32", [2], False]}, b"1234"),
        message({"tensor": 8, "is": ["float32", [-2], False]}, b"12345678"),
        message({"tensor": -8, "is": ["float32", [2], False]}, b"12345678"),
        message({"tensor": 0}),
        message({"array": 8, "is": ["|O", [1]]}, b"12345678"),
        message({"array": 9, "is": ["<f4", [2]]}, b"123456789"),
        message({"function": 1}),
        message({"dict": [[{"list": []}, None]]}),
        message({"float": "x"}),
        struct.pack("<I", 200_000) + b'{"list":[' * 22_222 + b"  ",
    ],
)
def test_bytes_that_are_no_message_are_refused_and_run_nothing(data):
    with pytest.raises(Refused):
        Unpacker().unpack(data)
