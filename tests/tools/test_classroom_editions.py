"""The two editions of every lab: no solution is left in the student's, none is missing in the instructor's."""

import copy

import nbformat
import pytest

from sepbook.check import exercises, unfold
from tests.labs.playing import play
from tools.classroom import editions, labs
from tools.classroom.__main__ import main

NAMES = labs.names()


def own_lines(notebook, number):
    """Return the lines of a solution that say more than its stub does."""
    stub = {line.strip() for line in labs.tagged(notebook, f"exercise-{number}")[0].source.splitlines()}
    lines = [line.strip() for line in labs.solution(notebook, number).splitlines()]
    plain = ("def ", "import ", "from ", "#")
    return [line for line in lines if len(line) > 12 and line not in stub and not line.startswith(plain)]


def leaks(source, edition):
    """Return (exercise, cell) where an edition holds a solution of the lab `source`, whole or more than half of it."""
    found = []
    for number in labs.numbers(source):
        own, body = own_lines(source, number), set(editions.bodies(labs.solution(source, number)).values())
        code = labs.solution(source, number).strip()
        stub = labs.tagged(source, f"exercise-{number}")[0].source
        for cell in edition.cells:
            lines = {line.strip() for line in cell.source.splitlines()}
            same = body & set(editions.bodies(cell.source).values()) - set(editions.bodies(stub).values())
            many = own and sum(line in lines for line in own) > len(own) / 2
            if same or many or (len(code) > 12 and code in cell.source):
                found.append((number, cell["id"]))
    return found


@pytest.mark.parametrize("name", NAMES)
def test_no_solution_leaks_into_the_students_edition(name):
    edition = editions.student(name)
    assert leaks(labs.read(name), edition) == []
    assert not labs.numbers(edition, "solution") and not editions.bodies("") and len(labs.numbers(edition)) > 0
    text = nbformat.writes(edition)
    assert "<details>" not in text and "Solution to" not in text and "def book_" not in text
    assert not [cell for cell in edition.cells if cell.cell_type == "code" and cell.outputs]
    nbformat.validate(edition)


def test_the_test_sees_a_leak():
    source = labs.read("foundations/masks")
    assert {number for number, _ in leaks(source, source)} == {"1", "2", "3", "4", "5"}
    edition = editions.student("foundations/masks")
    edition.cells[-1].source += "\nsoft = X.abs() ** p\npart = X.abs() ** p\n"
    edition.cells[-1].source += "def other(X, p):\n    part = X.abs()**p\n    "
    edition.cells[-1].source += "return part / part.sum(0, keepdim=True).clamp(min=1e-12)"
    assert [number for number, _ in leaks(source, edition)] == ["2"]


@pytest.mark.parametrize("name", NAMES)
def test_the_students_edition_is_the_lab_but_for_solutions_and_links(name):
    lab, edition = labs.read(name), editions.student(name)
    for number in labs.numbers(lab):
        for kind in ("exercise", "check"):
            assert labs.tagged(edition, f"{kind}-{number}") == labs.tagged(lab, f"{kind}-{number}")
    prose = "\n".join(cell.source for cell in edition.cells if cell.cell_type == "markdown")
    assert labs.LINK.findall(prose) == [] and f"]({labs.site()}/book/how_to_read.html)" in prose


def test_links_of_a_copy_lead_into_the_book_that_is_named():
    text = "\n".join(cell.source for cell in editions.student("building_blocks/dropout", "../../book").cells)
    assert "](../../book/book/how_to_read.html)" in text and ".ipynb)" not in text and ".md)" not in text


def test_a_folded_answer_is_the_answer():
    (cell,) = [cell for cell in editions.student("foundations/hearing").cells if "book_spoil: " in cell.source]
    names = {}
    packed = cell.source.split('"""')[1]
    assert unfold(packed).startswith("def book_spoil(") and "noise" not in packed
    (original,) = [cell for cell in labs.read("foundations/hearing").cells if "def book_spoil" in cell.source]
    assert editions.bodies(unfold(packed))["book_spoil"] == editions.bodies(original.source)["book_spoil"]
    exec(unfold(packed), names)
    assert callable(names["book_spoil"])


@pytest.mark.parametrize("name", NAMES)
def test_the_instructors_edition_has_solutions_hints_and_words(name):
    lab, key = labs.read(name), editions.instructor(name)
    nbformat.validate(key)
    for number, one in zip(labs.numbers(lab), exercises()[name], strict=True):
        (cell,) = labs.tagged(key, f"exercise-{number}")
        assert labs.solution(lab, number) in cell.source
        (words,) = [cell.source for cell in key.cells if cell.source.startswith(f"**Hints of exercise {number}**")]
        assert all(hint in words for hint in (one.where, one.step, one.how))
        assert labs.folded(lab, number)["after"].strip() in words
    assert "Do not hand it out" in key.cells[0].source


@pytest.mark.slow
def test_the_key_keeps_what_its_cells_print(tmp_path):
    assert main(["editions", "foundations/complex", "--out", str(tmp_path)]) == 0
    key = nbformat.read(tmp_path / "instructor" / "foundations" / "complex.ipynb", as_version=4)
    for number in labs.numbers(key):
        (check,) = labs.tagged(key, f"check-{number}")
        assert check.outputs[0].text.startswith("✔ ")
    assert not [cell for cell in key.cells if cell.cell_type == "code" and cell.execution_count]


@pytest.mark.slow
def test_a_students_edition_runs_from_top_to_bottom_before_anything_is_solved():
    cells = [cell for cell in editions.student("foundations/hearing").cells if cell.cell_type == "code"]
    said, errors = play({number: cell.source for number, cell in enumerate(cells)})
    assert errors == {} and any("the book's, until the check above is green" in text for text in said.values())


def test_a_cell_that_is_no_python_is_left_as_it_is():
    source = "%pip install x\ndef book_a():\n    return 1"
    assert editions.without_answers(source, []) == source


def test_answers_that_are_named_otherwise_are_known_by_what_they_do():
    solution = 'def f(x):\n    """Twice."""\n    return 2 * x'
    known = list(editions.bodies(solution).values())
    folded = editions.without_answers("y = 1\n\n\ndef twice(x):\n    return 2*x  # so\n\n\nz = twice(y)", known)
    names = {}
    exec(folded, names)
    assert names["z"] == 2 and "2*x" not in folded and "def twice" not in folded
    assert editions.without_answers("def g(x):\n    return 3 * x", known) == "def g(x):\n    return 3 * x"


def test_a_lab_that_is_not_there_is_told(tmp_path, capsys):
    assert main(["editions", "foundations/shields", "--out", str(tmp_path)]) == 2
    assert "there is no lab 'foundations/shields'" in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_reading_a_lab_gives_a_copy():
    one = labs.read("foundations/masks")
    assert copy.deepcopy(one) == labs.read("foundations/masks")
