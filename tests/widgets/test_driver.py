"""The browser's driver ends with its tests, whatever other tests leave behind."""

import os
import subprocess
import sys
import time

import pytest

RUN = """
import os, signal, sys, time
from tests.chromium import playwright

with playwright(patience=float(sys.argv[2])) as made:
    made.chromium.launch(executable_path=sys.argv[1], args=["--no-sandbox", "--disable-gpu"]).close()
    if sys.argv[3] == "copied" and os.fork() == 0:
        time.sleep(600)
        os._exit(0)
    if sys.argv[3] == "hangs":
        (driver,) = open(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read().split()
        os.kill(int(driver), signal.SIGSTOP)
os.write(1, b"ended")
os.killpg(0, signal.SIGKILL)  # the copy, too
"""


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="children are found by Linux' /proc")
@pytest.mark.parametrize(("how", "patience"), [("copied", 900), ("hangs", 2)])
def test_the_driver_ends_though_it_is(chromium_path, root, how, patience):
    command, started = [sys.executable, "-c", RUN, chromium_path, str(patience), how], time.monotonic()
    done = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, start_new_session=True, timeout=900)
    assert done.stdout == b"ended"
    assert time.monotonic() - started < 500, "before its copy did"
