"""A teacher who has only the README can prepare, teach and grade week 3: the script that does it, run whole."""

import csv
import os
import re
import subprocess

import pytest

from tools.classroom import labs, syllabus

SCRIPT = "tools/classroom/week3.sh"
ROOT = labs.ROOT


def run(*arguments, **environment):
    return subprocess.run(
        ["bash", SCRIPT, *arguments], cwd=ROOT, env=os.environ | environment, capture_output=True, text=True
    )


@pytest.mark.slow
@pytest.mark.skipif(not (ROOT / ".venv").exists(), reason="the script uses the environment that `make book` makes")
def test_week_three_from_preparing_to_grading(tmp_path):
    done = run(str(tmp_path), WEEK3_OUTPUTS="none", PYTHONPATH=str(ROOT))
    assert done.returncode == 0, done.stderr[-3000:]
    with (tmp_path / "grades" / "students.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    week = syllabus.weeks()[2].read
    for name in week:
        assert int(rows["Ümit Groß"][name]) == len(syllabus.exercises(name)) and rows["Li Na"][name] == "0"
    assert (tmp_path / "lecture.md").read_text(encoding="utf-8").count("\n## ") == 7
    assert len(list((tmp_path / "grades" / "students").iterdir())) == 2


def test_without_a_folder_it_says_how_it_is_called():
    done = run()
    assert done.returncode != 0 and "week3.sh FOLDER" in done.stderr


@pytest.mark.skipif(not (ROOT / ".venv").exists(), reason="the script uses the environment that `make book` makes")
def test_it_does_not_touch_work_that_was_handed_in(tmp_path):
    (tmp_path / "submissions" / "Li Na").mkdir(parents=True)
    done = run(str(tmp_path))
    assert done.returncode == 1 and "holds submissions already" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["submissions"]


def test_the_readme_leads_there_and_its_commands_are_those_of_the_script():
    section = (ROOT / "README.md").read_text(encoding="utf-8").split("## For a class")[1].split("\n## ")[0]
    assert SCRIPT in section and "tools.classroom editions --week 3" in section and "sepbook grade " in section
    teaching = (ROOT / "book" / "classroom" / "teaching.md").read_text(encoding="utf-8")
    offered = set(re.findall(r"tools\.classroom (\w+)", section + teaching + (ROOT / SCRIPT).read_text()))
    source = (ROOT / "tools" / "classroom" / "__main__.py").read_text(encoding="utf-8")
    assert offered and offered <= set(re.findall(r"@app\.command\(\)\ndef (\w+)", source))
