"""The exercises of the lab on masks: each usual mistake is recognised, each right answer passes, however written."""

import pytest
import torch

from sepbook.check.foundations import masks as check
from sepbook.evaluation import oracles


def hard(axis, values=torch.abs):
    """Return an answer that marks the largest values along an axis."""
    return lambda X: (values(X) == values(X).amax(axis, keepdim=True)).float()


def share(axis, p_of=lambda p: p):
    """Return an answer that shares along an axis, with a power of its own."""

    def answer(X, p):
        part = X.abs() ** p_of(p)
        return part / part.sum(axis, keepdim=True)

    return answer


RIGHT = [
    (check.exercise_1, hard(0)),
    (check.exercise_1, lambda X: torch.nn.functional.one_hot(X.abs().argmax(0), len(X)).movedim(-1, 0).float()),
    (check.exercise_1, lambda X: X.abs() == X.abs().max(0).values),
    (check.exercise_2, share(0)),
    (check.exercise_2, lambda X, p: torch.softmax(p * X.abs().log(), 0)),
    (check.exercise_3, "ratio 2"),
    (check.exercise_4, lambda X: (X / X.sum(0)).real.clamp(0, 1)),
    (check.exercise_4, lambda X: (X.abs() / X.sum(0).abs() * (X.angle() - X.sum(0).angle()).cos()).clamp(0, 1)),
    (check.exercise_4, oracles.truncated_phase_sensitive_mask),
    (check.exercise_5, lambda logits, bins: torch.softmax(logits, 1) * bins[:, None]),
    (check.exercise_5, lambda logits, bins: torch.einsum("bscft,bcft->bscft", logits.softmax(1) + 0j, bins)),
]


@pytest.mark.parametrize(("exercise", "answer"), RIGHT)
def test_right_answers_pass(hear, exercise, answer):
    assert f"✔ {exercise.title}" in hear(exercise, answer)


def stub(*_):
    """Do nothing, as the lab's own stubs."""
    ...


@pytest.mark.parametrize("answer", [stub, None, ...])
@pytest.mark.parametrize(
    "exercise", [check.exercise_1, check.exercise_2, check.exercise_3, check.exercise_4, check.exercise_5]
)
def test_stubs_stay_red(hear, exercise, answer):
    text = hear(exercise, answer, times=2)
    assert "✔" not in text and ("not yet" in text or exercise is check.exercise_3)


@pytest.mark.parametrize("answer", ["binary", "ratio 1", 3, "soft", ["x"], torch.ones(2)])
def test_predictions_that_are_wrong_never_raise(hear, answer):
    assert "✘ Exercise 3" in hear(check.exercise_3, answer, times=2)


@pytest.mark.parametrize("exercise", [check.exercise_1, check.exercise_2, check.exercise_4, check.exercise_5])
@pytest.mark.parametrize("answer", [3, "mask", lambda *x: 1, lambda *x: x[0].numpy(), lambda *x: 1 / 0, lambda: 0])
def test_answers_of_a_wrong_type_never_raise(hear, exercise, answer):
    assert f"✘ {exercise.title}" in hear(exercise, answer, times=2)


WRONG = [
    (check.exercise_1, hard(2), "(the axis F), not the loudest source"),
    (check.exercise_1, hard(3), "(the axis T), not the loudest source"),
    (check.exercise_1, hard(0, torch.real), "the magnitude is X.abs()"),
    (check.exercise_1, lambda X: (X.abs() > X.abs().sum(0) / 2).float(), "half of the sum"),
    (check.exercise_1, lambda X: 1 - hard(0)(X), "where the source is not the loudest"),
    (check.exercise_1, lambda X: X.abs().argmax(0), "has 3 axes"),
    (check.exercise_2, lambda X, p: (X.abs() / X.abs().sum(0)) ** p, "after the division"),
    (check.exercise_2, share(0, lambda p: 1), "the power is missing"),
    (check.exercise_2, share(1), "over the channels (C)"),
    (check.exercise_2, share(2), "over the bins (F)"),
    (check.exercise_2, lambda X, p: (X.abs() / X.sum(0).abs()) ** p, "do not add up to it"),
    (check.exercise_2, lambda X, p: X.abs() ** p, "The shape is right, the values are not"),
    (check.exercise_4, lambda X: (X / X.sum(0)).real, "still there"),
    (check.exercise_4, lambda X: (X / X.sum(0)).real.clamp(min=0), "only the values below 0"),
    (check.exercise_4, lambda X: (X / X.sum(0)).abs().clamp(0, 1), "the phase is not heard"),
    (check.exercise_4, lambda X: ((X * X.sum(0)).real / X.sum(0).abs() ** 2).clamp(0, 1), "lacks a conjugate"),
    (check.exercise_4, lambda X: X / X.sum(0), "complex, but should be real"),
    (check.exercise_5, lambda logits, bins: logits.softmax(2) * bins[:, None], "with one channel every mask is 1"),
    (check.exercise_5, lambda logits, bins: logits.softmax(3) * bins[:, None], "goes over the bins (F)"),
    (check.exercise_5, lambda logits, bins: logits.softmax(1) * bins[:, None].abs(), "the phase is lost"),
    (check.exercise_5, lambda logits, bins: logits.sigmoid() * bins[:, None], "no longer add up to one"),
]


@pytest.mark.parametrize(("exercise", "answer", "words"), WRONG)
def test_usual_mistakes_are_named(hear, exercise, answer, words):
    assert words in hear(exercise, answer, times=2)
