"""Courses of training: runs of different lengths in one picture, and in words."""

import pytest

from sepbook import plots

LINES = {"as shipped": [[100, -1.25], [200, 3.0], [300, 4.5]], "half of the rate": [[100, 0.5], [250, 2.0]]}


def test_each_run_ends_where_it_was_stopped():
    ax = plots.courses(LINES, on="validation songs")
    drawn = {line.get_label(): line.get_xydata().tolist() for line in ax.lines}
    assert drawn == LINES
    assert len({line.get_linestyle() for line in ax.lines}) == 2, "told apart without colours"
    assert "validation songs" in ax.get_ylabel() and "dB" in ax.get_ylabel() and ax.get_xlabel() == "step"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == list(LINES)


def test_words_say_where_each_run_began_and_ended():
    words = plots.courses_alt(LINES, "our DANet", on="validation pairs")
    assert "our DANet" in words and "validation pairs" in words
    assert "as shipped: from -1.2 dB at step 100 to 4.5 dB at step 300" in words
    assert "half of the rate: from 0.5 dB at step 100 to 2.0 dB at step 250" in words


def test_a_run_without_a_look_is_refused():
    with pytest.raises(ValueError):
        plots.courses({"none": []}, on="validation songs")
