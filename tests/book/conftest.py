"""The built book, and a way to build a tiny book with the real configuration and the real extension."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
HTML = Path(os.environ.get("SEPBOOK_HTML", ROOT / "_build" / "html"))
sys.path[:0] = [str(ROOT / "book" / "_ext"), str(ROOT / "tests" / "book")]

HEAD = """---
jupytext:
  text_representation: {extension: .md, format_name: myst}
kernelspec: {display_name: Python 3, language: python, name: python3}
---
"""
LAB = """{"cells": [
 {"cell_type": "markdown", "id": "a", "metadata": {}, "source": ["# Build a tiny thing\\n", "\\n", "Words."]},
 {"cell_type": "code", "id": "b", "metadata": {}, "execution_count": null, "outputs": [],
  "source": ["raise RuntimeError('a lab ran during the build')"]}],
 "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
 "nbformat": 4, "nbformat_minor": 5}
"""


@pytest.fixture(scope="session")
def built():
    """Give the folder of the built book."""
    if not (HTML / "book" / "index.html").is_file():
        pytest.fail("there is no built book: run `make book` first")
    return HTML


class Tiny:
    """A book of a few pages in a temporary folder."""

    def __init__(self, folder):
        self.folder = folder
        self.pages = []
        shutil.copytree(ROOT / "book" / "_ext", folder / "book" / "_ext", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "_config.yml", folder)
        shutil.copy(ROOT / "book" / "references.bib", folder / "book")
        shutil.copytree(ROOT / "sepbook" / "widgets", folder / "sepbook" / "widgets")
        (folder / "requirements.txt").write_text("")

    def write(self, name, text):
        """Write a file; pages and labs enter the table of contents, the first one as its root."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        page = name.rpartition(".")[0]
        if path.suffix in (".md", ".ipynb") and page not in self.pages:
            self.pages.append(page)
        return path

    def page(self, name, body):
        """Write an executed page of the book."""
        return self.write(f"book/{name}.md", f"{HEAD}\n# {name}\n\n{body}\n")

    def build(self, **more):
        """Build strictly, as the Makefile does; return the exit status and what was printed, without colours.

        ``more`` joins the environment.
        """
        root, *chapters = self.pages
        toc = {"format": "jb-book", "root": root}
        if chapters:
            toc["chapters"] = [{"file": page} for page in chapters]
        (self.folder / "_toc.yml").write_text(yaml.safe_dump(toc))
        tool = Path(sys.executable).with_name("jupyter-book")
        command = [tool, "build", self.folder, "-W", "-n", "--keep-going"]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SEPBOOK_")} | more
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=900)
        return done.returncode, re.sub(r"\x1b\[[\d;]*m", "", done.stdout + done.stderr)

    def html(self, page):
        """Return the HTML of a page."""
        return (self.folder / "_build" / "html" / f"{page}.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def tiny_of_module(tmp_path_factory):
    """Give one tiny book that the tests of a module share."""
    return Tiny(tmp_path_factory.mktemp("book"))


@pytest.fixture
def tiny(tmp_path):
    """Give a tiny book of one's own."""
    return Tiny(tmp_path)


@pytest.fixture(scope="session")
def lab():
    """Give the text of a lab that must not run during a build."""
    return LAB
