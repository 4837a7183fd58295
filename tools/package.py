"""The package and the labs on this machine, whatever it is: `make package`.

    python -m tools.package              make the environment, then the quick tests and all labs
    python -m tools.package tests|labs   only that

The environment lies in _build/package. It gets the newest release of everything that pyproject.toml asks for, and not
the pinned versions, so this is what runs on macOS and Windows, under other Pythons, and every week. What rests on sox
or on the book's own build is left out, as on Colab.
"""

import os
import subprocess
import sys
from pathlib import Path

from tools import colab
from tools.colab_dry_run import ROOT
from tools.release import labs

WORK = ROOT / "_build" / "package"


def python() -> Path:
    """Return the environment's Python, which lies elsewhere on Windows."""
    return WORK / "env" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def make_environment() -> None:
    """Install the newest versions that pyproject.toml allows."""
    subprocess.run([sys.executable, "-m", "venv", "--clear", WORK / "env"], check=True)
    newest = ["--upgrade", "--upgrade-strategy", "eager"]
    pip = [python(), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, *newest, *colab.needed()], check=True)
    subprocess.run([*pip, "--no-deps", ROOT], check=True)


def run(*arguments) -> int:
    """Run pytest there; return its exit status."""
    quiet = {"OMP_NUM_THREADS": "1", "GOMP_SPINCOUNT": "0", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    environment = os.environ | quiet | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "SEPBOOK_PROGRESS": "off"}
    environment.setdefault("SEPBOOK_LAB_STEPS", "60")
    command = [python(), "-m", "pytest", "-p", "no:cacheprovider", "-q", "-n", "2", "--dist", "loadfile"]
    return subprocess.run([*command, *map(str, arguments)], cwd=ROOT, env=environment).returncode


def tests() -> int:
    left_out = [f"--ignore-glob=tests/{name}" for name in colab.ELSEWHERE]
    return run("-m", "not slow and not network", *left_out, "tests")


def run_labs() -> int:
    return run("--nbval-lax", "--timeout=3000", *labs())


STEPS = {"tests": tests, "labs": run_labs}


def main(arguments=None) -> int:
    chosen = (sys.argv[1:] if arguments is None else arguments) or list(STEPS)
    if unknown := [name for name in chosen if name not in STEPS]:
        print(f"no step {', '.join(unknown)}; there are: {', '.join(STEPS)}")
        return 2
    make_environment()
    return colab.outcome({name: STEPS[name] for name in chosen})


if __name__ == "__main__":
    sys.exit(main())
