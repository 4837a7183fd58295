"""Which corpus, code and recipe made a number: an edition, kept with every results and weights file.

Code counts as what it does: comments, docstrings, layout and the places of imports may change. A number whose edition
is not today's was made by something else than what the book shows; `tests/tools/test_editions.py` refuses it.
"""

import ast
import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from sepbook import architectures
from sepbook.data import corpus

ROOT = Path(__file__).parents[2]
SHELF = "sepbook.architectures."
SHARED = tuple(f"tools.results.{name}" for name in ("_common", "_edition", "_queue", "_weights")) + (
    "tools.bench._measure",
    *(SHELF + name for name in architectures.SHARED),
)
FOLLOWED = ("tools.results.", "tools.bench.", SHELF, "sepbook.check.")  # imports that belong to an experiment
MORE_TALKERS = "talkers/more/"
OWN_TABLES = ("PRESETS", "RECIPES")  # of a system's file: a preset and its recipe have a hash of their own


def read_file(path: str) -> str | None:
    """Return the text of a file below the repository's top, None where there is none."""
    return (ROOT / path).read_text(encoding="utf-8") if (ROOT / path).is_file() else None


Reader = Callable[[str], str | None]


def of_module(name: str, read: Reader = read_file) -> dict:
    """Return the edition of an experiment or benchmark by the name of its module."""
    return {"corpus": of_corpus(read), "code": of_code(own_modules(name, read), read)}


def of_system(name: str, preset: str, steps: int, read: Reader = read_file) -> dict:
    """Return the edition of a system's run: its file, the tool, its configuration, and its recipe for so many steps."""
    recipe = dataclasses.asdict(architectures.recipe_of(name, preset).at(steps))
    recipe = {field: value for field, value in recipe.items() if field not in ("steps", "short")}
    config = dataclasses.asdict(architectures.module(name).PRESETS[preset])
    files = [m for m in own_modules(SHELF + name, read) if m.startswith(SHELF)]  # a system may build on another's parts
    code = of_code([*files, "tools.results.systems"], read)
    heard = of_corpus(read, more=recipe["mixing"].get("more_talkers", False))
    return {"corpus": heard, "code": code, "recipe": digest([config, recipe, steps])}


def of_corpus(read: Reader = read_file, more: bool = False) -> str:
    """Return the hash of what is heard in the built-in corpus, on request with the talkers that few train on."""
    listed = json.loads(read((corpus.ROOT / "checksums.json").relative_to(ROOT).as_posix()))
    heard = (path for path in listed if more or not path.startswith(MORE_TALKERS))
    return digest(sorted((path, listed[path]["sha256"]) for path in heard))


def of_code(modules: list[str], read: Reader = read_file) -> str:
    """Return the hash of what modules do."""
    return digest([(name, skeleton(tree(name, read))) for name in sorted(modules)])


def own_modules(name: str, read: Reader = read_file) -> list[str]:
    """Return an experiment's module, those of the experiments and checks that it imports, and the systems it makes."""
    found, waiting = set(), [name]
    while waiting:
        module = waiting.pop()
        if module in found or module in SHARED or (parsed := tree(module, read)) is None:
            continue
        found.add(module)
        waiting += [other for other in mentioned(parsed) if other.startswith(FOLLOWED)]
    return sorted(found)


def mentioned(parsed: ast.Module):
    """Yield the modules that a file imports, and those of the systems that it creates by name."""
    for node in ast.walk(parsed):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("create", "shipped"):
            yield from (SHELF + a.value for a in node.args[:1] if isinstance(a, ast.Constant))


def tree(module: str, read: Reader) -> ast.Module | None:
    """Parse a module or package by its name; None where there is none."""
    path = module.replace(".", "/")
    text = read(f"{path}.py") or read(f"{path}/__init__.py")
    if text is None:
        return None
    parsed = ast.parse(text)
    if module.startswith(SHELF):
        parsed.body = [node for node in parsed.body if not is_table(node)]
    return parsed


def is_table(node: ast.stmt) -> bool:
    """Tell whether a statement sets PRESETS or RECIPES, or a row of them."""
    targets = node.targets if isinstance(node, ast.Assign) else ()
    names = [target.value if isinstance(target, ast.Subscript) else target for target in targets]
    return any(isinstance(name, ast.Name) and name.id in OWN_TABLES for name in names)


def skeleton(node):
    """Return a tree as nested lists, the same for every version of Python, without docstrings and imports."""
    if isinstance(node, list):
        return [skeleton(child) for child in node if not isinstance(child, ast.Import | ast.ImportFrom)]
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = dict(ast.iter_fields(node))
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(node):
        fields["body"] = node.body[1:]
    kept = {k: v for k, v in fields.items() if v not in (None, []) and k not in ("ctx", "kind", "type_comment")}
    return [type(node).__name__, {field: skeleton(value) for field, value in kept.items()}]


def digest(value) -> str:
    """Return a short hash of anything that JSON can hold."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]
