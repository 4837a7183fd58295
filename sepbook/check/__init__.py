"""Checks for the labs' exercises: they print ✔ or a hint, and never stop a notebook.

A lab hands over an answer, a function or a value::

    from sepbook.check.architectures import unet as check

    check.exercise_2(pad_to_halve)

Each further wrong try shows one hint more: what is wrong, where to look, the first step, the whole way. The hints are
computed from the answer at hand, and a usual mistake is named at once. `check.progress()` shows what is solved in all
labs. A new exercise is a function of one answer that raises `CheckFailure`::

    @exercise("Exercise 1: double it", hints=("Look at the factor.", "6 dB is a factor of …?", "Multiply x by 2."))
    def exercise_1(answer):
        x = torch.arange(6.0).view(2, 3)
        y = call(answer, x)
        expect_values(y, 2 * x, "B T", known={"three times as much": 3 * x})
        return "Twice as large is 6 dB louder."

What it returns is said after the ✔. Taught on: book/how_to_read
"""

from sepbook.check._calls import call, is_stub
from sepbook.check._compare import (
    expect_finite_slope,
    expect_gradient,
    expect_pair,
    expect_parts,
    expect_shape,
    expect_tensor,
    expect_values,
    is_close,
)
from sepbook.check._exercise import CheckFailure, Exercise, NotYet, exercise
from sepbook.check._inputs import variant
from sepbook.check._predict import expect_choice, expect_number, expect_sizes
from sepbook.check._progress import exercises, progress
from sepbook.check.folded import unfold

__all__ = [
    "CheckFailure",
    "Exercise",
    "NotYet",
    "call",
    "exercise",
    "exercises",
    "expect_choice",
    "expect_finite_slope",
    "expect_gradient",
    "expect_number",
    "expect_pair",
    "expect_parts",
    "expect_shape",
    "expect_sizes",
    "expect_tensor",
    "expect_values",
    "is_close",
    "is_stub",
    "progress",
    "unfold",
    "variant",
]
