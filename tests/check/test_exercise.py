"""The frame around every check: stubs, hints step by step, and answers of every kind, none of which may raise."""

import io
import re
import sys

import numpy as np
import pytest
import torch

from sepbook import check
from sepbook.check import CheckFailure, Exercise, call, exercise, expect_tensor, expect_values


def doubling():
    """Return a fresh exercise: double a tensor."""

    @exercise("Exercise 1: double it", hints=("Look at the factor.", "Multiply x by 2."))
    def exercise_1(double):
        x = torch.arange(1.0, 7.0).view(2, 3)
        expect_values(call(double, x), 2 * x, "B T", known={"a factor of three": 3 * x})
        return "That is 6 dB."

    return exercise_1


def said(capsys, exercise, *answers):
    """Return what an exercise prints for an answer."""
    exercise(*answers)
    return " ".join(capsys.readouterr().out.split())


def empty(x):
    """Return twice x."""
    ...


def not_implemented(x):
    raise NotImplementedError


def test_right_answer(capsys):
    exercise_1 = doubling()
    assert said(capsys, exercise_1, lambda x: x * 2) == "✔ Exercise 1: double it That is 6 dB."
    assert exercise_1.passed and exercise_1.tries == 0


@pytest.mark.parametrize("stub", [empty, not_implemented, None, ..., lambda x: None])
def test_stub_is_not_a_mistake(capsys, stub):
    exercise_1 = doubling()
    for _ in range(3):
        text = said(capsys, exercise_1, stub)
        assert text.startswith("… Exercise 1: double it: not yet.") and "✔" not in text and "✘" not in text
    assert not exercise_1.passed and exercise_1.tries == 0


def test_hints_come_one_by_one(capsys):
    exercise_1 = doubling()
    texts = [said(capsys, exercise_1, lambda x: x + 7.3 * x**2) for _ in range(4)]
    assert ["What:" in t for t in texts] == [True] * 4
    assert ["Where: Look at the factor." in t for t in texts] == [False, True, True, True]
    assert ["How: Multiply x by 2." in t for t in texts] == [False, False, True, True]
    assert ["one hint more" in t for t in texts] == [True, True, False, False]
    assert "solution is folded" in texts[3]


def test_every_wrong_try_climbs_whatever_its_mistake(capsys):
    exercise_1 = doubling()
    assert "Where:" not in said(capsys, exercise_1, lambda x: x + 7.3 * x**2)
    assert "Where:" in said(capsys, exercise_1, lambda x: x + 5.1 * x**2)
    assert "How:" in said(capsys, exercise_1, lambda x: x + 3.9 * x**2)


def test_a_step_stands_between_where_and_how(capsys):
    @exercise("Exercise 1: double it", hints=("Look at the factor.", "6 dB is which factor?", "Multiply x by 2."))
    def exercise_1(double):
        expect_values(call(double, torch.ones(2, 3)), torch.full((2, 3), 2.0), "B T")

    texts = [said(capsys, exercise_1, lambda x: x * torch.arange(3.0)) for _ in range(4)]
    assert ["Step: 6 dB is which factor?" in t for t in texts] == [False, False, True, True]
    assert ["How: Multiply" in t for t in texts] == [False, False, False, True]


def test_a_failure_with_a_way_of_its_own_has_not_the_step_of_another(capsys):
    @exercise("Exercise 1", hints=("where", "the exercise's step", "how"))
    def exercise_1(answer):
        raise CheckFailure("what", "there", "mend it so")

    texts = [said(capsys, exercise_1, 1) for _ in range(3)]
    assert "the exercise's step" not in texts[2] and "How: mend it so" in texts[2]


def test_more_hints_than_steps_are_refused():
    with pytest.raises(ValueError, match="4 of them"):
        exercise("Exercise 1", hints=("a", "b", "c", "d"))(lambda answer: None)


def test_a_right_answer_forgets_the_tries(capsys):
    exercise_1 = doubling()
    said(capsys, exercise_1, lambda x: x + x**2)
    said(capsys, exercise_1, lambda x: 2 * x)
    assert "Where:" not in said(capsys, exercise_1, lambda x: x + x**2)
    assert not exercise_1.passed


def test_known_mistake_is_recognised(capsys):
    exercise_1 = doubling()
    first, second = (said(capsys, exercise_1, lambda x: 3 * x) for _ in range(2))
    assert "a factor of three" in first and "How:" not in first  # at once, and no more than that
    assert "Try again: the next wrong answer brings one hint more." in first and "How:" in second  # and that is kept


def forgets_return(x):
    y = 2 * x
    y.abs()


def changes_input(x):
    x *= 2
    return x


def breaks(x):
    wide = torch.cat([x, x], dim=1)
    return wide + x


