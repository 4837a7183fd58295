"""What executed cells see, and when their stored results are still good."""

import hashlib
import os
import shutil
from pathlib import Path

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


def cache_key(root):
    """Return the key of all that an executed cell can depend on besides its own text."""
    return digest([root / "sepbook", root / "results", root / "requirements.txt"])


def forget_old_keys(folder, kept=KEPT_KEYS):
    """Delete all but the ``kept`` most recently used caches in ``folder``."""
    keys = sorted((path for path in folder.iterdir() if path.is_dir()), key=lambda p: p.stat().st_mtime)
    for path in keys[:-kept]:
        shutil.rmtree(path, ignore_errors=True)


def prepare(app, config):
    """Choose the execution cache by content, and tell kernels that they run for the book."""
    root, build = Path(app.srcdir), Path(app.outdir).resolve().parent
    cache = build / ".jupyter_cache" / cache_key(root)
    cache.mkdir(parents=True, exist_ok=True)
    os.utime(cache)
    forget_old_keys(cache.parent)
    config.nb_execution_cache_path = str(cache)

    os.environ["SEPBOOK_BOOK"] = "1"
    for kind in ("audio", "figures"):
        folder = build / kind
        folder.mkdir(parents=True, exist_ok=True)
        os.environ[f"SEPBOOK_BOOK_{kind.upper()}"] = str(folder)
