"""A family tree stands where its years and rows say, and no line leads back in time."""

import pytest
from matplotlib import pyplot as plt
from matplotlib.patches import FancyBboxPatch

from sepbook import plots

TREE = {
    "first": {"title": "First idea", "year": 2014, "row": 1, "domain": "spectrogram"},
    "second": {"title": "Second", "year": 2016, "row": 0, "domain": "samples", "after": ["first"]},
    "twin": {"title": "Twin", "year": 2016, "row": 2, "domain": "samples", "after": ["first", "second"]},
}


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def boxes(ax):
    return [patch for patch in ax.patches if isinstance(patch, FancyBboxPatch)]


def test_each_stands_at_its_year_and_row():
    ax = plots.family(TREE)
    middles = [(box.get_x() + box.get_width() / 2, box.get_y() + box.get_height() / 2) for box in boxes(ax)]
    assert middles == [pytest.approx((entry["year"], entry["row"])) for entry in TREE.values()]
    assert [text.get_text() for text in ax.get_xticklabels()] == ["2014", "2016"]
    assert ax.get_ylim()[0] > ax.get_ylim()[1], "row 0 is on top"
    assert {"First\nidea", "Second", "Twin"} <= {text.get_text() for text in ax.texts}


def test_an_arrow_leads_from_each_parent_to_the_edge_of_the_child():
    ax = plots.family(TREE)
    heads = [text.xy for text in ax.texts if text.get_text() == ""]
    assert len(heads) == 3
    (left, _), (same, below) = heads[0], heads[2]
    assert 2014 < left < 2016 and same == 2016 and 1 < below < 2, "from the left; within a year, from above"


def test_what_is_read_shows_in_the_colour():
    first, second, twin = (box.get_edgecolor() for box in boxes(plots.family(TREE)))
    assert first != second == twin


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"after": ["nobody"]}, "twin grew out of 'nobody', which is not there: first, second, twin"),
        ({"year": 2013, "after": ["first"]}, r"twin \(2013\) grew out of first \(2014\)"),
        ({"row": 0}, "twin stands where another one does already: year 2016, row 0"),
    ],
)
def test_a_tree_that_cannot_be_is_refused(changed, words):
    with pytest.raises(ValueError, match=words):
        plots.family(TREE | {"twin": TREE["twin"] | changed})
