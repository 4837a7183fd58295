"""Two editions of the labs, both made from the notebooks of the book, which stay the one source.

The student's edition has no solutions: those below the checks are left out, and where a lab goes on with the book's own
answer for those who have none yet, that answer is folded, so that the lab still runs from top to bottom. The
instructor's has them in their cells, with all hints, what the book says about the solution, and what the cells print.
"""

import ast
import copy
import os
from pathlib import Path

from nbformat.v4 import new_code_cell, new_markdown_cell

from sepbook.check import exercises
from sepbook.check.folded import fold
from tools.classroom import labs

STEPS = "60"  # of training, when the instructor's edition is run; `SEPBOOK_LAB_STEPS` says another number
TO_STUDENTS = "\n\nThis copy is for a class: it holds no solutions."
TO_TEACHERS = "\n\nThis is the instructor's copy: it holds the solutions. Do not hand it out."


def student(name: str, book: str | None = None):
    """Return a lab without its solutions. `book` is the address of the book that its links lead to."""
    notebook = copy.deepcopy(labs.read(name))
    known = [body for n in labs.numbers(notebook) for body in bodies(labs.solution(notebook, n)).values()]
    notebook.cells = [cell for cell in notebook.cells if not _has(cell, "solution-")]
    for cell in notebook.cells:
        if cell.cell_type == "code" and not _has(cell, "exercise-"):
            cell.source = without_answers(cell.source, known)
    notebook.cells[0].source += TO_STUDENTS
    labs.relink(notebook, name, book or labs.site())
    return notebook


def functions(source: str) -> list[ast.FunctionDef]:
    """Return the functions at the top of a cell; none where it is no plain Python (a cell with `%pip`)."""
    try:
        return [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    except SyntaxError:
        return []


def bodies(source: str) -> dict[str, str]:
    """Return what the functions of a cell do, by name: their bodies without a docstring, however they are laid out."""
    found = {}
    for node in functions(source):
        body = node.body[1:] if ast.get_docstring(node) is not None else node.body
        found[node.name] = "\n".join(ast.unparse(line) for line in body)
    return {name: body for name, body in found.items() if body.strip() not in ("", "...", "pass")}


def without_answers(source: str, known: list[str]) -> str:
    """Return a cell in which the book's answers (`def book_…`, or a body that a solution has) are folded."""
    lines, does = source.splitlines(), bodies(source)
    for node in reversed(functions(source)):
        if node.name.startswith("book_") or does.get(node.name) in known:
            packed = fold("\n".join(lines[node.lineno - 1 : node.end_lineno]))
            said = f"# {node.name}: the book's answer, folded, for the cells below until yours is right"
            lines[node.lineno - 1 : node.end_lineno] = [
                said,
                "from sepbook.check import unfold",
                f'exec(unfold("""\n{packed}\n"""))',
            ]
    return "\n".join(lines)


def instructor(name: str, book: str | None = None):
    """Return a lab with each solution in its exercise's cell, and below it the hints and the words on it."""
    notebook = copy.deepcopy(labs.read(name))
    cells, known = [], exercises()[name]
    for cell in notebook.cells:
        if _has(cell, "solution-"):
            cells += _key(notebook, _number(cell, "solution-"), known)
        elif number := _number(cell, "exercise-"):
            cells += [_stub(cell, number), _solved(notebook, cell, number)]
        else:
            cells.append(cell)
    notebook.cells = cells
    notebook.cells[0].source += TO_TEACHERS
    labs.relink(notebook, name, book or labs.site())
    return notebook


def _has(cell, kind: str) -> bool:
    return bool(_number(cell, kind))


def _number(cell, kind: str) -> str:
    """Return the number of an exercise, a check or a solution; nothing for other cells."""
    return next((tag.removeprefix(kind) for tag in cell.metadata.get("tags", ()) if tag.startswith(kind)), "")


def _stub(cell, number: str):
    text = f"**What the students see** (exercise {number})\n\n```python\n{cell.source}\n```"
    return new_markdown_cell(text, id=f"{cell['id']}-stub")


def _solved(notebook, cell, number: str):
    first = cell.source.partition("\n")[0]
    source = f"{first}\n{labs.solution(notebook, number)}" if first.startswith("#") else labs.solution(notebook, number)
    return new_code_cell(source, id=cell["id"], metadata=copy.deepcopy(cell.metadata))


def _key(notebook, number: str, known: list) -> list:
    """Return the cells that follow a check: all its hints, and what the book says about the solution."""
    one, found = known[int(number) - 1], labs.folded(notebook, number)
    hints = [f"{step}. {text}" for step, text in enumerate(filter(None, (one.where, one.step, one.how)), 1)]
    hints = "\n".join(hints) or "This check has a hint of its own for each mistake."
    words = "\n\n".join(part.strip() for part in (found["before"], found["after"]) if part.strip())
    text = (
        f"**Hints of exercise {number}**, one more with each wrong try\n\n{hints}\n\n**About the solution**\n\n{words}"
    )
    return [new_markdown_cell(text, id=f"{labs.tagged(notebook, f'solution-{number}')[0]['id']}-key")]


def run(notebook, everything: bool = True, seconds: int = 1800):
    """Run a notebook and keep what its cells print: all of them, or set-up, exercises and checks alone.

    A cell that fails stops the run with nbclient's CellExecutionError.
    """
    from nbclient import NotebookClient

    shown = notebook if everything else copy.copy(notebook)
    if not everything:
        kinds = ("setup", "exercise-", "check-")
        shown.cells = [c for c in notebook.cells if any(t.startswith(kinds) for t in c.metadata.get("tags", ()))]
    environment = os.environ | {
        "SEPBOOK_LAB_STEPS": os.environ.get("SEPBOOK_LAB_STEPS", STEPS),
        "SEPBOOK_PROGRESS": "off",
    }
    client = NotebookClient(shown, timeout=seconds, kernel_name="python3", store_widget_state=False)
    client.execute(env=environment, cwd=str(labs.ROOT))
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.output_type != "error"]
            cell.execution_count = None
        cell.metadata.pop("execution", None)
    return notebook


def write(names: list[str], out: Path, outputs: str = "exercises", book: str | None = None, say=print) -> list[Path]:
    """Write both editions of these labs to OUT/student and OUT/instructor; `outputs` is none, exercises or all."""
    paths = []
    for name in names:
        key = instructor(name, book)
        if outputs != "none":
            say(f"running {name}")
            run(key, everything=outputs == "all")
        paths += [
            labs.write(student(name, book), out / "student" / f"{name}.ipynb"),
            labs.write(key, out / "instructor" / f"{name}.ipynb"),
        ]
    return paths
