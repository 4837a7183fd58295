"""The extension's own arithmetic: keys, numbers, links."""

import json
import os

import pytest
import sepbook_cards
import sepbook_execution
import sepbook_pages
import sepbook_results


def write(path, text="text"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_only_the_last_caches_are_kept(tmp_path):
    for age, name in enumerate(["oldest", "old", "new", "newer", "newest"]):
        write(tmp_path / name / "file")
        os.utime(tmp_path / name, (age, age))
    sepbook_execution.forget_old_keys(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "newer", "newest"]


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (10.84, ".1f dB", "10.8\u00a0dB"),
        (-0.26, ".1f", "−0.3"),
        (9823313, ", parameters", "9,823,313\u00a0parameters"),
        (0.756, ".0%", "76%"),
        ("word", "", "word"),
    ],
)
def test_numbers_are_printed_for_readers(value, form, text):
    assert sepbook_results.printed(value, form) == text


def test_results_reach_into_lists_and_name_what_is_missing(tmp_path):
    write(tmp_path / "results" / "x.json", json.dumps({"rows": [{"db": 1}, {"db": 2}]}))
    assert sepbook_results.look_up(tmp_path, "x.json:rows.1.db") == 2
    with pytest.raises(sepbook_results.ResultError, match="no '7' at rows; there is: a list"):
        sepbook_results.look_up(tmp_path, "x.json:rows.7.db")


def test_a_lab_is_named_by_its_first_heading(tmp_path, lab):
    assert sepbook_cards.notebook_title(write(tmp_path / "lab.ipynb", lab)) == "Build a tiny thing"
    prefixed = write(tmp_path / "other.ipynb", lab.replace("# Build", "# Lab: build"))
    assert sepbook_cards.notebook_title(prefixed) == "Build a tiny thing"
    with pytest.raises(ValueError, match="has no heading"):
        sepbook_cards.notebook_title(write(tmp_path / "none.ipynb", lab.replace("# Build", "Build")))


def test_wide_tables_are_wrapped_one_by_one():
    body = "<p>a</p><table class='x'><tr></tr></table><p>b</p><table>\n</table>"
    wrapped = sepbook_pages.TABLE.sub(sepbook_pages.scrollable, body)
    assert wrapped.count('<div class="sepbook-scroll"><table') == 2
    assert wrapped.replace('<div class="sepbook-scroll">', "").replace("</table></div>", "</table>") == body
