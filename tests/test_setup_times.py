"""tools/times.py runs every target, tells the truth about each, and fails when one failed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parent.parent / "tools" / "times.py"
MAKEFILE = """
good:
	@mkdir -p _build/junit
	@echo '<testsuites><testsuite tests="5" failures="0" errors="0" skipped="2"/></testsuites>' > _build/junit/good.xml
bad:
	@mkdir -p _build/junit
	@echo '<testsuites><testsuite tests="4" failures="1" errors="1" skipped="0"/></testsuites>' > _build/junit/bad.xml
	@exit 1
plain:
	@echo plain output
crash:
	@exit 3
sleep:
	@sleep 60
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "Makefile").write_text(MAKEFILE)
    return tmp_path


def run_times(folder, *targets):
    done = subprocess.run([sys.executable, SCRIPT, *targets], cwd=folder, capture_output=True, text=True)
    return done, json.loads((folder / "_build" / "times.json").read_text())


def test_all_targets_run_even_when_one_fails(folder):
    done, record = run_times(folder, "bad", "crash", "good", "plain")
    assert done.returncode == 1
    assert "plain output" in done.stdout
    assert done.stdout.splitlines()[-1] == "6 passed, 3 failed, 2 skipped"
    status = {name: target["status"] != 0 for name, target in record["targets"].items()}
    assert status == {"bad": True, "crash": True, "good": False, "plain": False}


def test_success_is_success(folder):
    done, record = run_times(folder, "good", "plain")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "4 passed, 0 failed, 2 skipped"
    assert all(target["seconds"] >= 0 for target in record["targets"].values())


def test_an_old_report_does_not_hide_a_crash(folder):
    run_times(folder, "good")
    (folder / "Makefile").write_text("good:\n\t@exit 2\n")
    done, _ = run_times(folder, "good")
    assert done.stdout.splitlines()[-1] == "0 passed, 1 failed"


def test_a_target_that_does_not_exist_fails(folder):
    done, _ = run_times(folder, "nothing")
    assert done.returncode == 1 and done.stdout.splitlines()[-1] == "0 passed, 1 failed"


def test_stopped_from_outside_it_still_reports_and_fails(folder):
    process = subprocess.Popen(
        [sys.executable, SCRIPT, "good", "sleep"],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while "make sleep" not in process.stdout.readline():
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGTERM)  # as `timeout` does
    rest, _ = process.communicate(timeout=900)
    assert process.returncode != 0
    assert rest.splitlines()[-1] == "3 passed, 1 failed, 2 skipped"
