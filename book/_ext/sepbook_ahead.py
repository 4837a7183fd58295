"""Runs the cells of several pages side by side before Sphinx reads them one after the other.

What runs through is in the execution cache when Sphinx comes to it. What fails is not, so Sphinx runs it once more and
reports the error as it always does.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest.mock import patch

import sepbook_stamp
from sepbook_execution import config_of
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


def run(path, env, config):
    """Execute one page, unless its results are in the cache that its configuration names."""
    from myst_nb.core.execute import create_client
    from myst_nb.core.read import create_nb_reader

    text = Path(path).read_text(encoding="utf-8")
    reader = create_nb_reader(path, env.myst_config, config, text)
    if reader is None:
        return
    try:
        with create_client(reader.read(text), path, config, Calm(path), reader.read_fmt):
            sepbook_stamp.write(config.execution_cache_path, text)
    except Exception as error:
        logger.info("%s did not run ahead: %s", path, type(error).__name__)


def run_ahead(app, env, docnames):
    """Execute the pages among ``docnames``, as many at a time as there are cores, up to four."""
    if env.mystnb_config.execution_mode != "cache":
        return
    at_once = min(4, os.cpu_count() or 1)
    pages = [(env.doc2path(page), config_of(app, page)) for page in docnames if page in env.sepbook_keys]
    # Kernels side by side would take each other's cores.
    with patch.dict(os.environ, OMP_NUM_THREADS="1"), ThreadPoolExecutor(at_once) as pool:
        list(pool.map(lambda page: run(page[0], env, page[1]), pages))


def setup(app):
    """Called by our extension."""
    app.connect("env-before-read-docs", run_ahead)
