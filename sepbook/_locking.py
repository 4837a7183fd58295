"""One writer to a folder: a second run into the same place is told, instead of mixing its files with ours.

The lock belongs to the operating system. It goes with the process that holds it, however that ends, so the
lock file that a killed run leaves behind keeps nobody out.
"""

import errno
import os
import stat
from contextlib import contextmanager, suppress
from pathlib import Path

NAME = ".sepbook.lock"
TAKEN = (errno.EAGAIN, errno.EACCES, errno.EDEADLK)
PLAIN = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)  # no link, no waiting
BEYOND = 1 << 20  # Windows locks bytes, and then nobody else may read them: one that is never written

_held: set[int] = set()  # the lock files that this process has open


@contextmanager
def alone_in(folder, error=OSError):
    """Make a folder where it is missing, and keep other runs out of it for the length of a `with` block.

    Raises `error` where another run is writing there, or where nothing can be written. Some network folders
    cannot lock: there nobody is kept out.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = _take(folder / NAME)
    except BlockingIOError as taken:
        raise error(
            f"{folder}: another run{taken.strerror} is writing here at this moment. "
            "Wait until it is done, stop it, or choose another folder."
        ) from None
    except (OSError, ValueError) as refused:
        reason = "this is a file" if folder.is_file() else getattr(refused, "strerror", None) or refused
        if getattr(refused, "errno", None) == errno.ELOOP and (folder / NAME).is_symlink():
            reason = f"its {NAME} is a link: remove it"
        raise error(
            f"{folder}: no folder that can be written to ({reason}). Check the permissions, or choose another place."
        ) from None
    try:
        yield
    finally:
        _give_back(folder / NAME, lock)


def _take(path) -> int:
    """Open a lock file and lock it. Raises BlockingIOError when another process has it."""
    while True:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | PLAIN, 0o666)
        _held.add(lock)
        if not _is_ours(lock):
            _close(lock)
            raise OSError(errno.EINVAL, f"its {NAME} is a link or no file: remove it")
        try:
            _lock(lock)
            if _is_still_there(path, lock):
                os.ftruncate(lock, 0)
                os.write(lock, str(os.getpid()).encode())
                return lock
        except BlockingIOError:
            _close(lock)
            raise
        except BaseException:
            _give_back(path, lock)
            raise
        _close(lock)  # its owner removed the file just before: once more, with a new one


def _is_ours(lock) -> bool:
    """Tell whether the lock is a plain file of one name: else somebody has put it there for us to write to."""
    about = os.fstat(lock)
    return stat.S_ISREG(about.st_mode) and about.st_nlink <= 1


def _lock(lock) -> None:
    try:
        if os.name == "nt":
            import msvcrt

            os.lseek(lock, BEYOND, os.SEEK_SET)
            msvcrt.locking(lock, msvcrt.LK_NBLCK, 1)
            os.lseek(lock, 0, os.SEEK_SET)
        else:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in TAKEN:
            owner = os.pread(lock, 20, 0).decode(errors="replace") if hasattr(os, "pread") else ""
            raise BlockingIOError(errno.EAGAIN, f" (process {owner})" if owner.isdigit() else "") from None


def _give_back(path, lock) -> None:
    """Remove the lock file and let go of it. A copy of this process has nothing to give back."""
    if lock not in _held:
        return
    if os.name == "nt":  # where no open file can be removed
        _close(lock)
    with suppress(OSError):  # the folder may be gone, or another run may have the file by now
        if os.name == "nt" or _is_still_there(path, lock):
            path.unlink()
    if lock in _held:
        _close(lock)


def _is_still_there(path, lock) -> bool:
    try:
        return os.path.samestat(os.lstat(path), os.fstat(lock))
    except FileNotFoundError:
        return False


def _close(lock) -> None:
    _held.discard(lock)
    os.close(lock)


def _close_all() -> None:
    for lock in list(_held):
        _close(lock)


if hasattr(os, "register_at_fork"):  # workers that prepare batches may outlive a killed run for seconds
    os.register_at_fork(after_in_child=_close_all)
