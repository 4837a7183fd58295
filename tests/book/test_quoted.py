"""Code that a page quotes line by line is whole: the lines still are what they were when they were chosen."""

import ast
import re
from textwrap import dedent

import pytest
from book_sources import ROOT, pages, text_of

QUOTED = re.compile(r"```\{literalinclude\} (?P<file>\S+)\n(?P<options>.*?)```", re.DOTALL)


def quoted():
    """Yield page, file, name of the object and lines of all code that is quoted by its lines."""
    for page in pages():
        for found in QUOTED.finditer(text_of(page)):
            options = dict(re.findall(r":([\w-]+): *(.*)", found["options"]))
            if "lines" in options:
                yield page, (ROOT / page).parent / found["file"], options["pyobject"], options["lines"]


def body(file, name):
    """Return the lines of a function or method, without its decorators, and its tree."""
    source = file.read_text(encoding="utf-8")
    node = ast.parse(source)
    for part in name.split("."):
        node = next(child for child in node.body if getattr(child, "name", None) == part)
    return source.splitlines()[node.lineno - 1 : node.end_lineno], node


def chosen(lines, count):
    """Return the numbers in "1, 7-" for a text of so many lines."""
    for part in lines.replace(" ", "").split(","):
        first, dash, last = part.partition("-")
        yield from range(int(first), int(last or (count if dash else first)) + 1)


@pytest.mark.parametrize(("page", "file", "name", "lines"), list(quoted()))
def test_quoted_lines_are_whole_statements(page, file, name, lines):
    text, node = body(file, name)
    numbers = list(chosen(lines, len(text)))
    assert max(numbers) == len(text), f"{page} quotes {name} without its last line"
    ast.parse(dedent("\n".join(text[n - 1] for n in numbers)))
    first, last = (line - node.lineno + 1 for line in (node.body[0].lineno, node.body[0].end_lineno))
    shown = len(set(range(first, last + 1)) & set(numbers))
    assert shown in (0, last - first + 1), f"{page} quotes a part of the docstring of {name}"
