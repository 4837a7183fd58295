"""`sepbook corpus render`: it calls the book's own script, and says where that is when it is not there."""

import subprocess
import sys

import pytest

from sepbook.cli import _corpus, main


@pytest.fixture
def calls(monkeypatch):
    """The calls of the script, which itself is not run."""
    made = []

    def run(command, cwd):
        made.append((command, cwd))
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(_corpus.subprocess, "run", run)
    return made


def test_it_calls_the_script_in_the_repository(calls, tmp_path, capsys):
    assert main(["corpus", "render", "--songs", "12", "--out", str(tmp_path / "more")]) == 0
    [(command, cwd)] = calls
    assert command[:4] == [sys.executable, "-m", "tools.corpus", "more"] and cwd == _corpus.REPOSITORY
    assert command[4:] == ["--songs", "12", "--jobs", "2", "--split", "train", "--out", str(tmp_path / "more")]
    assert capsys.readouterr().out.strip() == str(tmp_path / "more")


def test_a_teachers_songs_have_a_seed_and_a_split(calls, tmp_path):
    out = tmp_path / "exam"
    assert main(["corpus", "render", "--songs", "3", "--seed", "7", "--split", "test", "-o", str(out)]) == 0
    [(command, _)] = calls
    assert command[4:] == ["--songs", "3", "--jobs", "2", "--split", "test", "--seed", "7", "--out", str(out)]
    assert main(["corpus", "render", "--songs", "3", "--split", "valid"]) == 2 and len(calls) == 1


def test_without_the_repository_one_line_says_how_to_get_it(calls, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(_corpus, "REPOSITORY", tmp_path)
    assert main(["corpus", "render", "--songs", "2"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "clone" in said and "setup.sh apt corpus" in said and not calls


@pytest.mark.parametrize("words", [["--songs", "0"], ["--songs", "many"], []])
def test_a_number_of_songs_that_is_none_is_refused(calls, words):
    assert main(["corpus", "render", *words]) == 2 and not calls
