"""Every exercise of every lab: its stub stays red, its solution turns green. Only setup, stub and solution run."""

import nbclient
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tests.labs.reading import LABS, ROOT, numbers, read, solution, tagged

TRIES = 4  # one more than there are hints
EXERCISES = [(name, number) for name in LABS for number in numbers(read(name))]


def text(cell):
    """Return all that a cell printed, errors too."""
    return "".join(output.get("text", "") + "\n".join(output.get("traceback", [])) for output in cell.outputs)


def play(notebook):
    """Run the set-up, then each stub with its check several times, then each solution; return the cells by name."""
    cells = {("setup", i): cell.source for i, cell in enumerate(tagged(notebook, "setup"))}
    for number in numbers(notebook):
        check = tagged(notebook, f"check-{number}")[0].source
        cells["stub", number] = tagged(notebook, f"exercise-{number}")[0].source
        cells |= {("red", number, i): check for i in range(TRIES)}
        cells["solution", number] = solution(notebook, number)
        cells["green", number] = check
    played = new_notebook(cells=[new_code_cell(source) for source in cells.values()])
    nbclient.NotebookClient(played, timeout=120, allow_errors=True, resources={"metadata": {"path": ROOT}}).execute()
    return dict(zip(cells, played.cells, strict=True))


@pytest.fixture(scope="module")
def played():
    """Return a function that plays a lab, once."""
    kept = {}

    def once(name):
        if name not in kept:
            kept[name] = play(read(name))
        return kept[name]

    return once


def test_labs_have_exercises():
    assert EXERCISES


@pytest.mark.parametrize(("name", "number"), EXERCISES)
def test_stub_stays_red_and_is_helped(played, name, number):
    cells = played(name)
    texts = [text(cells["red", number, i]) for i in range(TRIES)]
    for said in texts:
        assert "✔" not in said and "Traceback" not in said
        assert said.startswith(("✘", "…")), "a check prints ✘ and a hint, or … while there is no answer yet"
    if texts[0].startswith("✘"):
        assert texts[0] != texts[1], "the second try brings a second hint"


@pytest.mark.parametrize(("name", "number"), EXERCISES)
def test_solution_turns_green(played, name, number):
    cells = played(name)
    assert text(cells["green", number]).startswith("✔")
    assert "✘" not in text(cells["green", number])


@pytest.mark.parametrize("name", LABS)
def test_setup_stubs_and_solutions_raise_nothing(played, name):
    cells = played(name)
    errors = {key: text(cell) for key, cell in cells.items() if any(o.output_type == "error" for o in cell.outputs)}
    assert not errors
