"""What a release needs, and what the labs install.

    python -m tools.release prepare    build the wheel, write its hash into release.toml and into all labs
    python -m tools.release labs       write the first cell of all labs again
    python -m tools.release build      build wheel and sdist into dist/, with their hashes (`make release`)
    python -m tools.release check      say what stands in the way of a release (`make release-check`)

A lab installs the wheel of a tagged release, and pip takes it only if its hash is the one that the lab names: whoever
gets hold of the address cannot put other code there. It is the wheel and not the archive of the repository, because the
labs are in the archive, and a file cannot hold its own hash. The wheel is the same, byte for byte, each time.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import yaml

import sepbook
from tools.colab_dry_run import build_wheel

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = ROOT / "tools" / "release.toml"
WHEEL = "sepbook-{version}-py3-none-any.whl"
EPOCH = "315532800"  # 1980, the first year that a wheel can name: no date of a build stands in it
COUNTED = {"pages": "book/**/*.md", "labs": "notebooks/**/*.ipynb"}
CELL = """import importlib.util

release = "{repository}/releases/download/v{version}"
wheel = "{wheel}"
sha256 = "{sha256}"
# On Colab and Kaggle: install the package. A mere folder of its name is none.
if getattr(importlib.util.find_spec("sepbook"), "origin", None) is None:
    %pip install -q {{release}}/{{wheel}}#sha256={{sha256}}
    importlib.invalidate_caches()

import torch

import sepbook
from sepbook.training.device import choose

torch.manual_seed(0)
print(f"sepbook {{sepbook.__version__}}, torch {{torch.__version__}}")
print(choose().reason)"""


def settings() -> dict:
    """Return what release.toml says."""
    return tomllib.loads(SETTINGS.read_text(encoding="utf-8"))


def repository() -> str:
    """Return the address of the repository."""
    return yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"]


def first_cell() -> str:
    """Return the code that every lab begins with."""
    version = sepbook.__version__
    wheel, sha256 = WHEEL.format(version=version), settings()["wheel_sha256"]
    return CELL.format(repository=repository(), version=version, wheel=wheel, sha256=sha256)


def labs() -> list[Path]:
    return sorted((ROOT / "notebooks").rglob("*.ipynb"))


def write_labs() -> list[Path]:
    """Give every lab the first cell; return those that had another."""
    changed = []
    for path in labs():
        text = path.read_text(encoding="utf-8")
        notebook = json.loads(text)
        cell = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
        if "".join(cell["source"]) != first_cell():
            cell["source"] = first_cell().splitlines(keepends=True)
            path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            changed.append(path)
    return changed


def wheel_hash() -> str:
    """Build the wheel and return its sha256."""
    os.environ["SOURCE_DATE_EPOCH"] = EPOCH
    with tempfile.TemporaryDirectory() as folder:
        return hashlib.sha256(build_wheel(folder).read_bytes()).hexdigest()


def prepare() -> None:
    """Write the wheel's hash where it belongs."""
    text = SETTINGS.read_text(encoding="utf-8")
    SETTINGS.write_text(re.sub(r'(?m)^(wheel_sha256 = )".*"$', rf'\1"{wheel_hash()}"', text), encoding="utf-8")
    print(
        f"{len(write_labs())} labs changed. Commit, tag it v{sepbook.__version__}, and attach the wheel to the release."
    )


def build(out: Path) -> list[Path]:
    """Build wheel and sdist, and write SHA256SUMS beside them; return the three."""
    os.environ["SOURCE_DATE_EPOCH"] = EPOCH
    out.mkdir(parents=True, exist_ok=True)
    code = "import sys; from setuptools.build_meta import build_sdist; print(build_sdist(sys.argv[1]))"
    with tempfile.TemporaryDirectory() as folder:
        wheel = Path(shutil.copy(build_wheel(folder), out))
        source = Path(folder) / "source"  # the copy that the wheel was built from: the tree stays clean
        done = subprocess.run([sys.executable, "-c", code, out.resolve()], cwd=source, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"the sdist cannot be built:\n{done.stderr[-2000:]}")
    sdist = out / done.stdout.split()[-1]
    sums = out / "SHA256SUMS"
    digests = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in (wheel, sdist)]
    sums.write_text("".join(digests), encoding="utf-8")
    return [wheel, sdist, sums]


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True).stdout.strip()


def stale_counts() -> list[str]:
    """Return sentences of the texts at the top that give a wrong number of pages or labs."""
    found = []
    for path in (*ROOT.glob("*.md"), ROOT / "book" / "index.md"):
        text = path.read_text(encoding="utf-8")
        for kind, pattern in COUNTED.items():
            there = sum(1 for p in ROOT.glob(pattern) if "_ext" not in p.parts)
            wrong = {n for n in re.findall(rf"\b(\d+) {kind}\b", text) if int(n) != there}
            found += [f"{path.name} says {n} {kind}; there are {there}" for n in wrong]
    return found


def problems() -> list[str]:
    """Return what stands in the way of a release, each with the way out."""
    version, found = sepbook.__version__, []
    if not settings()["owner_decided"]:
        found.append(
            f"the owner of the repository is undecided: {repository()} may belong to anybody. "
            "Put the right address into _config.yml, CITATION.cff and pyproject.toml, then say owner_decided = true "
            "in tools/release.toml"
        )
    if settings()["wheel_sha256"] != wheel_hash():
        found.append("the labs name another wheel than this code gives: run `python -m tools.release prepare`")
    if [path for path in labs() if first_cell() not in first_code(path)]:
        found.append("a lab begins with another first cell: run `python -m tools.release labs`")
    if git("rev-parse", f"v{version}^{{commit}}") != git("rev-parse", "HEAD"):
        found.append(f"this commit has no tag v{version}: `git tag v{version}`, or raise the version first")
    if git("status", "--porcelain"):
        found.append("there are changes that are not committed")
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    if citation["version"] != version or citation["repository-code"] != repository():
        found.append("CITATION.cff has another version or address than the package")
    return found + stale_counts() + failing_tests()


def first_code(path: Path) -> str:
    """Return the first code cell of a lab."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return "".join(next(cell["source"] for cell in cells if cell["cell_type"] == "code"))


def failing_tests() -> list[str]:
    """Run the tests of links, stamps and quoted numbers."""
    files = [
        "tests/book/test_links.py",
        "tests/book/test_quoted.py",
        "tests/book/test_references.py",
        "tests/tools/test_editions.py",
        "tests/test_house.py",
    ]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]


def main(arguments=None) -> int:
    given = sys.argv[1:] if arguments is None else arguments
    if given == ["check"]:
        found = problems()
        print("\n".join(f"- {problem}" for problem in found) or f"Nothing stands in the way of v{sepbook.__version__}.")
        return 1 if found else 0
    if given == ["labs"]:
        print(f"{len(write_labs())} labs changed.")
    elif given == ["prepare"]:
        prepare()
    elif given == ["build"]:
        print(*build(ROOT / "dist"), sep="\n")
    else:
        print("usage: python -m tools.release prepare | labs | build | check")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
