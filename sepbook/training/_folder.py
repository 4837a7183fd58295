"""The folder of a run, which one run has at a time, and the signals that ask it to stop."""

import signal
import threading
from contextlib import contextmanager, nullcontext
from pathlib import Path

from sepbook._interrupts import SIGNALS
from sepbook._locking import alone_in
from sepbook.training._distributed import World
from sepbook.training.checkpoint import CheckpointError

LAST, BEST = "last.safetensors", "best.safetensors"


@contextmanager
def claim(folder: str | Path | None, resume: bool, world: World):
    """Keep other runs out of the folder for the length of a `with` block; yield whether there is one to go on with.

    Of several processes only the first holds the folder, for all. Raises CheckpointError when another run is writing
    there, when nothing can be written, and when a new run would overwrite an old one.
    """
    if not folder:
        yield False
        return
    lock = alone_in(folder, CheckpointError) if world.first else nullcontext()
    world.lead(lock.__enter__)
    try:
        yield world.lead(lambda: _look(Path(folder), resume))
    finally:
        lock.__exit__(None, None, None)


def _look(folder: Path, resume: bool) -> bool:
    """Sweep away what a killed run had half written, and say whether there is a run."""
    for stale in folder.glob(".*.safetensors.part"):
        stale.unlink(missing_ok=True)
    there = (folder / LAST).is_file()
    if there and not resume:
        raise CheckpointError(
            f"{folder}: already holds a training run; resume it (resume=True, or --resume on the command line) "
            "or choose another folder"
        )
    return there


@contextmanager
def ask_to_stop():
    """Turn the first ctrl-C, SIGTERM or SIGHUP into a request that the loop sees after its step.

    A second one stops at once. Yields a function that says whether stopping was asked for. Outside the main thread it
    never was.
    """
    asked = []
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return

    def note(signum, frame):
        if asked:
            raise KeyboardInterrupt
        asked.append(signum)

    before = {number: signal.signal(number, note) for number in SIGNALS}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)


@contextmanager
def signals_wait():
    """Keep signals waiting for the length of a `with` block, in which workers are started.

    A worker begins with the mask of its parent. PyTorch lets SIGTERM end a worker until `leave_signals_to_the_loop` has
    run in it, and the loop would take that for an error.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows, which signals no groups
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def leave_signals_to_the_loop(worker: int) -> None:
    """Let a worker go on when a terminal or a scheduler signals the whole group: the loop ends it in time."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)  # what waited is ignored