def leaves(x):
    sys.exit(1)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (forgets_return, "forgets_return ran to its end, but returned nothing"),
        (changes_input, "changed its input number 1"),
        (breaks, "stops in line"),
        (breaks, "`return wide + x` with RuntimeError: The size of tensor a (6) must match"),
        (leaves, "stops in line"),
        (lambda: 3, "cannot be called with 1 arguments"),
        (lambda x, y: 3, "missing a required argument: 'y'"),
        (torch.zeros(2, 3), "wants the function itself, but was given a value of type Tensor"),
        (7, "value of type int"),
        ("double", "value of type str"),
        (lambda x: np.array(["2", "4"]), "type numpy.ndarray, but should be a torch tensor"),
        (lambda x: (x[:1] * 2).numpy(), "(B=1, T=3), but should have (B=2, T=3)"),
        (lambda x: [2, 4], "type list"),
        (lambda x: 5, "type int"),
        (lambda x: 2 * x[:1], "(B=1, T=3), but should have (B=2, T=3): B (batch) is 1 instead of 2"),
        (lambda x: x[0], "1 axes, (3), but should have 2: (B=2, T=3)"),
        (lambda x: x.T * 2, "(B=3, T=2)"),
        (lambda x: x * float("nan"), "NaN or infinity, first at (B=0, T=0)"),
        (lambda x: torch.where(x == 6, torch.inf, 2 * x), "NaN or infinity, first at (B=1, T=2)"),
        (lambda x: x * 2j, "complex"),
        (lambda x: undefined_name, "NameError: name 'undefined_name' is not defined"),  # noqa: F821
        (lambda x: torch.where(x == 6, 0, 2 * x), "1 of 6 differ, the first at (B=1, T=2): 0 instead of 12"),
        (np.float64(3), "float64"),
        (print, "returned nothing"),
        (torch.nn.Linear(5, 1), "RuntimeError"),
    ],
)
def test_wrong_answers_are_told_what_is_wrong(capsys, answer, words):
    text = said(capsys, doubling(), answer)
    assert "✘ Exercise 1: double it What:" in text and words in text


def test_error_shows_the_shapes_where_it_happened(capsys):
    exercise_1 = doubling()
    said(capsys, exercise_1, breaks)
    assert "x (2, 3), wide (2, 6)" in said(capsys, exercise_1, breaks)


def test_wrong_number_of_answers(capsys):
    exercise_1 = doubling()
    assert "wants double between its brackets, but was given 0 answers" in said(capsys, exercise_1)
    assert "check.exercise" not in said(capsys, doubling(), 1, 2)


def test_a_check_that_breaks_itself_does_not_raise(capsys):
    broken = Exercise("Exercise 9", lambda answer: answer.shape.missing)
    assert "cannot be checked: AttributeError" in said(capsys, broken, 3)


def test_stop_button_still_stops():
    def stop(x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        doubling()(stop)


def test_random_numbers_of_the_notebook_go_on(capsys):
    torch.manual_seed(3)
    expected = torch.rand(2)[1]
    torch.manual_seed(3)
    torch.rand(1)
    doubling()(lambda x: x * torch.rand(1))
    assert torch.rand(1) == expected


def test_inputs_are_copies(capsys):
    kept = []
    first = doubling()
    first(lambda x: kept.append(x) or 2 * x)
    kept[0].zero_()
    assert said(capsys, first, lambda x: 2 * x).endswith("That is 6 dB.")


def test_terminal_without_ticks(monkeypatch):
    plain = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", plain)
    doubling()(lambda x: 2 * x)
    plain.flush()
    assert b"Exercise 1: double it" in plain.buffer.getvalue()


def test_lines_are_short_enough_for_a_phone_held_sideways(capsys):
    exercise_1 = doubling()
    for _ in range(3):
        exercise_1(breaks)
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 100


def test_public_names_exist():
    assert all(hasattr(check, name) for name in check.__all__)
    with pytest.raises(CheckFailure, match="type str"):
        expect_tensor("x")


@pytest.mark.parametrize(
    "double",
    [
        lambda x: 2 * x.numpy(),
        lambda x: (2 * x).double(),
        lambda x: (2 * x.numpy()).astype(np.float64),
        lambda x: torch.tensor([[2 * v.item() for v in row] for row in x]),
        lambda x: (2 * x.numpy())[::-1][::-1],  # an array that runs backwards in memory
    ],
)
def test_right_answers_in_other_forms(capsys, double):
    assert "✔" in said(capsys, doubling(), double)


def scaled(expected):
    @exercise("Exercise 1", hints=("where", "how"))
    def exercise_1(answer):
        expect_values(answer, expected, "B T" if expected.dim() == 2 else "T")

    return exercise_1


X = torch.tensor([[1.5, -2.0, 3.0], [0.5, 4.0, -1.25]])
Z = torch.complex(X, X.flip(1) + 0.1)


@pytest.mark.parametrize(
    ("given", "expected", "words"),
    [
        (Z.conj().resolve_conj(), Z, "complex conjugate"),
        (X.square(), X, "the square of what it should be"),
        (X.abs().sqrt(), X.abs(), "the square root of what it should be"),
        (1 / X, X, "the inverse (one divided by it)"),
        (X.abs(), X, "without its sign"),
        (-X, X, "The sign is the other way round"),
        (1.003 * X, X, "Every value is 1.003 times"),
        (X + 2, X, "Every value is off by 2"),
        (2j * Z, Z, "differ"),
    ],
)
def test_relations_are_recognised(capsys, given, expected, words):
    exercise_1 = scaled(expected)
    said(capsys, exercise_1, given)
    assert words in said(capsys, exercise_1, given)


def test_of_one_number_no_relation_is_made_up(capsys):
    exercise_1 = scaled(torch.tensor([3.0]))
    said(capsys, exercise_1, torch.tensor([3.009]))
    assert "times what it should be" not in said(capsys, exercise_1, torch.tensor([3.009]))


def test_complex_values_are_short(capsys):
    text = said(capsys, scaled(Z), Z * 1.2345678901)
    assert not re.search(r"\d\.\d{5,}", text), text


def test_what_was_written_is_used_once_it_is_right(capsys):
    exercise_1, book = doubling(), lambda x: x + x

    def double(x):
        return 2 * x

    assert exercise_1.use(double, book) is book
    exercise_1(lambda x: x)
    assert exercise_1.use(double, book) is book and "the book's" in capsys.readouterr().out
    exercise_1(double)
    assert exercise_1.use(double, book) is double and "double: yours." in capsys.readouterr().out
