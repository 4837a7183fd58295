"""`sepbook corpus render`: more songs for training, made by the book's own script.

Taught on: book/data/corpus
"""

import subprocess
import sys
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
):
    """Render more songs for training, as stems with their score. Those that are there already are not made again.

    Song 7 is the same song wherever it is rendered. None has an instrument, a singer or words of the test songs.
    Ten seconds of computing give one song of twenty.

    \b
    Examples:
      sepbook corpus render --songs 200
      sepbook train unet --data more_songs --steps 3000 --out runs/more
    """
    code = subprocess.run(command(songs, out, jobs), cwd=repository()).returncode
    if code:
        raise typer.Exit(2 if code > 0 else 128 - code)
    print(out)


def repository() -> Path:
    """The folder of the repository. Raises RenderError where the package was installed without it."""
    if not (REPOSITORY / "tools" / "corpus" / "more.py").is_file():
        raise RenderError(HOW)
    return REPOSITORY


def command(songs: int, out: Path, jobs: int) -> list[str]:
    """The call of the script that renders. Taught on: book/data/corpus."""
    numbers = ["--songs", str(songs), "--jobs", str(jobs)]
    return [sys.executable, "-m", "tools.corpus", "more", *numbers, "--out", str(out.resolve())]
