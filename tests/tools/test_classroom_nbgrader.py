"""Labs in nbgrader's format: marks that it takes, nothing that leaks, and a run of nbgrader itself."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys

import nbformat
import pytest

from sepbook.check import exercises
from tests.labs.playing import play
from tools.classroom import labs, nbgrader
from tools.classroom.__main__ import main

OWN = labs.ROOT / "_build" / "nbgrader" / "bin" / "nbgrader"  # `make test` puts it there
NBGRADER = os.environ.get("SEPBOOK_NBGRADER") or shutil.which("nbgrader") or (str(OWN) if OWN.exists() else None)
LAB = "foundations/masks"
GRADED = os.environ.get("SEPBOOK_NBGRADER_LABS", LAB).split()  # by nbgrader itself: 40 seconds each
REGION = re.compile(r"\n### BEGIN (SOLUTION|HIDDEN TESTS)\n.*?\n### END \1", re.S)


def marks(notebook):
    return [cell.metadata["nbgrader"] for cell in notebook.cells if "nbgrader" in cell.metadata]


@pytest.mark.parametrize("name", labs.names())
def test_every_exercise_is_an_answer_and_a_point(name):
    notebook = nbgrader.source(name)
    nbformat.validate(notebook)
    kinds = [(mark["solution"], mark["grade"], mark["locked"], mark.get("points")) for mark in marks(notebook)]
    count = len(exercises()[name])
    assert kinds.count((True, False, False, None)) == kinds.count((False, True, True, 1)) == count
    assert kinds.count((False, False, True, None)) == 2 and len(kinds) == 2 * count + 2
    ids = [mark["grade_id"] for mark in marks(notebook)]
    assert len(set(ids)) == len(ids) and all(re.fullmatch(r"[\w-]+", one) for one in ids)


@pytest.mark.parametrize("name", labs.names())
def test_outside_of_nbgraders_marks_nothing_is_told(name):
    lab, notebook = labs.read(name), nbgrader.source(name)
    for number in labs.numbers(lab):
        stub, given = (labs.tagged(n, f"exercise-{number}")[0].source for n in (lab, notebook))
        check, test = (labs.tagged(n, f"check-{number}")[0].source for n in (lab, notebook))
        assert REGION.sub("", given) == stub and labs.solution(lab, number) in given
        assert REGION.sub("", test) == check.rstrip() and "BEGIN HIDDEN TESTS" in test
    assert not labs.numbers(notebook, "solution") and "def book_" not in nbformat.writes(notebook)


def test_hidden_cases_depend_on_the_seed():
    def cases(seed):
        return labs.tagged(nbgrader.source(LAB, seed), "check-1")[0].source

    assert cases(3) == cases(3) != cases(4)


@pytest.mark.slow
def test_hidden_tests_pass_with_the_solution_and_fail_with_the_stub():
    notebook = nbgrader.source(LAB, short=True)
    sources = {("setup", i): cell.source for i, cell in enumerate(labs.tagged(notebook, "setup"))}
    for number in labs.numbers(notebook):
        answer, test = (labs.tagged(notebook, f"{kind}-{number}")[0].source for kind in ("exercise", "check"))
        sources |= {("stub", number): REGION.sub("", answer), ("red", number): test}
        sources |= {("solution", number): answer, ("green", number): test}
    _, errors = play(sources)
    assert set(errors) == {("red", number) for number in labs.numbers(notebook)}


def test_settings_that_are_there_stay(tmp_path, capsys):
    assert main(["nbgrader", LAB, "--short", "--out", str(tmp_path)]) == 0
    config = tmp_path / "nbgrader_config.py"
    assert (tmp_path / "source" / "foundations_masks" / "masks.ipynb").is_file()
    config.write_text("# mine\n")
    assert main(["nbgrader", LAB, "--out", str(tmp_path)]) == 0 and config.read_text() == "# mine\n"


@pytest.fixture
def course(tmp_path):
    """Give a function that calls nbgrader in a course; its kernel is the Python that runs this test."""
    kernel = tmp_path / "jupyter" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernel / "kernel.json").write_text(json.dumps({"argv": command, "display_name": "here", "language": "python"}))
    environment = os.environ | {"JUPYTER_PATH": str(tmp_path / "jupyter"), "HOME": str(tmp_path)}
    path = os.pathsep.join([os.path.dirname(NBGRADER), os.environ["PATH"]])  # it calls alembic, which lies beside it
    environment |= {"PYTHONPATH": str(labs.ROOT), "SEPBOOK_PROGRESS": "off", "PATH": path}

    def call(*arguments):
        done = subprocess.run(
            [NBGRADER, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=1400
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return tmp_path

    return call


@pytest.mark.slow
@pytest.mark.skipif(not NBGRADER, reason="nbgrader is not installed; SEPBOOK_NBGRADER may name one elsewhere")
@pytest.mark.parametrize("lab_name", GRADED)
def test_nbgrader_releases_and_grades_it(course, tmp_path, lab_name):
    nbgrader.write([lab_name], tmp_path, seed=5, short=True)
    name, file = nbgrader.assignment(lab_name), f"{lab_name.split('/')[1]}.ipynb"
    folder = course("generate_assignment", name)
    released = nbformat.read(folder / "release" / name / file, as_version=4)
    lab = labs.read(lab_name)
    every = labs.numbers(lab)
    for number in every:
        answer, test = (labs.tagged(released, f"{kind}-{number}")[0].source for kind in ("exercise", "check"))
        assert answer.strip() == labs.tagged(lab, f"exercise-{number}")[0].source.strip()
        assert test.strip() == labs.tagged(lab, f"check-{number}")[0].source.strip()
    for student, solved in (("all", every), ("two", [every[0], every[-1]]), ("none", [])):
        for number in solved:
            labs.tagged(released, f"exercise-{number}")[0].source = labs.solution(lab, number)
        labs.write(released, folder / "submitted" / student / name / file)
        released = nbformat.read(folder / "release" / name / file, as_version=4)
    course("autograde", name)
    course("export")
    with (folder / "grades.csv").open(newline="") as table:
        rows = {row["student_id"]: (float(row["score"]), float(row["max_score"])) for row in csv.DictReader(table)}
    most = float(len(every))
    assert rows == {"all": (most, most), "two": (2.0, most), "none": (0.0, most)}
