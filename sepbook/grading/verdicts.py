"""A verdict on one exercise: its check is asked with several sets of cases, and all of them must be right."""

from dataclasses import asdict, dataclass
from functools import cache

import torch

from sepbook.check import CheckFailure, NotYet, exercises, variant

PASSED, WRONG, EMPTY = "passed", "wrong", "not yet"
SLOW, ENDED, BROKEN, ABSENT = "too slow", "ended its process", "cell fails", "not in the notebook"
TAMPERED, EDITION = "tampered with the check", "another edition"

# What these exercises are given (a training loop, networks that answer back) cannot pass between two processes, so
# their checks run in the student's own. Answers that must be wrong are tried there too; see `marker`.
TOGETHER = frozenset(
    {
        "architectures/denoiser 4",
        "architectures/keras_sketch 5",
        "building_blocks/recurrent 4",
        "building_blocks/stft 2",
        "training/bug_clinic 5",
        "training/bug_clinic 10",
        "training/loop 1",
        "training/loop 5",
        "training/optimization 3",
        "training/optimization 5",
        "training/putting_it_together 1",
    }
)


@dataclass
class Verdict:
    """How one exercise went."""

    number: int
    title: str
    status: str = ABSENT
    words: str = ""  # what the check says
    kind: str = ""  # which mistake it was
    apart: bool = True  # the check ran in another process than the answer

    @property
    def passed(self) -> bool:
        """Whether it earns its mark."""
        return self.status == PASSED

    def as_dict(self) -> dict:
        """Return all of it as plain values."""
        return asdict(self)


@cache
def known() -> dict:
    """Return the exercises of every lab."""
    return exercises()


def judge(lab: str, number: int, answers: list, variants: list[int]) -> tuple[str, str, str]:
    """Return status, words and kind of mistake for an exercise's answers, over all sets of cases."""
    exercise = known()[lab][number - 1]
    for which in variants:
        try:
            with variant(which), torch.enable_grad():
                exercise.check(*answers)
        except NotYet as note:
            return EMPTY, str(note), ""
        except CheckFailure as failure:
            return WRONG, failure.what, failure.kind
        except (Exception, SystemExit) as error:
            return WRONG, f"This answer cannot be checked: {type(error).__name__}: {str(error)[:200]}", "unforeseen"
    return PASSED, "", ""


CONTROLS = (
    lambda answer: (lambda *inputs, **named: inputs[0]) if callable(answer) else "no answer",
    lambda answer: (lambda *inputs, **named: 7) if callable(answer) else [],
    lambda answer: (lambda *inputs, **named: torch.zeros(2)) if callable(answer) else object(),
)
