"""Write what was found: `grades.csv`, `students.csv`, and a page for each student. No page asks for the network."""

import csv
import hashlib
import re
from html import escape
from pathlib import Path

from sepbook.grading.reported import reported
from sepbook.grading.run import Grades, variants_of
from sepbook.grading.submissions import Submission

COLUMNS = "student lab exercise title passed status says apart look tries hints counts file".split()
STYLE = """body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
body { color: #222; background: #fff }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid #ccc }
td.yes { color: #0b6623 }
td.no { color: #a11 }
pre { overflow: auto; background: #f5f5f5; padding: .6rem }
@media print { pre { white-space: pre-wrap } }"""
# Words in an answer that a person should look at: what looks into the checks, or out of the notebook.
SUSPECT = re.compile(
    r"sepbook\.check|\bcheck\.|sys\.modules|_getframe|inspect\.|\bgc\.|ctypes|subprocess|os\.(?:system|fork|kill|_exit)|"
    r"\beval\(|\bexec\(|__import__|importlib"
)


def write(grades: Grades, out: Path) -> list[Path]:
    """Write the tables and pages into a folder, and return them. Raises OSError where that cannot be done."""
    (out / "students").mkdir(parents=True, exist_ok=True)
    paths = [_table(out / "grades.csv", COLUMNS, _rows(grades)), _sums(out / "students.csv", grades)]
    names = {student: f"{file_name(student)}.html" for student in grades.students}
    for student, found in grades.students.items():
        paths.append(_save(out / "students" / names[student], _student_page(student, found)))
    paths.append(_save(out / "index.html", _index(grades, names)))
    return paths


def file_name(student: str) -> str:
    """Return a name for a student's page that every system takes, and that no other student has."""
    plain = re.sub(r"[^\w-]+", "_", student).strip("_")[:60]
    return plain if plain == student else f"{plain}-{hashlib.sha256(student.encode()).hexdigest()[:6]}"


def _rows(grades: Grades):
    for student, found in grades.students.items():
        told = reported(found)
        for one in found:
            if not one.cells:
                yield [student, "?", "", "", 0, one.problem, "", "", "", "", "", 0, one.path.name]
            for v in one.verdicts:
                tries, hints = told.get((one.lab, v.number), ("", ""))
                yield [
                    *(student, one.lab, v.number, v.title, int(v.passed), v.status, v.words, int(v.apart)),
                    *(int(bool(suspects(one, v.number))), tries, hints, int(one.counts), one.path.name),
                ]
    for one in grades.submissions:
        if not one.student:
            yield ["", one.lab, "", "", 0, one.problem, "", "", "", "", "", 0, one.path.name]


def _table(path: Path, columns: list[str], rows) -> Path:
    with path.open("w", newline="", encoding="utf-8-sig") as file:  # the mark lets spreadsheets read umlauts
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([safe(cell) for cell in row] for row in rows)
    return path


def safe(cell):
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def _sums(path: Path, grades: Grades) -> Path:
    """Write one line for each student: exercises solved in each lab, and in all."""
    labs = sorted({one.lab for one in grades.submissions if one.cells})
    rows = []
    for student, found in grades.students.items():
        solved = {one.lab: one.solved for one in found if one.counts}
        rows.append([student, *(solved.get(lab, "") for lab in labs), sum(solved.values())])
    return _table(path, ["student", *labs, "solved"], rows)


def suspects(one: Submission, number: int) -> list[str]:
    """Return the words in an answer, or in the set-up, that a person should look at."""
    setup = "\n".join(line for line in "\n".join(one.cells.setup[1:]).splitlines() if "as check" not in line)
    return sorted(set(SUSPECT.findall(one.cells.exercises.get(number, "") + setup)))


def _student_page(student: str, found: list[Submission]) -> str:
    parts = [f"<h1>{escape(student)}</h1>"]
    for one in found:
        note = "" if one.counts else " (another submission of this lab counts)" if one.cells else ""
        parts.append(f"<h2>{escape(one.lab)}: {escape(one.path.name)}{note}</h2>")
        if one.problem:
            parts.append(f"<p>Not graded: {escape(one.problem)}.</p>")
        else:
            parts.append(f"<p>{one.solved} of {len(one.verdicts)} exercises solved.</p>" + _verdicts(one))
    return _page(student, "\n".join(parts))


def _verdicts(one: Submission) -> str:
    rows = []
    for v in one.verdicts:
        look = suspects(one, v.number)
        notes = [f"Look at it: it uses {', '.join(look)}."] if look else []
        source = one.cells.exercises.get(v.number, "")
        fold = f"<details><summary>the answer</summary><pre>{escape(source)}</pre></details>" if source else ""
        kind = "yes" if v.passed else "no"
        said = escape(" ".join([v.words, *notes]))
        rows.append(f'<tr><td>{escape(v.title)}</td><td class="{kind}">{v.status}</td><td>{said}{fold}</td></tr>')
    head = "<tr><th>exercise</th><th>result</th><th>what the check says</th></tr>"
    return f"<table><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>"


def _index(grades: Grades, names: dict[str, str]) -> str:
    rows = []
    for student, found in grades.students.items():
        solved, of = (sum(x(one) for one in found if one.counts) for x in (_solved, _all))
        problems = sum(bool(one.problem) for one in found)
        link = f'<a href="students/{names[student]}">{escape(student)}</a>'
        rows.append(f"<tr><td>{link}</td><td>{solved} of {of}</td><td>{problems or ''}</td></tr>")
    lost = [one for one in grades.submissions if not one.student]
    about = [
        f"<p>Seed {grades.seed}: sets of cases {', '.join(map(str, variants_of(grades.seed)))}. "
        f"With <code>--seed {grades.seed}</code> the same cases are drawn again.</p>",
        "<h2>Protections</h2><ul>" + "".join(f"<li>{escape(name)}</li>" for name in grades.held) + "</ul>",
        *(f"<p><strong>Not on this machine:</strong> {escape(name)}.</p>" for name in grades.missing),
        *(f"<p>Not graded: {escape(one.path.name)}: {escape(one.problem)}.</p>" for one in lost),
    ]
    head = "<tr><th>student</th><th>solved</th><th>files not graded</th></tr>"
    table = f"<table><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>"
    return _page("Grades", f"<h1>Grades</h1>{table}" + "\n".join(about))


def _solved(one: Submission) -> int:
    return one.solved


def _all(one: Submission) -> int:
    return len(one.verdicts)


def _page(title: str, body: str) -> str:
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    return f'<!doctype html>\n<html lang="en"><head>{head}<style>{STYLE}</style></head>\n<body>{body}</body></html>\n'


def _save(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8", errors="backslashreplace")
    return path
