"""What a notebook's process may not do, with and without the system's help; what is missing is said."""

import subprocess
import sys

import pytest

from sepbook.grading import kernel
from sepbook.grading.guard import ALL, FILES, MEMORY, NETWORK, PYTHON

CODE = """
import os, sys, tempfile
from sepbook.grading import kernel
from sepbook.grading.guard import Limits, enter
if {bare}:
    kernel.alone = lambda *flags: False
    kernel.without_network = kernel.end_with_parent = lambda: False
    kernel.write_only_below = lambda folders: 0
scratch = tempfile.mkdtemp()
os.chdir(scratch)
print(*enter(Limits(memory=512, file=1), scratch), sep="|")
def tried(name, attempt):
    try:
        attempt()
        print(name, "done")
    except (OSError, MemoryError) as error:
        print(name, type(error).__name__)
import ctypes, shutil, socket, subprocess
tried("write here", lambda: open("a", "w").write("x"))
tried("read", lambda: open(os.devnull.replace("null", "zero"), "rb").read(1))
tried("write", lambda: open("{place}", "w"))
tried("append", lambda: os.open("{place}", os.O_WRONLY | os.O_APPEND))
tried("remove", lambda: os.remove("{place}"))
tried("up", lambda: shutil.rmtree(os.path.join(scratch, "..", os.path.basename(os.path.dirname("{place}")))))
tried("link", lambda: os.symlink("{place}", "b") or open("b", "w"))
tried("program", lambda: subprocess.run(["true"]))
tried("shell", lambda: os.system("true"))
tried("fork", lambda: os.fork())
tried("kill", lambda: os.kill(os.getppid() or 1, 0))
tried("connect", lambda: socket.create_connection(("127.0.0.1", 9), 1))
tried("library", lambda: ctypes.CDLL(None))
tried("memory", lambda: bytearray(2**31))
tried("large", lambda: os.write(os.open("c", os.O_CREAT | os.O_WRONLY), b"x"))
"""


def inside(bare, place):
    code = CODE.format(bare=bare, place=place)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    held, *lines = done.stdout.splitlines()
    return held.split("|"), dict(line.rsplit(" ", 1) for line in lines)


@pytest.mark.parametrize("bare", [False, True], ids=["with the system", "Python alone"])
def test_what_a_notebook_may_do(tmp_path, bare):
    place = tmp_path / "precious"
    place.write_text("precious")
    held, found = inside(bare, place)
    assert PYTHON in held and set(held) <= set(ALL)
    allowed = {name for name, outcome in found.items() if outcome == "done"}
    assert allowed - {"memory"} == {"write here", "read", "large"}
    assert place.read_text() == "precious"
    assert (found["memory"] == "MemoryError") == (MEMORY in held)
    if bare:
        assert FILES not in held and NETWORK not in held


@pytest.mark.skipif(not kernel.landlock_version(), reason="this machine has no Landlock")
def test_what_python_does_not_see_the_system_refuses(tmp_path):
    place = tmp_path / "precious"
    place.write_text("precious")
    code = (
        "import ctypes, tempfile; from sepbook.grading import kernel\n"
        f"assert kernel.write_only_below([tempfile.mkdtemp()]); place = {str(place)!r}.encode()\n"
        "library = ctypes.CDLL(None); print(library.unlink(place), library.truncate(place, 0))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["-1", "-1"] and place.read_text() == "precious"
