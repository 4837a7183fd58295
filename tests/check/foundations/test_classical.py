"""The exercises of the lab on separation without learning: right answers pass, mistakes are told, nothing raises."""

import numpy as np
import pytest
import torch
from scipy.ndimage import median_filter

from sepbook.check.foundations import classical as check


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
    ("exercise_1", 11),
    ("exercise_1", 11.0),
    ("exercise_2", by_scipy),
    ("exercise_2", median()),
    ("exercise_3", masks),
    ("exercise_4", (13, 9)),
    ("exercise_4", [9, 9]),
]
WRONG = [
    ("exercise_1", 21, "need not fill the kernel"),
    ("exercise_1", 10, "not yet the middle one"),
    ("exercise_2", median(middle=np.mean), "that is the mean"),
    ("exercise_2", median(axis=lambda given: 1 - given), "along the other axis"),
    ("exercise_2", median(mode="reflect"), "leaves the edge out"),
    ("exercise_2", median(mode="constant"), "filled with zeros"),
    ("exercise_2", lambda x, width, axis: by_scipy(x, width, axis).T, "but should have"),
    ("exercise_3", lambda h, p, power, margin: masks(h, p, power, margin).flip(0), "the percussive mask stands first"),
    ("exercise_3", lambda h, p, power, margin: masks(h, p, 1.0, margin), "the power is not used"),
    ("exercise_3", lambda h, p, power, margin: masks(h, p, power, 1.0), "the margin is not used"),
    ("exercise_3", lambda h, p, power, margin: torch.stack([(m := masks(h, p, power, margin)[0]), 1 - m]), "one minus"),
    ("exercise_3", lambda h, p, power, margin: masks(h, p, power, margin)[0], "but should have"),
    ("exercise_4", (31, 31), "fewer frames: 17"),
    ("exercise_4", (13, 61), "fewer bins"),
    ("exercise_4", (3, 9), "more frames"),
    ("exercise_4", (12, 9), "must be odd"),
    ("exercise_4", (1, 9), "must be odd"),
    ("exercise_4", (13, 9, 1), "two whole numbers"),
]


@pytest.mark.parametrize(("name", "answer"), RIGHT)
def test_right_answers_turn_green(hear, name, answer):
    assert "✔" in hear(getattr(check, name), answer)


@pytest.mark.parametrize(("name", "answer", "hint"), WRONG)
def test_wrong_answers_get_their_own_hint(hear, name, answer, hint):
    text = hear(getattr(check, name), answer, times=3)
    assert "✔" not in text
    assert hint in text, text


@pytest.mark.parametrize("answer", [None, ..., 3, "text", (..., ...), torch.zeros(2), lambda: None, lambda *a: a[0]])
@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_nonsense_never_raises(hear, number, answer):
    text = hear(getattr(check, f"exercise_{number}"), answer)
    assert text and "✔" not in text


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
