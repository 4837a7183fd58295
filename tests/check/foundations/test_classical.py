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


def masks(lines, strokes, power, margin, least=1e-30):
    def share(a, b):
        return a**power / (a**power + (margin * b) ** power).clamp_min(least)

    return torch.stack([share(lines, strokes), share(strokes, lines)])


def by_loops(x, width, axis):
    found, half = torch.zeros(x.shape, dtype=torch.float64), width // 2
    for f, t in np.ndindex(*x.shape):
        row, k = (x[:, t], f) if axis == 0 else (x[f], t)
        row = torch.cat([row[:half].flip(0), row, row[-half:].flip(0)])
        found[f, t] = sorted(row[k : k + width].tolist())[half]
    return found


def by_unfold(x, width, axis):
    """Both ends doubled and mirrored at once, sorted, and the middle one taken."""
    x = x.movedim(axis, -1)
    rows = torch.cat([x.flip(-1), x, x.flip(-1)], -1)[..., x.shape[-1] - width // 2 :].unfold(-1, width, 1)
    return rows[..., : x.shape[-1], :].sort(-1).values[..., width // 2].movedim(-1, axis)


def masks_by_numpy(lines, strokes, power, margin):
    h, p = lines.numpy().astype(float) ** power + 1e-20, strokes.numpy().astype(float) ** power + 1e-20
    return np.stack([h / (h + margin**power * p), p / (p + margin**power * h)])


def masks_by_softmax(lines, strokes, power, margin):
    pairs = [(lines, margin * strokes), (strokes, margin * lines)]
    return torch.stack([(power * torch.stack(pair).clamp_min(1e-20).log()).softmax(0)[0] for pair in pairs])


def masks_by_sigmoid(lines, strokes, power, margin):
    louder = power * ((lines.double() + 1e-20) / (strokes + 1e-20)).log()
    return torch.stack([louder, -louder]).sub(power * np.log(margin)).sigmoid()


RIGHT = [
    (1, 11),
    (1, 11.0),
    (1, np.int64(11)),
    (1, 21 // 2 + 1),
    (1, torch.tensor(11)),
    (2, by_scipy),
    (2, median()),
    (2, by_loops),
    (2, by_unfold),
    (3, masks),
    (3, masks_by_numpy),
    (3, masks_by_softmax),
    (3, masks_by_sigmoid),
    (4, (13, 9)),
    (4, [17, 9]),
    (4, torch.tensor([13, 9])),
    (4, np.array([13, 9])),
    (4, tuple(np.array([13, 9]))),
    (4, (13.0, 9.0)),
]
WRONG = [
    (1, 21, "need not fill the kernel"),
    (1, 10, "not yet the middle one"),
    (1, 10.5, "Frames come whole"),
    (1, 12, "One fewer is enough"),
    (1, 1, "disappears in the median"),
    (1, 2, "disappears in the median"),
    (1, 22, "Longer than the kernel"),
    (1, 42, "Longer than the kernel"),
    (1, 20, "need not fill the kernel"),
    (1, 0.21, "counted in frames"),
    (1, "11", "Take the quotation marks away"),
    (2, median(middle=np.mean), "that is the mean"),
    (2, median(middle=np.max), "the largest value"),
    (2, median(middle=np.min), "the smallest value"),
    (2, median(axis=lambda given: 1 - given), "along the other axis"),
    (2, median(axis=lambda given: 1), "along the frames, whatever axis"),
    (2, median(mode="reflect"), "leaves the edge out"),
    (2, median(mode="constant"), "filled with zeros"),
    (2, median(mode="edge"), "repeat one value"),
    (2, lambda x, width, axis: median()(x, width + 2, axis), "wider than asked for"),
    (2, lambda x, width, axis: median()(x, 5, axis), "5 wide, whatever width"),
    (2, lambda x, width, axis: median()(median()(x, width, axis), width, 1 - axis), "along both axes"),
    (2, lambda x, width, axis: by_scipy(x, width, axis).T, "but should have"),
    (3, lambda h, p, power, margin: masks(h, p, power, margin).flip(0), "the percussive mask stands first"),
    (3, lambda h, p, power, margin: masks(h, p, 1.0, margin), "the power is not used"),
    (3, lambda h, p, power, margin: masks(h, p, 2.0, margin), "the power is always 2"),
    (3, lambda h, p, power, margin: masks(h, p, power, 1.0), "the margin is not used"),
    (3, lambda h, p, power, margin: masks(h, p, power, 1 / margin), "the margin helps each mask"),
    (3, lambda h, p, power, margin: masks(h, p, power, margin ** (1 / power)), "raised to the power as well"),
    (3, lambda h, p, power, margin: torch.stack([(m := masks(h, p, power, margin)[0]), 1 - m]), "one minus"),
    (3, lambda h, p, power, margin: (masks(h, p, power, margin) > 0.5).float(), "all or nothing"),
    (3, lambda h, p, power, margin: masks(h, p, 1, margin) ** power, "after the division"),
    (3, lambda *given: masks(*given, least=0), "the masks are NaN"),
    (3, lambda h, p, power, margin: masks(h, p, power, margin)[0], "but should have"),
    (4, (31, 31), "fewer frames: 17"),
    (4, (13, 21), "fewer bins"),
    (4, (3, 9), "more frames"),
    (4, (13, 3), "more bins"),
    (4, (12, 9), "12 frames and 9 bins: both must be odd"),
    (4, (1, 9), "1 frames and 9 bins: both must be odd"),
    (4, (13, 203), "from 3 to 201"),
    (4, (-13, 9), "-13 frames and 9 bins"),
    (4, (13, 9, 1), "two whole numbers"),
    (4, (13.5, 9.0), "is (13.5, 9.0)"),
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
