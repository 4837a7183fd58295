"""Play the exercises of a lab: set-up, stubs, checks and solutions, in a process of their own.

Each lab gets a fresh fork of a process that has imported torch and no more, which takes a tenth of a second; a fresh
kernel takes three, and twenty-six labs are played. `make labs` runs the same labs in kernels, as readers do.
"""

import multiprocessing
import os

import IPython.display  # noqa: F401  the labs import it, so that their forks have it already
import matplotlib
import torch  # noqa: F401
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from sepbook import plots  # noqa: F401
from tests.labs.reading import ROOT, numbers, solution, tagged

TRIES = 5  # one more than there are hints
SECONDS = 1200  # that a lab may take: a guard against what hangs, no promise


def cells(notebook):
    """Return what to play, by name: the set-up, each stub with its check several times, each solution."""
    sources = {("setup", i): cell.source for i, cell in enumerate(tagged(notebook, "setup"))}
    for number in numbers(notebook):
        check = tagged(notebook, f"check-{number}")[0].source
        sources["stub", number] = tagged(notebook, f"exercise-{number}")[0].source
        sources |= {("red", number, i): check for i in range(TRIES)}
        sources["solution", number] = solution(notebook, number)
        sources["green", number] = check
    return sources


def _run(sources):
    os.chdir(ROOT)
    matplotlib.use("agg")
    shell = InteractiveShell.instance(history_load_length=0)
    shell.history_manager.enabled = False
    said, errors = {}, {}
    for name, source in sources.items():
        with capture_output() as captured:
            result = shell.run_cell(source)
        said[name] = captured.stdout + captured.stderr
        if not result.success:
            errors[name] = result.error_before_exec or result.error_in_exec
    return said, {name: repr(error) for name, error in errors.items()}


def play(sources):
    """Run cells, by name, in a new process; return what each printed, and the errors, both by the cell's name."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    with context.Pool(1) as pool:  # at its end, and when a lab takes too long, the process is stopped
        return pool.apply_async(_run, [sources]).get(SECONDS)
