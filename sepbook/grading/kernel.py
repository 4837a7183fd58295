"""What Linux can take from a process, without root: files, network, the sight of other processes.

Each function returns whether it worked, so that a report can say which protections there were. Nothing here is needed
for grading to run; elsewhere than on Linux, every answer is no.
"""

import ctypes
import os
import struct
import sys

NEW_USER, NEW_PID, NEW_NET, NEW_IPC = 0x10000000, 0x20000000, 0x40000000, 0x08000000
DEATH_SIGNAL, NO_NEW_PRIVILEGES = 1, 38
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # the same numbers on every processor
# Landlock's rights on files: to write (1), to remove (4, 5), to make (6 … 12), to move (13), to cut short (14).
WRITING = {1: sum(1 << bit for bit in (1, *range(4, 13))), 2: 1 << 13, 3: 1 << 14}
TCP, SCOPES = 0b11, 0b11  # bind and connect; abstract sockets and signals


def _library():
    return ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def end_with_parent() -> bool:
    """Let this process be killed when its parent ends."""
    library = _library()
    return bool(library) and library.prctl(DEATH_SIGNAL, 9, 0, 0, 0) == 0


def alone(*flags: int) -> bool:
    """Move this process into namespaces of its own."""
    library = _library()
    return bool(library) and library.unshare(sum(flags)) == 0


def without_network() -> bool:
    """Leave this process no network at all, not even that of its own machine."""
    return alone(NEW_NET, NEW_IPC) or alone(NEW_USER, NEW_NET, NEW_IPC)


def landlock_version() -> int:
    """Return which edition of Landlock this machine has; 0 for none."""
    library = _library()
    return max(0, library.syscall(CREATE_RULESET, None, 0, 1)) if library else 0


def write_only_below(folders: list[str]) -> int:
    """Let this process and all it starts write, make and remove files below these folders alone.

    From its 4th edition Landlock also refuses TCP, and from its 6th signals to processes outside. Returns the edition;
    0 where nothing was refused.
    """
    version, library = landlock_version(), _library()
    if not version:
        return 0
    rights = sum(bits for since, bits in WRITING.items() if since <= version)
    given = struct.pack("<QQQ", rights, TCP if version >= 4 else 0, SCOPES if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = library.syscall(CREATE_RULESET, given, size, 0)
    if ruleset < 0:
        return 0
    for folder in [*folders, "/dev/null"]:
        place = os.open(folder, os.O_PATH | os.O_CLOEXEC)
        allowed = rights if os.path.isdir(folder) else rights & (1 << 1 | 1 << 14)
        added = library.syscall(ADD_RULE, ruleset, 1, struct.pack("<Qi", allowed, place), 0)
        os.close(place)
        if added:
            return 0
    held = library.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0 and library.syscall(RESTRICT_SELF, ruleset, 0) == 0
    os.close(ruleset)
    return version if held else 0
