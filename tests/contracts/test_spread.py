"""The contract tests of each system are a group of their own for the workers; all other files stay whole."""

from pathlib import Path
from types import SimpleNamespace

import pytest


@pytest.fixture
def split(request):
    """How `--dist loadfile` groups a test here."""
    pytest.importorskip("xdist")
    plugins = request.config.pluginmanager.get_plugins()
    ours = [p for p in plugins if Path(getattr(p, "__file__", "")).parts[-2:] == ("tests", "conftest.py")]
    make = ours[0].pytest_xdist_make_scheduler
    config = SimpleNamespace(
        getoption=lambda name: "loadfile", getvalue=lambda name: ["popen"], option=SimpleNamespace(), rootpath=None
    )
    return make(config, None)._split_scope


@pytest.mark.parametrize(
    ("test", "group"),
    [
        ("tests/contracts/test_chunks.py::test_chunks[unet]", "tests/contracts/test_chunks.py[unet]"),
        ("tests/contracts/test_forward.py::test_any_length[unet-tiny-16001]", "tests/contracts/test_forward.py[unet]"),
        (
            "tests/contracts/test_forward.py::test_any_length[talkers-tiny-1]",
            "tests/contracts/test_forward.py[talkers]",
        ),
        ("tests/losses/test_waveform.py::test_shapes[unet-3]", "tests/losses/test_waveform.py"),
        ("tests/test_audio.py::test_load", "tests/test_audio.py"),
    ],
)
def test_groups(split, test, group):
    assert split(test) == group
