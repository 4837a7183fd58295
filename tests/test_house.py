"""The tree is what `house.toml` says: one name per concept, in four places, and the rules of the house kept."""

import ast
import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
HOUSE = tomllib.loads((ROOT / "tests" / "house.toml").read_text(encoding="utf-8"))
CONCEPTS, BESIDE = HOUSE["concepts"], HOUSE["beside"]["modules"]
CHAPTERS = ("building_blocks", "losses", "architectures", "data", "training", "evaluation")
FOUR = ("page", "lab", "module", "test")


def place(part, name):
    """Return the file that holds this part of a concept."""
    folder, _, last = f"/{name}".rpartition("/")
    return {
        "page": ROOT / f"book/{name}.md",
        "lab": ROOT / f"notebooks/{name}.ipynb",
        "module": ROOT / f"sepbook/{name}.py",
        "test": ROOT / f"tests{folder}/test_{last}.py",
    }[part]


def parts(name):
    """Return the places where a concept is to be found, now or later."""
    concept = CONCEPTS[name]
    return concept.get("parts", ("module", "test") if "taught_on" in concept else FOUR)


def names(folder, suffix):
    """Return the names of the files below a folder, hidden and private ones left out."""
    paths = (p.relative_to(ROOT / folder) for p in (ROOT / folder).rglob(f"*{suffix}"))
    shown = (p for p in paths if not any(piece.startswith(("_", ".")) for piece in p.parts))
    return sorted(p.with_suffix("").as_posix() for p in shown)


def source_files(folder=ROOT):
    """Yield the files that are written by hand (no environment, build, sounds or caches)."""
    skip = {"_build", "node_modules", "runs", "stems", "build", "dist", "__pycache__"}
    for path in sorted(folder.iterdir()):
        hidden = path.name.startswith(".") and path.name not in (".ci", ".pre-commit-config.yaml", ".github")
        if path.is_file() and not hidden:
            yield path
        elif path.is_dir() and not hidden and path.name not in skip and not path.name.endswith(".egg-info"):
            yield from source_files(path)


def texts():
    """Yield (path, text) of every file that a person reads."""
    for path in source_files():
        if path.suffix in TEXT:
            yield path, path.read_text(encoding="utf-8", errors="replace")


PAGES, LABS = names("book", ".md"), names("notebooks", ".ipynb")
MODULES = [n for n in names("sepbook", ".py") if n.split("/")[0] in CHAPTERS]
TEXT = {".py", ".md", ".ipynb", ".toml", ".yml", ".yaml", ".cff", ".sh", ".js", ".css", ".txt", ".json", ".bib", ""}


@pytest.mark.parametrize("name", CONCEPTS)
def test_table_is_well_formed(name):
    concept = CONCEPTS[name]
    assert set(concept) <= {"parts", "taught_on", "later"}
    assert set(parts(name)) <= set(FOUR)
    assert set(concept.get("later", ())) <= set(parts(name)), "a part that is marked later must be a part"
    if "taught_on" in concept:
        assert "page" in parts(concept["taught_on"]), f"{concept['taught_on']} has no page to teach it"


@pytest.mark.parametrize(("name", "part"), [(name, part) for name in CONCEPTS for part in parts(name)])
def test_concept_is_in_its_places(name, part):
    path = place(part, name)
    where = path.relative_to(ROOT)
    if part in CONCEPTS[name].get("later", ()):
        assert not path.exists(), f"{where} has arrived: take its mark 'later' out of tests/house.toml"
    else:
        assert path.exists(), f"{name} has no {part}: {where} is missing"


@pytest.mark.parametrize(
    ("part", "found"), [("page", PAGES), ("lab", LABS), ("module", MODULES)], ids=["pages", "labs", "modules"]
)
def test_everything_is_in_the_table(part, found):
    unknown = [name for name in found if name not in CONCEPTS or part not in parts(name)]
    assert not unknown, f"no line in tests/house.toml gives these a {part}"


def test_package_holds_chapters_and_the_modules_beside_them():
    there = {n.split("/")[0] for n in names("sepbook", ".py")}
    assert there - set(CHAPTERS) - {"assets"} <= set(BESIDE)


