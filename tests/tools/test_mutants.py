"""The bench that plants faults: each file has its tests, outcomes are told apart, and what is written adds up."""

import json
from pathlib import Path

import pytest

from tools.mutants import __main__ as mutants
from tools.mutants.suites import CHAPTERS, OF_CHAPTER, files_for

ROOT = Path(__file__).resolve().parents[2]
MODULES = [p.relative_to(ROOT).as_posix() for c in CHAPTERS for p in sorted((ROOT / "sepbook" / c).rglob("*.py"))]


@pytest.mark.parametrize("file", MODULES)
def test_each_file_has_tests_and_its_own_come_first(file):
    found = files_for(ROOT, file)
    name, chapter = Path(file).stem.strip("_"), Path(file).parts[1]
    own = [test for test in found if test in (f"tests/{chapter}/test_{name}.py", f"tests/test_{chapter}_{name}.py")]
    assert found and len(found) == len(set(found)) and set(own) <= set(found[: len(own) + 5])


def test_every_chapter_of_the_bench_is_one_of_the_package():
    assert set(OF_CHAPTER) == set(CHAPTERS)
    assert all((ROOT / "sepbook" / chapter).is_dir() for chapter in CHAPTERS)


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """Give a bench with one module, one quick test of it and a slow one."""
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    slow:\n    network:\n")
    (tmp_path / "code.py").write_text("def double(x):\n    return 2 * x\n")
    (tmp_path / "test_code.py").write_text(
        "import pytest, code_under_test as c\n"
        "def test_quick():\n    assert c.double(3) == 6\n"
        "@pytest.mark.slow\ndef test_slow():\n    assert c.double(0.5) == 1\n"
    )
    (tmp_path / "code.py").rename(tmp_path / "code_under_test.py")
    monkeypatch.setattr(mutants, "files_for", lambda root, file: ["test_code.py"])
    return mutants.Bench(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("return 3 * x", "killed"),
        ("return x + x", "survived"),
        ("return 2 * x if x > 1 else 0", "killed"),  # by the slow test alone
        ("while True: pass", "killed by the clock"),
    ],
)
def test_outcomes_are_told_apart_and_the_sound_code_comes_back(bench, code, outcome):
    bench.limits = dict.fromkeys([(stage, "test_code.py") for stage in mutants.STAGES], 900.0)
    if outcome == "killed by the clock":
        bench.limits = dict.fromkeys(bench.limits, 5.0)
    sound = (bench.root / "code_under_test.py").read_text()
    assert bench.judge({"file": "code_under_test.py", "source": f"def double(x):\n    {code}\n"}) == outcome
    assert (bench.root / "code_under_test.py").read_text() == sound


@pytest.mark.parametrize(("noticed", "runs"), [(0, "q Q"), (1, "q Q s S"), (2, "q Q s S")])
def test_slow_tests_run_only_where_no_quick_one_notices(bench, monkeypatch, noticed, runs):
    """Each stage is tried on the sound code first (small letters), then on the fault (capitals)."""
    ran = []

    def run(root, files, stage, limit):
        fault = "fault" in (root / "code_under_test.py").read_text()
        stages = mutants.STAGES
        ran.append("qs"[stages.index(stage)].upper() if fault else "qs"[stages.index(stage)])
        return "killed" if fault and stages.index(stage) == noticed else "survived"

    monkeypatch.setattr(mutants, "run_tests", run)
    outcome = bench.judge({"file": "code_under_test.py", "source": "fault"})
    assert " ".join(ran) == runs and outcome == ("survived" if noticed == 2 else "killed")
    assert "double" in (bench.root / "code_under_test.py").read_text()


def test_what_was_tried_is_not_tried_again_unless_it_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(mutants, "WORK", tmp_path)
    monkeypatch.setattr(mutants, "RESULTS", tmp_path / "results.json")
    tried = []

    class Judge:
        def judge(self, fault):
            tried.append(fault["key"])
            return {"a": "killed", "b": "survived"}[fault["key"]]

    lines = {"file": "a.py", "line": 1, "operator": "o", "diff": ["-a", "+b"], "source": ""}
    faults = [{"key": key, "chapter": "x", **lines} for key in "ab"]
    for again in (False, False, True):
        mutants.try_all(Judge(), faults, tmp_path / "7" / "x.json", again)
    assert tried == ["a", "b", "b"]
    mutants.try_all(Judge(), [dict(faults[0], chapter="y")], tmp_path / "7" / "y.json", False)
    found = mutants.write_report(7)  # of both chapters, whoever tried them
    assert found["total"]["planted"] == 3 and set(found["chapters"]) == {"x", "y"}
    found["survivors"][0]["reason"] = "equivalent: nothing differs"
    mutants.save(mutants.RESULTS, found)
    assert mutants.write_report(7)["chapters"]["x"]["share"] == 1


def test_tests_that_fail_without_a_fault_stop_the_bench(bench):
    (bench.root / "code_under_test.py").write_text("def double(x):\n    return 3 * x\n")
    with pytest.raises(SystemExit, match="Without any fault, these tests fail"):
        bench.limit(["test_code.py"], mutants.STAGES[0])


def test_the_report_counts_and_keeps_reasons():
    lines = {"file": "a.py", "line": 1, "operator": "o", "diff": ["-a", "+b"], "source": ""}
    faults = [{"key": key, "chapter": chapter, **lines} for key, chapter in zip("abcde", "xxxyy", strict=True)]
    done = {"a": "killed", "b": "survived", "c": "survived", "d": "killed by the clock"}  # e was not reached
    found = mutants.report(faults, done, 7, {"b": "equivalent: the same at zero", "z": "gone"})
    assert found["chapters"]["x"] == {"planted": 3, "killed": 1, "by_the_clock": 0, "equivalent": 1, "share": 0.5}
    assert found["chapters"]["y"]["share"] == 1 and found["total"]["planted"] == 4
    assert [(s["key"], s["reason"]) for s in found["survivors"]] == [("b", "equivalent: the same at zero"), ("c", "")]
    assert "source" not in found["survivors"][0] and json.dumps(found)
