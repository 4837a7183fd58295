"""What was solved and how often it was tried, kept in one small file over all labs.

The file `sepbook_progress.json` lies in the folder of the labs; on Colab in the reader's Drive, where one is mounted.
`SEPBOOK_PROGRESS` names another file, or switches it off with the word "off". Nothing is sent anywhere, and a file that
cannot be written stops no lab.

Taught on: book/how_to_read
"""

import importlib
import json
import os
import pkgutil
import re
import tempfile
from dataclasses import dataclass
from html import escape
from pathlib import Path

NAME = "sepbook_progress.json"
DRIVE = Path("/content/drive/MyDrive")


def path() -> Path | None:
    """Return where progress is kept; None where it is switched off. Taught on: book/how_to_read."""
    chosen = os.environ.get("SEPBOOK_PROGRESS", "")
    if chosen == "off":
        return None
    if chosen:
        return Path(chosen)
    if DRIVE.is_dir():
        return DRIVE / NAME
    # Labs lie in folders by chapter: a file that is there already, up to two folders above, is theirs.
    here = Path.cwd()
    return next((folder / NAME for folder in (here, *here.parents[:2]) if (folder / NAME).is_file()), here / NAME)


def read() -> dict[str, dict]:
    """Return what is kept: {exercise: {title, solved, tries, hints}}; nothing where no good file is.

    Taught on: book/how_to_read
    """
    place = path()
    try:
        kept = json.loads(place.read_text(encoding="utf-8")) if place else {}
    except (OSError, ValueError):
        return {}
    return {k: v for k, v in kept.items() if isinstance(v, dict)} if isinstance(kept, dict) else {}


def note(name: str, title: str, solved: bool = False, hint: str = "") -> None:
    """Count one try of an exercise: solved, or with the kind of its mistake. Never raises.

    Taught on: book/how_to_read
    """
    place = path()
    if place is None or not _has_name(name):
        return
    kept = read()
    row = {"title": title, "solved": False, "tries": 0, "hints": {}} | kept.get(name, {})
    if not isinstance(row["tries"], int) or not isinstance(row["hints"], dict):
        row |= {"tries": 0, "hints": {}}
    row["title"], row["solved"] = title, bool(row["solved"] or solved)
    if not row["solved"] or solved:
        row["tries"] += 1
    if hint and not solved:
        row["hints"][hint[:80]] = row["hints"].get(hint[:80], 0) + 1
    kept[name] = row
    try:
        with tempfile.NamedTemporaryFile("w", dir=place.parent, suffix=".part", delete=False, encoding="utf-8") as file:
            json.dump(kept, file, indent=1, ensure_ascii=False)
        os.replace(file.name, place)
    except OSError:
        pass


def _has_name(name: str) -> bool:
    """Only the book's own exercises are kept, not one that a notebook made."""
    return bool(re.fullmatch(r"[\w.]+\.exercise_\d+", name)) and not name.startswith(("tests.", "__main__"))


def exercises() -> dict[str, list]:
    """Return the exercises of every lab, {lab: [Exercise, …]}. Taught on: book/how_to_read."""
    import sepbook.check as package

    found = {}
    for module in pkgutil.walk_packages(package.__path__, "sepbook.check."):
        if module.ispkg or any(part.startswith("_") for part in module.name.split(".")):
            continue
        loaded = importlib.import_module(module.name)
        numbers = sorted(int(name.split("_")[1]) for name in dir(loaded) if re.fullmatch(r"exercise_\d+", name))
        if numbers:
            lab = module.name.removeprefix("sepbook.check.").replace(".", "/")
            found[lab] = [getattr(loaded, f"exercise_{number}") for number in numbers]
    return found


@dataclass
class Progress:
    """Solved and open exercises by lab. Prints as a table. Taught on: book/how_to_read."""

    labs: dict[str, list[tuple[str, bool, int]]]  # lab: (title, solved, tries) of each exercise
    place: Path | None

    @property
    def solved(self) -> int:
        """Number of exercises that were solved."""
        return sum(solved for rows in self.labs.values() for _, solved, _ in rows)

    @property
    def total(self) -> int:
        """Number of exercises in all labs."""
        return sum(map(len, self.labs.values()))

    def _lines(self) -> list[tuple[str, str, str]]:
        rows = []
        for lab, found in self.labs.items():
            done = sum(solved for _, solved, _ in found)
            marks = "".join("✔" if solved else "✘" if tries else "·" for _, solved, tries in found)
            rows.append((lab, marks, f"{done} of {len(found)}"))
        return [*rows, ("all labs", "", f"{self.solved} of {self.total}")]

    def _note(self) -> str:
        return f"Kept in {self.place}." if self.place else "Nothing is kept: SEPBOOK_PROGRESS is off."

    def __str__(self) -> str:
        rows = self._lines()
        wide = [max(len(row[i]) for row in rows) for i in range(2)]
        lines = [f"{lab:<{wide[0]}}  {marks:<{wide[1]}}  {count}" for lab, marks, count in rows]
        return "\n".join([*lines, f"✔ solved   ✘ tried   · open      {self._note()}"])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<tr><th scope="row">{escape(lab)}</th><td>{marks}</td><td>{count}</td></tr>'
            for lab, marks, count in self._lines()
        )
        head = "<tr><th>lab</th><th>✔ solved ✘ tried · open</th><th>solved</th></tr>"
        return f"<table><caption>{escape(self._note())}</caption><thead>{head}</thead><tbody>{rows}</tbody></table>"


def progress() -> Progress:
    """Return what is solved and what is open, over all labs: `check.progress()`. Taught on: book/how_to_read."""
    kept = read()

    def row(one) -> tuple[str, bool, int]:
        found = kept.get(one.name, {})
        tries = found.get("tries", 0)
        return one.title, bool(found.get("solved")), tries if isinstance(tries, int) else 0

    return Progress({lab: [row(one) for one in found] for lab, found in exercises().items()}, path())
