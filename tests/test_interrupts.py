"""Ctrl-C while a file is read is ctrl-C: it never comes out as a file that is damaged."""

import signal
import threading
import time

import pytest
import torch
from safetensors.torch import save_file

from sepbook._interrupts import SIGNALS, interrupts_wait
from sepbook.architectures import create
from sepbook.architectures._published_spleeter import converted
from sepbook.training import checkpoint

MOMENTS = 120


@pytest.fixture
def interrupt_after():
    """Return interrupt_after(seconds): ctrl-C comes then, between two lines of whatever runs; 0: none comes."""
    if not hasattr(signal, "setitimer"):
        pytest.skip("this system has no such timer")
    handlers = {number: signal.getsignal(number) for number in (*SIGNALS, signal.SIGALRM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
    yield lambda seconds: signal.setitimer(signal.ITIMER_REAL, seconds)
    signal.setitimer(signal.ITIMER_REAL, 0)
    for number, handler in handlers.items():
        signal.signal(number, handler)


def of_ours(folder):
    checkpoint.write(folder / "ours.safetensors", {f"w{i}": torch.randn(30) for i in range(300)}, {})
    return lambda: checkpoint.read(folder / "ours.safetensors")


def of_a_system(folder):
    checkpoint.save_weights(folder / "unet.safetensors", create("unet", "tiny"))
    return lambda: checkpoint.load_weights(folder / "unet.safetensors")


def of_spleeter(folder):
    save_file({f"w{i}": torch.randn(30) for i in range(300)}, folder / "spleeter.safetensors")
    return lambda: converted(folder / "spleeter.safetensors", "2stems")


@pytest.mark.parametrize("prepare", [of_ours, of_a_system, of_spleeter])
def test_at_no_moment_is_it_taken_for_damage(tmp_path, interrupt_after, prepare):
    read = prepare(tmp_path)
    read()
    started = time.perf_counter()
    read()
    seconds, draw, interrupted = time.perf_counter() - started, torch.Generator().manual_seed(0), 0
    for _ in range(MOMENTS):
        try:
            interrupt_after(max(seconds * torch.rand(1, generator=draw).item(), 1e-5))
            read()  # any other error than KeyboardInterrupt fails the test
            interrupt_after(0)
        except KeyboardInterrupt:
            interrupted += 1
    assert interrupted > MOMENTS / 10, "too few came while the file was read"


@pytest.mark.parametrize("number", SIGNALS)
def test_it_waits_and_comes(interrupt_after, number):
    def stop(*_):
        raise KeyboardInterrupt

    signal.signal(number, stop)
    reached = []
    with pytest.raises(KeyboardInterrupt):
        with interrupts_wait():
            signal.raise_signal(number)
            reached.append("the end of the block")
        reached.append("what follows")
    assert reached == ["the end of the block"] and signal.getsignal(number) is stop


def test_it_comes_before_an_error_of_the_block(interrupt_after):
    with pytest.raises(KeyboardInterrupt), interrupts_wait():
        signal.raise_signal(signal.SIGINT)
        raise ValueError("what C code made of it")


def test_a_second_one_does_not_wait(interrupt_after):
    reached = []
    with pytest.raises(KeyboardInterrupt), interrupts_wait():
        signal.raise_signal(signal.SIGINT)
        reached.append("after the first")
        signal.raise_signal(signal.SIGINT)
        reached.append("after the second")
    assert reached == ["after the first"] and signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_one_that_is_ignored_stays_ignored(interrupt_after):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with interrupts_wait():
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_in_another_thread_nothing_changes():
    before, found = signal.getsignal(signal.SIGINT), []

    def work():
        with interrupts_wait():
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [before]
