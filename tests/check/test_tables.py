"""Every exercise has its tables: wrong answers whose hints are asserted by name, and right ones in other forms."""

import re
from functools import cache
from importlib import import_module
from pathlib import Path

from sepbook.check import _progress, variant
from tests.check.tables import answers, check_of

RIGHT, WRONG = 4, 6  # rows of each exercise at least
OF_SHAPE = 2  # of the wrong rows, so many of shape or type count; the others are plausible misreadings
SHAPE = re.compile(  # what is said of any answer of the wrong shape or type
    r"\d axes|but should have|stops in|torch tensor|quotation marks|returned nothing|should be one number"
    r"|none of the choices|must match the size|The size of tensor|instead of \d+$"
)
VAGUE = re.compile(
    r"values are not|is not right|is not the answer|is too (large|small)|^(What|Where|Step|How)|✘|^.{,5}$"
)
CHOICES = {"foundations/masks 3": 2}  # wrong choices, where there are fewer than the rows that are asked for
UNUSED = {"architectures/keras_sketch 4": "argument 3"}  # the skip: that it is not used is the answer
EXERCISES = {f"{lab} {one.__name__[9:]}": one for lab, each in _progress.exercises().items() for one in each}


@cache
def rows_of(table, test):
    """Return the rows of all tables of this name that `test` runs, by lab and number of the exercise."""
    found = {name: [] for name in EXERCISES}
    here = Path(__file__).parent
    for file in sorted(here.rglob("test_*.py")):
        module = import_module(".".join(["tests.check", *file.relative_to(here).with_suffix("").parts]))
        if hasattr(module, test):
            lab = check_of(file).__name__.removeprefix("sepbook.check.").replace(".", "/")
            for number, *row in getattr(module, table):
                found[f"{lab} {number}"].append(row)
    return found


def right_rows():
    return rows_of("RIGHT", "test_right_answers_turn_green")


def wrong_rows():
    return rows_of("WRONG", "test_wrong_answers_get_their_own_hint")


def test_each_exercise_has_right_answers_in_other_forms():
    few = {name: len(each) for name, each in right_rows().items() if len(each) < RIGHT}
    assert not few, f"Fewer than {RIGHT} right answers: {few}"


def test_each_exercise_has_wrong_answers_with_hints_of_their_own():
    few = {}
    for name, rows in wrong_rows().items():
        hints = {words for _, words in rows}
        of_shape = {words for words in hints if SHAPE.search(words)}
        count = len(hints - of_shape) + min(OF_SHAPE, len(of_shape))
        if count < CHOICES.get(name, WRONG):
            few[name] = count
    assert not few, f"Fewer than {WRONG} different hints, with at most {OF_SHAPE} on shape or type: {few}"


def test_hints_are_asserted_by_what_is_not_said_of_every_wrong_answer():
    own = {name: " ".join([one.title, one.where, one.step, one.how]) for name, one in EXERCISES.items()}
    found = {name: [words for _, words in rows if words in own[name]] for name, rows in wrong_rows().items()}
    found = {name: words for name, words in found.items() if words}
    assert not found, f"These words stand in the exercise's own hints: {found}"


def right_functions():
    """Return of each exercise that asks for a function one right answer; a prediction has the same in every case."""
    found = {name: [answer for (answer,) in rows if callable(answer)] for name, rows in right_rows().items()}
    return {name: functions[0] for name, functions in found.items() if functions}


def accepts(exercise, answer, hear):
    return "✔" in hear(exercise, *answers(exercise, answer))


def test_answers_that_were_learned_by_heart_fail_for_other_cases(hear):
    """What a right function returned is handed over again, while the check asks for another set of cases."""
    fooled = []
    for name, right in right_functions().items():
        kept = []

        def learn(*inputs, right=right, kept=kept):
            kept.append(right(*inputs))
            return kept[-1]

        assert accepts(EXERCISES[name], learn, hear)
        by_heart = iter(kept)
        with variant(3):
            fooled += [name] * accepts(EXERCISES[name], lambda *inputs, kept=by_heart: next(kept), hear)
    fooled = dict.fromkeys(fooled, "the cases do not depend on the variant")
    assert not fooled, fooled


def test_no_argument_may_be_ignored(hear):
    """A right function is given the same value of one argument every time: that of the check's first call."""
    fooled = {}
    for name, right in right_functions().items():
        calls = []

        def watched(*inputs, right=right, calls=calls):
            calls.append(inputs)
            return right(*inputs)

        assert accepts(EXERCISES[name], watched, hear)
        for k, value in enumerate(calls[0]):

            def frozen(*inputs, k=k, value=value, right=right):
                return right(*inputs[:k], value, *inputs[k + 1 :])

            if accepts(EXERCISES[name], frozen, hear):
                with variant(3):
                    fooled |= {name: f"argument {k}"} if accepts(EXERCISES[name], frozen, hear) else {}
    fooled = {name: words for name, words in fooled.items() if UNUSED.get(name) != words}
    assert not fooled, fooled


def test_hints_are_asserted_by_what_they_say():
    vague = {name: [words for _, words in rows if VAGUE.search(words)] for name, rows in wrong_rows().items()}
    vague = {name: words for name, words in vague.items() if words}
    assert not vague, f"These words are said of many mistakes: {vague}"
