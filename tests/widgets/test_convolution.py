"""The convolution explorer's Python side: what it accepts, what it writes, and what it hands to its two hosts."""

import gzip
import html
import json
import re
from pathlib import Path

import pytest

import sepbook.widgets
from sepbook import shapes
from sepbook.widgets.convolution import LIMITS, convolution

WIDGETS = Path(sepbook.widgets.__file__).parent


def data(element):
    return json.loads(html.unescape(re.search(r'data-convolution="([^"]*)"', element)[1]))


def test_page_element_has_data_and_the_arithmetic_for_readers_without_javascript(tmp_path):
    element = convolution("Try <it>", n=9, kernel=4, stride=2, padding=1).html(tmp_path / "a", tmp_path / "f")
    spec = data(element)["spec"]
    assert spec["settings"]["stride"] == 2 and spec["settings"]["axes"] == 1 and not data(element)["files"]
    steps = html.unescape(re.search(r'<pre class="cv-steps">(.*?)</pre>', element, re.S)[1])
    assert steps == shapes.conv_length(9, 4, 2, 1, explain=False).steps
    assert "Try &lt;it&gt;" in element and "<it>" not in element


@pytest.mark.parametrize(
    ("geometry", "words"),
    [
        ({"n": 2, "kernel": 5}, "there is no place to put it"),
        ({"n": 2, "padding": 4, "transposed": True}, "nothing is left"),
        ({"output_padding": 3, "transposed": True}, "must be smaller than the stride"),
        ({"output_padding": 3}, "output length"),
    ],
)
def test_an_impossible_geometry_is_explained(geometry, words):
    explorer = convolution(**geometry)
    assert words in explorer.fallback(explorer.content[0], {})


@pytest.mark.parametrize(
    "wrong", [{"n": 0}, {"n": 13}, {"kernel": 2.5}, {"kernel": True}, {"stride": "2"}, {"padding": -1}, {"axes": 3}]
)
def test_what_is_outside_its_limits_is_refused(wrong):
    with pytest.raises(shapes.ShapeError, match=f"^{next(iter(wrong))} is"):
        convolution(**wrong)


def test_in_the_book_it_shows_html_and_in_a_notebook_a_widget(tmp_path, monkeypatch):
    explorer = convolution()
    assert "application/vnd.jupyter.widget-view+json" in explorer._repr_mimebundle_()[0]
    assert explorer.widget.spec["settings"]["n"] == 7 and set(explorer.widget.spec["limits"]) == set(LIMITS)
    for name in ("", "_AUDIO", "_FIGURES"):
        monkeypatch.setenv(f"SEPBOOK_BOOK{name}", str(tmp_path) if name else "1")
    assert "sepbook-convolution" in explorer._repr_mimebundle_()["text/html"]
    assert "'kernel': 3" in repr(explorer)


def test_the_scripts_stay_small():
    found = [p.read_bytes() for p in WIDGETS.glob("convolution*") if p.suffix in (".js", ".css")]
    assert len(gzip.compress(b"".join(found))) < 9_000
