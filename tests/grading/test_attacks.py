"""Three students hand in three labs each. What theirs do neither stops the run nor earns a mark."""

import csv
import os
import time

import pytest

from sepbook.grading import Limits, grade, write
from sepbook.grading.guard import FILES
from sepbook.grading.run import variants_of
from sepbook.grading.supervise import descendants
from tests.grading.attacks import BOMB, DEEP, DELETE, ENDLESS, EXIT, FORGED, LARGE, LINES, MISSING, PATCHES, PEEK
from tests.grading.folder import hand_in, solved

pytestmark = pytest.mark.slow

MASKS, FIRST, STFT = "foundations/masks", "first_separation", "building_blocks/stft"
FLATTER = "check.exercise_2.check = lambda *answers: 'well done'"
# What stands in each cell, and how it goes. A "+" puts it before the right solution.
EVE = {
    MASKS: {
        "exercise_1": (ENDLESS, "too slow"),
        "exercise_2": (f"{DELETE}\nratio_mask = lambda X, p: X.abs()", "wrong"),
        "exercise_3": (f"+{LINES}", "passed|too slow"),
        "exercise_4": (f"{MISSING}\nphase_mask = None", "cell fails"),
        "exercise_5": (EXIT, "ended its process"),
    },
    FIRST: {
        "exercise_1": (f"{PATCHES}\ndef mix(*given): return given[0]", "wrong"),
        "exercise_2": ("class All:\n    __eq__ = lambda a, b: True\nprediction = All()", "wrong"),
        "exercise_3": ("import sys; sys.exit(0)", "cell fails"),
        "exercise_4": (f"+{BOMB}", "passed|ended its process"),
    },
    STFT: {
        "exercise_1": (LARGE, "cell fails"),
        "exercise_2": (f"{FLATTER}\ndef separate(*given): return given[0]", "tampered with the check"),
        "exercise_3": ("def compress(*given): return 0", "wrong"),
        "exercise_4": ("open('{grades}', 'w').write('eve,passed')\ngigabytes = 0", "cell fails"),
        "exercise_5": (
            DEEP,
            "too slow|ended its process|cell fails",
        ),
    },
}
MALLORY = {
    MASKS: {
        "exercise_1": ("def binary_mask(X):\n    while True: pass", "too slow"),
        "exercise_2": (PEEK, "wrong"),
        "exercise_3": ("class Yes(str):\n    lower = strip = lambda s: 'ratio 2'\nprediction = Yes('binary')", "wrong"),
        "exercise_4": (
            "class Bomb:\n    def __reduce__(self): return (print, ('boom',))\ndef phase_mask(X): return Bomb()",
            "wrong",
        ),
        "exercise_5": (f"{FORGED}\napply_network = None", "wrong|not yet|ended its process"),
    },
    FIRST: {"setup": (f"+{ENDLESS}", None)},
    STFT: {
        "exercise_1": ("+%matplotlib inline", "passed"),
        "exercise_2": ("def separate(*given): raise KeyboardInterrupt", "wrong|ended its process"),
        "exercise_3": ("import torch\ndef compress(*given): return torch.zeros(2**34)", "wrong"),
        "check_4": ("check.exercise_4(gigabytes, gigabytes)", None),
        "exercise_4": ("gigabytes = 1", "another edition"),
        "exercise_5": ("import torch\ndef griffin_lim(*given): return torch.nan * given[1][..., 0, :]", "wrong"),
    },
}
EVERY = {"eve": EVE, "Mallory Größe": MALLORY}


