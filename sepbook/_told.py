"""What broke in somebody's file, in one line: for those who have written it, and want no traceback."""

import traceback
from pathlib import Path

LONGEST = 300  # characters of an error that are repeated


def told(error: BaseException, path: Path | str) -> str:
    """Say what broke in a file and in which line, as in "line 12: NameError: name 'Config' is not defined"."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
    words = error.msg if isinstance(error, SyntaxError) else str(error).strip() or "no words"
    where = f"line {line}: " if line else ""
    return f"{where}{type(error).__name__}: {words.splitlines()[0][:LONGEST]}"
