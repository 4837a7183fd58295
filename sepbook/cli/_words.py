"""What may be printed: names of files come from anywhere, and may hold what a terminal would obey."""

from pathlib import Path


def escaped(text) -> str:
    r"""Write line ends, control characters and bytes that are no text as `\n`, `\x1b`, `\udcff`; leave the rest.

    Every message of the command line goes through here, so that a name can neither end a line nor move the cursor.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in str(text))


def looks_like_a_file(word: str) -> bool:
    """Tell whether a word with a dash in front, which was taken for options, was meant as a file."""
    path = Path(word)
    dash = word.startswith("-") and not word.startswith("--") and len(word) > 2
    return dash and (path.suffix[1:].isalnum() and not path.suffix[1:].isdigit() or path.exists())
