"""What `make package` installs and runs, on each kind of machine."""

import sys

import pytest

from tools import package


@pytest.fixture
def calls(monkeypatch):
    """The commands that would have run, as words; each ends well."""
    made = []

    def run(command, **more):
        made.append([str(word) for word in command])
        return type("Done", (), {"returncode": 0})

    monkeypatch.setattr(package.subprocess, "run", run)
    return made


@pytest.mark.parametrize(("platform", "place"), [("linux", "bin/python"), ("win32", "Scripts/python.exe")])
def test_an_environment_of_newest_versions_then_tests_and_labs(calls, monkeypatch, capsys, platform, place):
    monkeypatch.setattr(sys, "platform", platform)
    assert package.main([]) == 0 and capsys.readouterr().out == "tests: ok  labs: ok\n"
    venv, needed, own, tests, labs = calls
    assert venv[1:3] == ["-m", "venv"] and all(call[0].endswith(place) for call in calls[1:])
    assert "--upgrade" in needed and not [word for word in needed if "==" in word]
    assert any(word.startswith("torch>=") for word in needed) and own[-1] == str(package.ROOT)
    assert tests[-1] == "tests" and "not slow and not network" in tests and "--ignore-glob=tests/browser" in tests
    assert "--nbval-lax" in labs and sum(word.endswith(".ipynb") for word in labs) == len(package.labs())


def test_one_step_that_fails_fails_all_and_a_wrong_step_is_explained(calls, monkeypatch, capsys):
    monkeypatch.setattr(package, "STEPS", {"tests": lambda: 0, "labs": lambda: 1})
    assert package.main([]) == 1 and "tests: ok  labs: FAILED" in capsys.readouterr().out
    assert package.main(["tests"]) == 0 and package.main(["nothing"]) == 2
