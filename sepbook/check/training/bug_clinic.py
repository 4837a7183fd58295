"""Checks for the lab of the bug clinic: ten functions with a bug each. They judge what a function does.

Taught on: book/training/bug_clinic
"""

from sepbook.check.training._clinic_data import exercise_7, exercise_8, exercise_9
from sepbook.check.training._clinic_graph import exercise_10
from sepbook.check.training._clinic_losses import exercise_1, exercise_2
from sepbook.check.training._clinic_steps import exercise_3, exercise_4
from sepbook.check.training._clinic_values import exercise_5, exercise_6

__all__ = [
    "exercise_1",
    "exercise_2",
    "exercise_3",
    "exercise_4",
    "exercise_5",
    "exercise_6",
    "exercise_7",
    "exercise_8",
    "exercise_9",
    "exercise_10",
]
