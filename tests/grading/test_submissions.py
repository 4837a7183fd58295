"""Whose a file is, which lab it is, which cells run, and what is said of files that cannot be graded."""

import json
import unicodedata

import pytest

from sepbook.grading.run import choose
from sepbook.grading.submissions import BadNotebook, Submission, find, read
from sepbook.grading.verdicts import Verdict, known
from tests.grading.folder import hand_in, solved
from tests.labs.reading import LABS, ROOT, numbers
from tests.labs.reading import read as read_lab

LAB = "foundations/masks"


@pytest.mark.parametrize("name", LABS)
def test_every_lab_is_known_with_all_its_exercises_and_answers(name):
    cells = read(ROOT / "notebooks" / name, known())
    assert cells.lab == name.removesuffix(".ipynb") and len(cells.setup) == 2
    assert list(cells.exercises) == list(cells.answers) == [int(n) for n in numbers(read_lab(name))]
    assert all(cells.answers.values())


def test_tags_that_got_lost_are_found_by_the_first_line(tmp_path):
    notebook = solved(LAB, exercise_1="# Exercise 1: mine\nbinary_mask = None")
    for cell in notebook.cells:
        cell.metadata.clear()
    cells = read(hand_in(tmp_path, "a", notebook), known())
    assert cells.exercises == {1: "# Exercise 1: mine\nbinary_mask = None"} and cells.answers[5] == ["apply_network"]


def test_whose_a_file_is(tmp_path):
    notebook = solved(LAB)
    composed = unicodedata.normalize("NFC", "Jörg  Groß")
    hand_in(tmp_path, composed, notebook, "a.ipynb")
    hand_in(tmp_path, unicodedata.normalize("NFD", composed), notebook, "deep/er/b.ipynb")
    hand_in(tmp_path, "", notebook, "Li Na__masks.ipynb")
    hand_in(tmp_path, "", notebook, "masks.ipynb")
    found = {one.path.name: one for one in find(tmp_path, known())}
    assert found["a.ipynb"].student == found["b.ipynb"].student == "Jörg Groß"
    assert found["Li Na__masks.ipynb"].student == "Li Na"
    assert "no student's folder" in found["masks.ipynb"].problem and not found["masks.ipynb"].student


def test_links_and_hidden_files_are_left_alone(tmp_path):
    path = hand_in(tmp_path / "class", "eve", solved(LAB))
    hand_in(tmp_path / "class", "eve/.ipynb_checkpoints", solved(LAB))
    hand_in(tmp_path / "others", "bob", solved(LAB))
    (tmp_path / "class" / "eve" / "link.ipynb").symlink_to(path)
    (tmp_path / "class" / "mallory").symlink_to(tmp_path / "others" / "bob")
    assert [one.path for one in find(tmp_path / "class", known())] == [path]


def edition(source, text):
    notebook = solved(LAB)
    for cell in notebook.cells:
        cell.source = cell.source.replace(source, text)
    return json.dumps(notebook)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "damaged"),
        ("{", "damaged"),
        ("[]", "damaged"),
        ('{"cells": 7}', "damaged"),
        ('{"cells": [{"cell_type": "code"}]}', "damaged"),
        ("[" * 100_000, "damaged"),
        ('{"cells": []}', "no lab of this book"),
        ('{"cells": [{"cell_type": "code", "source": ["import ", "torch"], "metadata": {}}]}', "no lab of this book"),
        (edition("foundations import masks as", "foundations import shields as"), "does not have"),
        (edition("exercise", "task"), "no lab of this book"),
    ],
)
def test_what_cannot_be_graded_is_told(tmp_path, text, words):
    path = tmp_path / "lab.ipynb"
    text = text.replace('"exercise-', '"task-') if "task" in text else text
    path.write_text(text)
    if "task" in text:  # a lab whose exercises are gone
        path.write_text(text.replace("# Exercise", "# Task"))
        words = "none of its cells"
    with pytest.raises(BadNotebook, match=words):
        read(path, known())


def test_bytes_that_are_no_text_and_a_huge_file(tmp_path, monkeypatch):
    path = tmp_path / "lab.ipynb"
    path.write_bytes(b"\xff\xfe\0")
    with pytest.raises(BadNotebook, match="damaged"):
        read(path, known())
    monkeypatch.setattr("sepbook.grading.submissions.LARGEST", 2)
    with pytest.raises(BadNotebook, match="MB"):
        read(path, known())


def test_a_folder_without_notebooks_and_no_folder(tmp_path):
    with pytest.raises(ValueError, match="holds no notebook"):
        find(tmp_path, known())
    with pytest.raises(ValueError, match="no folder"):
        find(tmp_path / "absent", known())


def test_of_two_submissions_the_better_one_counts(tmp_path):
    def one(name, solved):
        found = Submission("a", tmp_path / name, read(ROOT / f"notebooks/{LAB}.ipynb", known()))
        found.verdicts = [Verdict(n, "", "passed" if n < solved else "wrong") for n in range(5)]
        return found

    work = [one("1", 2), one("2", 4), one("3", 4), one("4", 1), Submission("a", tmp_path, problem="damaged")]
    choose(work)
    assert [found.counts for found in work] == [False, False, True, False, False]
