"""Every exercise of every lab: its stub stays red, its solution turns green. Only setup, stub and solution run."""

import pytest

from tests.labs.playing import TRIES, cells, play
from tests.labs.reading import LABS, numbers, read


def lab(name, *more):
    """Return the parameters of a test; all tests of one lab go to the same process, where it is played once."""
    return pytest.param(name, *more, marks=pytest.mark.xdist_group(name))


EXERCISES = [lab(name, number) for name in LABS for number in numbers(read(name))]


@pytest.fixture(scope="module")
def played():
    """Return a function that plays a lab, once, and gives what its cells printed and which of them failed."""
    kept = {}

    def once(name):
        if name not in kept:
            kept[name] = play(cells(read(name)))
        return kept[name]

    return once


def test_labs_have_exercises():
    assert EXERCISES


def test_each_play_is_its_own_and_errors_are_seen():
    said, errors = play(
        {1: "x = 1\nprint('one')", 2: "x / 0", 3: "x +", 4: "import sys\nprint('two', file=sys.stderr)"}
    )
    assert said[1] == "one\n" and "two\n" in said[4] and "ZeroDivisionError" in said[2]
    assert set(errors) == {2, 3}
    assert "NameError" in play({1: "x"})[1][1]


@pytest.mark.parametrize(("name", "number"), EXERCISES)
def test_stub_stays_red_and_is_helped(played, name, number):
    said, _ = played(name)
    texts = [said["red", number, i] for i in range(TRIES)]
    for text in texts:
        assert "✔" not in text and "Traceback" not in text
        assert text.startswith(("✘", "…")), "a check prints ✘ and a hint, or … while there is no answer yet"
    if texts[0].startswith("✘"):
        assert texts[0] != texts[1], "the second try brings a second hint"


@pytest.mark.parametrize(("name", "number"), EXERCISES)
def test_solution_turns_green(played, name, number):
    text = played(name)[0]["green", number]
    assert text.startswith("✔") and "✘" not in text


@pytest.mark.parametrize("name", [lab(name) for name in LABS])
def test_setup_stubs_and_solutions_raise_nothing(played, name):
    _, errors = played(name)
    assert not errors
