"""Labs as files: what their cells are tagged, and how a solution is found in its fold (see `tests/labs/reading.py`)."""

import posixpath
import re
from pathlib import Path

import nbformat
import yaml

ROOT = Path(__file__).resolve().parents[2]
SOLUTION = re.compile(
    r"\s*<details>\s*\n?<summary>(?P<title>[^<]+)</summary>\n\n(?P<before>.*?)"
    r"```python\n(?P<code>.*?)\n```\n(?P<after>.*?)</details>\s*",
    re.DOTALL,
)
LINK = re.compile(r"\]\((?!https?:|#)([\w./-]+)\.(?:md|ipynb)(#[\w-]*)?\)")


def names() -> list[str]:
    """Return the names of all labs, such as `foundations/masks`."""
    folder = ROOT / "notebooks"
    return sorted(path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.ipynb"))


def read(name: str):
    """Return the notebook of a lab. Raises ValueError for a name that no lab has."""
    path = ROOT / "notebooks" / f"{name}.ipynb"
    if not path.is_file():
        raise ValueError(f"there is no lab {name!r}. There are: {', '.join(names())}")
    return nbformat.read(path, as_version=4)


def write(notebook, path: Path) -> Path:
    """Write a notebook, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.validate(notebook)
    nbformat.write(notebook, path)
    return path


def tagged(notebook, tag: str) -> list:
    """Return the cells that carry a tag."""
    return [cell for cell in notebook.cells if tag in cell.metadata.get("tags", ())]


def numbers(notebook, kind: str = "exercise") -> list[str]:
    """Return the numbers of the exercises (or checks, or solutions), in the order of their cells."""
    tags = [tag for cell in notebook.cells for tag in cell.metadata.get("tags", ())]
    return [tag.removeprefix(f"{kind}-") for tag in tags if tag.startswith(f"{kind}-")]


def folded(notebook, number: str):
    """Return a solution as a match with `code`, `before` and `after`. Raises ValueError for a fold that is not one."""
    cells = tagged(notebook, f"solution-{number}")
    if len(cells) != 1 or cells[0].cell_type != "markdown":
        raise ValueError(f"solution-{number} must be the tag of exactly one Markdown cell")
    match = SOLUTION.fullmatch(cells[0].source)
    if not match or cells[0].source.count("```python") != 1:
        raise ValueError(
            f"solution-{number} must be <details>, <summary>…</summary>, a blank line, one ```python block, </details>"
        )
    return match


def solution(notebook, number: str) -> str:
    """Return the code of a solution."""
    return folded(notebook, number)["code"]


def relink(notebook, name: str, book: str) -> None:
    """Let links of the lab `name` to pages and labs lead into the book at `book`: a copy no longer lies beside them."""

    def target(link):
        place = posixpath.normpath(posixpath.join("notebooks", posixpath.dirname(name), link[1]))
        return f"]({book}/{place}.html{link[2] or ''})"

    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = LINK.sub(target, cell.source)


def site() -> str:
    """Return where the book is read: the Pages address of the repository in `_config.yml`."""
    url = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"]
    owner, name = url.rstrip("/").split("/")[-2:]
    return f"https://{owner}.github.io/{name}"
