"""`sepbook grade` and `sepbook score`: a class's notebooks and projects, each in a process of its own.

Taught on: book/how_to_read
"""

import os
import sys
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from sepbook.cli._words import escaped
from sepbook.cli.commands import app


@app.command()
def grade(
    folder: Annotated[Path, Argument(help="Folder with a folder for each student, or with STUDENT__LAB.ipynb files.")],
    out: Annotated[Path, Option("--out", "-o", help="Folder for the tables and pages.")] = Path("grades"),
    seed: Annotated[
        int | None, Option(min=0, help="Seed of the hidden cases. [default: another one each time, which is kept]")
    ] = None,
    seconds: Annotated[float, Option(min=1, help="Time of a processor for one exercise.")] = 30.0,
    memory: Annotated[int, Option(min=128, help="MiB of memory for one notebook, beside the libraries'.")] = 2048,
    jobs: Annotated[int, Option(min=1, help="Notebooks that are graded at the same time.")] = 1,
    quiet: Annotated[bool, Option("--quiet", "-q", help="Print only where the grades are.")] = False,
):
    """Grade a class: run the exercises of every notebook, and check them with cases that nobody has seen.

    Only set-up and exercise cells run. Each notebook has a process of its own, with little time and memory, without
    network, and with nowhere to write; the checks are in another process. What protections this machine has is
    printed and kept. Grades are in grades.csv (a line for each exercise), students.csv (a line for each student)
    and index.html (a page for each student).

    \b
    Examples:
      sepbook grade submissions
      sepbook grade submissions --out week3 --seed 7 --jobs 4
    """
    from sepbook.grading import Limits, write
    from sepbook.grading import grade as grade_all

    os.environ.setdefault("OMP_NUM_THREADS", "1")
    limits = Limits(seconds=seconds, memory=memory, notebook=10 * seconds)
    say = (lambda text: None) if quiet else (lambda text: print(escaped(text), file=sys.stderr, flush=True))
    write(grade_all(folder, limits, seed, jobs, say), out)
    print(escaped(out / "index.html"))


@app.command()
def score(
    folder: Annotated[Path, Argument(help="Folder with a folder for each project, in it a weights.safetensors.")],
    data: Annotated[str, Option(help="FOLDER/split/song/stem.wav that nobody trained on, or corpus.")],
    split: Annotated[str, Option(help="Which songs: test, valid or train.")] = "test",
    out: Annotated[Path, Option("--out", "-o", help="Folder for the table.")] = Path("scores"),
    seconds: Annotated[float, Option(min=1, help="Time for one project.")] = 1800.0,
    quiet: Annotated[bool, Option("--quiet", "-q", help="Print only where the table is.")] = False,
):
    """Score a class's projects on songs that nobody has heard: the mean improvement of each, and how sure it is.

    Weights of any system of the book will do. Each project is loaded in a process of its own; one that cannot be
    loaded has the reason in the table. Projects whose intervals overlap are not told apart by these songs. Songs that
    the class cannot have are made by `sepbook corpus render --split test --seed NUMBER`.

    \b
    Examples:
      sepbook score projects --data exam
      sepbook score projects --data my_stems --split valid --out halfway
    """
    from sepbook.grading import projects

    say = (lambda text: None) if quiet else (lambda text: print(escaped(text), file=sys.stderr, flush=True))
    table, _ = projects.write(projects.score(folder, data, split, seconds, say), out)
    print(escaped(table))
