"""The frame around every check: it counts tries, chooses how many hints to show, prints, and never raises.

Taught on: book/how_to_read
"""

import inspect
import textwrap
from collections.abc import Callable

STEPS = ("What", "Where", "How")
WIDTH = 100  # characters of a printed line


class CheckFailure(Exception):
    """A wrong answer, in three steps: what is wrong, where to look, how to mend it.

    `where` and `how` may stay empty: then the exercise's own hints are shown. `kind` says which mistakes count as the
    same one: a second failure of the same kind shows the second step. Taught on: book/how_to_read
    """

    def __init__(self, what: str, where: str = "", how: str = "", kind: str = "answer"):
        super().__init__(what)
        self.what, self.where, self.how, self.kind = what, where, how, kind


class NotYet(Exception):
    """The answer is still the empty stub: no mistake, so no hint. Taught on: book/how_to_read."""


class Exercise:
    """One exercise: call it with an answer. `passed` and `tries` say how it went. Taught on: book/how_to_read."""

    def __init__(self, title: str, check: Callable, hints: tuple[str, ...] = ()):
        self.title, self.check = title, check
        self.where, self.how = (*hints, "", "")[:2]
        self.passed, self.tries, self.kind = False, 0, ""
        self.__doc__, self.__name__ = check.__doc__, check.__name__

    def __call__(self, *answers, **named) -> None:
        """Check an answer and print ✔ or a hint. Never raises."""
        self.passed = False
        try:
            self._bind(answers, named)
            word = self.check(*answers, **named)
        except NotYet as note:
            self._say(f"… {self.title}: not yet.", str(note))
        except CheckFailure as failure:
            self._hint(failure)
        except (Exception, SystemExit) as error:  # the answer did something that no check foresaw
            self._hint(CheckFailure(f"This answer cannot be checked: {_short(error)}.", kind="unforeseen"))
        else:
            self.passed, self.tries, self.kind = True, 0, ""
            self._say(f"✔ {self.title}", word or "")

    def _bind(self, answers: tuple, named: dict) -> None:
        signature = inspect.signature(self.check)
        try:
            signature.bind(*answers, **named)
        except TypeError:
            wanted, count = list(signature.parameters), len(answers) + len(named)
            raise CheckFailure(
                f"The check wants {' and '.join(wanted)} between its brackets, but was given {count} answers.",
                "Look at the brackets of this cell.",
                f"Write check.{self.__name__}({', '.join(wanted)}).",
                kind="call",
            ) from None

    def _hint(self, failure: CheckFailure) -> None:
        """Print one step more each time that the same kind of mistake comes back."""
        self.tries = self.tries + 1 if failure.kind == self.kind else 1
        self.kind = failure.kind
        steps = (failure.what, failure.where or self.where, failure.how or self.how)
        known = [(name, text) for name, text in zip(STEPS, steps, strict=True) if text]
        lines = [f"{name + ':':<7}{text}" for name, text in known[: self.tries]]
        more = self.tries < len(known)
        lines.append("Run this cell again for the next hint." if more else "The solution is folded below the check.")
        self._say(f"✘ {self.title}", *lines)

    @staticmethod
    def _say(head: str, *lines: str) -> None:
        wrapped = [textwrap.fill(line, WIDTH, initial_indent="  ", subsequent_indent="  ") for line in lines if line]
        text = "\n".join([head, *wrapped])
        try:
            print(text)
        except UnicodeEncodeError:  # a terminal that has neither tick nor cross
            print(text.encode("ascii", "replace").decode())


def exercise(title: str, hints: tuple[str, ...] = ()) -> Callable[[Callable], Exercise]:
    """Turn a function that raises `CheckFailure` for wrong answers into an exercise.

    `hints` are (where to look, how to mend it), for failures that bring none of their own. What the function returns
    is said after the ✔. Taught on: book/how_to_read
    """
    return lambda check: Exercise(title, check, hints)


def is_empty(answer) -> bool:
    """Say whether an answer is still the stub's: None, `...`, or a tuple or list that holds one.

    Taught on: book/how_to_read
    """
    if isinstance(answer, tuple | list):
        return any(is_empty(part) for part in answer) or not answer
    return answer is None or answer is Ellipsis


def _short(error: BaseException) -> str:
    """Return the kind and the first line of an error, at most 200 characters."""
    lines = str(error).strip().splitlines()
    return textwrap.shorten(f"{type(error).__name__}: {lines[0] if lines else 'no message'}", 200).rstrip(".")
