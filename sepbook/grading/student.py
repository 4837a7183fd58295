"""The process of a student's notebook: it runs cells and lends their answers, and knows nothing of right and wrong."""

import inspect
import io
import os
import sys
import tempfile

from sepbook.check import is_stub
from sepbook.grading.guard import Limits, enter
from sepbook.grading.link import Link

SHOWN = 4000  # characters of output that are kept


class Ear(io.TextIOBase):
    """A standard output that keeps the beginning."""

    def __init__(self):
        self.text = ""

    def write(self, text) -> int:
        """Keep what there is room for."""
        self.text += text[: SHOWN - len(self.text)]
        return len(text)

    def writable(self) -> bool:
        """Always."""
        return True


class Notebook:
    """A namespace in which cells run as they do in Jupyter, `%` and `!` included."""

    def __init__(self):
        self.shell = _shell().instance(history_load_length=0)
        self.shell.history_manager.enabled = False
        self.shell.colors = "nocolor"

    def run(self, source: str) -> list:
        """Run a cell: whether it went well, what it printed, and its error."""
        sys.stdout = sys.stderr = ear = Ear()
        result = self.shell.run_cell(source)
        error = result.error_before_exec or result.error_in_exec
        return [result.success, ear.text, f"{type(error).__name__}: {str(error)[:300]}" if error else ""]

    def answer(self, name: str) -> list:
        """Return an answer by its name: whether there is one, the value, and how a function is called."""
        if name not in self.shell.user_ns:
            return [False, None, None]
        value = self.shell.user_ns[name]
        return [True, value, describe(value) if callable(value) else None]


def _shell() -> type:
    """Return a shell for which there is no window to open, so that `%matplotlib` does no harm."""
    from IPython.core.interactiveshell import InteractiveShell

    return type("Shell", (InteractiveShell,), {"enable_gui": lambda self, gui=None: None})


def describe(function):
    """Return the name of a function, whether it is still empty, and its parameters where they are known."""
    about = [str(getattr(function, "__name__", type(function).__name__)), is_stub(function)]
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return [*about, None]
    return [*about, [[p.name, int(p.kind), p.default is not p.empty] for p in parameters]]


def live(pipe, limits: Limits, scratch: str) -> None:
    """Serve the marker until it hangs up (the target of the process)."""
    os.setsid()
    os.closerange(3, pipe.fileno())  # what the run itself talks over is none of a notebook's business
    os.closerange(pipe.fileno() + 1, 4096)
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):  # what C code prints goes nowhere
        os.dup2(null, number)
    os.chdir(scratch)
    tempfile.tempdir = scratch
    os.environ.update(SEPBOOK_PROGRESS="off", HOME=scratch, MPLCONFIGDIR=scratch, TMPDIR=scratch)
    notebook = Notebook()
    held = enter(limits, scratch)
    link = Link(pipe, {"run": notebook.run, "answer": notebook.answer, "held": lambda: held})
    link.handlers["bundle"] = link.unbundled
    link.handlers["together"] = lambda *given: _together(notebook, *given)
    link.serve()


def _together(notebook: Notebook, lab: str, number: int, names: list, variants: list, control: int) -> list:
    """Check an answer in here: what it needs cannot pass to another process."""
    from sepbook.grading.verdicts import CONTROLS, judge

    answers = [notebook.shell.user_ns.get(name) for name in names]
    if control >= 0:
        answers = [CONTROLS[control](answer) for answer in answers]
    return list(judge(lab, number, answers, variants))
