"""Bars: shown where they are wanted, and never on a page of the book."""

import pytest

from sepbook._bars import progress_bar


@pytest.mark.parametrize(("progress", "book", "shown"), [(True, "", True), (False, "", False), (True, "1", False)])
def test_a_bar_is_shown_where_it_is_wanted_and_not_on_a_built_page(progress, book, shown, monkeypatch, capsys):
    monkeypatch.setenv("SEPBOOK_BOOK", book)
    assert list(progress_bar([1, 2], progress=progress, delay=0, desc="Scoring")) == [1, 2]
    assert ("Scoring: 100%" in capsys.readouterr().err) == shown
