"""What a lab installs, and when; what stands in the way of a release."""

import os
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell

from tools import colab_dry_run, release

CELL = release.first_cell()
LOOK = CELL[: CELL.index("import torch")]
# With `-S`, Python has its own library and what PYTHONPATH names, as a machine without the package has.
PLAIN = [sys.executable, "-S", "-c"]
PACKAGE = {"sepbook/__init__.py": "__version__ = '9'"}


def write(folder, files):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("beside", "installed", "expected"),
    [
        ({}, {}, "installs"),
        ({"sepbook/sepbook/__init__.py": ""}, {}, "installs"),  # a clone
        ({"sepbook/notes.txt": ""}, {}, "installs"),  # a folder of the same name
        ({"Sepbook/__init__.py": ""}, {}, "installs"),
        (PACKAGE, {}, "is there"),  # at the top of a clone
        ({}, PACKAGE, "is there"),
        ({"sepbook/sepbook/__init__.py": ""}, PACKAGE, "is there"),
    ],
)
def test_a_lab_installs_when_the_package_is_missing_and_only_then(tmp_path, beside, installed, expected):
    here, site = write(tmp_path / "here", beside), write(tmp_path / "site", installed)
    here.mkdir(exist_ok=True)
    # What pip would do: put the package where Python looks for packages.
    pip = f"print('installs'); import pathlib; d = pathlib.Path({str(site)!r}, 'sepbook'); d.mkdir(parents=True)"
    pip += "; (d / '__init__.py').write_text('__version__ = 9')"
    code = "\n".join(
        line.partition("%pip")[0] + pip if "%pip" in line else line for line in LOOK.splitlines()
    )  # the magic is IPython's
    code += "\nimport sepbook\nprint('is there', sepbook.__version__)"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment |= {"PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([*PLAIN, code], cwd=here, env=environment, capture_output=True, text=True)
    assert done.stdout.startswith(expected), done.stderr
    assert "is there 9" in done.stdout


def test_pip_is_asked_for_one_wheel_with_its_hash(monkeypatch):
    asked = []
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    shell = InteractiveShell.instance(history_load_length=0)
    shell.register_magic_function(asked.append, "line", "pip")
    try:
        assert shell.run_cell(LOOK).success
    finally:  # the tests after this one are in no notebook
        InteractiveShell.clear_instance()
    version, digest = release.sepbook.__version__, release.settings()["wheel_sha256"]
    folder = f"{release.repository()}/releases/download/v{version}"
    assert asked == [f"install -q {folder}/sepbook-{version}-py3-none-any.whl#sha256={digest}"]
    assert len(digest) == 64 and set(digest) <= set("0123456789abcdef")


@pytest.mark.slow
def test_pip_refuses_another_wheel_and_the_wheel_is_always_the_same(tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", release.EPOCH)
    wheel = colab_dry_run.build_wheel(tmp_path)
    right = release.hashlib.sha256(wheel.read_bytes()).hexdigest()
    assert release.wheel_hash() == right
    assert wheel.name == release.WHEEL.format(version=release.sepbook.__version__)
    with zipfile.ZipFile(wheel) as archive:
        assert not [name for name in archive.namelist() if name.startswith("notebooks")]
    for digest, taken in ((right, True), ("0" * 64, False)):
        command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", tmp_path / "to"]
        done = subprocess.run([*command, f"{wheel.as_uri()}#sha256={digest}"], capture_output=True, text=True)
        assert (done.returncode == 0) == taken, done.stderr


@pytest.mark.slow
def test_wheel_and_sdist_are_built_with_their_hashes(tmp_path):
    wheel, sdist, sums = release.build(tmp_path / "dist")
    assert wheel.name == release.WHEEL.format(version=release.sepbook.__version__)
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "sepbook/assets/weights/manifest.json", "sepbook/cli/commands.py"} <= names
    digests = [release.hashlib.sha256(path.read_bytes()).hexdigest() for path in (wheel, sdist)]
    assert sums.read_text().split() == [digests[0], wheel.name, digests[1], sdist.name]


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """Give a copy of what a release looks at, without its labs and pages."""
    for name in ("_config.yml", "CITATION.cff", "README.md", "tools/release.toml", "book/index.md"):
        write(tmp_path, {name: (release.ROOT / name).read_text()})
    monkeypatch.setattr(release, "ROOT", tmp_path)
    monkeypatch.setattr(release, "SETTINGS", tmp_path / "tools/release.toml")
    monkeypatch.setattr(release, "failing_tests", list)
    monkeypatch.setattr(release, "wheel_hash", lambda: "0" * 64)
    monkeypatch.setattr(release, "git", lambda *arguments: "" if arguments[0] == "status" else "one commit")
    text = release.SETTINGS.read_text().replace("owner_decided = false", "owner_decided = true")
    release.SETTINGS.write_text(text)
    release.prepare()
    return tmp_path


def test_nothing_stands_in_the_way_when_all_is_right(tree, capsys):
    assert release.main(["check"]) == 0 and "Nothing stands in the way" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        (
            "tools/release.toml",
            "owner_decided = true",
            "owner_decided = false",
            "the owner of the repository is undecided",
        ),
        ("tools/release.toml", 'sha256 = "0', 'sha256 = "1', "another wheel than this code gives"),
        ("CITATION.cff", "\nversion: ", "\nversion: 9", "CITATION.cff has another version"),
        ("CITATION.cff", "github.com/", "github.com/someone-", "CITATION.cff has another version or address"),
        ("README.md", "\n", "\nIt has 9999 labs.\n", "README.md says 9999 labs; there are 0"),
    ],
)
def test_what_stands_in_the_way_is_said(tree, capsys, file, old, new, words):
    path = tree / file
    path.write_text(path.read_text().replace(old, new, 1))
    assert release.main(["check"]) == 1 and words in capsys.readouterr().out


@pytest.mark.parametrize(
    ("what", "answer", "words"), [("rev-parse", None, "has no tag"), ("status", "M x", "committed")]
)
def test_a_version_that_is_not_tagged_and_open_changes_are_said(tree, capsys, monkeypatch, what, answer, words):
    sound = release.git
    answers = iter(("one", "other"))
    monkeypatch.setattr(release, "git", lambda *a: sound(*a) if a[0] != what else answer or next(answers))
    assert release.main(["check"]) == 1 and words in capsys.readouterr().out


def test_a_lab_with_another_first_cell_is_said_and_mended(tree, capsys):
    lab = release.labs
    path = write(tree, {"notebooks/a.ipynb": '{"cells": [{"cell_type": "code", "source": ["import torch"]}]}\n'})
    assert lab() == [path / "notebooks/a.ipynb"]
    assert release.main(["check"]) == 1 and "begins with another first cell" in capsys.readouterr().out
    assert release.main(["labs"]) == 0 and release.main(["check"]) == 0


def test_a_wrong_call_says_what_is_right(capsys):
    assert release.main(["nonsense"]) == 2 and "prepare | labs | build | check" in capsys.readouterr().out


def test_while_the_owner_is_undecided_nothing_can_be_installed_by_chance():
    """Until a release is prepared the hash is nought, and pip takes nothing."""
    settings = tomllib.loads(Path(release.SETTINGS).read_text(encoding="utf-8"))
    assert settings["owner_decided"] or settings["wheel_sha256"] == "0" * 64
