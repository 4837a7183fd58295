"""Training cannot lose work: real processes are stopped at random moments and inside the writing of a checkpoint.

One process imports torch, once, and then makes a copy of itself for each run. So a run starts in a moment, and a
kill costs little more than the work that it interrupts.
"""

import json
import os
import subprocess
import sys
from itertools import product

import pytest
import torch

from sepbook.training import checkpoint

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system copies no processes"),
]

MOMENTS = 10  # random ones, for each signal and number of workers
POINTS = ("half a write", "before fsync", "after fsync", "before replace", "after replace")

# Reads one JSON line per run and answers how it ended: 0, or minus the number of the signal that killed it.
HOST = """
import json, os, signal, sys, time, torch
from torch.utils.data._utils import signal_handling
from sepbook.architectures import create
from sepbook.training import checkpoint
from sepbook.training.loop import TrainConfig, train
from tests.systems import Synthetic

def train_in(folder, workers):
    torch.set_num_threads(1)
    torch.manual_seed(0)
    system = create("unet", widths=(4, 8), dropout=0.5)  # dropout draws random numbers: they must go on too
    data, valid = (Synthetic(system, items, samples=2000, seed=items) for items in (6, 2))
    config = TrainConfig(steps=40, batch_size=2, device="cpu", folder=folder, resume=True, save_every=1,
                         workers=workers)
    train(system, data, valid, config, progress=False)

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def die_while_writing(point, number):
    # in the write with this number, at a point of `checkpoint.write`
    calls = [0]
    when, name = point.split()[0], point.split()[-1]
    real = {"write": open, "fsync": os.fsync, "replace": os.replace}[name]
    def deadly(*arguments):
        calls[0] += 1
        if calls[0] < number:
            return real(*arguments)
        if when == "after":
            real(*arguments)
        if when != "half":
            die()
        class File:
            def __enter__(self): return self
            def __exit__(self, *_): pass
            def write(self, data):
                with real(*arguments) as file:
                    file.write(data[: len(data) // 2])
                die()
        return File()
    if name == "write":
        checkpoint.open = deadly
    else:
        setattr(os, name, deadly)

def signal_while_workers_start(number):
    # to the whole group, when the first worker is there and PyTorch lets signals end it
    real, parent = signal_handling._set_worker_signal_handlers, os.getpid()
    def slow():
        real()
        os.killpg(parent, number)
        time.sleep(0.2)
    signal_handling._set_worker_signal_handlers = slow

def child(folder, workers, point, number, **_):
    status = 1
    try:
        os.setsid()  # a terminal sends ctrl-C to the workers as well, and a scheduler SIGTERM
        if point == "workers start":
            signal_while_workers_start(number)
            point = ""
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if point:
            die_while_writing(point, number)
        train_in(folder, workers)
        status = 0
    except KeyboardInterrupt:
        status = 130
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(status)

torch.optim.Adam([torch.zeros(1)])  # the first one imports much, for seconds
for line in sys.stdin:
    ask = json.loads(line)
    started, job = time.monotonic(), os.fork()
    if job == 0:
        child(**ask)
    if ask["signal"]:
        time.sleep(ask["after"])
        try:
            (os.kill if ask["signal"] == signal.SIGKILL else os.killpg)(job, ask["signal"])
        except ProcessLookupError:  # it has no group of its own yet
            os.kill(job, ask["signal"])
    status = os.waitstatus_to_exitcode(os.waitpid(job, 0)[1])
    print(json.dumps([status, time.monotonic() - started]), flush=True)
"""


@pytest.fixture(scope="module")
def run(root):
    """Return run(folder, workers, …): train in a process of its own; how it ended, and after how many seconds."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "GOMP_SPINCOUNT": "0", "PYTHONPATH": str(root)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", HOST], **pipes, env=environment) as host:

        def ask(folder, workers=0, signal=0, after=0.0, point="", number=0):
            words = {"folder": str(folder), "workers": workers, "signal": signal, "after": after}
            print(json.dumps({**words, "point": point, "number": number}), file=host.stdin, flush=True)
            return json.loads(host.stdout.readline())

        yield ask
        host.stdin.close()


@pytest.fixture(scope="module")
def whole(run, tmp_path_factory):
    """The folder of a run that nobody disturbed."""
    folder = tmp_path_factory.mktemp("kill") / "whole"
    assert run(folder)[0] == 0
    return folder


def assert_same_run(folder, whole):
    assert sorted(path.name for path in folder.iterdir()) == ["best.safetensors", "last.safetensors"]
    for name in ("best.safetensors", "last.safetensors"):
        (found, about), (expected, about_whole) = checkpoint.read(folder / name), checkpoint.read(whole / name)
        assert found.keys() == expected.keys() and all(torch.equal(found[key], expected[key]) for key in found)
    for key in ("losses", "best_step", "best_score"):
        assert about["history"][key] == about_whole["history"][key]
    assert steps(folder) == 40


def steps(folder):
    path = folder / "last.safetensors"
    return len(checkpoint.read(path)[1]["history"]["losses"]) if path.exists() else 0


@pytest.mark.parametrize(
    ("workers", "signal"),
    [(0, 9), (2, 9), (0, 2), (2, 15)],
    ids=["kill -9, 0", "kill -9, 2", "ctrl-C, 0", "SIGTERM, 2"],
)
def test_stopped_at_any_moment_and_resumed_bit_for_bit(tmp_path, run, whole, workers, signal):
    _, seconds = run(tmp_path / "measured", workers)
    moment = torch.Generator().manual_seed(workers + signal)
    stopped, folder, at = 0, tmp_path / "0", set()
    while stopped < MOMENTS or len(at) < 4:  # in at least four different steps, however busy the machine is
        after = (0.4 + 0.02 * stopped) * seconds * torch.rand(1, generator=moment).item()
        status, _ = run(folder, workers, signal, after)
        assert status in (0, 130, -signal), "it ended by itself, by an error"
        stopped += 1
        at.add(steps(folder))
        if steps(folder) == 40:
            assert run(folder, workers)[0] == 0
            assert_same_run(folder, whole)
            folder = tmp_path / str(stopped)
    assert run(folder, workers)[0] == 0
    assert_same_run(folder, whole)


def test_killed_while_a_checkpoint_is_written(tmp_path, run, whole):
    for number, point in product((3, 4), POINTS):  # every third step writes best.safetensors first
        assert run(tmp_path / "run", point=point, number=number)[0] == -9
        assert run(tmp_path / "run", point=point, number=1)[0] == -9
    assert run(tmp_path / "run")[0] == 0
    assert_same_run(tmp_path / "run", whole)


@pytest.mark.parametrize("number", [2, 15], ids=["ctrl-C", "SIGTERM"])
def test_a_signal_while_the_workers_start_is_heard_by_the_loop_alone(tmp_path, run, number):
    status, _ = run(tmp_path / "run", workers=1, point="workers start", number=number)
    assert status == 0 and steps(tmp_path / "run") == 1, "stopped after its first step"
