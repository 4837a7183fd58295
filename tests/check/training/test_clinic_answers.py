"""Answers of students that once passed in the bug clinic and should not have."""

from sepbook.check.training import bug_clinic as check
from sepbook.check.training import mended


def test_a_recording_that_stands_upside_down_is_told(hear):
    said = hear(check.exercise_9, lambda samples, rms: -mended.set_level(samples, rms), times=4)
    assert "✔" not in said and "upside down" in said and "positive factor" in said


def test_a_score_in_quotation_marks_is_no_number(hear):
    said = hear(check.exercise_4, lambda *given: str(mended.validate(*given)), times=4)
    assert "✔" not in said and "The score should be one number, but is of type str" in said
