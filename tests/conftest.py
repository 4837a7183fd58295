"""What all tests share: where the repository is, one thread where two processes run, no stray randomness."""

import functools
import os
import random
import re
import shutil
import signal
import sys
import threading
from pathlib import Path

import hypothesis
import pytest

# Every run draws the same numbers and examples; with `SEPBOOK_TEST_SEED=1 pytest --hypothesis-seed=1` it draws others.
SEED = os.environ.get("SEPBOOK_TEST_SEED")

# A busy machine is no failure: examples have no deadline.
hypothesis.settings.register_profile("sepbook", deadline=None, derandomize=SEED is None)
hypothesis.settings.load_profile("sepbook")

# Before torch is loaded: threads that spin while they wait slow a busy machine a hundredfold.
os.environ.setdefault("GOMP_SPINCOUNT", "0")
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# What the tests solve is no reader's progress.
os.environ.setdefault("SEPBOOK_PROGRESS", "off")

# A shell starts what runs in the background with ctrl-C switched off, and every process below inherits that.
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:  # nohup does that
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(autouse=True)
def _seeded():
    """Let each test draw the same numbers, alone or among others, and leave no figure open for the next."""
    seed = int(SEED or 0)
    random.seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed)
    if torch := sys.modules.get("torch"):
        # `torch.manual_seed` writes down the whole call for each kind of GPU that is not there: a millisecond a test.
        (torch if torch.accelerator.is_available() else torch.default_generator).manual_seed(seed)
    yield
    if "matplotlib.pyplot" in sys.modules:  # a figure left open is seen by the next test of the same process
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture(scope="session")
def root():
    """The repository's top folder."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def chromium_path():
    """The path of a Chromium: $SEPBOOK_CHROMIUM, one that is installed, or playwright's own."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    path = os.environ.get("SEPBOOK_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if path is None:
        from playwright.sync_api import sync_playwright

        with sync_playwright() as playwright:
            path = playwright.chromium.executable_path
    if not Path(path).exists():
        pytest.fail("These tests need Chromium. Get one with `bash tools/setup.sh browser`.")
    return path


@functools.cache
def parses_pages(file):
    """Whether a file of tests reads the built book by `built_pages.soup`."""
    return re.search(r"^from built_pages import .*\bsoup\b", file.read_text(encoding="utf-8"), re.M) is not None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """`--dist loadfile`, but the contract tests of each system are a group of their own, so that all workers help.

    And the files that parse the built pages are one group: each page is parsed once.
    """
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class ByFileAndSystem(LoadFileScheduling):
        def _split_scope(self, nodeid):
            file, _, test = nodeid.partition("::")
            system = test.partition("[")[2].split("-")[0].rstrip("]")
            if "contracts/" in file:
                return f"{file}[{system}]"
            if "tests/book/" in file and parses_pages(config.rootpath / file):
                return "tests/book: parsed pages"
            return file

    return ByFileAndSystem(config, log)
