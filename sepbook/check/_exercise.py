"""The frame around every check: it counts tries, chooses how many hints to show, prints, and never raises.

Hints climb. The first wrong try of an exercise is told what is wrong, the second also where to look, the third gets
the first step of the way, and the fourth the whole way. Any wrong try climbs, whatever its mistake. A known mistake is
named at once, whichever try it is.

Taught on: book/how_to_read
"""

import inspect
import textwrap
from collections.abc import Callable

from sepbook.check import _progress

STEPS = ("What", "Where", "Step", "How")
WIDTH = 100  # characters of a printed line


class CheckFailure(Exception):
    """A wrong answer: what is wrong, where to look, the first step of the way, how to mend it.

    `where`, `step` and `how` may stay empty: then the exercise's own hints are shown. `kind` names the mistake;
    `known` says that it was recognised, so that `where` is told at once. Taught on: book/how_to_read
    """

    def __init__(
        self, what: str, where: str = "", how: str = "", kind: str = "answer", step: str = "", known: bool = False
    ):
        super().__init__(what)
        self.what, self.where, self.step, self.how = what, where, step, how
        self.kind, self.known = kind, known


class NotYet(Exception):
    """The answer is still the empty stub: no mistake, so no hint. Taught on: book/how_to_read."""


class Exercise:
    """One exercise: call it with an answer. `passed` and `tries` say how it went. Taught on: book/how_to_read.

    `tries` counts the wrong answers since the last right one. What was solved and how often it was tried is kept over
    labs and days, see `sepbook.check.progress`.
    """

    def __init__(self, title: str, check: Callable, hints: tuple[str, ...] = ()):
        if len(hints) > 3:
            raise ValueError(f"{title}: hints are (where, how) or (where, step, how), not {len(hints)} of them")
        self.title, self.check = title, check
        self.where = hints[0] if hints else ""
        self.step = hints[1] if len(hints) == 3 else ""
        self.how = hints[-1] if len(hints) > 1 else ""
        self.passed, self.tries = False, 0
        self.__doc__, self.__name__ = check.__doc__, check.__name__
        self.name = f"{check.__module__.removeprefix('sepbook.check.')}.{check.__name__}"

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
            self._hint(CheckFailure(f"This answer cannot be checked: {short(error)}.", kind="unforeseen"))
        else:
            self.passed, self.tries = True, 0
            _progress.note(self.name, self.title, solved=True)
            self._say(f"✔ {self.title}", word or "")

    def use(self, own, books):
        """Return the reader's own answer once it is right, and until then the book's; say which of the two.

        So a lab goes on with what was written in it, and runs whatever stands above.
        """
        name = getattr(own, "__name__", "your answer")
        print(f"{name}: yours." if self.passed else f"{name}: the book's, until the check above is green.")
        return own if self.passed else books

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
        """Print one step more with each wrong try; of a known mistake, two steps at once."""
        self.tries += 1
        _progress.note(self.name, self.title, hint=failure.kind)
        own = failure.step or failure.how  # a failure with a way of its own does not get the exercise's first step
        texts = (failure.what, failure.where or self.where, failure.step or ("" if own else self.step))
        steps = zip(STEPS, (*texts, failure.how or self.how), strict=True)
        lines = [f"{name + ':':<7}{text}" for name, text in steps if text]
        shown = min(self.tries + (1 if failure.known else 0), len(lines))
        rest = "The solution is folded below the check."
        if shown < len(lines):
            rest = "Try again: the next wrong answer brings one hint more."
        self._say(f"✘ {self.title}", *lines[:shown], rest)

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

    `hints` are (where to look, the first step, how to mend it), or without the step in the middle, for failures that
    bring none of their own. What the function returns is said after the ✔. Taught on: book/how_to_read
    """
    return lambda check: Exercise(title, check, hints)


def is_empty(answer) -> bool:
    """Say whether an answer is still the stub's: None, `...`, or a tuple or list that holds one.

    Taught on: book/how_to_read
    """
    if isinstance(answer, tuple | list):
        return any(is_empty(part) for part in answer) or not answer
    return answer is None or answer is Ellipsis


def short(error: BaseException) -> str:
    """Return the kind and the first line of an error, at most 200 characters."""
    lines = str(error).strip().splitlines()
    return textwrap.shorten(f"{type(error).__name__}: {lines[0] if lines else 'no message'}", 200).rstrip(".")
