"""The Containerfile is linted, and its steps run here as the script that they are."""

import os
import re
import shutil
import subprocess

import pytest

from tools.classroom import labs

ROOT = labs.ROOT
FILE = (ROOT / "Containerfile").read_text(encoding="utf-8")
SCRIPT = "tools/classroom/container.sh"
OWN = ROOT / "_build" / "linters" / "bin" / "hadolint"  # `make lint` puts it there
HADOLINT = os.environ.get("SEPBOOK_HADOLINT") or shutil.which("hadolint") or (OWN if OWN.exists() else None)


def run(step, **environment):
    return subprocess.run(
        ["bash", SCRIPT, step], cwd=ROOT, env=os.environ | environment, capture_output=True, text=True
    )


@pytest.mark.skipif(not HADOLINT, reason="hadolint is not installed; SEPBOOK_HADOLINT may name one elsewhere")
def test_hadolint_finds_nothing():
    done = subprocess.run([HADOLINT, ROOT / "Containerfile"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_it_runs_the_steps_in_their_order_and_leaves_no_solutions():
    steps = re.findall(r"container\.sh (\w+)", FILE)
    assert steps == ["system", "packages", "labs"]
    assert FILE.index("container.sh labs") < FILE.index("rm -rf /usr/src/sepbook") < FILE.index("\nUSER 1000")
    prefix = re.search(r"PREFIX=(\S+)", FILE)[1]
    assert f'CMD ["{prefix}/bin/labs"]' in FILE
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".git", ".venv", "_build"} <= set(ignored)


def test_a_wrong_step_and_no_prefix_are_explained(tmp_path):
    wrong = run("everything", PREFIX=str(tmp_path))
    assert wrong.returncode == 2 and "system | packages | labs" in wrong.stderr
    environment = {name: value for name, value in os.environ.items() if name != "PREFIX"}
    done = subprocess.run(["bash", SCRIPT, "labs"], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode != 0 and "PREFIX=/opt/sepbook" in done.stderr


def executable(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!{shutil.which('bash')}\n{text}\n")
    path.chmod(0o755)
    return path


def test_packages_go_into_an_environment_of_their_own(tmp_path):
    copy = 'mkdir -p "$3/bin" && cp "$0" "$3/bin/python"'
    python = executable(tmp_path / "python", f"[ $2 = pip ] || {{ {copy}; }}; echo $@ >> $LOG")
    done = run("packages", PREFIX=str(tmp_path / "env"), PYTHON=str(python), LOG=str(tmp_path / "log"))
    assert done.returncode == 0, done.stderr
    venv, pip = (tmp_path / "log").read_text().splitlines()
    assert venv == f"-m venv {tmp_path / 'env'}" and f" {ROOT} " in pip
    assert "jupyterlab>=4,<5" in pip and "jupyterhub>=5,<6" in pip


@pytest.mark.slow
def test_labs_are_there_without_solutions_and_everybody_gets_a_copy(tmp_path):
    prefix, home = tmp_path / "env", tmp_path / "home"
    executable(prefix / "bin" / "python", f'exec "{shutil.which("python", path=ROOT / ".venv/bin")}" "$@"')
    done = run("labs", PREFIX=str(prefix), PYTHONPATH=str(ROOT))
    assert done.returncode == 0, done.stderr
    there = sorted(p.relative_to(prefix / "labs").with_suffix("").as_posix() for p in prefix.glob("labs/**/*.ipynb"))
    assert there == labs.names() and not (prefix / "made").exists()
    assert "Solution to" not in (prefix / "labs" / "foundations" / "masks.ipynb").read_text(encoding="utf-8")
    home.mkdir()
    for name in ("jupyter", "jupyterhub-singleuser"):
        executable(prefix / "bin" / name, f'echo {name} "$@" in "$PWD"')
    for token, expected in (
        ("", "jupyter lab --ip=0.0.0.0 --no-browser --debug"),
        ("x", "jupyterhub-singleuser --debug"),
    ):
        environment = os.environ | {"HOME": str(home), "JUPYTERHUB_API_TOKEN": token}
        command = [prefix / "bin" / "labs", "--debug"]
        started = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert started.stdout.strip() == f"{expected} in {home / 'labs'}", started.stderr
    assert len(list((home / "labs").rglob("*.ipynb"))) == len(there)
