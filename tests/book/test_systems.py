"""The table of all systems: one row for each on the shelf, counted from code, scored from results."""

import json
import sys
from statistics import mean

import pytest
from book_sources import ROOT

from sepbook import architectures

sys.path.insert(0, str(ROOT / "book" / "_ext"))
import sepbook_systems as systems
from built_pages import soup

FILE = ROOT / "book" / "architectures" / "overview.toml"
ENTRIES = systems.systems_of(FILE)
PAGE = "book/architectures/overview.html"


def rows():
    """Return the cells of each row of the built table, by the system's title."""
    found = soup(PAGE).select("table.sepbook-systems tbody tr")
    return {tr.td.get_text(strip=True): [td.get_text(" ", strip=True) for td in tr.select("td")] for tr in found}


def test_every_system_of_the_shelf_has_its_row():
    assert set(ENTRIES) == set(architectures.names())
    assert list(rows()) == [entry["title"] for entry in ENTRIES.values()]


@pytest.mark.parametrize(("name", "parameters"), [("unet", "9.8"), ("conv_tasnet", "5.1"), ("demucs", "648.5")])
def test_parameters_are_those_of_the_published_network(name, parameters):
    head = [th.get_text(strip=True) for th in soup(PAGE).select("table.sepbook-systems thead th")]
    assert rows()[ENTRIES[name]["title"]][head.index("millions of parameters")] == parameters


def test_a_published_score_is_the_mean_of_its_stems():
    found = rows()
    for entry in ENTRIES.values():
        words = found[entry["title"]][systems.HEAD.index("published")]
        if "published" in entry:
            assert words.startswith(f"{mean(entry['published']['values']):.1f} {entry['published']['measure']}")
        else:
            assert words == "–"


def test_our_scores_are_those_of_the_results(tmp_path):
    assert systems.measured(tmp_path, "unet") is None, "what is not trained has no score"
    folder = tmp_path / "results" / "architectures"
    folder.mkdir(parents=True)
    shipped = {"improvement": {"mean": 6.0}, "at_system": {"improvement": {"mean": 5.0}}}
    masks = {"ratio_1": {"mean": 12.0}, "binary": {"mean": 15.0}}
    part = {"recipe": {"task": "songs"}, "oracles": masks, "shipped": {"improvement": {"mean": 6.0}}}
    (folder / "one.json").write_text(json.dumps({"small": part}))
    assert systems.measured(tmp_path, "one") == (6.0, 0.5)
    low = {**part, "recipe": {"task": "talkers"}, "shipped": shipped, "oracles_at_system": {"binary": {"mean": 10.0}}}
    (folder / "two.json").write_text(json.dumps({"small": low}))
    assert systems.measured(tmp_path, "two") == (5.0, 0.5), "at its own rate, beside the binary mask there"


def test_names_lead_to_the_pages_that_are_there():
    linked = {
        a["href"].removesuffix(".html") for a in soup(PAGE).select("table.sepbook-systems tbody td:first-child a")
    }
    there = {page.stem for page in (ROOT / "book" / "architectures").glob("*.md")} & set(ENTRIES)
    assert linked == there
