"""The systems that the contract tests run on: every one of the package and of `tests/systems`."""

import pytest
import torch

from sepbook import architectures
from tests.contracts.contract import behaving
from tests.systems import ALL, register


@pytest.fixture
def shelf(monkeypatch):
    """The package's systems and those of `tests/systems`, by name."""
    register(monkeypatch)


@pytest.fixture(params=ALL)
def name(request, shelf):
    """Each system in turn; `--dist loadfile` gives each test file of each system to whoever is free."""
    return request.param


@pytest.fixture
def system(name):
    """A fresh system as tests train it: its preset "tiny" where it has one."""
    torch.manual_seed(0)
    return architectures.create(name, behaving(name))
