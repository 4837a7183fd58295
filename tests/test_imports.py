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
MAY_IMPORT["data"] = {"data", "audio", "compat"}
MAY_IMPORT["check"] = {*ORDER[:-1], *LEAVES, "data", "check"}
MAY_IMPORT["grading"] = {*MAY_IMPORT["check"], "grading"}
MAY_IMPORT["cli"].add("grading")


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


# ---------------------------------------------------------------- names that begin with _ stay where they are


def private(name):
    return name.startswith("_") and not name.startswith("__")


def leaks(path, root):
    """Yield the private names that a file takes from elsewhere: modules of other folders, other names of any module.

    What a folder keeps to itself, the folders inside it may use.
    """
    package, bound = path.relative_to(root).parts[:-1], {}
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            targets = [(alias.asname or alias.name.split(".")[0], alias.name.split(".")) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = [*package[: len(package) + 1 - node.level]] if node.level else []
            base += (node.module or "").split(".")
            targets = [(alias.asname or alias.name, [*filter(None, base), alias.name]) for alias in node.names]
        else:
            continue
        for name, full in targets:
            if full[0] not in ("sepbook", "tools"):
                continue
            bound[name] = full
            first = next((i for i, part in enumerate(full) if private(part)), None)
            if first is not None:
                place = root.joinpath(*full[: first + 1])
                is_module = place.is_dir() or place.with_suffix(".py").is_file()
                inside = is_module and tuple(full[:first]) == package[:first]
                if not inside or (len(full) > first + 1 and private(full[-1])):
                    yield ".".join(full)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and private(node.attr) and isinstance(node.value, ast.Name):
            if node.value.id in bound:
                yield ".".join([*bound[node.value.id], node.attr])


FILES = [path for folder in ("sepbook", "tools") for path in sorted((PACKAGE.parent / folder).rglob("*.py"))]


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(PACKAGE.parent).as_posix())
def test_private_names_stay_in_their_folder(path):
    assert not list(leaks(path, PACKAGE.parent)), "give it a public name, or move it to where both may use it"


@pytest.mark.parametrize(
    ("file", "code", "found"),
    [
        ("sepbook/a/x.py", "from sepbook.b._y import z", ["sepbook.b._y.z"]),
        ("sepbook/a/x.py", "def f():\n    import sepbook.b._y", ["sepbook.b._y"]),
        ("sepbook/a/x.py", "from sepbook.a.y import _z", ["sepbook.a.y._z"]),
        ("sepbook/a/x.py", "from ..b import _y", ["sepbook.b._y"]),
        ("sepbook/a/x.py", "from sepbook.a._w import _z", ["sepbook.a._w._z"]),
        ("sepbook/a/x.py", "from sepbook.a import y\ny._z()", ["sepbook.a.y._z"]),
        ("sepbook/a/x.py", "import sepbook.a.y as w\nw._z", ["sepbook.a.y._z"]),
        ("tools/t.py", "from sepbook.a import _w", ["sepbook.a._w"]),
        ("sepbook/a/x.py", "from sepbook.a import _w\nfrom sepbook.a._w import z", []),
        ("sepbook/a/deep/x.py", "from sepbook.a._w import z", []),
        ("sepbook/a/x.py", "from sepbook import __version__\nimport numpy as np\nnp._z", []),
        ("sepbook/a/x.py", "class A:\n    def f(self):\n        return self._z", []),
    ],
)
def test_a_private_name_that_leaks_is_found(tmp_path, file, code, found):
    for name in ("sepbook/a/_w.py", "sepbook/a/y.py", "sepbook/b/_y.py", file):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(code if name == file else "")
    assert list(leaks(tmp_path / file, tmp_path)) == found


SCRIPT_IMPORT = re.compile(r"""(?:from|import)\s*["']\./([\w/.-]+)\.js["']""")
SCRIPTS = sorted((PACKAGE / "widgets").rglob("*.js"))
WIDGETS = sorted((p.stem for p in (PACKAGE / "widgets").rglob("*.py") if p.with_suffix(".js").is_file()), key=len)
SHARED = ("explorer_", "host")  # what several widgets use is called so


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: p.name)
def test_a_widget_imports_its_own_parts_and_shared_ones(path):
    def owner(stem):
        return next((name for name in reversed(WIDGETS) if stem == name or stem.startswith(f"{name}_")), "shared")

    names = [name.rpartition("/")[2] for name in SCRIPT_IMPORT.findall(path.read_text(encoding="utf-8"))]
    foreign = [name for name in names if not name.startswith(SHARED) and owner(name) != owner(path.stem)]
    assert not foreign, "what several widgets use is a part of its own, explorer_NAME.js"
