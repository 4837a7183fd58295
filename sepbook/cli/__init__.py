"""The command line: `sepbook separate song.mp3`, and the same for training, scoring and shapes.

Exit codes: 0 it worked; 2 what was given cannot be used, and one line on stderr says why and how to mend it;
130 stopped by ctrl-C; 1 a mistake of ours, with a traceback. `SEPBOOK_DEBUG=1` shows the traceback in every
case.

Taught on: book/first_separation
"""

import os
import sys
import traceback
import warnings
from pathlib import Path

import typer

from sepbook.cli import streaming  # noqa: F401, its command joins the others
from sepbook.cli.commands import app

__all__ = ["app", "main"]

OK, BUG, REFUSED, STOPPED = 0, 1, 2, 130
UsageError = typer.BadParameter.__mro__[2]  # ClickException, of whichever click this typer brings
PACKAGE = Path(__file__).resolve().parent.parent


def main(arguments: list[str] | None = None) -> int:
    """Run the command line with these arguments (those of the process unless given) and return its exit code.

    Taught on: book/first_separation
    """
    with warnings.catch_warnings():
        warnings.showwarning = _note
        try:
            code = app(arguments, prog_name="sepbook", standalone_mode=False) or OK
        except UsageError as error:  # a misspelt option and the like
            error.show()
            return error.exit_code
        except (typer.Abort, KeyboardInterrupt):
            code = STOPPED
        except Exception as error:
            if os.environ.get("SEPBOOK_DEBUG") or not meant_for_the_user(error):
                traceback.print_exc()
            if not meant_for_the_user(error):
                return BUG
            print(f"sepbook: {explain(error)}", file=sys.stderr)
            return REFUSED
    if code == STOPPED:  # newer versions of typer return it, older ones raise
        print("sepbook: stopped. No half-written file is left.", file=sys.stderr)
    return code


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
    print(f"sepbook: note: {message}", file=sys.stderr)
