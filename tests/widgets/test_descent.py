"""The descent explorer's Python side: the surface, what it refuses, and what it hands to its two hosts."""

import gzip
import html
import json
import re
from pathlib import Path

import pytest
import torch

import sepbook.widgets
from sepbook.widgets.descent import descent

WIDGETS = Path(sepbook.widgets.__file__).parent


def piles(count=12, seed=0):
    """Give energies, overlaps and middles of a mixture whose louder half belongs to the source."""
    generator = torch.Generator().manual_seed(seed)
    middle = torch.linspace(-3, 3, count).double()
    energy = torch.rand(count, generator=generator).double() / count
    return energy, energy * torch.sigmoid(1.3 * middle + 0.2), middle


def test_the_height_is_the_masked_error():
    energy, overlap, middle = piles()
    explorer = descent(*piles())
    for w, b in ((0.0, 0.0), (1.3, 0.2), (-2.0, 5.0)):
        share = torch.sigmoid(w * middle + b)
        expected = 1 + sum(s * s * a - 2 * s * d for s, a, d in zip(share, energy, overlap, strict=True))
        assert explorer.height(torch.tensor(w), torch.tensor(b)).item() == pytest.approx(expected.item())


def test_the_lowest_place_is_found():
    w, b, height = descent(*piles()).lowest
    assert w == pytest.approx(1.3, abs=0.03) and b == pytest.approx(0.2, abs=0.03)
    spec, files = descent(*piles(), "Try").content
    assert spec["lowest"] == [w, b] and spec["goal"] == height and spec["title"] == "Try" and files == {}
    json.dumps(spec)


@pytest.mark.parametrize(
    "given",
    [
        (torch.ones(3), torch.ones(3), torch.ones(4)),
        (torch.ones(0),) * 3,
        (torch.ones(2), torch.tensor([1.0, torch.nan]), torch.ones(2)),
    ],
    ids=["lengths", "empty", "NaN"],
)
def test_what_is_no_surface_is_refused(given):
    with pytest.raises(ValueError, match="of one length"):
        descent(*given)


def test_in_the_book_it_shows_html_and_in_a_notebook_a_widget(tmp_path, monkeypatch):
    explorer = descent(*piles(), "Try <it>")
    assert "application/vnd.jupyter.widget-view+json" in explorer._repr_mimebundle_()[0]
    for name in ("", "_AUDIO", "_FIGURES"):
        monkeypatch.setenv(f"SEPBOOK_BOOK{name}", str(tmp_path) if name else "1")
    element = explorer._repr_mimebundle_()["text/html"]
    data = json.loads(html.unescape(re.search(r'data-descent="([^"]*)"', element)[1]))
    assert set(data["spec"]["piles"]) == {"a", "d", "c"} and data["files"] == {}
    assert "Try &lt;it&gt;" in element and "<it>" not in element and "JavaScript" in element
    assert "12 piles" in repr(explorer)


def test_the_scripts_stay_small():
    found = [p.read_bytes() for p in WIDGETS.glob("descent*") if p.suffix in (".js", ".css")]
    assert len(gzip.compress(b"".join(found))) < 7_000