@pytest.mark.parametrize("name", BESIDE)
def test_module_beside_the_chapters_exists_and_has_tests(name):
    assert (ROOT / f"sepbook/{name}.py").exists() or (ROOT / f"sepbook/{name}/__init__.py").exists()
    folder = ROOT / "tests"
    tests = [*folder.glob(f"test_{name}.py"), *folder.glob(f"test_{name}_*.py"), *folder.glob(f"{name}/**/test_*.py")]
    assert tests, f"sepbook/{name} has no test"


def mirrors(test):
    """Whether a test file (path below tests/) mirrors a module, or is one of the tests of the whole."""
    folder, file = test.parent.as_posix(), test.stem.removeprefix("test_")
    if test.stem in HOUSE["tests"]["whole"]:
        return True
    if folder.split("/")[0] in (*HOUSE["tests"]["folders"], *BESIDE):
        return True
    there = [*(ROOT / "sepbook" / folder).glob("*.py"), *(BESIDE if folder == "." else ())]
    modules = [Path(p).stem.lstrip("_") for p in there]
    return any(file == m or file.startswith(f"{m}_") for m in modules)


def test_each_test_mirrors_a_module():
    tests = [p.relative_to(ROOT / "tests") for p in (ROOT / "tests").rglob("test_*.py")]
    assert not [str(t) for t in tests if not mirrors(t)], "name a test like its module, or list it in tests/house.toml"


def contents():
    """Return all files that _toc.yml names."""

    def walk(node):
        if isinstance(node, dict):
            for key, value in node.items():
                if key in ("file", "root"):
                    yield value.removesuffix(".md").removesuffix(".ipynb")
                yield from walk(value)
        elif isinstance(node, list):
            for item in node:
                yield from walk(item)

    return list(walk(yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))))


def test_table_of_contents_names_every_page_and_lab_once():
    files = contents()
    assert len(files) == len(set(files))
    assert set(files) == {f"book/{n}" for n in PAGES} | {f"notebooks/{n}" for n in LABS}


TAGS = re.compile(r"setup|train|(exercise|check|solution)-[1-9]\d?")


@pytest.mark.parametrize("name", LABS)
def test_lab_is_committed_clean(name):
    notebook = json.loads(place("lab", name).read_text(encoding="utf-8"))
    cells = notebook["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert not [c for c in code if c["outputs"] or c["execution_count"]], "stored outputs: clear them"
    assert "widgets" not in notebook["metadata"], "stored widget state: clear it"
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    tags = [tag for cell in cells for tag in cell["metadata"].get("tags", ())]
    assert not [tag for tag in tags if not TAGS.fullmatch(tag)], "unknown cell tags"
    assert code[0]["metadata"].get("tags") == ["setup"], "the first code cell is the set-up"
    numbers = {
        kind: {t.split("-")[1] for t in tags if t.startswith(kind)} for kind in ("exercise", "check", "solution")
    }
    assert numbers["exercise"] == numbers["check"] == numbers["solution"], "exercise, check and solution go together"


@pytest.mark.parametrize("path", list(source_files(ROOT / "sepbook")), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_file_of_the_package_can_be_read_at_once(path):
    if path.suffix in (".py", ".js", ".css"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


def test_no_file_knows_the_machine_it_was_written_on():
    homes = re.compile(r"(?<![\w.:/-])/(" + "|".join(["work", "root", "home", "Users"]) + r")/\w|[A-Z]:\\+Users")
    assert not [f"{path}: {found[0]}" for path, text in texts() if (found := homes.search(text))]


def public(path):
    """Yield the public functions and classes that a module defines at its top level."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node


@pytest.mark.parametrize("name", MODULES)
def test_docstrings_name_the_page_that_teaches(name):
    silent = []
    for node in public(place("module", name)):
        pages = re.findall(r"Taught on:?\s+`*book/([\w/]+)", ast.get_docstring(node) or "")
        is_error = isinstance(node, ast.ClassDef) and any(ast.unparse(b).endswith("Error") for b in node.bases)
        if not pages and not is_error:
            silent.append(node.name)
        for page in pages:
            assert page in CONCEPTS and "page" in parts(page), f"{node.name} is taught on book/{page}: there is none"
    assert not silent, f"sepbook/{name}.py: say 'Taught on: book/…' in the docstrings"


def test_make_help_names_targets_that_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    offered = re.findall(r'@echo "make (\S+)', makefile)
    assert len(offered) > 5
    assert not [t for t in offered if not re.search(rf"^{t}:", makefile, re.MULTILINE)]
