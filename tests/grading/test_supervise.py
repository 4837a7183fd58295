"""Right answers earn their marks, whatever the cases; the processes of a notebook leave nothing behind."""

import os
import time

import pytest

from sepbook.grading.guard import Limits
from sepbook.grading.run import variants_of
from sepbook.grading.submissions import read
from sepbook.grading.supervise import Round, grade_notebook
from sepbook.grading.verdicts import CONTROLS, PASSED, TOGETHER, judge, known
from tests.grading.folder import hand_in, solved
from tests.labs.reading import LABS, ROOT

LIMITS = Limits(seconds=300, notebook=900)
NAMES = [name.removesuffix(".ipynb") for name in LABS]


def cells(tmp_path, lab, **changes):
    return read(hand_in(tmp_path, "a", solved(lab, **changes)), known())


@pytest.mark.slow
@pytest.mark.parametrize("lab", NAMES)
def test_every_solution_of_every_lab_earns_its_mark(tmp_path, lab):
    verdicts = grade_notebook(cells(tmp_path, lab), LIMITS, variants_of(11)[:2])
    assert [v.number for v in verdicts] == list(range(1, len(known()[lab]) + 1))
    assert not [(v.number, v.status, v.words) for v in verdicts if not v.passed]
    together = {f"{lab} {v.number}" for v in verdicts if not v.apart}
    assert together == {name for name in TOGETHER if name.split()[0] == lab}


def test_what_is_checked_together_are_exercises_that_there_are():
    for name in TOGETHER:
        lab, number = name.split()
        assert int(number) <= len(known()[lab])


def test_a_lab_as_it_is_handed_out_earns_nothing(tmp_path):
    name = "foundations/masks"
    verdicts = grade_notebook(read(ROOT / f"notebooks/{name}.ipynb", known()), LIMITS, [0])
    assert {v.status for v in verdicts} <= {"not yet", "wrong"}


def test_an_answer_made_for_the_usual_cases_alone_fails_with_hidden_ones():
    exercise = known()["foundations/masks"][0]
    seen = []

    def usual(X):
        """Right for the numbers that every reader gets, and for no others."""
        right = (X.abs() == X.abs().amax(0, keepdim=True)).float()
        seen.append(float(X.abs().sum()))
        return right if any(abs(seen[-1] - total) < 1e-3 for total in totals) else 1 - right

    totals = []
    exercise.check(lambda X: (totals.append(float(X.abs().sum())), X.abs() == X.abs().amax(0, keepdim=True))[1].float())
    assert judge("foundations/masks", 1, [usual], [0])[0] == PASSED
    assert judge("foundations/masks", 1, [usual], variants_of(3))[0] == "wrong"


@pytest.mark.parametrize("name", sorted(TOGETHER))
def test_controls_are_wrong_answers_to_what_is_checked_together(name):
    lab, number = name.split()
    count = known()[lab][int(number) - 1].check.__code__.co_argcount
    for control in CONTROLS:
        assert judge(lab, int(number), [control(len)] * count, [0])[0] != PASSED


def test_a_round_leaves_no_process_and_no_file(tmp_path):
    work = Round(cells(tmp_path, "first_separation", exercise_1="while True: pass"), LIMITS, [], [], [0])
    assert work.next(time.monotonic() + 300)[0] == "begin" and os.path.isdir(work.scratch)
    work.end()
    assert not work.student.is_alive() and not work.marker.is_alive() and not os.path.exists(work.scratch)
