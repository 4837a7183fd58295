"""What a course can be made of, read from where it stands: the concept table, heads of pages, checks, `weeks.toml`."""

import ast
import importlib.util
import re
import tomllib
from dataclasses import dataclass, field
from functools import cache

import yaml

from tools.classroom.labs import ROOT

WORDS = {"half an hour": 30, "an hour and a half": 90, "two hours": 120, "an hour": 60}
HEAD = re.compile(r"^(`{3,}|:{3,})\{admonition\}[^\n]*\n:class: sepbook-head\n(.*?)^\1\s*$", re.M | re.S)
STATEMENT = re.compile(r'^`{3,}\{dropdown\} "([^"\n]+)"$', re.M)
TABLES = ("known", "choices")  # how checks call the mistakes that they recognise
MISTAKES = 2  # of an exercise that a week's page names
MEASURED = re.compile(r"\d\s*(?:dB|ms|µs|kB|MB)\b")  # pages type no measured number; such a mistake is left out


@dataclass
class Page:
    """A page that teaches, as its own head describes it."""

    name: str
    title: str
    prerequisites: str  # Markdown, with links as on the page itself
    goals: list[str]
    minutes: int  # of the page
    lab_minutes: int  # of its lab; 0 where there is none
    sections: list[str]
    statements: list[str]  # of its self-check


@dataclass
class Week:
    """A week of the course, as `weeks.toml` has it."""

    number: int
    title: str
    read: list[str]
    more: list[str]
    plan: list
    show: list
    discuss: list[str]
    exam: list
    homework: str
    left: list[str] = field(default_factory=list)  # pages that are planned and not there yet


@cache
def house() -> dict:
    """Return the concept table."""
    return tomllib.loads((ROOT / "tests" / "house.toml").read_text(encoding="utf-8"))


def there(name: str) -> bool:
    """Whether a page is there: in the table, and not marked as coming later."""
    about = house()["concepts"].get(name)
    if about is None:
        raise ValueError(f"weeks.toml names {name}, which tests/house.toml does not know")
    return "page" in about.get("parts", ("page",)) and "page" not in about.get("later", ())


def minutes_of(words: str) -> list[int]:
    """Return the minutes of page and lab that a head's "about 50 minutes, and an hour for the lab" says."""
    for word, number in WORDS.items():
        words = words.replace(word, f"{number} minutes")
    return [int(number) for number in re.findall(r"(\d+) (?:more|minutes|for the lab)", words)]


@cache
def page(name: str) -> Page:
    """Read a page. Raises ValueError for one whose head is not as the others'."""
    text = (ROOT / "book" / f"{name}.md").read_text(encoding="utf-8")
    head = HEAD.search(text)
    if not head:
        raise ValueError(f"book/{name}.md has no head of the class sepbook-head")
    head = re.sub(r"\n\s{2,}(?!\d\.|[-*] )", " ", head[2])  # lines that go on
    needs = re.search(r"^Prerequisites\n:\s+(.+?)\n\n", head, re.M | re.S)[1]
    spent = minutes_of(re.search(r"^Time\n: (.*?)\n\n", head, re.M | re.S)[1])
    goals = re.findall(r"^(?::)?\s+\d\.\s+(.+)$", head, re.M)
    return Page(
        name=name,
        title=re.search(r"^# (.+)$", text, re.M)[1],
        prerequisites=" ".join(needs.split()),
        goals=[" ".join(goal.split()) for goal in goals],
        minutes=spent[0],
        lab_minutes=spent[1] if len(spent) > 1 else 0,
        sections=re.findall(r"^## (.+)$", text, re.M),
        statements=[words for words in STATEMENT.findall(text) if not MEASURED.search(words)],
    )


@cache
def plan() -> dict:
    """Return what `weeks.toml` says."""
    return tomllib.loads((ROOT / "tools" / "classroom" / "weeks.toml").read_text(encoding="utf-8"))


@cache
def weeks() -> list[Week]:
    """Return the weeks, each with the pages that are there."""
    found = []
    for number, said in enumerate(plan()["week"], 1):
        one = Week(number, **said)
        one.left = [name for name in (*one.read, *one.more) if not there(name)]
        one.read, one.more = ([name for name in names if there(name)] for names in (one.read, one.more))
        found.append(one)
    return found


