"""Reading the sources of pages and labs: which there are, and which of their text is prose."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^(?P<mark>`{3,}|:{3,}|~{3,})\{?(?P<name>[\w:.-]*)\}?.*$")
# The words inside these are prose; the inside of every other fence is code, data or another tool's business.
PROSE = set("admonition note tip warning important hint seealso exercise solution dropdown explorer margin".split())
PROSE |= set("exercise-start solution-start tab-set tab-item grid grid-item-card card".split())


def pages():
    """Return the names of all pages, as ``book/data/corpus.md``."""
    return sorted(p.relative_to(ROOT).as_posix() for p in (ROOT / "book").rglob("*.md") if "_ext" not in p.parts)


def labs():
    """Return the names of all labs, as ``notebooks/data/corpus.ipynb``."""
    return sorted(p.relative_to(ROOT).as_posix() for p in (ROOT / "notebooks").rglob("*.ipynb"))


def text_of(name):
    """Return the Markdown of a page, or of a lab's Markdown cells."""
    path = ROOT / name
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return text
    cells = json.loads(text)["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def prose_lines(text):
    """Yield the lines that are prose: no front matter, code, mathematics, options, comments."""
    text = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL)
    text = re.sub(r"\$\$.*?\$\$", " ", text, flags=re.DOTALL)
    fences = []  # (mark, is prose)
    for line in text.splitlines():
        stripped = line.strip()
        readable = all(prose for _, prose in fences)
        if fences and set(stripped) == {fences[-1][0][0]} and len(stripped) >= len(fences[-1][0]):
            fences.pop()
        elif readable and (fence := FENCE.match(stripped)):
            fences.append((fence["mark"], fence["name"] in PROSE))
        elif readable and not re.match(r"\s*(:[\w-]+:|%)", line):
            yield line


def sentences(text):
    """Yield the sentences of the prose; inline code, mathematics and roles other than ``{cite}`` are taken out."""
    text = "\n".join(prose_lines(text))
    text = re.sub(r"\{cite[\w:]*\}`[^`]*`", "{cite}", text)
    text = re.sub(r"(\{[\w:-]+\})?(`+).+?\2", " ", text, flags=re.DOTALL)
    text = re.sub(r"\$[^$]+\$", "$", text)
    text = re.sub(r"<[^>]+>|\]\([^)]*\)", " ", text)
    for block in re.split(r"\n\s*\n|\n(?=\s*[|*-]\s)|\n(?=\s*\d+\.\s)", text):
        yield from re.split(r"(?<=[.!?:;])\s+", " ".join(block.split()))
