"""The score of a soundscape shows each event where it is heard, in the row of its label."""

from dataclasses import dataclass

import pytest
from matplotlib import pyplot as plt

from sepbook import plots


@dataclass
class Heard:
    label: str
    start: float
    end: float
    snr: float


SCENE = [Heard("rain", 0, 4, 0), Heard("dog", 0.5, 1.5, 6.2), Heard("cat", 1, 5, -3), Heard("dog", 3, 3.5, -8.8)]


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_each_event_is_a_bar_from_its_start_to_its_end():
    ax = plots.events(SCENE, 4.0)
    bars = [(bar.get_x(), bar.get_x() + bar.get_width(), bar.get_y() + bar.get_height() / 2) for bar in ax.patches]
    assert bars == [(0, 4, 0), (0.5, 1.5, 1), (1, 4, 2), (3, 3.5, 1)], "what is cut off at the end is drawn to the end"
    assert [text.get_text() for text in ax.get_yticklabels()] == ["rain", "dog", "cat"]
    assert ax.get_xlim() == (0, 4.0) and ax.get_ylim()[0] > ax.get_ylim()[1], "the first row is on top"


def test_each_bar_says_its_level():
    ax = plots.events(SCENE, 4.0)
    assert [text.get_text() for text in ax.texts] == ["0 dB", "+6 dB", "−3 dB", "−9 dB"]


def test_sources_keep_their_colours_and_others_differ():
    ax = plots.events([Heard("vocals", 0, 1, 0), Heard("dog", 0, 1, 0), Heard("cat", 0, 1, 0)], 1.0)
    colours = [plt.matplotlib.colors.to_hex(bar.get_facecolor()) for bar in ax.patches]
    assert colours[0] == plots.COLOURS["vocals"] and len(set(colours)) == 3


def test_an_axes_can_be_given_and_nothing_is_refused():
    _, ax = plt.subplots()
    assert plots.events(SCENE, 4.0, ax, "A walk") is ax
    assert "A walk" in (ax.get_title(), ax.get_title(loc="left"))
    with pytest.raises(ValueError, match="no event to draw"):
        plots.events([], 4.0)
