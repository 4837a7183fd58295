"""What all tests share: where the repository is, one thread where two processes run, no stray randomness."""

import os
from pathlib import Path

import pytest

# Before torch is loaded: threads that spin while they wait slow a busy machine a hundredfold.
os.environ.setdefault("GOMP_SPINCOUNT", "0")
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def root():
    """The repository's top folder."""
    return Path(__file__).resolve().parent.parent
