"""The template of the project runs as it is, asks what the rubric counts, and hands in what can be scored."""

import os

import nbformat
import pytest

from sepbook.training import checkpoint
from tests.labs.playing import play
from tools.classroom import labs, project
from tools.classroom.__main__ import main

RUBRIC = (labs.ROOT / "book" / "classroom" / "project.md").read_text(encoding="utf-8").split("## Rubric")[1]


def test_it_is_a_notebook_with_the_first_cell_of_all_labs(tmp_path):
    assert main(["project", "--out", str(tmp_path), "--book", "../book"]) == 0
    notebook = nbformat.read(tmp_path / "project.ipynb", as_version=4)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    assert code[0] == next(cell.source for cell in labs.read("first_separation").cells if cell.cell_type == "code")
    assert "](../book/book/classroom/project.html#rubric)" in notebook.cells[0].source


def test_the_rubric_has_a_hundred_points_and_the_template_asks_for_them():
    lines = [line for line in RUBRIC.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[2:]]
    assert sum(int(row[-1]) for row in rows) == 100 and all(len(row) == 5 and all(row) for row in rows)
    asked = " ".join(cell.source.lower() for cell in project.template().cells if cell.cell_type == "markdown")
    assert all(row[0].split()[0].lower() in asked for row in rows if row[0] != "Can be repeated")


@pytest.mark.slow
def test_it_runs_as_it_is_and_hands_in_weights_that_load(tmp_path):
    cells = [cell.source for cell in project.template().cells if cell.cell_type == "code"]
    small = 'BASELINE = ["unet", "--preset", "tiny", "--set", "sample_rate=16000"]'
    small += '\nVARIANT = [*BASELINE, "--set", "widths=[8,12]"]'
    lines = (
        cells[1]
        .replace("import os\n", f"import os\nos.chdir({str(tmp_path)!r})\nos.environ['SEPBOOK_LAB_STEPS'] = '1'\n")
        .splitlines()
    )
    cells[1] = "\n".join(line for line in lines if not line.startswith(("BASELINE", "VARIANT"))) + f"\n{small}"
    said, errors = play(dict(enumerate(cells)))
    assert errors == {} and said[3].count(" dB, songs like these: ") == 2
    assert os.listdir(tmp_path / "hand_in") == ["weights.safetensors"]
    assert checkpoint.load_weights(tmp_path / "hand_in" / "weights.safetensors").preset == "tiny"
