"""Playwright for a whole session of tests, in a process that other tests copy."""

import os
import signal
import threading
from contextlib import contextmanager

PATIENCE = 60.0  # seconds that the driver may take to end


@contextmanager
def playwright(patience=PATIENCE):
    """Give Playwright for the length of a `with` block. The block ends, whatever becomes of the driver.

    The driver runs until nobody holds the pipe to it. A process that a test copies meanwhile (a worker of a loader, an
    `os.fork`) holds that pipe too, for as long as it lives: so it lets go at once. A driver that hangs is killed.
    """
    from playwright.sync_api import sync_playwright

    manager, held = sync_playwright(), []

    def let_go():
        for pipe in held:
            os.close(pipe)

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=let_go)  # for good: there is no way to take it back
    made = manager.__enter__()
    transport = manager._client._transport
    held.append(transport._output.transport.get_extra_info("pipe").fileno())
    try:
        yield made
    finally:
        held.clear()  # the number may be another file's from now on
        impatient = threading.Timer(patience, os.kill, (transport._proc.pid, signal.SIGKILL))
        impatient.daemon = True
        impatient.start()
        manager.__exit__()
        impatient.cancel()