def filled(text, names):
    for name, value in names.items():
        text = text.replace(name, value)
    return text


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Grade the class once: the grades, their folder, the file that must survive, and what was said."""
    root = tmp_path_factory.mktemp("class")
    victim, out, said = root / "precious" / "file.txt", root / "out", []
    victim.parent.mkdir()
    victim.write_text("precious")
    for lab in (MASKS, FIRST, STFT):
        hand_in(root / "in", "honest Ümit", solved(lab), f"{lab.replace('/', '_')}.ipynb")
        for student, labs in EVERY.items():
            sources = {
                name: source.replace("{victim}", str(victim))
                .replace("{{}}", "{}")
                .replace("{grades}", str(out / "grades.csv"))
                for name, (source, _) in labs[lab].items()
            }
            hand_in(root / "in", student, solved(lab, **sources), f"{lab.replace('/', '_')}.ipynb")
    (root / "in" / "eve" / "damaged.ipynb").write_text('{"cells": [')
    hand_in(root / "in", "eve", solved(MASKS, exercise_2="ratio_mask = None"), "second.ipynb")
    grades = grade(root / "in", Limits(seconds=4, memory=1024, notebook=60), seed=5, say=said.append)
    write(grades, out)
    return grades, out, victim, said


def rows(out):
    with (out / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_the_honest_student_has_every_mark(run):
    mine = [row for row in rows(run[1]) if row["student"] == "honest Ümit"]
    assert len(mine) == 4 + 5 + 5 and all(row["passed"] == "1" for row in mine)


CASES = [
    (student, lab, name, how)
    for student, labs in EVERY.items()
    for lab, cells in labs.items()
    for name, (_, how) in cells.items()
    if how
]


@pytest.mark.parametrize(("student", "lab", "name", "how"), CASES, ids=lambda v: str(v).replace("/", "."))
def test_each_attack_goes_as_it_deserves(run, student, lab, name, how):
    number = name.split("_")[1]
    (row,) = [
        row for row in rows(run[1])
        if (row["student"], row["lab"], row["exercise"]) == (student, lab, number) and row["file"] != "second.ipynb"
    ]  # fmt: skip
    assert row["status"] in how.split("|"), row["says"]


def test_nothing_was_deleted_and_no_process_is_left(run):
    _, out, victim, _ = run
    assert victim.read_text() == "precious"
    assert all(row["student"] for row in rows(out)), "the table is ours"
    time.sleep(0.5)
    names = [open(f"/proc/{pid}/cmdline").read() for pid in descendants(os.getpid()) if os.path.exists(f"/proc/{pid}")]
    assert not [name for name in names if "sh\0-c" in name]


def test_a_set_up_without_end_costs_its_own_notebook_alone(run):
    mine = [row for row in rows(run[1]) if row["student"] == "Mallory Größe" and row["lab"] == FIRST]
    assert {row["status"] for row in mine} == {"too slow"} and len(mine) == 4


def test_forged_answers_cost_the_exercises_that_forge_them_and_no_other(tmp_path):
    lab = solved(MASKS, exercise_1=f"{FORGED}\nbinary_mask = None", exercise_3=f"+{FORGED}")
    hand_in(tmp_path, "trudy", lab, "lab.ipynb")
    (one,) = grade(tmp_path, Limits(seconds=4, memory=1024, notebook=60), seed=5).submissions
    assert [v.passed for v in one.verdicts] == [False, True, False, True, True], one.verdicts


def test_files_that_cannot_be_graded_are_named_and_the_better_submission_counts(run):
    mine = [row for row in rows(run[1]) if row["student"] == "eve"]
    assert [row["status"][:14] for row in mine if row["file"] == "damaged.ipynb"] == ["it is damaged:"]
    assert {row["counts"] for row in mine if row["file"] == "second.ipynb"} == {"1"}
    assert {row["counts"] for row in mine if row["file"] == "foundations_masks.ipynb"} == {"0"}


def test_pages_are_written_for_all_and_show_what_to_look_at(run):
    grades, out, _, said = run
    pages = {path.name: path.read_text(encoding="utf-8") for path in (out / "students").iterdir()}
    assert len(pages) == 3 and all(text.startswith("<!doctype html>") for text in pages.values())
    eve = pages["eve.html"]
    assert "Look at it: it uses" in eve and "sys.modules" in eve and "<script" not in eve
    index = (out / "index.html").read_text(encoding="utf-8")
    assert all(name in index for name in grades.held) and str(variants_of(5)[1]) in index
    assert len([line for line in said if " of " in line]) == 10
    assert FILES in [*grades.held, *grades.missing]
