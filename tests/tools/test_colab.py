"""What `make colab` installs and runs; that it runs is seen where there is a Python 3.13 (`make colab`)."""

import pytest

from tools import colab, colab_dry_run

PINS = colab_dry_run.read_freeze(colab_dry_run.FREEZE)


def test_constraints_are_colabs_versions_without_its_own_builds():
    lines = colab.constraints().splitlines()
    names = {line.partition("==")[0] for line in lines}
    assert len(lines) == len(names) > 500 and not [line for line in lines if "+" in line]
    assert {"numpy==2.1.3", "ipython==7.34.0", "librosa==0.11.0", "torch==2.11.0"} <= set(lines)
    assert not {name for name in names if "nvidia" in name or "cuda" in name}
    assert names <= set(PINS)


def test_what_colab_lacks_for_the_tests_is_asked_for():
    wanted = {colab_dry_run.canonical(line.split(">")[0]) for line in colab.needed()}
    assert {"torch", "pyloudnorm", "pytest", "nbval", "hypothesis"} <= wanted


@pytest.mark.parametrize("name", ["pythons", "space"])
def test_without_a_python_or_space_it_is_skipped_with_the_reason(monkeypatch, capsys, tmp_path, name):
    made = []
    monkeypatch.setattr(colab, "make_environment", lambda: made.append(1))
    monkeypatch.setattr(colab, "PYTHON", tmp_path / "none")
    if name == "pythons":
        monkeypatch.setattr(colab, "find_python", lambda: "echo")  # says `--version`: no Python 3.13
    else:
        (tmp_path / "python").write_text("#!/bin/sh\necho Python 3.13.0\n")
        (tmp_path / "python").chmod(0o755)
        monkeypatch.setattr(colab, "find_python", lambda: tmp_path / "python")
        monkeypatch.setattr(colab.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 1e9}))
    assert colab.main([]) == 0 and not made
    assert capsys.readouterr().out.startswith("Skipped: ")


def test_librosas_other_version_is_taken_back_whatever_happens(monkeypatch):
    asked = []
    monkeypatch.setattr(colab, "pip", lambda *arguments: asked.append(arguments[-1]))
    monkeypatch.setattr(colab, "run", lambda *arguments: 1)
    assert colab.with_other_librosa() == 1 and asked == [colab.OTHER_LIBROSA, "librosa==0.11.0"]


def test_one_step_that_fails_fails_all_and_a_wrong_step_is_explained(monkeypatch, capsys):
    monkeypatch.setattr(colab, "make_environment", lambda: None)
    monkeypatch.setattr(colab, "COLAB_PYTHON", "{}.{}".format(*colab.sys.version_info))
    monkeypatch.setattr(colab, "find_python", lambda: colab.sys.executable)
    monkeypatch.setattr(colab, "STEPS", {"tests": lambda: 0, "labs": lambda: 1})
    assert colab.main([]) == 1 and "tests: ok  labs: FAILED" in capsys.readouterr().out
    assert colab.main(["tests"]) == 0
    assert colab.main(["nothing"]) == 2 and "there are: tests, labs" in capsys.readouterr().out
