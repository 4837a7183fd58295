"""Find a class's notebooks in a folder: whose they are, which lab each one is, and which of its cells are to run."""

import json
import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

LARGEST = 20 * 2**20  # bytes of a notebook
LAB = re.compile(r"^from sepbook\.check(?:\.(\w+))? import (\w+) as check\s*$", re.M)
CHECK = re.compile(r"^\s*check\.exercise_(\d+)\(([\w\s,]*)\)\s*$", re.M)
HEADING = re.compile(r"^#\s*(?:Exercise|Puzzle)\s+(\d+)\b")


class BadNotebook(ValueError):
    """A file that cannot be graded; the message says why."""


@dataclass
class Cells:
    """What runs of a notebook: set-up and exercises, and the names of the answers."""

    lab: str
    setup: list[str]
    exercises: dict[int, str]
    answers: dict[int, list[str]]


@dataclass
class Submission:
    """One file of one student."""

    student: str
    path: Path
    cells: Cells | None = None
    problem: str = ""
    verdicts: list = field(default_factory=list)
    counts: bool = True  # of two submissions of one lab, the better one counts

    @property
    def lab(self) -> str:
        """The lab, or "?" where that cannot be told."""
        return self.cells.lab if self.cells else "?"

    @property
    def solved(self) -> int:
        """Number of exercises that earn a mark."""
        return sum(verdict.passed for verdict in self.verdicts)


def find(folder: Path, labs) -> list[Submission]:
    """Return the submissions in a folder: `FOLDER/STUDENT/…/LAB.ipynb`, or `FOLDER/STUDENT__LAB.ipynb`.

    A file that cannot be graded is among them, with its problem. Links are not followed.
    Raises ValueError where there is no notebook at all.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder. Give the folder that holds one folder for each student.")
    paths = sorted(path for path in folder.rglob("*.ipynb") if _is_plain(path, folder))
    if not paths:
        raise ValueError(f"{folder} holds no notebook. Expected: {folder}/STUDENT/LAB.ipynb, for each student and lab.")
    found = []
    for path in paths:
        one = Submission(student_of(path, folder), path)
        try:
            if not one.student:
                raise BadNotebook("it is in no student's folder, and has no name such as STUDENT__LAB.ipynb")
            one.cells = read(path, labs)
        except BadNotebook as error:
            one.problem = str(error)
        found.append(one)
    return found


def _is_plain(path: Path, folder: Path) -> bool:
    """Whether a file is one, neither hidden nor reached over a link."""
    steps = [
        folder.joinpath(*path.relative_to(folder).parts[:n]) for n in range(1, len(path.relative_to(folder).parts) + 1)
    ]
    return path.is_file() and not any(step.is_symlink() or step.name.startswith(".") for step in steps)


def student_of(path: Path, folder: Path) -> str:
    """Return whose a file is; accents are written in one way, so that one name is one student."""
    parts = path.relative_to(folder).parts
    name = parts[0] if len(parts) > 1 else path.stem.partition("__")[0] if "__" in path.stem else ""
    return " ".join(unicodedata.normalize("NFC", name).split())


def read(path: Path, labs) -> Cells:
    """Return the cells of a notebook that are to run. Raises BadNotebook for what is no lab of this book."""
    cells = [(tags, source) for kind, tags, source in _cells(path) if kind == "code"]
    setup = [source for tags, source in cells if "setup" in tags]
    found = LAB.search("\n".join(setup)) or LAB.search("\n".join(source for _, source in cells))
    if not found:
        raise BadNotebook("no cell says `from sepbook.check… import … as check`, so it is no lab of this book")
    lab = "/".join(filter(None, found.groups()))
    if lab not in labs:
        raise BadNotebook(f"it is the lab {lab}, which this edition of the book does not have")
    exercises, answers = {}, {}
    for tags, source in cells:
        if number := _number(tags, source):
            exercises.setdefault(number, source)
        for number, names in CHECK.findall(source):
            answers.setdefault(int(number), [name.strip() for name in names.split(",") if name.strip()])
    if not exercises:
        raise BadNotebook("none of its cells is an exercise: their tags and first lines are gone")
    return Cells(lab, setup, exercises, answers)


def _number(tags: list[str], source: str) -> int | None:
    """Return which exercise a cell is the answer to: by its tag, or else by its first line."""
    named = [int(tag[9:]) for tag in tags if re.fullmatch(r"exercise-\d{1,2}", tag)]
    heading = HEADING.match(source)
    return named[0] if named else int(heading[1]) if heading else None


def _cells(path: Path):
    """Yield kind, tags and source of every cell. Raises BadNotebook for a damaged file."""
    try:
        if path.stat().st_size > LARGEST:
            raise BadNotebook(f"the file has more than {LARGEST // 2**20} MB; a lab without its outputs has far less")
        notebook = json.loads(path.read_text(encoding="utf-8-sig"))
        for cell in notebook["cells"]:
            source, tags = cell["source"], cell.get("metadata", {}).get("tags", [])
            text = source if isinstance(source, str) else "".join(source)
            yield cell["cell_type"], [tag for tag in tags if isinstance(tag, str)], text
    except OSError as error:
        raise BadNotebook(f"it cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, BadNotebook):
            raise
        raise BadNotebook(f"it is damaged: {type(error).__name__} while reading it as a notebook") from None
