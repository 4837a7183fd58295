"""Drawings of recurrent layers: complete, inside their sheet, and refusing what they cannot draw."""

import pytest
from matplotlib import pyplot as plt

from sepbook.plots import page
from sepbook.plots.cells import GATES, POINTS, recurrent_cell, unrolled
from sepbook.plots.style import styled


@pytest.fixture(autouse=True)
def tidy():
    yield
    plt.close("all")


def words(figure):
    """Return the texts of a figure's only axes; arrows are texts without words."""
    return [text.get_text() for text in figure.axes[0].texts if text.get_text()]


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("kind", GATES)
def test_cell_shows_every_gate_and_stays_on_its_sheet(kind, mode):
    with styled(mode):
        figure = recurrent_cell(kind)
        said = words(figure)
        assert all(f"${letter}$" in said for letter, *_ in GATES[kind])
        assert sum(text in ("×", "+") for text in said) == len(POINTS[kind])
        assert {"$x_t$", "$h_{t-1}$", "$h_t$"} <= set(said) and ("$c_t$" in said) == (kind == "lstm")
        assert page.png(figure)  # also as the book writes it
        figure.canvas.draw()
        for text in figure.axes[0].texts:
            box = text.get_window_extent()
            assert figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1 and figure.bbox.y0 <= box.y0


def test_the_gru_is_drawn_as_it_is_computed_with_the_reset_gate_after_the_matrix():
    from sepbook.plots.cells import FLOWS, PLAIN

    matrix, reset = (2.4, 4.4), (2.4, 3.6)
    assert ("$U_n$", *matrix) in PLAIN["gru"] and ("×", *reset) in POINTS["gru"]
    assert [(2.4, 5.2), matrix] in FLOWS["gru"] and [matrix, reset] in FLOWS["gru"]


def test_unrolled_has_one_step_for_each_frame_and_direction():
    for frames, both in ((2, False), (4, False), (5, True)):
        figure = unrolled(frames, both)
        said = words(figure)
        assert page.png(figure)
        assert said.count("step") == frames * (1 + both) and said.count("$0$") == 1 + both
        assert {f"$x_{frames}$", f"$y_{frames}$"} <= set(said)


def test_refuses_what_it_cannot_draw():
    with pytest.raises(ValueError, match="rnn, lstm, gru"):
        recurrent_cell("blstm")
    with pytest.raises(ValueError, match="at least 2"):
        unrolled(1)
