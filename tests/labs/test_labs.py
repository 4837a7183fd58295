"""Every lab is written as `reading.py` says, and a lab that is not is found out."""

import copy
import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tests.labs import reading
from tests.labs.reading import LABS, problems, read, solution
from tools import release

SETUP = next(cell.source for cell in read("architectures/unet.ipynb").cells if cell.cell_type == "code")
FOLDED = """<details>
<summary>Solution</summary>

```python
answer = 4
```

Twice two.
</details>"""


@pytest.mark.parametrize("name", LABS)
def test_lab_follows_the_conventions(name):
    assert not problems(read(name), SETUP)


@pytest.mark.parametrize("name", LABS)
def test_lab_is_a_valid_notebook_that_every_host_can_read(name):
    notebook = read(name)
    nbformat.validate(notebook)
    assert notebook.nbformat == 4 and notebook.nbformat_minor >= 5
    ids = [cell["id"] for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    assert notebook.metadata.kernelspec.name == "python3"
    assert notebook.metadata.language_info.name == "python"


def test_every_lab_begins_with_the_cell_of_the_release():
    assert release.first_cell() == SETUP, "run `python -m tools.release labs`"
    assert SETUP.count(reading.address()) == 1 and max(map(len, SETUP.splitlines())) <= 88


def lab():
    """Return a small lab that keeps every convention."""

    def cell(source, *tags):
        return new_code_cell(source, metadata={"tags": list(tags)} if tags else {})

    fold = new_markdown_cell(FOLDED, metadata={"tags": ["solution-1"]})
    head = new_markdown_cell("# Lab: numbers\n\nHow much is $2 \\cdot 2$?")
    exercise = [cell("answer = ...", "exercise-1"), cell("check.exercise_1(answer)", "check-1"), fold]
    train = cell('steps = int(os.environ.get("SEPBOOK_LAB_STEPS", 100))\nassert steps', "train")
    return new_notebook(cells=[head, cell(SETUP, "setup"), *exercise, train])


def change(notebook, index, **fields):
    """Return a copy with one cell changed: its source, outputs or tags."""
    other = copy.deepcopy(notebook)
    for key, value in fields.items():
        if key == "tags":
            other.cells[index].metadata["tags"] = value
        else:
            other.cells[index][key] = value
    return other


def test_a_lab_that_keeps_the_conventions_has_no_problems():
    assert problems(lab(), SETUP) == []
    assert solution(lab(), 1) == "answer = 4"


@pytest.mark.parametrize(
    ("index", "fields", "words"),
    [
        (0, {"source": "Numbers"}, "heading"),
        (0, {"source": "# Numbers\n\n```{note}\nLook.\n```"}, "CommonMark"),
        (0, {"source": "# Numbers {cite}`a`"}, "CommonMark"),
        (0, {"source": "# Numbers\n\n(label)=\n## More"}, "CommonMark"),
        (1, {"source": "import sepbook"}, "the same in every lab"),
        (1, {"tags": []}, "tagged setup"),
        (2, {"outputs": [{"output_type": "stream"}]}, "stored outputs"),
        (2, {"tags": []}, "one check and one solution"),
        (3, {"source": "exercise_1(answer)"}, "one call"),
        (3, {"source": "check.exercise_2(answer)"}, "one call"),
        (3, {"tags": ["check-2"]}, "one after the other"),
        (4, {"source": FOLDED.replace("</details>", "")}, "solution-1 must be"),
        (4, {"source": FOLDED.replace("</summary>\n", "</summary>")}, "solution-1 must be"),
        (4, {"source": FOLDED.replace("Twice two.", "```python\nanswer = 5\n```")}, "solution-1 must be"),
        (4, {"source": "The answer is 4."}, "solution-1 must be"),
        (5, {"source": "train(steps=100)\nassert True"}, "SEPBOOK_LAB_STEPS"),
        (5, {"source": "SEPBOOK_LAB_STEPS = 3"}, "assert what it claims"),
        (5, {"source": "import torchaudio  # SEPBOOK_LAB_STEPS\nassert True"}, "Colab"),
    ],
)
def test_a_lab_that_breaks_a_convention_is_found_out(index, fields, words):
    assert any(words in problem for problem in problems(change(lab(), index, **fields), SETUP))


@pytest.mark.parametrize("name", LABS)
def test_links_to_the_book_are_relative_and_lead_somewhere(name):
    text = "\n".join(cell.source for cell in read(name).cells if cell.cell_type == "markdown")
    text = re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)
    targets = re.findall(r"\]\(((?!https?:|#)[^)#\s]+)", text)
    assert targets, "a lab links to its page"
    folder = (reading.ROOT / "notebooks" / name).parent
    assert not [target for target in targets if not (folder / target).resolve().is_file()]


def introduction(name):
    """Return the last paragraph of a lab's first cell, on one line."""
    return " ".join(read(name).cells[0].source.split("\n\n")[-1].split())


@pytest.mark.parametrize("name", LABS)
def test_labs_begin_with_the_same_two_sentences(name):
    to_book = "../" * name.count("/") + "../book/how_to_read.md"
    own = introduction(name).replace("# Puzzle", "# Exercise").replace(to_book, "how_to_read")
    assert own == introduction("architectures/unet.ipynb").replace("../../book/how_to_read.md", "how_to_read")
    assert len(re.findall(r"\.(?: |$)", own)) == 2 and "](how_to_read)" in own
    assert read(name).cells[0].source.count("from top to bottom") == 1
