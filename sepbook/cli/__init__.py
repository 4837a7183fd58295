"""The command line: `sepbook separate song.mp3`, and the same for training, scoring and shapes.

Exit codes: 0 it worked; 2 what was given cannot be used, and one line on stderr says why and how to mend it;
130 stopped by ctrl-C, 143 by SIGTERM, 129 by SIGHUP, all three after tidying up; 141 nobody reads the output on, as
after `| head -1`; 1 a mistake of ours, with a traceback. `SEPBOOK_DEBUG=1` shows the traceback in every case.

Taught on: book/first_separation
"""

import os
import sys
import traceback
import warnings
from contextlib import suppress
from pathlib import Path

import typer

from sepbook.cli import _corpus, _grading, streaming  # noqa: F401, their commands join the others
from sepbook.cli._stopping import CLOSED, nobody_reads, tidy
from sepbook.cli._words import escaped, looks_like_a_file
from sepbook.cli.commands import app

__all__ = ["app", "main"]

OK, BUG, REFUSED, STOPPED = 0, 1, 2, 130
UsageError = typer.BadParameter.__mro__[2]  # ClickException, of whichever click this typer brings
PACKAGE = Path(__file__).resolve().parent.parent


def main(arguments: list[str] | None = None) -> int:
    """Run the command line with these arguments (those of the process unless given) and return its exit code.

    Taught on: book/first_separation
    """
    if arguments is None and hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="surrogateescape")  # a path that is no text leaves as the bytes that it came as
    with warnings.catch_warnings(), tidy() as signals:
        warnings.showwarning = _note
        code = _run(arguments)
    if code == STOPPED:
        _say("stopped. No half-written file is left.")
        code = 128 + signals[-1] if signals else STOPPED
    return CLOSED if nobody_reads() else code


def _run(arguments: list[str] | None) -> int:
    """Run a command and turn everything that can happen into an exit code."""
    try:
        code = app(arguments, prog_name="sepbook", standalone_mode=False) or OK
        sys.stdout.flush()  # now, where its failure can still be told
        return code
    except UsageError as error:  # a misspelt option and the like
        _explain_usage(error, sys.argv[1:] if arguments is None else arguments)
        return error.exit_code
    except (typer.Abort, KeyboardInterrupt):  # newer versions of typer return STOPPED, older ones raise
        return STOPPED
    except SystemExit as error:  # so typer answers a closed pipe
        return CLOSED if isinstance(error.__context__, BrokenPipeError) else int(error.code or OK)
    except Exception as error:
        if isinstance(error, BrokenPipeError) and nobody_reads():
            return CLOSED
        if os.environ.get("SEPBOOK_DEBUG") or not meant_for_the_user(error):
            traceback.print_exc()
        if not meant_for_the_user(error):
            return BUG
        _say(explain(error))
        return REFUSED


def _explain_usage(error, words: list[str]) -> None:
    """Show what is wrong with a command line, and what to do with a file whose name looks like an option."""
    error.message = escaped(error.message)
    error.show()
    for word in filter(looks_like_a_file, words):
        _say(f"{word} begins with a dash, so it is taken for options. If it is a file, write ./{word}")
        break


def meant_for_the_user(error: Exception) -> bool:
    """Tell whether an error is about what was given (the user can mend it) and not a mistake in this package.

    So are the package's own errors, ValueErrors that its code raised, and what the operating system refused.
    Taught on: book/first_separation
    """
    if type(error).__module__.split(".")[0] == "sepbook" or isinstance(error, OSError):
        return True
    frames = traceback.extract_tb(error.__traceback__)
    return isinstance(error, ValueError) and bool(frames) and Path(frames[-1].filename).is_relative_to(PACKAGE)


def explain(error: Exception) -> str:
    """Give an error's message; those of the operating system get the file in front.

    Taught on: book/first_separation
    """
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}. Check the name, the permissions and the free space."
    return getattr(error, "plain", None) or str(error)


def _note(message, category, filename, lineno, file=None, line=None) -> None:
    """Show a warning without the line of code that gave it."""
    _say(f"note: {message}")


def _say(text) -> None:
    """Print one line for the person at the terminal."""
    with suppress(BrokenPipeError):
        print(f"sepbook: {escaped(text)}", file=sys.stderr, flush=True)
