"""How tensors and predictions are compared, and what is said about the difference."""

import numpy as np
import pytest
import torch

from sepbook.check import (
    CheckFailure,
    NotYet,
    expect_choice,
    expect_gradient,
    expect_number,
    expect_sizes,
    expect_values,
)

X = torch.rand(2, 4, 4, generator=torch.Generator().manual_seed(0)) + 0.1


def failure(check, *args, **named):
    """Return the CheckFailure that a comparison raises."""
    with pytest.raises(CheckFailure) as caught:
        check(*args, **named)
    return caught.value


@pytest.mark.parametrize("given", [X, X + 1e-7, X.double(), X.clone().requires_grad_()])
def test_equal_values_pass(given):
    expect_values(given, X, "B F T")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (-X, "The sign is the other way round."),
        (3 * X, "Every value is 3 times what it should be."),
        (X + 0.25, "Every value is off by 0.25."),
        (0 * X, "Every value is zero."),
        (X.mT, "The axes F (frequency bin) and T (frame) are swapped."),
        (X.flip(2), "The order along T (frame) is reversed."),
        (X.roll(2, 1), "The first and the second half of F (frequency bin) are swapped."),
        (
            torch.cat([torch.zeros(2, 4, 1), X[..., :-1]], 2),
            "Along T (frame) every value stands 1 place too much later.",
        ),
        (torch.cat([X[:, 1:], X[:, :1]], 1), "Along F (frequency bin) every value stands 1 place too much earlier."),
    ],
)
def test_relation_to_the_right_answer_is_said(given, words):
    assert words in failure(expect_values, given, X, "B F T").where


def test_unrelated_values_get_the_own_hint():
    told = failure(expect_values, X**3, X, "B F T", where="Look at the power.")
    assert told.where == "Look at the power." and told.kind == "values"


def test_axis_of_the_difference_is_named():
    given = X.clone()
    given[:, :, 3] = 0
    told = failure(expect_values, given, X, "B F T").what
    assert "8 of 32 differ, the first at (B=0, F=0, T=3): 0 instead of" in told
    assert "Along T (frame), only 3 of 0 to 3 differ." in told


def test_whole_numbers_and_truth_values_are_compared_too():
    expect_values(torch.tensor([True, False]), torch.tensor([True, False]), "T")
    expect_values(torch.tensor([1, 2]), torch.tensor([1.0, 2.0]), "T")
    assert "1 of 2 differ" in failure(expect_values, torch.tensor([1, 2]), torch.tensor([1.4, 2.0]), "T").what


def test_numbers_without_axes():
    expect_values(torch.tensor(2.0), torch.tensor(2.0), "")
    assert "3 instead of 2" in failure(expect_values, torch.tensor(3.0), torch.tensor(2.0), "").what


def test_gradient():
    x = X.clone().requires_grad_()
    expect_gradient(2 * x, x)
    assert "cut off" in failure(expect_gradient, 2 * x.detach(), x).what
    unused = torch.ones(1, requires_grad=True)
    assert "No gradient arrives at input number 2" in failure(expect_gradient, 2 * x, x, unused).what


@pytest.mark.parametrize(
    "given", [(16, 30), [16, 30], torch.Size([16, 30]), np.array([16, 30]), torch.tensor([16, 30])]
)
def test_sizes_in_any_clothes(given):
    expect_sizes(given, (16, 30), "H F")


@pytest.mark.parametrize("given", [None, ..., (..., 30), [None, None], ()])
def test_sizes_not_given_yet(given):
    with pytest.raises(NotYet):
        expect_sizes(given, (16, 30), "H F")


@pytest.mark.parametrize("given", ["ab", 16, (16, 30.5), (16, "30"), (True, 30), ((16, 1), 30), (float("inf"), 30)])
def test_sizes_that_are_none(given):
    assert failure(expect_sizes, given, (16, 30), "H F").kind == "type"


def test_sizes_say_the_axis_but_not_the_answer():
    told = failure(expect_sizes, (16, 32), (16, 30), "H F", known={(16, 32): "Nothing was padded."})
    assert told.what == "F (frequency bin) is not 32 but smaller. Right so far: H."
    assert told.where == "Nothing was padded." and "30" not in told.what
    assert "3 sizes, but 2 axes" in failure(expect_sizes, (1, 16, 30), (16, 30), "H F").what


def test_number():
    expect_number(np.int64(12), 12)
    expect_number(torch.tensor(12.1), 12, tolerance=0.01)
    assert failure(expect_number, 13, 12).what == "13 is too large."
    assert failure(expect_number, 24, 12, known={24: "That counts both ways."}).where == "That counts both ways."
    for wrong in ("twelve", (1, 2), True, float("nan"), torch.ones(2)):
        assert failure(expect_number, wrong, 12).kind == "type"
    with pytest.raises(NotYet):
        expect_number(..., 12)


def test_choice():
    choices = {"a": "It has no memory.", "c": "That is the mask."}
    expect_choice(" B ", "b", choices)
    assert failure(expect_choice, "a", "b", choices).where == "It has no memory."
    assert "none of the choices: a, b, c" in failure(expect_choice, "d", "b", choices).what
    with pytest.raises(NotYet):
        expect_choice(None, "b", choices)


def test_a_usual_mistake_of_another_shape_is_recognised():
    known = {"the frames were averaged": X.mean(-1), "the bins were doubled": torch.cat([X, X], 1)}
    told = failure(expect_values, X.mean(-1).numpy(), X, "B F T", known)
    assert "shape (2, 4), but should have (B=2, F=4, T=4)" in str(told) and "the frames were averaged" in told.where
    told = failure(expect_values, torch.cat([X, X], 1), X, "B F T", known)
    assert "shape (B=2, F=8, T=4)" in str(told) and "the bins were doubled" in told.where and told.known
    assert "is 8 instead of 4" in str(failure(expect_values, torch.zeros(2, 8, 4), X, "B F T", known))
