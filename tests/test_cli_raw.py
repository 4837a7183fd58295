"""Numbers without a header: each frame in its order, and where 16 bits end."""

import io

import numpy as np
import pytest
import torch

from sepbook.cli._raw import RawOutput, raw_chunks

LOW, HIGH = -32768, 32767


@pytest.mark.parametrize(
    ("number", "written", "clipped"),
    [
        (LOW, LOW, 0), (LOW - 0.4, LOW, 0), (LOW - 0.6, LOW, 1), (LOW - 1, LOW, 1), (3 * LOW, LOW, 1),
        (HIGH, HIGH, 0), (HIGH + 0.4, HIGH, 0), (HIGH + 0.6, HIGH, 1), (HIGH + 1, HIGH, 1), (3 * HIGH, HIGH, 1),
        (0, 0, 0), (0.4, 0, 0), (0.6, 1, 0), (-0.6, -1, 0),
    ],
)  # fmt: skip
def test_sixteen_bits_are_rounded_and_what_they_cannot_hold_is_counted(capfdbinary, number, written, clipped):
    pipe = RawOutput("s16le")
    for count in (1, 2):  # chunk after chunk
        pipe.write(torch.tensor([[number / 32768]]))
        assert pipe.clipped == count * clipped
    assert np.frombuffer(capfdbinary.readouterr().out, "<i2").tolist() == [written] * 2


def test_floats_are_never_clipped(capfdbinary):
    pipe, samples = RawOutput("f32le"), torch.tensor([[3.0, -1e9], [0.5, 1e-30]])
    pipe.write(samples)
    assert pipe.clipped == 0
    assert np.frombuffer(capfdbinary.readouterr().out, "<f4").tolist() == samples.T.flatten().tolist()


@pytest.mark.parametrize("C", [1, 2, 3])
@pytest.mark.parametrize(("format", "kind", "scale"), [("f32le", "<f4", 1), ("s16le", "<i2", 1 / 32768)])
def test_frames_are_cut_into_chunks_channel_by_channel(format, kind, scale, C):
    numbers = np.arange(-5 * C, 2 * C).astype(kind)  # 7 frames
    found = list(raw_chunks(io.BytesIO(numbers.tobytes()), format, C, 3))
    assert [tuple(chunk.shape) for chunk in found] == [(C, 3), (C, 3), (C, 1)]
    assert torch.equal(torch.cat(found, -1), torch.arange(-5.0 * C, 2 * C).view(7, C).T * scale)
