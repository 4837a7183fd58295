"""Bars: numbers that stay in the picture, colours that mean something, groups told apart without colour."""

import matplotlib
import pytest
from matplotlib import pyplot as plt

from sepbook import plots


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_bars_show_value_and_interval():
    ax = plots.bars({"vocals": (8.0, 7.0, 9.5), "bass": -2.25})
    assert [bar.get_width() for bar in ax.patches] == [8.0, -2.25]
    assert [text.get_text() for text in ax.texts] == ["8.0", "\N{MINUS SIGN}2.2"]
    assert [list(line.get_xdata()) for line in ax.lines if len(set(line.get_xdata())) == 2] == [[7.0, 9.5]]
    assert matplotlib.colors.to_hex(ax.patches[0].get_facecolor()) == plots.COLOURS["vocals"]
    assert ax.get_xlabel() == "dB" and [t.get_text() for t in ax.get_yticklabels()] == ["vocals", "bass"]


def test_groups_of_bars_are_told_apart_by_hatches():
    ax = plots.bars({"U-Net": {"vocals": 8.0, "bass": 9.0}, "oracle": {"bass": 12.0}})
    hatches = {bar.get_width(): bar.get_hatch() for bar in ax.patches if bar.get_width()}
    assert hatches[8.0] == hatches[9.0] != hatches[12.0]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["U-Net", "oracle"]


def test_colours_of_stems_mean_stems_and_other_bars_have_those_of_their_group():
    def paints(values):
        return [matplotlib.colors.to_hex(bar.get_facecolor()) for bar in plots.bars(values).patches if bar.get_width()]

    blue, brown = plots.colour("blue"), plots.colour("brown")
    assert paints({"anchor": 3.0, "ideal mask": 2.0, "mixture": 1.0}) == [blue, blue, plots.COLOURS["mixture"]]
    assert paints({"sick": {"a": 1.0, "b": 2.0}, "mended": {"a": 3.0}}) == [blue, blue, brown]
    assert paints({"drums": {"equaliser": 1.0}, "rest": {"equaliser": 2.0}}) == [plots.COLOURS["drums"], brown]


@pytest.mark.parametrize(
    "values",
    [
        {"half as strong": 100.0, "(our U-Net)": -1.3},
        {"anchor": 16.9, "mixture": -2.4},
        {"one second": -10.4, "ten songs": 1.6},
        {"minus MSE": (-2.69, -4.7, -0.6), "minus L1": (-1.51, -2.8, -0.3)},
        {"a": -0.04, "b": 0.0},
        {"from scratch": (3.8, -22.0, 12.0), "all layers": (8.6, 3.5, 13.0)},
    ],
)
def test_the_numbers_of_bars_stay_inside_the_axes(values):
    ax = plots.bars(values)
    ax.figure.canvas.draw()
    frame = ax.get_window_extent()
    for text in ax.texts:
        box = text.get_window_extent()
        assert frame.x0 - 1 <= box.x0 and box.x1 <= frame.x1 + 1, text.get_text()
    assert "\N{MINUS SIGN}0.0" not in [text.get_text() for text in ax.texts]
