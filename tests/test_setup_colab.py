"""What Colab installs is whole, and replaces nothing that Colab has."""

import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tools import colab_dry_run

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LACKING = {"pyloudnorm": "0.2.0"}  # what Colab does not have and we bring: keep this short and pure Python
PINS = colab_dry_run.read_freeze(colab_dry_run.FREEZE)


def test_freeze_is_read_whole():
    lines = [line for line in colab_dry_run.FREEZE.read_text(encoding="utf-8").splitlines() if line.strip()]
    assert len(PINS) == len(lines) > 600
    assert PINS["numpy"] == "2.1.3" and PINS["scikit-learn"] == "1.6.1"


@pytest.mark.parametrize("line", PROJECT["dependencies"])
def test_colab_satisfies_each_lower_bound(line):
    need = Requirement(line)
    have = (PINS | LACKING).get(colab_dry_run.canonical(need.name))
    assert have, f"Colab has no {need.name}: it would be downloaded into every session."
    assert need.specifier.contains(Version(have).public), f"Colab has {need.name} {have}, we ask for {line}."


@pytest.mark.parametrize("line", PROJECT["dependencies"])
def test_core_dependencies_have_a_lower_bound_only(line):
    assert [s.operator for s in Requirement(line).specifier] == [">="], f"{line} would age on Colab."


def test_colab_python_is_supported():
    need = Requirement(f"python{PROJECT['requires-python']}").specifier
    assert need.contains(colab_dry_run.COLAB_PYTHON) and need.contains("3.11")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return colab_dry_run.build_wheel(tmp_path_factory.mktemp("wheel"))


def test_wheel_holds_every_file_of_the_package(wheel):
    held = set(zipfile.ZipFile(wheel).namelist())
    files = (p for p in (ROOT / "sepbook").rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    missing = {p.relative_to(ROOT).as_posix() for p in files} - held
    assert not missing, "see package-data in pyproject.toml"
    assert any(name.endswith("licenses/LICENSE-content") for name in held)


def would_install(*arguments):
    try:
        return colab_dry_run.would_install(*arguments)
    except RuntimeError as error:
        pytest.skip(f"the package index does not answer: {str(error).splitlines()[-1]}")


def test_all_that_sepbook_needs_is_there_without_asking_the_index(wheel):
    installs = colab_dry_run.would_install(wheel, PINS | LACKING, options=["--no-index"])
    assert [name for name, _ in installs] == ["sepbook"]


@pytest.mark.network
def test_pip_would_install_sepbook_and_what_colab_lacks(wheel):
    installs = would_install(wheel, PINS)
    assert {name for name, _ in installs} == {"sepbook", *LACKING}
    assert not colab_dry_run.changes(installs, PINS)


@pytest.mark.network
def test_the_dry_run_sees_a_package_that_would_be_replaced(wheel):
    old = PINS | {"tqdm": "4.0.0"}
    assert set(colab_dry_run.changes(would_install(wheel, old), old)) == {"tqdm"}
