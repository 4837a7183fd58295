"""An error in somebody's file is told in one line, with the line of that file."""

import pytest

from sepbook._told import told

TEXT = """import json

def outer():
    inner()

def inner():
    json.loads("[")

def empty():
    raise ValueError

def long():
    raise ValueError("a" * 1000 + "\\nsecond line")
"""


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("outer", "line 7: JSONDecodeError: Expecting value: line 1 column 2 (char 1)"),
        ("inner", "line 7: JSONDecodeError: Expecting value: line 1 column 2 (char 1)"),
        ("empty", "line 10: ValueError: no words"),
        ("long", "line 13: ValueError: " + "a" * 300),
    ],
)
def test_the_deepest_line_of_the_file_is_told(name, words):
    place = {}
    exec(compile(TEXT, "mine.py", "exec"), place)
    with pytest.raises(ValueError) as error:
        place[name]()
    assert told(error.value, "mine.py") == words
    assert told(error.value, "other.py") == words.split(": ", 1)[1], "no line of a file that was not run"


def test_a_line_that_is_no_python_is_told():
    with pytest.raises(SyntaxError) as error:
        compile("x = 1\ndef f(:\n", "mine.py", "exec")
    assert told(error.value, "mine.py").startswith("line 2: SyntaxError: ")
