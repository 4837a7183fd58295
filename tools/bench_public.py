"""Our networks beside those of other packages, on this machine: `make bench-public`.

    python -m tools.bench_public            make the environment, then compare and write results/bench/public.json
    python -m tools.bench_public parity     make the environment, then test only that the answers are equal

The environment lies in _build/bench_public. It holds the other packages alone and sees all that the book's own
environment holds, so both sides run under one torch. The others come without what they depend on: some ask for a torch
of years ago. See `tools/bench/public.py` for what is measured.
"""

import os
import re
import subprocess
import sys
import sysconfig

from tools.bench.public import PINS
from tools.colab_dry_run import ROOT

WORK = ROOT / "_build" / "bench_public"
PYTHON = WORK / "env" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
OWN = ("nussl",)  # in requirements.txt already, and installed with the book
SEE = "import site, sys; open(site.getsitepackages()[0] + '/book.pth', 'w').write(sys.argv[1])"
TESTS = "tests/tools/test_bench_public.py"


def pins() -> list[str]:
    """Return the other packages as pip wants them."""
    return [f"{name}=={number}" for name, number in PINS.items() if name not in OWN]


def wanted() -> str:
    """Return what an environment is made of, to see whether it has to be made anew."""
    return (ROOT / "requirements.txt").read_text(encoding="utf-8") + "\n".join(pins())


def pip(*arguments) -> None:
    command = [PYTHON, "-m", "pip", "install", "-q", "--disable-pip-version-check", *arguments]
    subprocess.run([str(word) for word in command], check=True)


def make_environment() -> None:
    """Install the other packages in an environment that sees the book's; nothing where that is done already."""
    done = WORK / "installed.txt"
    if done.is_file() and done.read_text(encoding="utf-8") == wanted():
        return
    print(f"Making an environment in {WORK} (a minute or two, once).", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(WORK / "env")], check=True)
    subprocess.run([str(PYTHON), "-c", SEE, sysconfig.get_paths()["purelib"]], check=True)
    pip("--no-deps", "--no-build-isolation", *pins())
    done.write_text(wanted(), encoding="utf-8")


def run(*arguments: str) -> int:
    """Run a module there, on one thread; return its exit status."""
    quiet = {"OMP_NUM_THREADS": "1", "GOMP_SPINCOUNT": "0", "SEPBOOK_PROGRESS": "off", "SEPBOOK_BENCH_PUBLIC": "1"}
    environment = os.environ | quiet | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    return subprocess.run([str(PYTHON), "-m", *arguments], cwd=ROOT, env=environment).returncode


def torch_of_the_book() -> str:
    """Return the version of torch that both sides run under."""
    return re.search(r"^torch==(\S+)", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.M)[1]


STEPS = {
    "parity": lambda: run("pytest", "-p", "no:cacheprovider", "-q", "-n", "0", TESTS),
    "compare": lambda: run("tools.bench", "public"),
}


def main(arguments=None) -> int:
    chosen = (sys.argv[1:] if arguments is None else arguments) or ["compare"]
    if unknown := [name for name in chosen if name not in STEPS]:
        print(f"no step {', '.join(unknown)}; there are: {', '.join(STEPS)}")
        return 2
    make_environment()
    print(f"Both sides run under torch {torch_of_the_book()}.", flush=True)
    return max(STEPS[name]() for name in chosen)


if __name__ == "__main__":
    sys.exit(main())
