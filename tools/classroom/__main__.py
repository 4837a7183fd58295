"""What a teacher makes from the book: `python -m tools.classroom COMMAND`. `--help` explains each command."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from tools.classroom import labs

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True)
Labs = Annotated[list[str] | None, Argument(metavar="LAB", help="Labs such as foundations/masks. [default: all]")]
OfWeek = Annotated[int | None, Option("--week", min=1, help="The labs of a week of the syllabus instead.")]
Out = Annotated[Path, Option("--out", "-o", help="Folder for what is made.")]
Book = Annotated[str | None, Option(help="Address of the book that links lead to. [default: where it is published]")]


def chosen(names: list[str] | None, week: int | None) -> list[str]:
    """Return the labs that were asked for: by name, by week, or all."""
    from tools.classroom.syllabus import weeks

    if week is None:
        return names or labs.names()
    if names:
        raise ValueError("name labs or a week, not both")
    if week > len(weeks()):
        raise ValueError(f"there is no week {week}: the syllabus has {len(weeks())}")
    return weeks()[week - 1].read


@app.callback()
def classroom():
    """Make what a class needs from the notebooks and pages of the book, which stay the one source."""


@app.command()
def editions(
    names: Labs = None,
    week: OfWeek = None,
    out: Out = Path("class"),
    outputs: Annotated[str, Option(help="What the key shows of its cells: none, exercises or all.")] = "exercises",
    book: Book = None,
):
    """Write the student's edition of labs (no solutions) and the instructor's (solutions, hints, outputs)."""
    from tools.classroom.editions import write

    if outputs not in ("none", "exercises", "all"):
        raise typer.BadParameter(f"--outputs is {outputs!r}; it is none, exercises or all")
    for path in write(chosen(names, week), out, outputs, book):
        print(path)


@app.command()
def nbgrader(
    names: Labs = None,
    week: OfWeek = None,
    out: Out = Path("course"),
    seed: Annotated[int, Option(min=0, help="Seed of the hidden cases.")] = 0,
    short: Annotated[bool, Option("--short", help="Set-up, exercises and checks only: grades in a moment.")] = False,
    book: Book = None,
):
    """Write labs in nbgrader's format, as a course folder for `nbgrader generate_assignment`."""
    from tools.classroom.nbgrader import write

    for path in write(chosen(names, week), out, seed, short, book):
        print(path)


@app.command()
def project(out: Out = Path("project"), book: Book = None):
    """Write the template of the project: a notebook that runs as it is, and asks the questions of the rubric."""
    from tools.classroom.project import write

    print(write(out, book))


@app.command()
def room(
    out: Out = Path("dist"),
    wheels: Annotated[Path | None, Option(help="A folder of wheels to take. [default: pip loads them]")] = None,
    cuda: Annotated[bool, Option(help="Take torch with the libraries of NVIDIA cards: some 3 GB more.")] = False,
):
    """Write one archive for a room without internet: the book (`make book` first), the labs, and all wheels."""
    from tools.classroom.room import INDEX, make

    print(make(out, wheels=wheels, index="" if cuda else INDEX))


@app.command()
def pages():
    """Write the syllabus and its weeks (book/classroom) again, from the concept table, the pages and the checks."""
    from tools.classroom.pages import write

    changed = write()
    print(*changed, sep="\n") if changed else print("All pages of book/classroom are up to date.")


def main(arguments: list[str] | None = None) -> int:
    """Run a command; what cannot be done is told in one line."""
    try:
        app(arguments, prog_name="python -m tools.classroom")
    except (ValueError, OSError, RuntimeError) as error:
        print(f"python -m tools.classroom: {error}", file=sys.stderr)
        return 2
    except SystemExit as end:
        return end.code or 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