def core_path() -> list[str]:
    """Return the pages of the core path, in their order."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    return [name for entry in config["sphinx"]["config"]["sepbook_core_path"] for name in entry]


def days(count: int) -> list[list[str]]:
    """Share the core path among days of equal length, without changing its order."""
    names = core_path()
    total = sum(spent(name) for name in names)
    shared, passed = [[] for _ in range(count)], 0
    for name in names:
        middle = passed + spent(name) / 2
        shared[min(count - 1, int(count * middle / total))].append(name)
        passed += spent(name)
    return shared


def spent(name: str) -> int:
    """Return the minutes of a page and its lab together."""
    return page(name).minutes + page(name).lab_minutes


def beyond() -> list[str]:
    """Return the pages with labs that no week reads, in the order of the table."""
    planned = {name for week in weeks() for name in (*week.read, *week.more)}
    kinds = {name: about.get("parts", ("page", "lab")) for name, about in house()["concepts"].items()}
    taught = [name for name, parts in kinds.items() if {"page", "lab"} <= set(parts)]
    taught = [name for name in taught if "taught_on" not in house()["concepts"][name]]
    return [name for name in taught if there(name) and name not in planned]


def on_trust(names: list[str]) -> list[tuple[str, str]]:
    """Return (concept, page that teaches it) for what these pages need and none before them introduces."""
    pages = house()["order"]["pages"]
    home = {concept: name for name, line in pages.items() for concept in line.get("introduces", ())}
    known, missing = set(), {}
    for name in names:
        known |= set(pages[name].get("introduces", ()))
        missing |= {concept: home[concept] for concept in pages[name].get("needs", ()) if concept not in known}
    return list(missing.items())


@dataclass
class Checked:
    """An exercise of a lab, as its check's source has it."""

    title: str
    mistakes: list[str]
    where: str  # its first hint


@cache
def exercises(name: str) -> list[Checked]:
    """Return the exercises of a lab, with the mistakes that their checks know. Nothing is imported or run."""
    found = {}
    for tree in _modules(f"sepbook.check.{name.replace('/', '.')}"):
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and (number := re.fullmatch(r"exercise_(\d+)", node.name)):
                found[int(number[1])] = _checked(node)
    return [found[number] for number in sorted(found)]


def _modules(name: str):
    """Yield the source of a module of checks, and of those from which it takes exercises."""
    path = ROOT.joinpath(*name.split(".")).with_suffix(".py")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    yield tree
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and any(alias.name.startswith("exercise_") for alias in node.names):
            yield from _modules(importlib.util.resolve_name(node.module, None))


def _checked(function: ast.FunctionDef) -> Checked:
    call = next(node for node in function.decorator_list if isinstance(node, ast.Call))
    hints = next((k.value for k in call.keywords if k.arg == "hints"), None)
    first = ast.literal_eval(hints.elts[0]) if isinstance(hints, ast.Tuple) and _plain(hints.elts[0]) else ""
    told = [text.value for table in _tables(function) for text in _texts(table) if _plain(text)]
    sentences = [text for text in told if len(text.split()) > 3 and not MEASURED.search(text)]
    return Checked(ast.literal_eval(call.args[0]), list(dict.fromkeys(sentences))[:MISTAKES], first)


def _tables(function: ast.FunctionDef):
    """Yield the tables of known mistakes of a check: what is named `known` or `choices`, or handed over as such."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            named = any(isinstance(target, ast.Name) and target.id in TABLES for target in targets)
        else:
            named = isinstance(node, ast.keyword) and node.arg in TABLES
        if named:
            yield from (table for table in ast.walk(node.value) if isinstance(table, ast.Dict))


def _texts(table: ast.Dict):
    """Yield what a table says: in its keys where the values are answers, and else in its values."""
    return [key for key in table.keys if key] if any(_long(key) for key in table.keys if key) else table.values


def _long(node) -> bool:
    return _plain(node) and len(node.value.split()) > 3


def _plain(node) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
