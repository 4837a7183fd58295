"""Limits around a student's code: time, memory, files, network, other processes.

`enter` takes from this process, for good, all that exercises do not need, and returns what was taken. The first layer
works on every machine: Python itself refuses (an audit hook). It holds against accidents and plain attacks, not
against machine code. The second one is the system's: limits of resources, and what `kernel` can do on Linux.
"""

import os
import sys
from dataclasses import dataclass

from sepbook.grading import kernel

PYTHON = "Python refuses to write elsewhere, to start programs and to open connections"
MEMORY = "the system limits memory"
TIME = "the system limits processor time"
SIZES = "the system limits the size of files"
FILES = "the system refuses to write, move or remove other files"
SIGNALS = "the system refuses signals to other processes"
NETWORK = "there is no network"
ALONE = "other processes cannot be seen, and all that is started ends with the notebook"
ALL = (PYTHON, MEMORY, TIME, SIZES, FILES, SIGNALS, NETWORK, ALONE)


@dataclass(frozen=True)
class Limits:
    """What one notebook may use."""

    seconds: float = 30.0  # of a processor, for one exercise: its cell, and all its cases
    memory: int = 2048  # MiB beyond what the libraries take
    file: int = 64  # MiB of the largest file
    notebook: float = 300.0  # seconds of a processor for the whole notebook
    patience: float = 10.0  # times as long by the clock, since machines are busy and notebooks may sleep


def enter(limits: Limits, scratch: str) -> list[str]:
    """Give up what exercises do not need. Returns the protections that hold, from `ALL`.

    May fork: the process that goes on is then the only one of its kind that it can see, and its parent waits for it.

    """
    held = []
    if kernel.without_network():
        held.append(NETWORK)
    if kernel.alone(kernel.NEW_PID):
        _go_on_in_child()
        held.append(ALONE)
    kernel.end_with_parent()
    held += _limit_resources(limits)
    version = kernel.write_only_below([scratch])
    held += [FILES] * (version >= 1) + [SIGNALS] * (version >= 6)
    sys.addaudithook(_hook(scratch))
    held.append(PYTHON)
    return [name for name in ALL if name in held]


def _go_on_in_child() -> None:
    """A namespace of processes begins with the next child: let that one go on, and wait for it."""
    child = os.fork()
    if child:
        os.closerange(3, 4096)  # the pipes are the child's
        os.waitpid(child, 0)
        os._exit(0)


def _limit_resources(limits: Limits) -> list[str]:
    try:
        import resource
    except ImportError:  # Windows
        return []
    held = []
    wanted = {
        MEMORY: (resource.RLIMIT_AS, _address_space() + limits.memory * 2**20),
        TIME: (resource.RLIMIT_CPU, int(limits.notebook) + 5),
        SIZES: (resource.RLIMIT_FSIZE, limits.file * 2**20),
        "": (resource.RLIMIT_CORE, 0),
    }
    for name, (what, most) in wanted.items():
        try:
            resource.setrlimit(what, (most, most))
            held.append(name)
        except (OSError, ValueError):  # a lower limit is in force already, or the system has none
            pass
    return held


def _address_space() -> int:
    """Return how many bytes of addresses this process has."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 16 * 2**30  # not known: libraries may take this much


REFUSED = frozenset(
    "os.system os.exec os.fork os.forkpty os.posix_spawn os.spawn os.startfile subprocess.Popen pty.spawn os.kill "
    "os.killpg signal.pthread_kill os.chown os.chflags os.setxattr socket.connect socket.bind socket.sendto "
    "socket.getaddrinfo ctypes.dlsym/handle ctypes.string_at ctypes.call_function gc.get_objects gc.get_referrers "
    "sys.settrace sys.setprofile winreg.OpenKey".split()
)
WRITES = frozenset(
    "os.remove os.rmdir os.rename os.mkdir os.truncate os.chmod os.link os.symlink os.utime shutil.rmtree shutil.move "
    "shutil.copyfile".split()
)
OPENED_TO_WRITE = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def _hook(scratch: str):
    """Return what Python asks before it does something that concerns others."""
    inside = (os.path.realpath(scratch), os.devnull)
    libraries = tuple({os.path.realpath(path) for path in (sys.prefix, sys.base_prefix, *sys.path) if path})
    real, text, path_like = os.path.realpath, os.fsdecode, (str, bytes, os.PathLike)
    refused, writes, writing = REFUSED, WRITES, OPENED_TO_WRITE

    def within(path, places) -> bool:
        return not isinstance(path, path_like) or real(text(path)).startswith(places)

    def hook(event: str, given: tuple) -> None:
        if event == "open":
            path, mode, flags = given
            wrong = (flags or 0) & writing and not within(path, inside)
        elif event in writes:
            wrong = not all(within(path, inside) for path in given[:2])
        elif event == "ctypes.dlopen":
            wrong = not given[0] or not within(given[0], libraries)
        else:
            wrong = event in refused
        if wrong:
            raise PermissionError(f"a graded notebook may not do this: {event}")

    return hook
