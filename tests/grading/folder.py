"""Submissions for tests: labs with their solutions, or with what else stands in an exercise's cell."""

import copy
import functools

import nbformat

from tests.labs.reading import numbers, read, solution, tagged


@functools.cache
def _solved(lab):
    notebook = read(f"{lab}.ipynb")
    for number in numbers(notebook):
        tagged(notebook, f"exercise-{number}")[0].source = solution(notebook, number)
    return notebook


def solved(lab, **changes):
    """Return a lab with all solutions in their cells; `exercise_2=source` puts something else into a cell."""
    notebook = copy.deepcopy(_solved(lab))
    for name, source in changes.items():
        tag = name.replace("_", "-")
        cell = tagged(notebook, tag)[-1]
        cell.source = source if not source.startswith("+") else f"{source[1:]}\n\n{cell.source}"
    return notebook


def hand_in(folder, student, notebook, name="lab.ipynb"):
    """Write a notebook where a student's work lies, and return its path."""
    path = folder / student / name
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path
