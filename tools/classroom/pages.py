"""The pages of book/classroom that nobody writes twice: the syllabus and its weeks (`python -m tools.classroom pages`).

What a person decides stands in `weeks.toml`; all else is read from the pages, labs and checks (`syllabus`).
"""

import posixpath
import re
from pathlib import Path

from tools.classroom import syllabus
from tools.classroom.labs import ROOT

FOLDER = ROOT / "book" / "classroom"
NOTE = "% Written by `python -m tools.classroom pages`. Change tools/classroom/weeks.toml, or the pages it reads.\n"
MISTAKES = "The checks of the labs recognise these. Where a check names none, its first hint is given."
JUDGE = 3  # statements of each page's self-check


def slug(title: str) -> str:
    """Return the anchor that MyST gives to a heading."""
    return re.sub(r"[^\w\- ]", "", title.strip().lower().replace(" ", "-"))


def plain(text: str) -> str:
    """Return a sentence of a check as Markdown: brackets are signs; code and *a stressed word* stay as they are."""
    parts = re.split(r"(`[^`]*`|(?<!\w)\*\w+\*(?!\w))", text)  # every second one is such a piece
    signs = re.compile(r"([\\*_\[\]<>$|{}#~^])")
    return "".join(part if number % 2 else signs.sub(r"\\\1", part) for number, part in enumerate(parts))


def link(name: str, section: str = "") -> str:
    """Return a link from book/classroom to a page, or to a section of it."""
    title = f"{syllabus.page(name).title}: {section}" if section else syllabus.page(name).title
    return f"[{title}](../{name}.md{'#' + slug(section) if section else ''})"


def slides(name: str) -> str:
    """Return a link from book/classroom to a page shown as slides; Markdown's own links know no query."""
    return f'<a href="../{name}.html?slides">slides</a>'


def lab(name: str, words: str = "lab") -> str:
    """Return a link from book/classroom to a lab."""
    return f"[{words}](../../notebooks/{name}.ipynb)"


def relinked(text: str, name: str) -> str:
    """Return Markdown of a page with its links to other pages as book/classroom sees them."""

    def target(found):
        place = posixpath.normpath(posixpath.join("..", posixpath.dirname(name), found[1]))
        return f"]({place})"

    return re.sub(r"\]\((?!https?:|#)([\w./-]+\.(?:md|ipynb)(?:#[\w-]*)?)\)", target, text)


def hours(minutes: int) -> str:
    """Return minutes as people say them, with spaces that no narrow column breaks."""
    whole, rest = divmod(minutes, 60)
    return f"{whole}\N{NO-BREAK SPACE}h\N{NO-BREAK SPACE}{rest:02d}" if whole else f"{rest}\N{NO-BREAK SPACE}min"


def week_page(week: syllabus.Week) -> str:
    """Return the page of a week."""
    pages = [syllabus.page(name) for name in week.read]
    read, work = sum(one.minutes for one in pages), sum(one.lab_minutes for one in pages)
    parts = [
        f"{NOTE}\n# Week {week.number}: {week.title}",
        f"A lecture of 90 minutes, {hours(read)} of reading and {hours(work)} in the labs. The whole course is on "
        "[Syllabus](overview.md); how to hand out and grade is on [Teaching with this book](teaching.md).",
        "## Goals\n\n" + "\n\n".join(map(_goals, pages)),
        "## Lecture plan\n\n" + _table(("minutes", "what happens"), week.plan),
        "## Demonstrations\n\n" + "\n".join(f"- {link(page, section)}. {said}" for page, section, said in week.show),
        f"## Common mistakes\n\n{MISTAKES}\n\n" + "\n\n".join(_mistakes(name) for name in week.read),
        "## Discussion\n\n" + "\n".join(f"- {question}" for question in week.discuss),
        "## Homework\n\n" + _homework(week, pages),
        "## Exam questions\n\n" + _exam(week, pages),
    ]
    return "\n\n".join(parts) + "\n"


def _goals(page: syllabus.Page) -> str:
    goals = "\n".join(f"{number}. {goal}" for number, goal in enumerate(page.goals, 1))
    needs = relinked(page.prerequisites, page.name)
    after = f"After {link(page.name)} ({slides(page.name)}) and its {lab(page.name)}, students can"
    return f"{after}\n\n{goals}\n\nIt rests on: {needs}"


def _table(head: tuple, rows) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def _mistakes(name: str) -> str:
    lines = []
    for one in syllabus.exercises(name):
        told = one.mistakes or ([f"Hint: {one.where}"] if one.where else [])
        if told:  # a task without a check of its own has neither
            lines += [f"- {plain(one.title)}", *(f"  - {_sentence(plain(text))}" for text in told)]
    return f"### {syllabus.page(name).title}\n\n" + "\n".join(lines)


