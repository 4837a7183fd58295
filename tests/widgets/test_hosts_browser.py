"""Heavy data of an explorer come after the text of its page; where they do not come, its table stays."""

import pytest

from sepbook.widgets import _hosts
from tests.widgets.test_embedding import explorer
from tests.widgets.test_embedding_browser import Driver

pytestmark = pytest.mark.slow  # real processes: `make test` runs them, `make check` does not


@pytest.fixture
def heavy(site, monkeypatch):
    """Give an explorer whose data are too heavy for its page, and the folder that they are in."""
    monkeypatch.setattr(_hosts, "LIGHT", 0)
    folder = site[0] / "_static" / "figures"
    return explorer(title="Heavy").html(audio=folder, figures=folder), folder


def test_data_in_a_file_of_their_own_are_fetched(open_page, heavy):
    assert "levels" not in heavy[0]
    assert Driver(open_page(heavy[0])).ask("p.affinities().length") == len(explorer().bins)


def test_where_they_cannot_be_fetched_the_table_stays(open_page, heavy):
    for file in heavy[1].glob("embedding-*.json"):
        file.unlink()
    page = open_page(heavy[0], expect_errors=True)
    page.wait_for_load_state("networkidle")
    assert page.locator(".sepbook-embedding table").is_visible()
    assert page.locator(".sepbook-embedding canvas").count() == 0
