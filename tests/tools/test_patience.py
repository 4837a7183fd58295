"""A busy machine is no failure: a time limit in a test is a guard against what hangs, and leaves time for ten others."""

import re
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


# oneDNN refuses an LSTM in bfloat16 on processors without AVX-512; autocast on the CPU asks for one.
SHORT = re.compile(r"autocast\(\s*[\"']cpu")


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(ROOT / "tests").as_posix())
def test_no_test_asks_the_processor_for_an_lstm_in_bfloat16(path):
    text = path.read_text(encoding="utf-8")
    for match in SHORT.finditer(text):
        body = text[match.start() : match.start() + 400].split("\n\n")[0]
        assert "lstm" not in body.lower() or "not every processor" in body
