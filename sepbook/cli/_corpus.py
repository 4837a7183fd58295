"""`sepbook corpus render`: more songs for training, or for a test of one's own, made by the book's own script.

Taught on: book/data/corpus
"""

import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from typer import Option

from sepbook.cli.commands import app

REPOSITORY = Path(__file__).resolve().parents[2]
HOW = (
    "the script that renders songs is not in the installed package; clone the book's repository, and run "
    "`bash tools/setup.sh apt corpus` and `pip install -e .[render]` in it, and call this command there"
)

corpus = typer.Typer(help="Make more songs like those of the built-in corpus.", no_args_is_help=True)
app.add_typer(corpus, name="corpus")


class Split(StrEnum):
    """Whose instruments, singers and words songs have. Taught on: book/data/corpus."""

    train, test = "train", "test"


class RenderError(RuntimeError):
    """Songs cannot be rendered here. The message says what is missing. Taught on: book/data/corpus."""


@corpus.callback()
def _corpus():
    """Make more songs like those of the built-in corpus."""


@corpus.command()
def render(
    songs: Annotated[int, Option(min=1, help="How many songs the folder is to have.")],
    out: Annotated[Path, Option("--out", "-o", help="Folder for them.")] = Path("more_songs"),
    jobs: Annotated[int, Option(min=1, help="Songs that are rendered at the same time.")] = 2,
    seed: Annotated[int | None, Option(min=0, help="Songs that only those can render who know this number.")] = None,
    split: Annotated[
        Split, Option(help="Whose instruments, singers and words: those of train or of test.")
    ] = Split.train,
):
    """Render more songs, as stems with their score. Those that are there already are not made again.

    Song 7 is the same song wherever it is rendered. None has an instrument, a singer or words of the test songs,
    unless you ask for --split test. A teacher keeps a --seed secret, and so has songs for a test that the class does
    not have. Ten seconds of computing give one song of twenty. Songs for training come with those of the corpus, so
    that the folder takes its place wherever data are asked for.

    \b
    Examples:
      sepbook corpus render --songs 160
      sepbook train unet --data more_songs --steps 350 --out runs/more
      sepbook corpus render --songs 20 --split test --seed 74205113 --out exam
    """
    code = subprocess.run(command(songs, out, jobs, seed, split.value), cwd=repository()).returncode
    if code:
        raise typer.Exit(2 if code > 0 else 128 - code)
    print(out)


def repository() -> Path:
    """The folder of the repository. Raises RenderError where the package was installed without it."""
    if not (REPOSITORY / "tools" / "corpus" / "more.py").is_file():
        raise RenderError(HOW)
    return REPOSITORY


def command(songs: int, out: Path, jobs: int, seed: int | None = None, split: str = "train") -> list[str]:
    """The call of the script that renders. Taught on: book/data/corpus."""
    numbers = ["--songs", str(songs), "--jobs", str(jobs), "--split", split]
    seeded = [] if seed is None else ["--seed", str(seed)]
    return [sys.executable, "-m", "tools.corpus", "more", *numbers, *seeded, "--out", str(out.resolve())]
