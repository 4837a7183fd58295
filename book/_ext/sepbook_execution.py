"""What executed cells see, and when their stored results are still good."""

import hashlib
import os
import shutil
from pathlib import Path

from sepbook_sources import Sources

KEPT_KEYS = 3
IGNORED = {"__pycache__", ".ipynb_checkpoints"}


def digest(roots):
    """Return one sha256 over the names and contents of all files below ``roots`` (files or folders)."""
    total = hashlib.sha256()
    for root in map(Path, roots):
        files = [root] if root.is_file() else sorted(root.rglob("*"))
        for path in files:
            if path.is_file() and not IGNORED & set(path.parts) and path.suffix != ".pyc":
                total.update(f"{path.relative_to(root.parent).as_posix()}\0".encode())
                total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def page_folder(app, page):
    """Return the folder in which the executed cells of a page are kept, one folder for each of its keys."""
    return Path(app.outdir).resolve().parent / ".jupyter_cache" / page.replace("/", ".")


def keys(env, pages):
    """Return {page: key} of the pages in Markdown; labs never run here, and have none."""
    sources = Sources(env.srcdir)
    paths = {page: Path(env.doc2path(page)) for page in pages}
    there = {page: path for page, path in paths.items() if path.suffix == ".md" and path.is_file()}
    return {page: sources.key(path, path.read_text(encoding="utf-8")) for page, path in there.items()}


def changed_pages(app, env, added, changed, removed):
    """Read those pages again on which something that they depend on has changed (``env-get-outdated``)."""
    before = getattr(env, "sepbook_keys", {})
    env.sepbook_keys = keys(env, env.found_docs)
    for folder in (Path(app.outdir).resolve().parent / ".jupyter_cache").glob("*"):
        if folder.name not in {page.replace("/", ".") for page in env.sepbook_keys}:
            shutil.rmtree(folder, ignore_errors=True)
    return [page for page, key in env.sepbook_keys.items() if before.get(page) != key and page not in removed]


def config_of(app, page):
    """Return MyST-NB's configuration for one page: its cells are kept by what they depend on."""
    folder = page_folder(app, page) / app.env.sepbook_keys[page]
    folder.mkdir(parents=True, exist_ok=True)
    os.utime(folder)
    forget_old_keys(folder.parent)
    return app.env.mystnb_config.copy(execution_cache_path=str(folder))


def choose_cache(app, page, source):
    """Let MyST-NB look for a page's outputs where they are (``source-read``)."""
    if page in app.env.sepbook_keys:
        app.env.mystnb_config = config_of(app, page)


def forget_old_keys(folder, kept=KEPT_KEYS):
    """Delete all but the ``kept`` most recently used caches in ``folder``."""
    found = sorted((path for path in folder.iterdir() if path.is_dir()), key=lambda p: p.stat().st_mtime)
    for path in found[:-kept]:
        shutil.rmtree(path, ignore_errors=True)


def prepare(app, config):
    """Tell kernels that they run for the book, and where their sounds and pictures go."""
    build = Path(app.outdir).resolve().parent
    if os.environ.get("SEPBOOK_SITE") == "1":  # `make site`: labs run too, and show what they print, draw and play
        config.nb_execution_excludepatterns = []
    config.nb_execution_cache_path = str(build / ".jupyter_cache")  # for files that are no page: each page has its own
    os.environ["SEPBOOK_BOOK"] = "1"
    for kind in ("audio", "figures"):
        folder = build / kind
        folder.mkdir(parents=True, exist_ok=True)
        os.environ[f"SEPBOOK_BOOK_{kind.upper()}"] = str(folder)


def setup(app):
    """Called by ``sepbook_sphinx``."""
    app.connect("config-inited", prepare)
    app.connect("env-get-outdated", changed_pages)
    app.connect("source-read", choose_cache)
