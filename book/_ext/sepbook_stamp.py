"""When the code of a page last ran, and with which versions: written beside its kept outputs, shown at its foot.

``_static/ran.json`` of the built book holds all of it: ``{page: {"day": …, "python": …, "torch": …, "sepbook": …}}``.
"""

import datetime
import json
import platform
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from sepbook_execution import page_folder

STAMP = "ran.json"
PACKAGES = ("torch", "numpy", "sepbook")
CELL = re.compile(r"^`{3,}\{code-cell\}", re.MULTILINE)


def versions():
    """Return the versions of what the cells run on; a package that is not installed has none."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package).partition("+")[0]
        except PackageNotFoundError:
            continue
    return found


def write(folder, text):
    """Note in a page's folder of kept outputs when they were made; pages without cells have nothing to note."""
    path = Path(folder) / STAMP
    if CELL.search(text) and not path.is_file():
        kept = [file.stat().st_mtime for file in Path(folder).rglob("*.ipynb")]
        moment = (
            datetime.datetime.fromtimestamp(max(kept), datetime.UTC) if kept else datetime.datetime.now(datetime.UTC)
        )
        path.write_text(json.dumps({"day": moment.date().isoformat(), **versions()}), encoding="utf-8")


def of_page(app, page):
    """Return what is noted of a page's outputs, None where nothing is."""
    key = getattr(app.env, "sepbook_keys", {}).get(page)
    path = page_folder(app, page) / str(key) / STAMP
    return json.loads(path.read_text(encoding="utf-8")) if key and path.is_file() else None


def write_all(app, exception):
    """Write the notes of all pages into the built book (``build-finished``)."""
    if exception is None and app.builder.format == "html":
        found = {page: note for page in sorted(app.env.found_docs) if (note := of_page(app, page))}
        path = Path(app.outdir) / "_static" / STAMP
        path.write_text(json.dumps(found, indent=1), encoding="utf-8")


def setup(app):
    """Called by our extension."""
    app.connect("build-finished", write_all)
