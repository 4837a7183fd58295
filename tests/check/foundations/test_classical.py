"""The exercises of the lab on separation without learning: right answers pass, mistakes are told, nothing raises."""

import numpy as np
import pytest
import torch
from scipy.ndimage import median_filter

from sepbook.check.foundations import classical as check
from tests.check.tables import *  # noqa: F403


def by_scipy(x, width, axis):
    """The same median by SciPy, whose `reflect` mirrors the edge as well."""
    return torch.from_numpy(median_filter(x.numpy(), size=(1, width) if axis else (width, 1), mode="reflect"))


def median(axis=None, mode="symmetric", middle=np.median):
    """Return an answer to exercise 2, with some of its usual mistakes."""

    def answer(x, width, given):
        along = given if axis is None else axis(given)
        border = [(width // 2, width // 2) if i == along else (0, 0) for i in range(2)]
        rows = np.lib.stride_tricks.sliding_window_view(np.pad(x.numpy(), border, mode=mode), width, axis=along)
        return torch.from_numpy(np.ascontiguousarray(middle(rows, axis=-1)))

    return answer


def masks(lines, strokes, power, margin):
    a, b = lines / (margin * strokes), strokes / (margin * lines)
    return torch.stack([1 - 1 / (1 + a**power), 1 - 1 / (1 + b**power)])


RIGHT = [
    (1, 11),
    (1, 11.0),
    (2, by_scipy),
    (2, median()),
    (3, masks),
    (4, (13, 9)),
    (4, [9, 9]),
    (4, torch.tensor([13, 9])),
    (4, np.array([13, 9])),
    (4, tuple(np.array([13, 9]))),
]
WRONG = [
    (1, 21, "need not fill the kernel"),
    (1, 10, "not yet the middle one"),
    (2, median(middle=np.mean), "that is the mean"),
    (2, median(axis=lambda given: 1 - given), "along the other axis"),
    (2, median(mode="reflect"), "leaves the edge out"),
    (2, median(mode="constant"), "filled with zeros"),
    (2, lambda x, width, axis: by_scipy(x, width, axis).T, "but should have"),
    (3, lambda h, p, power, margin: masks(h, p, power, margin).flip(0), "the percussive mask stands first"),
    (3, lambda h, p, power, margin: masks(h, p, 1.0, margin), "the power is not used"),
    (3, lambda h, p, power, margin: masks(h, p, power, 1.0), "the margin is not used"),
    (3, lambda h, p, power, margin: torch.stack([(m := masks(h, p, power, margin)[0]), 1 - m]), "one minus"),
    (3, lambda h, p, power, margin: masks(h, p, power, margin)[0], "but should have"),
    (4, (31, 31), "fewer frames: 17"),
    (4, (13, 21), "fewer bins"),
    (4, (3, 9), "more frames"),
    (4, (12, 9), "must be odd"),
    (4, (1, 9), "must be odd"),
    (4, (13, 9, 1), "two whole numbers"),
    (1, "11", "Take the quotation marks away"),
    (4, (13.0, 9.0), "two whole numbers"),
]


def test_the_bar_lies_above_the_default_and_below_the_best():
    assert check._gain(31, 31) + 0.5 < check.BAR_DB < check._gain(13, 9) - 0.2


def test_a_note_needs_more_than_half_of_the_kernel():
    row = torch.zeros(1, 60)
    row[:, 20:31] = 1
    assert check._median(row, 21, 1).any()
    row[:, 30] = 0
    assert not check._median(row, 21, 1).any()


def test_masks_are_those_of_librosa():
    librosa = pytest.importorskip("librosa")
    x = torch.rand(40, 50, generator=torch.Generator().manual_seed(0))
    for frames, bins, power, margin in ((7, 5, 2.0, 1.0), (5, 9, 1.0, 1.0), (7, 7, 2.0, 3.0)):
        theirs = librosa.decompose.hpss(x.numpy(), mask=True, kernel_size=(frames, bins), power=power, margin=margin)
        ours = check._masks(check._median(x, frames, 1), check._median(x, bins, 0), power, margin)
        np.testing.assert_allclose(ours.numpy(), np.stack(theirs), atol=1e-5)
