"""What is done stays done; another edition, a damaged row or an interruption means doing it (again)."""

import json

import pytest

from tools.results import __main__ as results
from tools.results import _plan, _queue
from tools.results._queue import Job, do, row_of

EDITION = {"corpus": "c", "code": "1"}


@pytest.fixture(autouse=True)
def runs(tmp_path, monkeypatch):
    monkeypatch.setattr(_queue, "RUNS", tmp_path / "runs")
    return tmp_path / "runs"


def counted(done):
    def work(folder):
        done.append(folder)
        return {"mean": 1.5}

    return work


def test_a_job_is_done_once(runs):
    done, job = [], Job("steps_2", EDITION, "unet", "small", 3)
    assert row_of(job) is None
    assert do(job, counted(done)) == do(job, counted(done)) == {"mean": 1.5}
    assert done == [runs / job.key] and job.key.startswith("unet_small_steps_2_3_")
    assert row_of(job)["cpu_seconds"] >= 0


@pytest.mark.parametrize(
    "change",
    [
        {"edition": {"corpus": "c", "code": "2"}},
        {"seed": 1},
        {"arm": "steps_3"},
        {"preset": "tiny"},
        {"system": "demucs"},
    ],
)
def test_another_job_is_another(change):
    done, job = [], {"arm": "steps_2", "edition": EDITION, "system": "unet", "preset": "small"}
    do(Job(**job), counted(done))
    do(Job(**job | change), counted(done))
    assert len(done) == 2 and done[0] != done[1]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"job": {}, "content": 3}'])
def test_a_damaged_row_is_done_again(runs, text):
    done, job = [], Job("dropout", EDITION)
    do(job, counted(done))
    if text == "[]":
        text = json.dumps({"job": []})
    (runs / f"{job.key}.json").write_text(text)
    assert do(job, counted(done)) == {"mean": 1.5} and len(done) == 2


def test_what_was_interrupted_is_not_done(runs):
    def work(folder):
        folder.mkdir(parents=True)
        (folder / "last.safetensors").write_text("half way")
        raise KeyboardInterrupt

    job, seen = Job("steps_2", EDITION, "unet", "small"), []
    with pytest.raises(KeyboardInterrupt):
        do(job, work)
    assert row_of(job) is None
    do(job, lambda folder: seen.append((folder / "last.safetensors").read_text()))
    assert seen == ["half way"], "the same folder, so that a training goes on"


def test_an_experiment_is_done_once_and_its_weights_are_recorded(monkeypatch):
    done = []
    module = type("M", (), {"__name__": "tools.results.dropout", "run": staticmethod(lambda: done.append("run"))})
    monkeypatch.setattr(results.importlib, "import_module", lambda name: module)
    monkeypatch.setattr(results._weights, "record_pages", lambda name, edition: done.append(name))
    results.do("dropout", again=False)
    results.do("dropout", again=False)
    results.do("dropout", again=True)
    assert done == ["run", "dropout", "run", "dropout"]


def test_the_plan_names_every_experiment_and_adds_up():
    lines = _plan.table(results.experiments()).splitlines()
    names = [line.split()[0] for line in lines if line.endswith(("done", "to do"))]
    assert set(results.experiments()) - {"systems"} <= set(names) and names.count("unet") == 2
    hours = [float(line.split()[-3]) for line in lines if line.endswith("to do") and "?" not in line]
    assert float(lines[-1].split()[-1]) == pytest.approx(sum(hours), abs=0.1) and sum(hours) > 0.5


def test_an_unknown_experiment_is_refused(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["results", "dropuot"])
    with pytest.raises(SystemExit):
        results.main()
    said = capsys.readouterr().err
    assert f"no experiment dropuot; there are: {', '.join(sorted(results.experiments()))}" in said
