"""The Containerfile is linted; its steps, read from the file itself, run in a folder instead of a container."""

import os
import re
import shutil
import subprocess

import pytest

from tools.classroom import containerfile, labs

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


def test_every_step_is_read_and_an_unknown_one_is_refused(tmp_path):
    words = [word for word, _ in containerfile.instructions(FILE)]
    assert words == ["FROM", "ARG", "ENV", "COPY", "RUN", "USER", "WORKDIR", "EXPOSE", "CMD"]
    (tmp_path / "Containerfile").write_text("FROM scratch\nONBUILD RUN true\n")
    with pytest.raises(ValueError, match="ONBUILD"):
        containerfile.run(tmp_path / "disk", source=tmp_path)
    (tmp_path / "Containerfile").write_text("FROM scratch\nRUN echo half && \\\n    false\n")
    with pytest.raises(RuntimeError, match="half"):
        containerfile.run(tmp_path / "disk", source=tmp_path)
    assert containerfile.main([str(tmp_path)]) == 2, "a folder that is not empty is left alone"


@pytest.mark.slow
def test_the_whole_file_runs_and_everybody_gets_labs_without_solutions(tmp_path):
    """All but what pip would load: the packages are those of the environment that runs this test."""
    there, log = shutil.which("python", path=ROOT / ".venv/bin"), tmp_path / "log"
    inner = f'echo "$@" >> {log}\n[ "$2" = pip ] || exec {there} "$@"'
    outer = f"mkdir -p $3/bin && cp {tmp_path / 'inner'} $3/bin/python"
    executable(tmp_path / "inner", inner)
    executable(tmp_path / "commands" / "python3", outer)
    found = containerfile.run(tmp_path / "disk", commands=tmp_path / "commands")
    disk, prefix = tmp_path / "disk", tmp_path / "disk" / "opt" / "sepbook"
    called = re.findall(r"not run: (\S+ \S+)", found["said"])
    assert called == ["apt-get update", "apt-get install", "useradd --create-home"]
    assert log.read_text().split("\n")[0].startswith("-m pip install") and "jupyterhub" in log.read_text()
    assert not (disk / "usr" / "src" / "sepbook").exists(), "the source holds the solutions"
    notebooks = {p.relative_to(prefix / "labs").with_suffix("").as_posix(): p for p in prefix.rglob("*.ipynb")}
    assert sorted(notebooks) == labs.names() and not (prefix / "made").exists()
    assert not [name for name, path in notebooks.items() if "Solution to" in path.read_text(encoding="utf-8")]
    assert found["user"] == "1000" and found["at"] == disk / "srv" / "student"
    for name in ("jupyter", "jupyterhub-singleuser"):
        executable(prefix / "bin" / name, f'echo {name} "$@" in "$PWD"')
    home = found["at"]
    home.mkdir(parents=True)  # useradd makes it
    hub, alone = "jupyterhub-singleuser --debug", "jupyter lab --ip=0.0.0.0 --no-browser --debug"
    for token, expected in (("", alone), ("x", hub)):
        environment = os.environ | {"HOME": str(home), "JUPYTERHUB_API_TOKEN": token}
        started = subprocess.run([*found["command"], "--debug"], env=environment, capture_output=True, text=True)
        assert started.stdout.strip() == f"{expected} in {home / 'labs'}", started.stderr
    assert len(list((home / "labs").rglob("*.ipynb"))) == len(notebooks)
