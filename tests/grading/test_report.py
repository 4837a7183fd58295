"""Tables that a spreadsheet reads as they are meant, a page for each student, progress that is only a report."""

import csv
import json

import pytest

from sepbook.cli import main
from sepbook.grading import Limits
from sepbook.grading.report import file_name, safe, write
from sepbook.grading.reported import reported
from sepbook.grading.run import Grades
from sepbook.grading.submissions import Submission, read
from sepbook.grading.verdicts import Verdict, known
from tests.grading.folder import hand_in, solved

LAB = "foundations/masks"


def submission(folder, student, *statuses, **changes):
    path = hand_in(folder, file_name(student), solved(LAB, **changes))
    found = Submission(student, path, read(path, known()))
    found.verdicts = [Verdict(n, f"Exercise {n}", status) for n, status in enumerate(statuses, 1)]
    return found


def test_tables_and_pages(tmp_path):
    names = ["=cmd()", "A/../B", "A B", "A_B", "<script>alert(1)</script>"]
    work = [submission(tmp_path, name, "passed", "wrong") for name in names]
    grades = Grades([*work, Submission("", tmp_path / "stray.ipynb", problem="nobody's")], 3, Limits(), [])
    paths = write(grades, tmp_path / "out")
    assert len({path.name for path in paths}) == 3 + len(names)
    assert all(path.parent in (tmp_path / "out", tmp_path / "out" / "students") for path in paths)
    with (tmp_path / "out" / "students.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["student"] for row in rows} == {"'=cmd()", *names[1:]}
    assert all(row[LAB] == row["solved"] == "1" for row in rows)
    text = "".join(path.read_text(encoding="utf-8") for path in paths if path.suffix == ".html")
    assert "<script>" not in text and "Not on this machine" in text and "stray.ipynb" in text


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_no_cell_is_a_formula(cell):
    assert safe(cell) == f"'{cell}" and safe(-1) == -1


def test_answers_that_look_into_the_checks_are_marked(tmp_path):
    peek = "+import sys\nframe = sys._getframe()"
    work = [
        submission(tmp_path, "a", "passed", "passed", exercise_2=peek),
        submission(tmp_path, "b", "passed", "passed"),
    ]
    write(Grades(work, 3, Limits(), []), tmp_path / "out")
    with (tmp_path / "out" / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [row["look"] for row in csv.DictReader(file)] == ["0", "1", "0", "0"]


@pytest.mark.parametrize(
    "text", ["", "[]", '{"foundations.masks.exercise_2": 7}', '{"x": {"tries": "many"}}', "[" * 99_999]
)
def test_a_damaged_progress_file_is_no_report(tmp_path, text):
    one = submission(tmp_path, "a", "wrong")
    (one.path.parent / "sepbook_progress.json").write_text(text)
    assert reported([one]) == {}


def test_tries_and_hints_are_reported(tmp_path):
    one = submission(tmp_path, "a", "wrong")
    row = {"title": "x", "solved": True, "tries": 4, "hints": {"sign": 2, "shape": 1}}
    (one.path.parent / "sepbook_progress.json").write_text(json.dumps({"foundations.masks.exercise_2": row}))
    assert reported([one]) == {(LAB, 2): (4, "sign (2); shape (1)")}


def test_command_line_refuses_an_empty_folder(tmp_path, capsys):
    assert main(["grade", str(tmp_path), "-o", str(tmp_path / "out")]) == 2
    assert "holds no notebook" in capsys.readouterr().err and not (tmp_path / "out").exists()
