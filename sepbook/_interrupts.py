"""Ctrl-C that waits for a moment, where it would be taken for something else."""

import signal
import threading
from contextlib import contextmanager

SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


@contextmanager
def interrupts_wait():
    """Let ctrl-C (and SIGTERM, SIGHUP, where they are heard in Python) wait until a short `with` block ends.

    KeyboardInterrupt comes up between any two lines of Python. Where C code has called these lines, it may drop it and
    fail with an error of its own: a file that is whole would be called damaged. A second signal does not wait. Outside
    the main thread none comes up.
    """
    before, came = {}, []
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.getsignal(number) for number in SIGNALS}
        before = {number: action for number, action in before.items() if callable(action)}

    def note(number, frame):
        came.append(number)
        if len(came) > 1:
            before[number](number, frame)

    for number in before:
        signal.signal(number, note)
    try:
        yield
    finally:
        for number, action in before.items():
            signal.signal(number, action)
        for number in came[:1]:
            before[number](number, None)
