"""Tables of scores are written so that pages can read them; a trial is short and changes nothing in the repository."""

import json
import math
from types import SimpleNamespace

import pytest

from tools.results import _common, _trial

NAN = math.nan


def test_tables_are_written_by_rows_without_nan(tmp_path, monkeypatch):
    monkeypatch.setattr(_common, "RESULTS", tmp_path)
    _common.write_all("losses/some", {"scores": [[1.23456789, NAN], [2.0, None]], "words": ["a", "b"], "none": []})
    text = (tmp_path / "losses/some.json").read_text()
    assert "[1.23457, null]" in text and "[2.0, null]" in text, "a seed a line"
    assert json.loads(text) == {"scores": [[1.23457, None], [2.0, None]], "words": ["a", "b"], "none": []}


def test_means_leave_out_songs_without_a_score():
    assert _common.mean_score([[1.0, NAN, None], [4.0, NAN, None]]) == 2.5
    ours, theirs = [[1.0, NAN, 2.0]] * 5, [[0.0, NAN, 1.0]] * 5
    found = _common.paired(ours, theirs, ["a", "a", "b"])
    assert (found["mean"], found["songs"], found["voices"], found["left_out"]) == (1.0, 2, 2, 1)


@pytest.mark.parametrize("split", ["valid", "test"])
def test_every_song_names_its_voice(split):
    found = _common.singers(split)
    assert len(found) == len(_common.songs(split)) and any(found)


def test_a_trial_is_short_and_writes_elsewhere(tmp_path):
    there = tmp_path / "weights"
    there.mkdir()
    module = SimpleNamespace(STEPS=300, SEEDS=(0, 1, 2, 3, 4), SIZES={"small": {}}, WEIGHTS=there / "a.safetensors")
    _trial.shrink(module, tmp_path)
    assert (module.STEPS, module.SEEDS, module.SIZES) == (_trial.FEW["STEPS"], (0, 1), {"small": {}})
    assert module.WEIGHTS == tmp_path / "a.safetensors"
    folder = SimpleNamespace(WEIGHTS=there)
    _trial.shrink(folder, tmp_path)
    assert folder.WEIGHTS == tmp_path
