"""The quick tests and all labs as Colab would run them: Python 3.13 and the versions of its list (`make colab`).

    python -m tools.colab                   make the environment (once), then tests, labs, and librosa 1.0
    python -m tools.colab tests|labs|librosa      only that

The environment lies in _build/colab. torch for 3.13 is a CUDA build of several gigabytes wherever there is no other, so
this is no part of `make test`. Without Python 3.13 it is left out, with the reason (pyenv install 3.13, or uv).
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tools.colab_dry_run import COLAB_PYTHON, FREEZE, ROOT, canonical, find_python, read_freeze
from tools.release import labs

WORK = ROOT / "_build" / "colab"
PYTHON = WORK / "env" / "bin" / "python"
# What Colab has as a build of its own, or for its own cards: the index has another, or none.
NOT_PINNED = re.compile(r"cuda|nvidia|torch|triton|setuptools")
TOOLS = ("pytest", "pytest-timeout", "pytest-xdist", "hypothesis", "nbval", "packaging", "PyYAML", "psutil")
TOOLS += ("torchmetrics", "fast-bss-eval", "nbformat", "ipykernel", "beautifulsoup4")
OTHER_LIBROSA = "librosa>=1.0,<2"
# Tests of the book's own build, of the browser and of old libraries: they need what Colab does not have.
ELSEWHERE = ("book", "browser", "widgets", "labs", "tools", "test_setup*", "test_compat.py", "test_house.py")
USES_LIBROSA = re.compile(r"\blibrosa\b|griffin_lim")


def constraints() -> str:
    """Return Colab's versions as pip's constraints: `+cu128` and the like taken off, cards left out."""
    pins = {name: version.partition("+")[0] for name, version in read_freeze(FREEZE).items()}
    kept = {name: version for name, version in pins.items() if not NOT_PINNED.search(name)}
    return "".join(f"{name}=={version}\n" for name, version in kept.items()) + f"torch=={pins['torch']}\n"


def needed() -> list[str]:
    """Return what sepbook and its tests ask for."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [*project["dependencies"], *TOOLS]


def pip(*arguments: str) -> None:
    subprocess.run([PYTHON, "-m", "pip", "install", "-q", "--disable-pip-version-check", *arguments], check=True)


def make_environment() -> None:
    """Install Colab's versions, unless they are there already."""
    listed = WORK / "constraints.txt"
    done = WORK / "installed.txt"
    if done.is_file() and done.read_text() == constraints() + repr(needed()):
        return
    print(f"Making an environment like Colab's in {WORK} (several gigabytes, once).", flush=True)
    WORK.mkdir(parents=True, exist_ok=True)
    listed.write_text(constraints())
    subprocess.run([find_python(), "-m", "venv", "--clear", WORK / "env"], check=True)
    pip("-c", str(listed), *needed())
    done.write_text(constraints() + repr(needed()))


def run(*arguments) -> int:
    """Run pytest there on this tree; return its exit status."""
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "GOMP_SPINCOUNT": "0",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
    environment.setdefault("SEPBOOK_LAB_STEPS", "60")
    command = [PYTHON, "-m", "pytest", "-p", "no:cacheprovider", "-q", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env=environment).returncode


def tests() -> int:
    left_out = [f"--ignore-glob=tests/{name}" for name in ELSEWHERE]
    return run("-n", "2", "--dist", "loadfile", "-m", "not slow and not network", *left_out, "tests")


def run_labs(which: list[Path] | None = None) -> int:
    return run("-n", "2", "--dist", "loadfile", "--nbval-lax", "--timeout=3000", *(which or labs()))


def with_other_librosa() -> int:
    """Run what uses librosa with its other major version, and put Colab's back."""
    files = [path for path in (ROOT / "tests").rglob("test_*.py") if USES_LIBROSA.search(path.read_text("utf-8"))]
    wanted = [path for path in files if path.relative_to(ROOT / "tests").parts[0] not in ELSEWHERE]
    ours = [path for path in wanted if not path.match("test_compat.py") and not path.match("test_setup*")]
    notebooks = [path for path in labs() if USES_LIBROSA.search(path.read_text("utf-8"))]
    try:
        pip("--no-deps", OTHER_LIBROSA)
        return run("-n", "2", *ours) or (run_labs(notebooks) if notebooks else 0)
    finally:
        pip("--no-deps", f"librosa=={read_freeze(FREEZE)[canonical('librosa')]}")


STEPS = {"tests": tests, "labs": run_labs, "librosa": with_other_librosa}


def outcome(steps: dict) -> int:
    """Take the steps, all of them, even if one fails; say how each ended, and return 1 if one has failed."""
    outcomes = {name: step() for name, step in steps.items()}
    print("  ".join(f"{name}: {'ok' if status == 0 else 'FAILED'}" for name, status in outcomes.items()))
    return 1 if any(outcomes.values()) else 0


def main(arguments=None) -> int:
    chosen = (sys.argv[1:] if arguments is None else arguments) or list(STEPS)
    if unknown := [name for name in chosen if name not in STEPS]:
        print(f"no step {', '.join(unknown)}; there are: {', '.join(STEPS)}")
        return 2
    version = subprocess.run([find_python(), "--version"], capture_output=True, text=True).stdout
    if f" {COLAB_PYTHON}." not in version:
        print(f"Skipped: Colab has Python {COLAB_PYTHON}, and this machine has none (pyenv install {COLAB_PYTHON}).")
        return 0
    if shutil.disk_usage(ROOT).free < 12e9 and not PYTHON.exists():
        print("Skipped: the environment takes up to 12 GB, and there is less on this disk.")
        return 0
    make_environment()
    return outcome({name: STEPS[name] for name in chosen})


if __name__ == "__main__":
    sys.exit(main())
