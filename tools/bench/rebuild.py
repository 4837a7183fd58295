"""How long does a book of 60 pages take to build again after one edit, and how many of its pages run?

A copy of the tree with 60 small pages in place of ours, each about another part of the package. Their cells take no
time of their own, so this is what the build itself costs; a page that runs adds what its cells cost.
"""

import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from tools.results import ROOT

PAGES = 60
HEAD = """---
jupytext:
  text_representation: {extension: .md, format_name: myst}
kernelspec: {display_name: Python 3, language: python, name: python3}
---

# Page %d

```{code-cell} ipython3
def about():
    import sepbook.%s
```
"""
EDITS = {
    "style sheet": "sepbook/widgets/activation.css",
    "look of the book": "book/_ext/static/sepbook.css",
    "system": "sepbook/architectures/unet.py",
    "building block": "sepbook/building_blocks/dropout.py",
    "result": "results/losses/weighting.json",
}
COMMENTS = {".css": "\n/* changed */\n", ".py": "\n# changed\n", ".json": "\n"}


def subjects() -> list[str]:
    """Return the parts of the package that pages can be about."""
    chapters = ("building_blocks", "losses", "architectures", "data", "training", "evaluation", "widgets")
    files = [p for c in chapters for p in sorted((ROOT / "sepbook" / c).rglob("[a-z]*.py"))]
    return [".".join(path.relative_to(ROOT / "sepbook").with_suffix("").parts) for path in files]


def write_pages(folder: Path) -> None:
    """Put 60 small pages in place of the book's."""
    names = []
    for number in range(PAGES):
        subject = subjects()[number % len(subjects())]
        text = HEAD % (number, subject)
        text += "\n{result}`losses/weighting.json:steps|d`\n" if number == 0 else ""
        names.append(f"book/page{number}")
        (folder / f"{names[-1]}.md").write_text(text)
    toc = {"format": "jb-book", "root": names[0], "chapters": [{"file": name} for name in names[1:]]}
    (folder / "_toc.yml").write_text(yaml.safe_dump(toc))
    config = yaml.safe_load((folder / "_config.yml").read_text())
    config["sphinx"]["config"].pop("sepbook_core_path", None)
    (folder / "_config.yml").write_text(yaml.safe_dump(config))


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def build(folder: Path) -> dict:
    """Build, and return how many pages ran, and the time that it took."""
    start, before = time.perf_counter(), cpu_seconds()
    tool = Path(sys.executable).with_name("jupyter-book")
    done = subprocess.run([tool, "build", folder, "-n", "--keep-going"], capture_output=True, text=True, cwd=folder)
    if done.returncode:
        raise RuntimeError(done.stdout[-3000:] + done.stderr[-3000:])
    ran = len(re.findall(r"page\d+\.md: Executed notebook", done.stdout + done.stderr))
    return {"pages": ran, "seconds": time.perf_counter() - start, "cpu_seconds": cpu_seconds() - before}


def run() -> dict:
    with tempfile.TemporaryDirectory() as name:
        folder, found = Path(name), {"pages": PAGES, "limit_seconds": 15}
        for part in ("book/_ext", "book/references.bib", "sepbook", "results", "_config.yml", "requirements.txt"):
            source, target = ROOT / part, folder / part
            target.parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if source.is_dir() else shutil.copy
            copy(source, target)
        write_pages(folder)
        found["at first"] = build(folder)
        for kind, file in EDITS.items():
            with (folder / file).open("a") as stream:
                stream.write(COMMENTS[Path(file).suffix])
            found[kind] = build(folder)
        return found
