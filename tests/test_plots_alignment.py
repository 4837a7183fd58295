"""The picture of broadcasting says what torch does: which sizes come out, and where it cannot be."""

import pytest
import torch
from matplotlib import pyplot as plt

from sepbook import plots
from sepbook.shapes import ShapeError

SHAPES = [(2, 4, 1, 5, 7), (2, 1, 5, 7), (4, 1, 1), (5, 1), (7,), (2, 4), (1,), (), (4, 7)]


@pytest.fixture(autouse=True)
def closed():
    """Close what a test has drawn."""
    yield
    plt.close("all")


def words(ax):
    return [text.get_text() for text in ax.texts]


@pytest.mark.parametrize("first", SHAPES)
@pytest.mark.parametrize("second", SHAPES)
def test_sizes_are_those_of_torch(first, second):
    sizes = [common for _, common in plots.align([first, second])]
    try:
        assert tuple(sizes) == torch.broadcast_shapes(first, second)
    except RuntimeError:
        assert None in sizes


def test_missing_axes_stand_on_the_left():
    assert plots.align([(2, 3, 4), (4,)]) == [([2, None], 2), ([3, None], 3), ([4, 4], 4)]


def test_picture_names_every_axis_and_the_result():
    said = words(plots.alignment({"masks": ("B S F", (2, 4, 5)), "bins": ("B 1 F", torch.zeros(2, 1, 5))}))
    assert said.count("B = 2") == 3 and said.count("S = 4") == 2 and said.count("F = 5") == 3
    assert "1" in said and "result" in said and "✗" not in said


def test_what_does_not_fit_is_marked():
    said = words(plots.alignment({"sources": ("S C N", (4, 1, 100)), "volumes": ("S", (4,))}))
    assert "no result" in said and said.count("✗") == 1


def test_two_letters_in_one_column_are_both_named():
    said = words(plots.alignment({"estimates": ("B S N", (4, 1, 100)), "true": ("B N", (4, 100))}))
    assert "S or B = 4" in said and "result" in said


def test_dims_that_do_not_fit_the_tensor_are_refused():
    with pytest.raises(ShapeError, match="bins has 2 axes"):
        plots.alignment({"bins": ("B F T", (5, 7))})


def test_draws_into_given_axes():
    _, ax = plt.subplots()
    assert plots.alignment({"one": ("N", (3,))}, ax=ax, title="alone") is ax
    assert ax.get_title(loc="left") == "alone" or ax.get_title() == "alone"