def _sentence(text: str) -> str:
    """Return words with a capital and a full stop, unless they begin with code or end otherwise."""
    first = text[0].upper() + text[1:] if re.match(r"[a-z]+[ ,]", text) else text
    return first if first.endswith((".", "?", "!", "…", ":")) else f"{first}."


def _homework(week: syllabus.Week, pages: list[syllabus.Page]) -> str:
    labs = [
        f"- The {lab(page.name, f'lab on {page.title}')}: {len(syllabus.exercises(page.name))} exercises, "
        f"about {hours(page.lab_minutes)}."
        for page in pages
    ]
    own = [f"- {week.homework}"]
    more = [f"- For those who want more: {', '.join(map(link, week.more))}."] if week.more else []
    return "\n".join([*labs, *own, *more])


def _exam(week: syllabus.Week, pages: list[syllabus.Page]) -> str:
    judged = [f"- {plain(text)}" for page in pages for text in page.statements[:JUDGE]]
    # Colons, not backticks: a question may hold code, and the first line of a fence of backticks may not.
    folded = [f":::{{dropdown}} {question}\n{answer}\n:::" for question, answer in week.exam]
    head = "Does it hold, and why? The pages' own self-checks answer these.\n\n"
    return (
        f"{head}"
        + "\n".join(judged)
        + "\n\nTo be worked out; the fold says what a good answer holds.\n\n"
        + ("\n\n".join(folded))
    )


def overview() -> str:
    """Return the page of the whole syllabus, in its three lengths."""
    weeks = syllabus.weeks()
    one = syllabus.plan()["days"]["one"]
    parts = [
        f"{NOTE}\n# Syllabus",
        "The book makes a course of twelve weeks, of three days, or of one day. All three are made from the same pages "
        "and labs, and their minutes are those that the pages state.",
        "[Teaching with this book](teaching.md) says how to prepare, hand out and grade. "
        "[The project](project.md) fills the last weeks.",
        "## Twelve weeks\n\nEach week has its own page: goals, a plan of the lecture, demonstrations, common mistakes, "
        "questions and homework.\n\n" + _table(("week", "pages", "reading", "labs"), map(_row, weeks)) + _trust(weeks),
        "## Three days\n\nThe core path, shared among three days of about equal length. Read a page together, then "
        "work through its lab in pairs.\n\n"
        + "\n\n".join(_day(f"Day {n}", names) for n, names in enumerate(syllabus.days(3), 1)),
        f"## One day\n\n{_day('The day', one)}\n\nThese words must be taken on trust that day: {_words(one)}.",
    ]
    if left := syllabus.beyond():
        parts.append("## Beyond the twelve weeks\n\n" + "\n".join(f"- {link(name)}" for name in left))
    return "\n\n".join(parts) + "\n"


def _row(week: syllabus.Week) -> tuple:
    pages = [syllabus.page(name) for name in week.read]
    read, work = sum(one.minutes for one in pages), sum(one.lab_minutes for one in pages)
    title = f"[{week.number}. {week.title}](week_{week.number:02d}.md)"
    return title, ", ".join(map(link, week.read)), hours(read), hours(work)


def _trust(weeks: list[syllabus.Week]) -> str:
    """Say what the weeks use without teaching it, if there is such a thing."""
    missing = syllabus.on_trust([name for week in weeks for name in week.read])
    told = ", ".join(f"{concept} ({link(home)})" for concept, home in missing)
    return f"\n\nUsed in passing, and taught on a page that no week reads: {told}." if told else ""


def _day(title: str, names: list[str]) -> str:
    rows = [(link(name), lab(name), hours(syllabus.spent(name))) for name in names]
    total = ("", "", f"**{hours(sum(map(syllabus.spent, names)))}**")
    return f"**{title}**\n\n" + _table(("page", "lab", "together"), [*rows, total])


def _words(names: list[str]) -> str:
    return ", ".join(f"{concept} ({link(home)})" for concept, home in syllabus.on_trust(names))


def made() -> dict[Path, str]:
    """Return what the folder is to hold, by path."""
    weeks = {FOLDER / f"week_{week.number:02d}.md": week_page(week) for week in syllabus.weeks()}
    return {FOLDER / "overview.md": overview(), **weeks}


def write() -> list[Path]:
    """Write the pages; return those that had other words."""
    changed = []
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path, text in made().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    return changed
