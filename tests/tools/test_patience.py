"""Neither a busy machine nor an old one is a failure: limits in tests are guards, short formats need no AVX-512."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
GUARD = 600  # seconds: no shorter limit
LIMIT = re.compile(r"(?<!wait_for_)\btimeout=([\d_]+)(?![\d_.]*\s*\*)")
FILES = sorted(path for path in (ROOT / "tests").rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(ROOT / "tests").as_posix())
def test_time_limits_are_guards(path):
    found = [int(match[1]) for match in LIMIT.finditer(path.read_text(encoding="utf-8"))]
    assert not [seconds for seconds in found if seconds < GUARD], (
        "wait for an event; a limit only guards against hanging"
    )


def test_limits_of_the_suite_and_of_a_page_are_guards_too():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]["ini_options"]
    page = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["execute"]["timeout"]
    assert settings["timeout"] > GUARD and page >= GUARD


SHORT = "half or bfloat16 or short or autocast or precision or format or kinds_of_numbers"
PLACES = ("building_blocks", "losses", "architectures", "training/test_device.py", "check/building_blocks")


@pytest.mark.slow
def test_short_formats_need_no_processor_of_a_kind():
    """oneDNN refuses an LSTM in bfloat16 where AVX-512 is missing: the tests of short formats pass without it too."""
    environment = os.environ | {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2", "OMP_NUM_THREADS": "1"}
    environment = {name: value for name, value in environment.items() if not name.startswith("PYTEST_")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", SHORT]
    files = [f"tests/{place}" for place in PLACES]
    done = subprocess.run([*command, *files], cwd=ROOT, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout[-3000:]
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) > 20
