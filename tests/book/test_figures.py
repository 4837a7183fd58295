"""Figures: each has a number and a caption that says what is drawn; nobody types them."""

import sys

import pytest
from book_sources import ROOT
from built_pages import PAGES, soup

sys.path.insert(0, str(ROOT / "book" / "_ext"))
import sepbook_figures as figures
from docutils import nodes

TWO = '<div class="sepbook-figure"><img class="only-light" alt="{0}"><img class="only-dark" alt="{0}"></div>'


@pytest.mark.parametrize(
    ("alt", "said"),
    [
        ("Bars of the mean gain. binary 13.0 dB, ratio 12.9 dB, best 14.9 dB, true 12 dB.", "Bars of the mean gain."),
        ("Validation over the steps: from 2.0 dB at step 250 to 3.7 dB at step 2500.", "Validation over the steps."),
        ("Two curves. The first falls. The second rises until the very end of it. More.",
         "Two curves. The first falls. The second rises until the very end of it."),
        ("Bars of the improvement in dB. everything: 5.2; no skip: 5.9.", "Bars of the improvement in dB."),
        ("The gain over its power p. p = 0.25: 7.5 dB.", "The gain over its power p."),
        ("Left: both fall together for ten steps.", "Left: both fall together for ten steps."),
    ],
)  # fmt: skip
def test_the_caption_is_the_beginning_of_the_description(alt, said):
    assert figures.caption(alt) == said


def test_figures_of_a_page_are_counted_and_other_outputs_are_not():
    texts = [TWO.format("A map of a &lt;loss&gt; over two weights, dark where it is low."), "<table></table>",
             TWO.format("Two curves over time that never meet anywhere.")]  # fmt: skip
    page = nodes.container("", *(nodes.raw("", text, format="html") for text in texts))
    figures.number(None, page, "page")
    first, table, second = (node.astext() for node in page.findall(nodes.raw))
    assert table == "<table></table>"
    assert "<span>Figure 1.</span> A map of a &lt;loss&gt; over two weights, dark" in first
    assert first.count("<img") == 2 and first.count("alt=") == 2, "the description stays"
    assert 'id="figure-2"' in second and "Figure 2.</span> Two curves" in second


def test_no_picture_stands_beside_its_caption():
    """The theme hides a caption that follows a picture of the other colour scheme."""
    text = figures.numbered(TWO.format("Two curves over time that never meet anywhere."), 1)
    assert "</div><figcaption>" in text


@pytest.mark.parametrize("name", PAGES)
def test_every_figure_of_the_book_has_a_number_and_a_caption(name):
    page = soup(name)
    found = page.select(".sepbook-figure")
    said = [figure.select_one("figcaption").get_text(" ", strip=True) for figure in found]
    assert [words.split(".")[0] for words in said] == [f"Figure {n}" for n in range(1, len(said) + 1)]
    assert all(25 < len(words) < 320 for words in said), said
