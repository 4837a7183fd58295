"""The class that the bench of grading makes up: what each answer is, and that harm is done everywhere, in every way."""

import pytest

from sepbook.grading.submissions import find
from sepbook.grading.verdicts import known
from tests.grading.attacks import KINDS
from tests.labs.reading import numbers, read, tagged
from tools.bench import grading

LAB = grading.attack_of(0)[0]  # one in which harm is done


def test_every_kind_of_harm_is_done_and_every_lab_has_its_share():
    done = [grading.attack_of(student) for student in range(grading.STUDENTS)]
    assert {kind for _, kind in done} == set(KINDS)
    shares = [sum(lab == where for where, _ in done) for lab in grading.EVERY]
    assert max(shares) - min(shares) <= 1


@pytest.mark.parametrize("labs", [30, 40, 49, 50, 77])
def test_no_number_of_labs_leaves_harm_to_a_few_of_them(monkeypatch, labs):
    monkeypatch.setattr(grading, "EVERY", list(range(labs)))
    assert len({grading.attack_of(student)[0] for student in range(30)}) == 30


def test_a_class_hands_in_what_is_written_down_of_it(tmp_path):
    made = grading.hand_in_lab(tmp_path, LAB, grading.STUDENTS, tmp_path / "precious")
    submissions = find(tmp_path, known())
    assert len(submissions) == grading.STUDENTS and not [one.problem for one in submissions if one.problem]
    stubs = {
        number: tagged(read(f"{LAB}.ipynb"), f"exercise-{number}")[0].source for number in numbers(read(f"{LAB}.ipynb"))
    }
    assert {"solution", "stub"} < set(made.values()) and set(made.values()) & set(KINDS)
    for one in submissions:
        for number, source in one.cells.exercises.items():
            kind, stub = made[one.student, str(number)], stubs[str(number)]
            assert (source == stub) == (kind == "stub")
            assert (kind in KINDS) == (source.endswith(stub) and source != stub)


def test_a_lab_that_is_done_is_not_graded_twice_and_one_that_has_changed_is(tmp_path, monkeypatch):
    other, asked = "foundations/spectrograms", []
    one = {"seconds": 4.0, "cpu_seconds": 2.0, "peak_mb": 9.0, "notebooks": 2, "done": [1.0, 4.0]}
    one |= {"not_as_deserved": [], "marks": {"solution > passed": 5}}
    monkeypatch.setattr(grading, "DONE", tmp_path)
    monkeypatch.setattr(grading, "of_lab", lambda lab, students: asked.append(lab) or one)
    assert grading.run(2, [LAB])["labs"] == 1
    assert grading.run(2, [LAB, other])["labs"] == 2 and asked == [LAB, other]
    monkeypatch.setattr(grading, "state", lambda lab: "changed" if lab == LAB else "", raising=True)
    grading.run(2, [LAB])
    assert asked == [LAB, other, LAB]


def test_what_decides_about_a_grade_is_in_the_hash(tmp_path):
    def state(changed):
        for name in (f"notebooks/{LAB}.ipynb", f"sepbook/check/{LAB}.py", "sepbook/grading/run.py", "README.md"):
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("new" if name == changed else "old")
        return grading.state(LAB, tmp_path)

    before = state("")
    assert state(f"notebooks/{LAB}.ipynb") != before != state(f"sepbook/check/{LAB}.py")
    assert state("sepbook/grading/run.py") != before == state("README.md")


def test_marks_are_held_against_what_was_handed_in():
    one = {
        "seconds": 4.0,
        "cpu_seconds": 2.0,
        "peak_mb": 9.0,
        "notebooks": 2,
        "done": [1.0, 4.0],
        "not_as_deserved": [],
    }
    one["marks"] = {"solution > passed": 5, "solution > wrong": 1, "stub > not yet": 2, "deletes files > passed": 1}
    found = grading.summary([one, one])
    assert (found["solutions"], found["solutions_passed"], found["stubs_passed"]) == (12, 10, 0)
    assert (found["attacks"], found["attacks_passed"]) == (2, 2)
    assert found["seconds_per_notebook"] == 2.0 and found["largest_seconds_per_notebook"] == 3.0
