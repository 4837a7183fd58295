"""One archive for a room without internet: the book, the labs, and every wheel that they need.

`start.py` and the README in it are written here. The book comes from `make book`; wheels are those of this system and
this Python, in the versions of requirements.txt, so the archive is made on a machine like those of the room.
"""

import hashlib
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import sepbook
from tools.classroom import editions, labs
from tools.colab_dry_run import build_wheel

ADDRESS = "http://localhost:{port}"
PORT = 8000
WITH = ("jupyterlab>=4,<5", "ipykernel")  # what the labs need beside the package
INDEX = "https://download.pytorch.org/whl/cpu"  # it has torch without the libraries of a graphics card, which are 3 GB
README = """# sepbook {version}, for a room without internet

Everything is in this folder: the book, {labs} labs without solutions, and the packages that they need, for
{system} and Python {python}. Two commands, in this folder:

```bash
python3 -m pip install --no-index --find-links wheels sepbook jupyterlab
python3 start.py
```

The first one installs (a virtual environment is a good place: `python3 -m venv env`, then use `env/bin/python`). The
second one shows the book at {address} and opens the labs in JupyterLab; ctrl-C ends both. `start.py --book` shows the
book alone, for a machine that serves a whole room: `--host 0.0.0.0` lets the others in.

`SHA256SUMS` has the hash of every file: `sha256sum --check SHA256SUMS`.
"""
START = '''"""Show the book and open the labs. Needs nothing but Python; the labs need what README.md installs."""

import argparse
import functools
import http.server
import subprocess
import sys
import threading
from pathlib import Path

HERE = Path(__file__).resolve().parent


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and says nothing about it."""

    extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map, ".mjs": "text/javascript"}

    def log_message(self, *words):
        """Stay quiet."""


def main():
    """Read the options, serve the book, and wait for JupyterLab to end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--book", action="store_true", help="only the book, no labs")
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 lets other machines in (default 127.0.0.1)")
    parser.add_argument("--port", type=int, default=8000, help="of the book; links of the labs expect 8000")
    given = parser.parse_args()
    pages = functools.partial(Quiet, directory=HERE / "book")
    server = http.server.ThreadingHTTPServer((given.host, given.port), pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"The book is at http://localhost:{server.server_port} (ctrl-C ends it)", flush=True)
    try:
        if given.book:
            threading.Event().wait()
        return subprocess.run([sys.executable, "-m", "jupyterlab", "--notebook-dir", HERE / "labs"]).returncode
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
'''


def make(
    out: Path,
    book: Path | None = None,
    wheels: Path | None = None,
    names: list[str] | None = None,
    index: str = INDEX,
) -> Path:
    """Write the archive into a folder, and return it. `wheels` is a folder of wheels to take instead of loading them.

    `index` is asked for torch before PyPI; "" leaves it to PyPI. Raises ValueError where the book has not been built,
    RuntimeError where pip finds no wheel.
    """
    book, names = book or labs.ROOT / "_build" / "html", names or labs.names()
    if not (book / "index.html").is_file() and not (book / "book" / "index.html").is_file():
        raise ValueError(f"there is no book in {book}: build it with `make book`")
    name = f"sepbook-{sepbook.__version__}-room"
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / name
        shutil.copytree(book, root / "book", ignore=shutil.ignore_patterns(".buildinfo", ".doctrees"))
        for lab in names:
            copy = editions.student(lab, ADDRESS.format(port=PORT))
            labs.write(copy, root / "labs" / f"{lab}.ipynb")
        _add_wheels(root / "wheels", wheels, Path(folder) / "build", index)
        about = {"version": sepbook.__version__, "labs": len(names), "address": ADDRESS.format(port=PORT)}
        about |= {
            "system": f"{platform.system()} {platform.machine()}",
            "python": ".".join(platform.python_version_tuple()[:2]),
        }
        (root / "README.md").write_text(README.format(**about), encoding="utf-8")
        (root / "start.py").write_text(START, encoding="utf-8")
        _sign(root)
        out.mkdir(parents=True, exist_ok=True)
        return _pack(root, out / f"{name}.zip")


def _add_wheels(folder: Path, given: Path | None, work: Path, index: str) -> None:
    """Put our own wheel there and all that it needs: from a folder, or from the package index."""
    folder.mkdir(parents=True)
    work.mkdir()
    own = shutil.copy(build_wheel(work), folder)
    if given:
        for wheel in sorted(given.glob("*.whl")):
            shutil.copy(wheel, folder)
        return
    done = subprocess.run(download(own, folder, index), capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"pip could not load the wheels: {reason(done.stderr)}")


def reason(said: str) -> str:
    """Return what pip says is wrong: its errors, not the warnings around them."""
    lines = said.strip().splitlines()
    errors = [line for line in lines if line.startswith("ERROR")]
    return " ".join(errors or lines[-1:]) or "it gave no reason"


def download(own: Path, folder: Path, index: str = INDEX) -> list:
    """Return pip's command for all wheels that our own one and the labs need, in the versions that the tests have."""
    pins = ("--constraint", labs.ROOT / "requirements.txt")
    torch = ("--extra-index-url", index) if index else ()
    wheels = ("--only-binary", ":all:", "--dest", folder, own, *WITH)
    return [sys.executable, "-m", "pip", "download", "--quiet", *pins, *torch, *wheels]


def _sign(root: Path) -> None:
    files = sorted(path for path in root.rglob("*") if path.is_file())
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(root).as_posix()}\n" for path in files
    ]
    (root / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


def _pack(root: Path, target: Path) -> Path:
    """Write a folder as a zip archive that unpacks into one folder; what is packed already is only stored."""
    half = target.with_suffix(".part")
    with zipfile.ZipFile(half, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(root.rglob("*")):
            if path.is_file():
                kind = zipfile.ZIP_STORED if path.suffix in (".whl", ".mp3", ".gz") else zipfile.ZIP_DEFLATED
                archive.write(path, path.relative_to(root.parent), kind)
    return half.replace(target)
