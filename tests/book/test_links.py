"""The address of the public repository stands in ``_config.yml``; every other mention agrees with it."""

import re
import subprocess
from urllib.parse import urlsplit

import pytest
import yaml
from book_sources import ROOT

TEXT = {".md", ".py", ".ipynb", ".toml", ".yml", ".yaml", ".cff", ".sh", ".txt", ".html", ".js", ".css", ""}
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]
REPOSITORY = urlsplit(CONFIG["url"]).path.strip("/")
# owner/name after github.com, Colab's and Kaggle's addresses, codeload …
ADDRESS = re.compile(r"(?:github\.com|githubusercontent\.com|research\.google\.com/github)/([\w.-]+/[\w.-]+)")


def mentions(text):
    """Return each owner/name that a text links to and that can only mean this book."""
    found = [name.removesuffix(".git") for name in ADDRESS.findall(text)]
    colab = re.findall(r"research\.google\.com/github/([\w.-]+/[\w.-]+)", text)
    return [name for name in found if name in colab or name.rpartition("/")[2] in ("sepbook", REPOSITORY.split("/")[1])]


def tracked():
    """Return the text files of the repository, as git knows them (or as they lie there, in an archive)."""
    listing = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True)
    names = listing.stdout.split("\n") if listing.returncode == 0 else map(str, ROOT.rglob("*"))
    paths = [ROOT / name for name in names if name and not name.startswith((".venv", "_build"))]
    return [path for path in paths if path.is_file() and path.suffix in TEXT and path.stat().st_size < 500_000]


def test_all_links_to_the_repository_agree():
    wrong = {}
    for path in tracked():
        others = set(mentions(path.read_text(encoding="utf-8", errors="ignore"))) - {REPOSITORY}
        if others and path.name != "test_links.py":
            wrong[path.relative_to(ROOT).as_posix()] = sorted(others)
    assert not wrong


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("https://github.com/someone/sepbook/archive/main.zip", ["someone/sepbook"]),
        ("https://colab.research.google.com/github/a/b/blob/main/x.ipynb", ["a/b"]),
        ("pip install git+https://github.com/x/sepbook.git", ["x/sepbook"]),
        ("https://github.com/sigsep/sigsep-mus-db", []),
    ],
)
def test_mentions_are_found(text, found):
    assert mentions(text) == found


def test_branch_of_links_agrees():
    link = re.compile(rf"{re.escape(REPOSITORY)}/(?:blob|archive|tree)/(?:refs/heads/)?([\w.-]+?)(?:\.zip|/)")
    for path in tracked():
        if path.suffix == ".ipynb":
            assert set(link.findall(path.read_text(encoding="utf-8"))) <= {CONFIG["branch"]}, path.name
