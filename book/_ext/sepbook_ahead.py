"""Runs the cells of several pages side by side before Sphinx reads them one after the other.

What runs through is in the execution cache when Sphinx comes to it. What fails is not, so Sphinx runs it once more and
reports the error as it always does.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest.mock import patch

from sphinx.util import logging

logger = logging.getLogger(__name__)


class Calm:
    """Passes on what runs; of what fails, Sphinx speaks when it reads the page."""

    def __init__(self, path):
        self.path = path

    def info(self, message, **kwargs):
        """Say which page runs, and how long it took."""
        if message.startswith("Execut"):
            logger.info("%s: %s", self.path, message)

    def warning(self, *args, **kwargs):
        """Leave it to Sphinx."""


def run(path, env):
    """Execute one page, unless its results are in the cache."""
    from myst_nb.core.execute import create_client
    from myst_nb.core.read import create_nb_reader

    text = Path(path).read_text(encoding="utf-8")
    reader = create_nb_reader(path, env.myst_config, env.mystnb_config, text)
    if reader is None:
        return
    try:
        with create_client(reader.read(text), path, env.mystnb_config, Calm(path), reader.read_fmt):
            pass
    except Exception as error:
        logger.info("%s did not run ahead: %s", path, type(error).__name__)


def run_ahead(app, env, docnames):
    """Execute the pages among ``docnames``, as many at a time as there are cores, up to four."""
    if env.mystnb_config.execution_mode != "cache":
        return
    from jupyter_cache import get_cache

    at_once = min(4, os.cpu_count() or 1)
    get_cache(env.mystnb_config.execution_cache_path).list_cache_records()  # its tables are made once, not by each page
    paths = [path for path in map(env.doc2path, docnames) if path.endswith(".md")]
    # Kernels side by side would take each other's cores.
    with patch.dict(os.environ, OMP_NUM_THREADS="1"), ThreadPoolExecutor(at_once) as pool:
        list(pool.map(lambda path: run(path, env), paths))


def setup(app):
    """Called by our extension."""
    app.connect("env-before-read-docs", run_ahead)
