"""Imports go one way, and what is light stays light. ARCHITECTURE.md has the picture."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "sepbook"
ORDER = ["building_blocks", "losses", "architectures", "training", "evaluation", "cli"]
LEAVES = {"audio", "compat", "plots", "shapes", "widgets", "__version__", *(p.stem for p in PACKAGE.glob("_[a-z]*.py"))}
MAY_IMPORT = {chapter: {*ORDER[: i + 1], *LEAVES} for i, chapter in enumerate(ORDER)}
for chapter in ("training", "evaluation", "cli"):
    MAY_IMPORT[chapter].add("data")
MAY_IMPORT["data"] = {"data", "audio"}
MAY_IMPORT["check"] = {*ORDER[:-1], *LEAVES, "data", "check"}


def part(path):
    """Return the part of the package that a file belongs to: ``losses`` for sepbook/losses/waveform.py."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported(path):
    """Yield the parts of the package that a file imports, inside functions too."""
    package = ("sepbook", *path.relative_to(PACKAGE).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((a.name.split(".") + [""])[1] for a in node.names if a.name.split(".")[0] == "sepbook")
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else ()
            for alias in node.names:
                target = [*base, *(node.module or "").split("."), alias.name]
                target = [name for name in target if name]
                if target[0] == "sepbook":
                    yield target[1]


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_one_way(path):
    allowed = MAY_IMPORT.get(part(path), LEAVES)
    wrong = {name or "sepbook itself" for name in imported(path) if name not in allowed}
    assert not wrong, f"{part(path)} may import only {sorted(allowed)}"


def declared():
    """Return the names, as imported, of what pyproject.toml installs with the package."""
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [line for name in ("nussl", "scaper", "musdb") for line in project["optional-dependencies"][name]]
    names = {re.match(r"[\w-]+", line)[0].lower() for line in project["dependencies"] + extras}
    return names | {"sklearn", "pil", "ipython", "sepbook"}  # IPython comes with ipywidgets


def test_what_is_imported_is_declared():
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.add(node.module.split(".")[0])
    undeclared = {name for name in found - set(sys.stdlib_module_names) if name.lower() not in declared()}
    assert not undeclared, "add these to the dependencies in pyproject.toml"


@pytest.mark.parametrize(
    ("statement", "heavy"),
    [
        ("import sepbook; sepbook.__version__", "torch numpy librosa matplotlib sklearn typer soundfile"),
        ("from sepbook import architectures; architectures.names()", "torch"),
        ("from sepbook import cli", "torch librosa matplotlib sklearn"),
    ],
)
def test_what_is_light_stays_light(statement, heavy):
    code = f"{statement}\nimport sys\nprint(*(set({heavy.split()!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not done.stdout.split(), f"'{statement}' loads what it does not need yet"


def test_a_part_loads_when_it_is_asked_for_and_a_wrong_name_is_explained():
    import sepbook

    assert sepbook.losses.__name__ == "sepbook.losses"
    assert {"losses", "training"} <= set(dir(sepbook))
    with pytest.raises(AttributeError, match="no part called 'loses'.*losses"):
        sepbook.loses  # noqa: B018
