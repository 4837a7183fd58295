"""How a command ends early: by a signal, or because nobody reads on."""

import os
import signal
import sys
import threading
from contextlib import contextmanager, suppress

ASKS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
CLOSED = 141  # what a shell reports of programs whose reader has gone: 128 + SIGPIPE


@contextmanager
def tidy():
    """Let SIGTERM and SIGHUP stop a `with` block as ctrl-C does, so that it tidies up; yield the signals that came.

    A signal that was ignored before (nohup) stays ignored, and processes that are made meanwhile just end.
    """
    came, owner = [], os.getpid()

    def stop(number, _):
        if os.getpid() != owner:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        came.append(number)
        raise KeyboardInterrupt

    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.getsignal(number) for number in ASKS}
        before = {number: action for number, action in before.items() if action == signal.SIG_DFL}
    for number in before:
        signal.signal(number, stop)
    try:
        yield came
    finally:
        for number, action in before.items():
            signal.signal(number, action)


def nobody_reads() -> bool:
    """Tell whether the reader of our output has gone, as after `| head -1`; if so, write to nowhere from now on."""
    gone = False
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            gone = True
            with suppress(OSError, ValueError, AttributeError):  # a stream without a file
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        except (OSError, ValueError, AttributeError):
            pass
    return gone
