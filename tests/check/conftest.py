"""What all tests of checks share: one ear, answers that no check may trip over, and the tables that `tables` reads."""

import numpy as np
import pytest
import torch

from tests.check.tables import check_of, exercises_of


@pytest.fixture
def hear(capsys):
    """Return a function that gives an answer to an exercise `times` times and returns all that is said, in one line."""

    met = set()

    def listen(exercise, *answer, times=1):
        if id(exercise) not in met:  # what other tests tried does not count
            exercise.tries = 0
            met.add(id(exercise))
        capsys.readouterr()
        for _ in range(times):
            exercise(*answer)
        return " ".join(capsys.readouterr().out.split())

    return listen


NONSENSE = {
    "number": 7,
    "fraction": 3.5,
    "text": "text",
    "tensor": torch.zeros(2),
    "array": np.ones(3),
    "dict": {},
    "list": [],
    "list of text": ["x"],
    "generator": (i for i in range(2)),
    "object": object(),
    "no input": lambda: 1,
    "raises": lambda *x: 1 / 0,
    "returns a number": lambda *x: 7,
    "returns text": lambda *x: "no",
    "returns a pair": lambda *x: (1, 2),
    "returns two texts": lambda *x: ("x", "y"),
    "returns a generator": lambda *x: (i for i in x),
    "returns an array": lambda *x: np.ones(3),
    "returns its input": lambda *x: x[0],
    "returns its input as an array": lambda *x: x[0].numpy(),
}
STUBS = {"None": None, "dots": ..., "dots in brackets": (..., ...), "empty function": lambda *inputs: None}


@pytest.fixture(params=NONSENSE.values(), ids=NONSENSE.keys())
def nonsense(request):
    """Give answers that are no answers: a check hints at what is asked, and never raises."""
    return request.param


@pytest.fixture(params=STUBS.values(), ids=STUBS.keys())
def stub(request):
    """Give what stands in a lab before anyone has worked on it: the check stays red."""
    return request.param


def pytest_generate_tests(metafunc):
    """Give the tests of `tables` the exercises that their file is named after, and its tables RIGHT and WRONG."""
    if metafunc.function.__module__ != "tests.check.tables":
        return
    found = exercises_of(check_of(metafunc.module.__file__))
    if "answer" not in metafunc.fixturenames:
        metafunc.parametrize("exercise", found.values(), ids=found)
        return
    names = ("exercise", "answer", "words") if "words" in metafunc.fixturenames else ("exercise", "answer")
    rows = getattr(metafunc.module, "WRONG" if "words" in names else "RIGHT")
    ids = [f"{number}-{rest[-1]}" if "words" in names else f"{number}" for number, *rest in rows]
    metafunc.parametrize(names, [(found[f"exercise_{number}"], *rest) for number, *rest in rows], ids=ids)
