"""Progress over all labs: kept in a file, shown as a table, and no reason for a lab to stop."""

import json

import pytest

from sepbook import check
from sepbook.check import _progress
from sepbook.check.foundations import sound

NAMES = _progress.exercises()


@pytest.fixture
def kept(tmp_path, monkeypatch):
    place = tmp_path / "progress.json"
    monkeypatch.setenv("SEPBOOK_PROGRESS", str(place))
    return place


def test_all_labs_and_exercises_are_found(root):
    top = root / "notebooks"
    labs = {path.relative_to(top).with_suffix("").as_posix() for path in top.rglob("*.ipynb")}
    labs = {lab for lab in labs if ".ipynb_checkpoints" not in lab}
    assert set(NAMES) <= labs and len(NAMES) == len(labs)
    names = [one.name for found in NAMES.values() for one in found]
    assert len(names) == len(set(names)) > 100


def test_what_was_solved_and_tried_is_kept(kept, capsys):
    one, other = sound.exercise_1, sound.exercise_2
    one("nonsense")
    one("nonsense")
    other("nonsense")
    assert check.progress().solved == 0
    row = json.loads(kept.read_text())[one.name]
    assert row["tries"] == 2 and not row["solved"] and sum(row["hints"].values()) == 2
    _progress.note(one.name, one.title, solved=True)
    one("nonsense")  # trying out a wrong answer afterwards takes nothing away
    shown = check.progress()
    assert shown.solved == 1 and json.loads(kept.read_text())[one.name]["tries"] == 3
    assert "✔✘" in str(shown) and f"1 of {shown.total}" in str(shown) and str(kept) in str(shown)
    assert "<table>" in shown._repr_html_() and "✔✘" in shown._repr_html_()


@pytest.mark.parametrize("content", ["", "{", "[1, 2]", '{"a": 3}', '{"%s": {"tries": "x", "hints": 3}}', "\x00\xff"])
def test_a_damaged_file_stops_nothing(kept, content, capsys):
    name = sound.exercise_1.name
    kept.write_text(content.replace("%s", name), encoding="latin-1")
    assert check.progress().solved == 0
    sound.exercise_1("nonsense")
    assert json.loads(kept.read_text())[name]["tries"] == 1


def test_a_place_that_cannot_be_written_stops_nothing(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SEPBOOK_PROGRESS", str(tmp_path / "file" / "below"))
    sound.exercise_1("nonsense")
    assert "✘" in capsys.readouterr().out
    assert check.progress().solved == 0


def test_off_keeps_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEPBOOK_PROGRESS", "off")
    sound.exercise_1("nonsense")
    assert list(tmp_path.iterdir()) == [] and "off" in str(check.progress())


def test_labs_of_all_chapters_share_one_file(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("SEPBOOK_PROGRESS")
    (tmp_path / "losses").mkdir()
    monkeypatch.chdir(tmp_path)
    sound.exercise_1("nonsense")
    monkeypatch.chdir(tmp_path / "losses")
    sound.exercise_1("nonsense")
    assert [path.name for path in tmp_path.rglob("*.json")] == [_progress.NAME]
    monkeypatch.setattr(_progress, "DRIVE", tmp_path / "losses")
    assert _progress.path() == tmp_path / "losses" / _progress.NAME  # a mounted Drive comes first


def test_an_exercise_of_a_notebook_is_not_kept(kept, capsys):
    check.exercise("Exercise 1")(lambda answer: 1 / 0)(3)
    assert not kept.exists()
