"""Answers of listeners: the CSV file that the book's listening test saves, read with care.

One row is one answer. The first line names the columns, in any order::

    test,listener,run,trial,of,item,condition,score,si_sdr
    abx,k7mq2f,x3h8pa,1,10,true source or ideal mask,ideal mask,1,10.21
    mushra,k7mq2f,9rt4wz,2,3,a song,anchor,35,17.4

- ``test``: abx or mushra
- ``listener``: the code of a listener; ``run``: the code of one run of the test
- ``trial`` and ``of``: which trial of how many it was; a run with fewer trials than it was to have is unfinished
- ``item``: the passage or the pair; ``condition``: the sound, in an ABX test what X was
- ``score``: a rating from 0 to 100; in an ABX test 1 for right, 0 for wrong
- ``si_sdr``: of this sound, in dB; may be empty

Spreadsheets write such files with semicolons or tabs between and a comma in numbers: both are understood.
Taught on: book/evaluation/listening_test
"""

import csv
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

COLUMNS = ("test", "listener", "run", "trial", "of", "item", "condition", "score")  # without these nothing can be said
HIGHEST = {"abx": 1.0, "mushra": 100.0}


class AnswersError(ValueError):
    """A file of answers cannot be used. The message names file, line and column, and says how to mend it.

    Taught on: book/evaluation/listening_test
    """


@dataclass(frozen=True)
class Answer:
    """One answer, as the columns of the file say. Taught on: book/evaluation/listening_test."""

    test: str
    listener: str
    run: str
    trial: int
    of: int
    item: str
    condition: str
    score: float
    si_sdr: float | None = None


@dataclass(frozen=True)
class Answers:
    """The answers of all finished runs, and what was left aside, in sentences.

    Taught on: book/evaluation/listening_test
    """

    rows: list[Answer]
    aside: list[str] = field(default_factory=list)

    def of(self, test: str) -> "Answers":
        """Return the answers of one test, "abx" or "mushra". Taught on: book/evaluation/listening_test."""
        return Answers([row for row in self.rows if row.test == test], self.aside)

    def table(self, *names: str, value: str = "score") -> dict:
        """Return lists of scores by listener, item, condition …: `table("listener", "condition")`.

        One name gives keys that are texts, several give tuples. Taught on: book/evaluation/listening_test
        """
        found = {}
        for row in self.rows:
            key = tuple(getattr(row, name) for name in names)
            found.setdefault(key[0] if len(key) == 1 else key, []).append(getattr(row, value))
        return found


def read(paths) -> Answers:
    """Read one file or several of one class. Runs that are unfinished are left aside, and named.

    Raises AnswersError for a file that is missing, empty, or holds what is no answer.
    Taught on: book/evaluation/listening_test
    """
    paths = [paths] if isinstance(paths, str | Path) else list(paths)
    if not paths:
        raise AnswersError("No file was given. Save your answers with 'save as CSV' below the test first.")
    rows = list(
        dict.fromkeys(row for path in paths for row in _read_file(Path(path)))
    )  # a file given twice counts once
    return _finished(rows)


def _read_file(path: Path) -> list[Answer]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise AnswersError(f"{path}: there is no such file. Look at its name and its folder.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise AnswersError(f"{path}: cannot be read as text ({error}). Save it as CSV, in UTF-8.") from None
    numbers, lines = [], []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            numbers.append(number)
            lines.append(line)
    if not lines:
        raise AnswersError(f"{path}: is empty. Save your answers with 'save as CSV' below the test.")
    between = max(",;\t", key=lines[0].count)
    head, *table = (next(csv.reader([line], delimiter=between)) for line in lines)
    names = [name.strip().lower() for name in head]
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise AnswersError(
            f"{path}, line {numbers[0]}: no column '{missing[0]}'; there is: {', '.join(names)}. The first line must "
            f"name the columns {', '.join(COLUMNS)}; do not change it in a spreadsheet."
        )
    if not table:
        raise AnswersError(f"{path}: names its columns, but holds no answers.")
    return [_answer(f"{path}, line {number}", names, cells) for number, cells in zip(numbers[1:], table, strict=True)]


def _answer(where: str, names: list[str], cells: list[str]) -> Answer:
    if len(cells) != len(names):
        raise AnswersError(
            f"{where}: has {len(cells)} cells, but there are {len(names)} columns. A comma inside a text or a number "
            "needs quotation marks around the cell."
        )
    row = {name: cell.strip() for name, cell in zip(names, cells, strict=True)}
    empty = [name for name in COLUMNS if not row[name]]
    if empty:
        raise AnswersError(f"{where}: the column '{empty[0]}' is empty.")
    test = row["test"].lower()
    if test not in HIGHEST:
        raise AnswersError(f"{where}: the test is '{row['test']}'; there are: {', '.join(HIGHEST)}.")
    score = _number(where, "score", row["score"])
    if not 0 <= score <= HIGHEST[test] or (test == "abx" and score not in (0, 1)):
        expected = "1 for right or 0 for wrong" if test == "abx" else "from 0 to 100"
        raise AnswersError(f"{where}: the score is {row['score']}; in {test} it is {expected}.")
    trial, of = (_whole(where, name, row[name]) for name in ("trial", "of"))
    if not 1 <= trial <= of:
        raise AnswersError(f"{where}: it is trial {trial} of {of}; trials are counted from 1 to their number.")
    si_sdr = _number(where, "si_sdr", row["si_sdr"]) if row.get("si_sdr") else None
    return Answer(test, row["listener"], row["run"], trial, of, row["item"], row["condition"], score, si_sdr)


def _number(where: str, name: str, cell: str) -> float:
    plain = cell.replace("−", "-")
    if plain.count(",") == 1 and "." not in plain:
        plain = plain.replace(",", ".")
    try:
        value = float(plain)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise AnswersError(f"{where}: the column '{name}' holds '{cell}', which is no number.")
    return value


def _whole(where: str, name: str, cell: str) -> int:
    value = _number(where, name, cell)
    if value != round(value):
        raise AnswersError(f"{where}: the column '{name}' holds '{cell}', which is no whole number.")
    return int(value)


def _finished(rows: list[Answer]) -> Answers:
    """Keep the runs of which every trial is there, with the same conditions in each of a MUSHRA."""
    runs: dict[tuple, list[Answer]] = {}
    for row in rows:
        runs.setdefault((row.test, row.listener, row.run), []).append(row)
    kept, aside = [], []
    for key, run in runs.items():
        fault = _fault(run)
        if fault:
            aside.append(f"{key[0]}, listener {key[1]}, run {key[2]}: {fault}. Left aside.")
        else:
            kept += run
    return Answers(kept, aside)


def _fault(run: Iterable[Answer]) -> str:
    """Say what is wrong with a run as a whole; nothing if it is finished."""
    run, trials = list(run), {}
    for row in run:
        trials.setdefault(row.trial, []).append(row.condition)
    of = {row.of for row in run}
    if len(of) > 1:
        return f"its rows disagree on the number of trials ({', '.join(map(str, sorted(of)))})"
    if len(trials) < run[0].of:
        return f"only {len(trials)} of {run[0].of} trials were answered"
    if any(len(set(names)) < len(names) for names in trials.values()):
        return "a trial has two answers for one sound"
    if run[0].test == "mushra" and len({frozenset(names) for names in trials.values()}) > 1:
        return "a sound is missing from one of its trials"
    return ""
