"""Tests that every check has, in one place: a test module imports those it wants.

For the first two it writes two tables. A row begins with the number of the exercise; an exercise that wants several
answers is given a tuple of them::

    from tests.check.tables import *  # noqa: F403

    RIGHT = [(1, (8, 32, 1, 1)), (2, functional.dropout)]
    WRONG = [(2, lambda x, rate, training: x, "nothing was dropped")]

`conftest.pytest_generate_tests` hands the rows to the tests, and finds the exercises by the name of the file: those of
`losses/test_waveform.py` and of `losses/test_waveform_rate.py` are in `sepbook.check.losses.waveform`.
"""

import inspect
import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from sepbook.check import variant

__all__ = [
    "test_nonsense_never_raises",
    "test_right_answers_are_right_for_other_cases_too",
    "test_right_answers_turn_green",
    "test_stubs_stay_red",
    "test_wrong_answers_get_their_own_hint",
]


def check_of(file):
    """Return the module of checks that a test file is named after, or after and something more; None for no such."""
    concept = Path(file).relative_to(Path(__file__).parent).with_suffix("")
    package = ".".join(["sepbook", "check", *concept.parts[:-1]])
    words = concept.name.removeprefix("test_").split("_")
    for count in range(len(words), 0, -1):
        name = f"{package}.{'_'.join(words[:count])}"
        if find_spec(name):
            return import_module(name)
    return None


def exercises_of(check):
    """Return the exercises of a module of checks by their names, in order."""
    names = sorted((name for name in dir(check) if re.fullmatch(r"exercise_\d+", name)), key=lambda n: int(n[9:]))
    return {name: getattr(check, name) for name in names}


def answers(exercise, answer):
    """Return what stands in the brackets of the check: the answer, or the same for each one that is asked for."""
    count = len(inspect.signature(exercise.check).parameters)
    return answer if count > 1 and isinstance(answer, tuple) and len(answer) == count else (answer,) * count


def test_right_answers_turn_green(hear, exercise, answer):
    said = hear(exercise, *answers(exercise, answer))
    assert said.startswith(f"✔ {exercise.title}"), said


def test_right_answers_are_right_for_other_cases_too(hear, exercise, answer):
    with variant(3):
        said = hear(exercise, *answers(exercise, answer))
    assert said.startswith(f"✔ {exercise.title}"), said


def test_wrong_answers_get_their_own_hint(hear, exercise, answer, words):
    said = hear(exercise, *answers(exercise, answer), times=4)
    assert "✔" not in said and said.startswith(f"✘ {exercise.title}"), said
    assert "cannot be checked" not in said, said
    assert all(step in said for step in ("What:", "Where:", "How:")), said
    assert words in said, said


def test_nonsense_never_raises(hear, exercise, nonsense):
    said = hear(exercise, *answers(exercise, nonsense), times=4)
    empty = isinstance(nonsense, list) and not nonsense  # no mistake, but nothing yet
    assert "✔" not in said and said.startswith("… " if empty else "✘ "), said


def test_stubs_stay_red(hear, exercise, stub):
    said = hear(exercise, *answers(exercise, stub))
    wants_function = exercise.__doc__.startswith("Check a function")
    assert "✔" not in said and ("not yet" in said or callable(stub) and not wants_function), said
