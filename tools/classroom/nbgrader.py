"""Labs in nbgrader's format: a course folder whose notebooks `nbgrader generate_assignment` and `autograde` take.

An exercise becomes an autograded answer, with its solution between nbgrader's marks; its check becomes a test worth one
point, whose hidden part asks the check with cases that the class has not seen. Set-up cells are locked. What follows an
exercise goes on with the book's answer until the student's is right, as in the lab.
"""

import copy
from pathlib import Path
from random import Random

from sepbook.grading.submissions import CHECK
from tools.classroom import editions, labs

POINTS = 1
CONFIG = '''"""Settings of this course. nbgrader reads them when it is called in this folder."""

c = get_config()  # noqa: F821, nbgrader puts it here
c.CourseDirectory.course_id = "sepbook"
c.ClearSolutions.code_stub = {"python": ""}  # the stub of the book stands above the marks
c.ExecutePreprocessor.timeout = 600  # seconds of a cell; SEPBOOK_LAB_STEPS=10 makes cells that train short
c.ExecutePreprocessor.startup_timeout = 300
'''
HIDDEN = """{check}
### BEGIN HIDDEN TESTS
from sepbook.grading.verdicts import judge as judge_answers

status, words, _ = judge_answers({lab!r}, {number}, [{answers}], {variants})
assert status == "passed", words
### END HIDDEN TESTS"""


def assignment(name: str) -> str:
    """Return what the assignment of a lab is called: nbgrader wants a folder's name."""
    return name.replace("/", "_")


def source(name: str, seed: int = 0, short: bool = False, book: str | None = None):
    """Return a lab as nbgrader's source. `short` keeps only set-up, exercises and checks, which grades quickly."""
    notebook = copy.deepcopy(labs.read(name))
    variants = [0, *Random(seed).sample(range(1, 1_000_000), 2)]
    known = [body for n in labs.numbers(notebook) for body in editions.bodies(labs.solution(notebook, n)).values()]
    cells = []
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", ())
        kind = next((tag for tag in tags if tag != "train"), "")
        number = kind.rpartition("-")[2]
        if kind.startswith("solution-"):
            continue
        if kind == "setup":
            _mark(cell, kind, locked=True)
        elif kind.startswith("exercise-"):
            cell.source += f"\n### BEGIN SOLUTION\n{labs.solution(notebook, number)}\n### END SOLUTION"
            _mark(cell, kind, solution=True)
        elif kind.startswith("check-"):
            cell.source = _test(name, cell.source, variants)
            _mark(cell, kind, grade=True, locked=True, points=POINTS)
        elif short and cell is not notebook.cells[0]:
            continue
        elif cell.cell_type == "code":
            cell.source = editions.without_answers(cell.source, known)
        cells.append(cell)
    notebook.cells = cells
    labs.relink(notebook, name, book or labs.site())
    return notebook


def _mark(cell, kind: str, grade: bool = False, solution: bool = False, locked: bool = False, **more) -> None:
    about = {"schema_version": 3, "grade_id": f"{cell['id']}-{kind}", "cell_type": cell.cell_type, "task": False}
    cell.metadata["nbgrader"] = about | {"grade": grade, "solution": solution, "locked": locked} | more


def _test(name: str, check: str, variants: list[int]) -> str:
    number, answers = CHECK.search(check).groups()
    return HIDDEN.format(check=check.rstrip(), lab=name, number=number, answers=answers.strip(), variants=variants)


def write(names: list[str], out: Path, seed: int = 0, short: bool = False, book: str | None = None) -> list[Path]:
    """Write a course folder: its settings, and `source/ASSIGNMENT/LAB.ipynb` for each lab. Returns what was written.

    A settings file that is there already stays as it is.
    """
    out.mkdir(parents=True, exist_ok=True)
    config = out / "nbgrader_config.py"
    if not config.exists():
        config.write_text(CONFIG, encoding="utf-8")
    paths = [config]
    for name in names:
        path = out / "source" / assignment(name) / f"{name.rpartition('/')[2]}.ipynb"
        paths.append(labs.write(source(name, seed, short, book), path))
    return paths
