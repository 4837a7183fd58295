"""What is said when an engine is missing."""

import subprocess


class EngineError(RuntimeError):
    """An engine cannot speak: the message says what is missing, and what installs it."""


def missing(what, packages):
    """The error for a program, voice or recording that is not installed."""
    return EngineError(
        f"{what} is missing, and the voices of the corpus need it. Install it with\n"
        f"    bash tools/setup.sh apt corpus\n"
        f"(Debian's packages: {packages})"
    )


def run(command, packages, **options):
    """Run a program and return what it printed. Raises EngineError where it is missing or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, **options)
    except FileNotFoundError:
        raise missing(f"The program {command[0]}", packages) from None
    except subprocess.CalledProcessError as failed:
        said = (failed.stderr or failed.stdout or "nothing").strip()
        raise EngineError(f"{' '.join(map(str, command))} failed. It said: {said}") from None
    return done.stdout
