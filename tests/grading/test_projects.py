"""Projects are scored on the same songs; one that cannot be loaded, or never ends, has its reason and stops none."""

import csv
import json
import sys

import pytest
import soundfile
import torch

from sepbook import architectures
from sepbook.cli import main
from sepbook.grading import projects
from sepbook.training import checkpoint


@pytest.fixture
def songs(tmp_path):
    """Two songs of a second, with four stems."""
    for song in ("one", "two"):
        folder = tmp_path / "exam" / "test" / song
        folder.mkdir(parents=True)
        torch.manual_seed(len(song))
        for stem in ("vocals", "drums", "bass", "other"):
            soundfile.write(folder / f"{stem}.wav", 0.1 * torch.randn(16000).numpy(), 16000)
    return tmp_path / "exam"


def hand_in(folder, name, seed=0, place="weights.safetensors"):
    torch.manual_seed(seed)
    path = folder / name / place
    path.parent.mkdir(parents=True, exist_ok=True)
    checkpoint.save_weights(path, architectures.create("unet", "tiny", sample_rate=16000))
    return path


def rows(out):
    with (out / "projects.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_projects_are_scored_and_ranked_and_what_cannot_be_is_told(tmp_path, songs, capsys):
    work, out = tmp_path / "projects", tmp_path / "scores"
    hand_in(work, "Jörg & Li", place="runs/best/weights.safetensors")
    hand_in(work, "damaged").write_bytes(b"\xff" * 100)
    hand_in(work, "two", place="a/weights.safetensors"), hand_in(work, "two", place="b/weights.safetensors")
    (work / "=none").mkdir()
    assert main(["score", str(work), "--data", str(songs), "-o", str(out)]) == 0
    first, *others = rows(out)
    assert first["project"] == "Jörg & Li" and first["songs"] == "2" and first["problem"] == ""
    mean, low, high = (float(first[key]) for key in ("improvement", "low", "high"))
    assert low <= mean <= high and all(first[stem] for stem in ("vocals", "drums", "bass", "other"))
    assert int(first["numbers"]) > 1000 and first["system"] == "unet"
    problems = {row["project"]: row["problem"] for row in others}
    assert set(problems) == {"'=none", "damaged", "two"} and "there is no file" in problems["'=none"]
    assert "weights.safetensors" in problems["damaged"] and "there are 2 files" in problems["two"]
    kept = json.loads((out / "projects.json").read_text(encoding="utf-8"))
    assert len(kept) == 4 and len(kept[0]["scores"]["per_track"]) == 2
    assert "4 of 4" in capsys.readouterr().err


def test_a_project_that_never_ends_is_ended(tmp_path, monkeypatch, songs):
    hand_in(tmp_path / "projects", "slow")
    code = "import time; time.sleep(600)"
    real = projects.subprocess.run
    monkeypatch.setattr(projects.subprocess, "run", lambda command, **more: real([sys.executable, "-c", code], **more))
    said = []
    (one,) = projects.score(tmp_path / "projects", str(songs), seconds=0.5, say=said.append)
    assert one.problem == "it took longer than 0.5 s" and one.mean is None and one.problem in said[0]
    assert projects.write([one], tmp_path / "out")[0].is_file() and rows(tmp_path / "out")[0]["improvement"] == ""


@pytest.mark.parametrize("code", ["print('not json')", "import os; os._exit(9)", "print('{}')"])
def test_a_process_that_ends_badly_has_its_reason(tmp_path, monkeypatch, songs, code):
    hand_in(tmp_path / "projects", "odd")
    real = projects.subprocess.run
    monkeypatch.setattr(projects.subprocess, "run", lambda command, **more: real([sys.executable, "-c", code], **more))
    (one,) = projects.score(tmp_path / "projects", str(songs), say=lambda text: None)
    assert one.mean is None and one.problem


def test_a_folder_without_projects_is_refused(tmp_path, capsys):
    assert main(["score", str(tmp_path / "absent"), "--data", "corpus"]) == 2
    assert "is no folder" in capsys.readouterr().err
    assert main(["score", str(tmp_path), "--data", "corpus"]) == 2
    assert "holds no projects" in capsys.readouterr().err


def test_links_do_not_lead_to_the_work_of_others(tmp_path):
    path = hand_in(tmp_path / "projects", "honest")
    (tmp_path / "projects" / "thief").mkdir()
    (tmp_path / "projects" / "thief" / "weights.safetensors").symlink_to(path)
    found = {one.name: one.problem for one in projects.find(tmp_path / "projects")}
    assert found["honest"] == "" and "there is no file" in found["thief"]
