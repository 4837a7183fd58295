"""Would installing sepbook on Colab change anything that Colab already has?

    python tools/colab_dry_run.py [FREEZE]

Colab's list of packages cannot be installed elsewhere: it holds builds for its own GPUs. But pip decides by name and
version alone. So this makes an empty environment, puts one stub per pin into it (a folder with a name and a version,
without code), and asks pip what it would install there. The answer must be: sepbook, and what Colab lacks.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FREEZE = ROOT / "tests" / "colab" / "colab-2026-08-pip-freeze.txt"
COLAB_PYTHON = "3.13"
PACKAGED = ("pyproject.toml", "README.md", "LICENSE", "LICENSE-content", "sepbook")


def canonical(name):
    """Write a package's name as pip compares it: ``PyYAML`` and ``pyyaml`` are one."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_freeze(path):
    """Return {canonical name: version} of the ``name==version`` lines of a pip freeze."""
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    pairs = (line.split("==", 1) for line in lines if "==" in line and not line.startswith("#"))
    return {canonical(name.strip()): version.strip() for name, version in pairs}


def find_python():
    """Return Colab's Python where this machine has it, else the one that runs this script."""
    candidates = [f"python{COLAB_PYTHON}"]
    candidates += sorted(str(p) for p in Path.home().glob(f".pyenv/versions/{COLAB_PYTHON}.*/bin/python"))
    for candidate in candidates:
        path = shutil.which(candidate)
        test = [path, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        if path and subprocess.run(test, capture_output=True, text=True).stdout.strip() == COLAB_PYTHON:
            return path
    return sys.executable


def make_environment(folder, pins, python):
    """Make an empty environment with a stub per pin, and return the path of its Python."""
    subprocess.run([python, "-m", "venv", "--without-pip", folder], check=True)
    inner = next(p for p in (folder / "bin" / "python", folder / "Scripts" / "python.exe") if p.exists())
    ask = [inner, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"]
    packages = Path(subprocess.run(ask, check=True, capture_output=True, text=True).stdout.strip())
    for name, version in pins.items():
        stub = packages / f"{name.replace('-', '_')}-{version}.dist-info"
        stub.mkdir()
        (stub / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (stub / "INSTALLER").write_text("stub\n")
        (stub / "RECORD").write_text("")
    return inner


def build_wheel(folder):
    """Build sepbook's wheel from a copy of the source, so that the tree stays clean. Returns its path."""
    copy = Path(folder) / "source"
    for name in PACKAGED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            copy.mkdir(exist_ok=True)
            shutil.copy(source, copy / name)
    pip(sys.executable, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, copy)
    return next(Path(folder).glob("sepbook-*.whl"))


def pip(python, *arguments):
    """Run this environment's pip on behalf of another Python and return what it prints."""
    command = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check", "--quiet"]
    done = subprocess.run([str(a) for a in (*command, *arguments)], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"pip {arguments[0]} failed:\n{done.stderr.strip()}")
    return done.stdout


def would_install(wheel, pins, python=None, options=()):
    """Return [(name, version)] that ``pip install`` would install beside these pins."""
    with tempfile.TemporaryDirectory() as folder:
        inner = make_environment(Path(folder), pins, python or find_python())
        report = pip(inner, "install", "--dry-run", "--report", "-", *options, wheel)
    metadata = [item["metadata"] for item in json.loads(report)["install"]]
    return [(canonical(m["name"]), m["version"]) for m in metadata]


def changes(installs, pins):
    """Return those of the installs that would replace something that is pinned."""
    return {name: (pins[name], version) for name, version in installs if name in pins}


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("freeze", nargs="?", type=Path, default=FREEZE, help="output of pip freeze on Colab")
    options = parser.parse_args(arguments)
    pins, python = read_freeze(options.freeze), find_python()
    with tempfile.TemporaryDirectory() as folder:
        installs = would_install(build_wheel(folder), pins, python)
    version = subprocess.run([python, "--version"], capture_output=True, text=True).stdout.strip()
    print(f"{version}, {len(pins)} packages as on Colab ({options.freeze.name})")
    print("Would install", " ".join(f"{name}-{version}" for name, version in installs))
    replaced = changes(installs, pins)
    for name, (old, new) in replaced.items():
        print(f"This would replace Colab's {name} {old} by {new}.")
    return 1 if replaced else 0


if __name__ == "__main__":
    sys.exit(main())
