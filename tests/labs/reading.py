"""How labs are written, in one place: what their cells are tagged, and how a solution is found in its fold.

A lab is plain CommonMark with `$math$`, so that it looks the same on Colab and in the book. Its code cells carry tags:

    setup        the first code cell, the same in every lab; a second one may import what this lab needs
    exercise-1   a stub that is still wrong or empty
    check-1      hands the answer to its check, which prints ✔ or a hint and never raises
    solution-1   a *Markdown* cell: <details>, <summary>, a blank line, one ```python block, words, </details>
    train        trains a fixed number of steps; the environment variable SEPBOOK_LAB_STEPS caps it

The three cells of an exercise follow each other in this order. The solution is folded for the reader, on Colab as in
the book, and the tests take the block out and run it in place of the stub. A stub and a solution may use what the setup
cells import, and nothing else: the tests run no other cell.
"""

import re
from pathlib import Path

import nbformat
import yaml

from tools.classroom.labs import numbers, solution, tagged  # the one place that knows the cells

__all__ = ["LABS", "ROOT", "address", "numbers", "problems", "read", "solution", "tagged"]

ROOT = Path(__file__).resolve().parents[2]
LABS = sorted(path.relative_to(ROOT / "notebooks").as_posix() for path in (ROOT / "notebooks").rglob("*.ipynb"))
# What MyST knows and Colab shows raw: directives, roles, labels, comments, substitutions.
MYST = re.compile(r"^(```+|:::+)\{|\{[a-z:]+\}`|^\([\w:-]+\)=$|^% |\{\{", re.MULTILINE)
NOT_ON_COLAB = re.compile(r"^\s*(import|from) (torchaudio|torchvision|nussl|scaper|musdb|museval|pyworld)\b", re.M)


def read(name):
    """Return the notebook of a lab."""
    return nbformat.read(ROOT / "notebooks" / name, as_version=4)


def address():
    """Return the repository's address, which stands in _config.yml."""
    return yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"]


def problems(notebook, setup):
    """List what is not as the module's text says; `setup` is the first code cell that all labs share."""
    return [*_problems_of_cells(notebook, setup), *_problems_of_exercises(notebook)]


def _problems_of_cells(notebook, setup):
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    prose = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    if notebook.cells[0].cell_type != "markdown" or not notebook.cells[0].source.startswith("# "):
        yield "the first cell must be Markdown and begin with a heading '# …'"
    if not code or code[0].source != setup or code[0].metadata.get("tags") != ["setup"]:
        yield "the first code cell must be tagged setup, and be the same in every lab"
    for cell in prose:
        if match := MYST.search(cell.source):
            yield f"Colab shows {match[0]!r} raw: a lab is plain CommonMark with $math$"
    for cell in code:
        if match := NOT_ON_COLAB.search(cell.source):
            yield f"{match[0].strip()!r} is not to be had on Colab without an installation"
        if cell.outputs or cell.execution_count:
            yield "a cell has stored outputs; clear them"
    for cell in tagged(notebook, "train"):
        if "SEPBOOK_LAB_STEPS" not in cell.source:
            yield "a train cell must let SEPBOOK_LAB_STEPS cap its steps"
    if not any(re.search(r"^\s*assert ", cell.source, re.M) for cell in code):
        yield "a lab must assert what it claims"


def _problems_of_exercises(notebook):
    tags = [tuple(cell.metadata.get("tags", ())) for cell in notebook.cells]
    found = numbers(notebook)
    if not found == numbers(notebook, "check") == numbers(notebook, "solution"):
        yield "every exercise has one check and one solution, with its number"
    if found != [str(i + 1) for i in range(len(found))]:
        yield f"exercises must be numbered 1, 2, 3, … in order, not {', '.join(found)}"
    for number in found:
        trio = [(f"{kind}-{number}",) for kind in ("exercise", "check", "solution")]
        if trio[0] not in tags or tags[tags.index(trio[0]) :][:3] != trio:
            yield f"exercise-{number}, check-{number} and solution-{number} must be three cells, one after the other"
            continue
        if not re.fullmatch(rf"check\.exercise_{number}\(.*\)", tagged(notebook, f"check-{number}")[0].source.strip()):
            yield f"check-{number} must be one call, check.exercise_{number}(…)"
        try:
            solution(notebook, number)
        except ValueError as error:
            yield str(error)
