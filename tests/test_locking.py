"""Two runs into one folder: the second is told, and whatever is left of a killed one stands in nobody's way."""

import errno
import json
import os
import signal
import subprocess
import sys
import time

import pytest
import torch

from sepbook import architectures, audio
from sepbook._locking import NAME, alone_in
from sepbook.cli import main
from sepbook.training import checkpoint

pytestmark = pytest.mark.slow  # real processes: `make test` runs them, `make check` does not

TINY = {"sample_rate": 8000, "n_fft": 64, "hop": 16, "widths": (4, 4)}
STEMS = ("vocals", "drums", "bass", "other")

HOLD = """
import sys, time
from sepbook._locking import alone_in
with alone_in(sys.argv[1]):
    print("mine", flush=True)
    sys.stdin.readline()
"""

TURNS = """
import os, sys
from sepbook._locking import alone_in

folder, rounds, met = sys.argv[1], 0, 0
print("ready", flush=True)
sys.stdin.readline()
while rounds < 500:
    try:
        with alone_in(folder, BlockingIOError):
            os.close(os.open(folder + "/here", os.O_CREAT | os.O_EXCL))  # fails if anybody else is in here
            os.unlink(folder + "/here")
        rounds += 1
    except BlockingIOError:
        met += 1
print(met)
"""


def start(*words, **pipes):
    return subprocess.Popen([sys.executable, *map(str, words)], text=True, **pipes)


@pytest.fixture
def holder(tmp_path):
    """A process that holds the folder `held`."""
    with start("-c", HOLD, tmp_path / "held", stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == "mine\n"
        yield process
        process.kill()


def test_the_second_is_told_who_and_what_to_do(tmp_path, holder):
    message = rf"held: another run \(process {holder.pid}\) is writing here.*Wait.*another folder"
    for _ in range(2):
        with pytest.raises(ValueError, match=message), alone_in(tmp_path / "held", ValueError):
            pass
    with alone_in(tmp_path / "other"):
        pass
    holder.communicate("done\n", timeout=900)
    with alone_in(tmp_path / "held"):
        assert (tmp_path / "held" / NAME).read_text() == str(os.getpid())
    assert list((tmp_path / "held").iterdir()) == []


def test_what_a_killed_run_leaves_keeps_nobody_out(tmp_path, holder):
    holder.kill()
    holder.wait()
    assert (tmp_path / "held" / NAME).exists()
    with alone_in(tmp_path / "held"):
        pass
    assert list((tmp_path / "held").iterdir()) == []


def test_one_process_may_not_enter_twice_and_an_error_gives_the_folder_back(tmp_path):
    with pytest.raises(KeyboardInterrupt), alone_in(tmp_path):
        with pytest.raises(OSError, match="another run"), alone_in(tmp_path):
            pass
        raise KeyboardInterrupt
    with alone_in(tmp_path):
        pass


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system copies no processes")
def test_a_worker_neither_holds_the_folder_nor_gives_it_back(tmp_path):
    with alone_in(tmp_path):
        worker = os.fork()
        if worker == 0:
            try:
                alone_in(tmp_path).__enter__()
            except OSError:
                os._exit(7)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]) == 7
        assert (tmp_path / NAME).exists()


def test_never_two_at_a_time(tmp_path):
    (tmp_path / "busy").mkdir()
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    processes = [start("-c", TURNS, tmp_path / "busy", **pipes) for _ in range(3)]
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * 3
    for process in processes:
        print("go", file=process.stdin, flush=True)
    answers = [process.communicate(timeout=900)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert sum(map(int, answers)) > 0, "they met"
    assert list((tmp_path / "busy").iterdir()) == []


def test_a_folder_that_cannot_lock_keeps_nobody_out(tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")

    def refuse(*_):
        raise OSError(errno.EOPNOTSUPP, "not supported")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with alone_in(tmp_path), alone_in(tmp_path):
        assert (tmp_path / NAME).exists()


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_a_place_that_cannot_be_written(tmp_path, monkeypatch, code):
    def refuse(*_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("sepbook._locking.os.open", refuse)
    message = rf"no folder that can be written to \({os.strerror(code)}\).*permissions, or choose another place"
    with pytest.raises(ValueError, match=message), alone_in(tmp_path / "new", ValueError):
        pass


def test_a_folder_that_is_removed_meanwhile(tmp_path):
    with alone_in(tmp_path / "gone"):
        (tmp_path / "gone" / NAME).unlink()
        (tmp_path / "gone").rmdir()
    assert not (tmp_path / "gone").exists()


PLANTED = {
    "a link to a file": lambda lock, target: lock.symlink_to(target),
    "a link to nothing": lambda lock, target: lock.symlink_to(target.with_name("made by us")),
    "a link to a folder": lambda lock, target: lock.symlink_to(target.parent),
    "a link to itself": lambda lock, target: lock.symlink_to(lock),
    "a second name of a file": lambda lock, target: os.link(target, lock),
    "a pipe": lambda lock, target: os.mkfifo(lock),
    "a folder": lambda lock, target: lock.mkdir(),
    "a link to a device": lambda lock, target: lock.symlink_to("/dev/null"),
}


@pytest.mark.skipif(os.name == "nt", reason="links and pipes of this kind are Unix's")
@pytest.mark.parametrize("kind", PLANTED)
def test_what_is_planted_in_place_of_the_lock_is_refused_and_stays(tmp_path, kind):
    target = tmp_path / "elsewhere" / "letter.txt"
    target.parent.mkdir()
    target.write_text("mine")
    lock = tmp_path / "run" / NAME
    lock.parent.mkdir()
    PLANTED[kind](lock, target)
    with pytest.raises(ValueError, match=r"run: no folder that can be written to \(.+\)"):
        with alone_in(lock.parent, ValueError):
            pytest.fail("it was taken")
    assert target.read_text() == "mine" and list(target.parent.iterdir()) == [target]
    assert os.path.lexists(lock)


def test_a_lock_that_a_killed_run_left_is_written_anew(tmp_path):
    (tmp_path / NAME).write_text("123456789")
    with alone_in(tmp_path):
        assert (tmp_path / NAME).read_text() == str(os.getpid())


@pytest.mark.skipif(os.name == "nt", reason="links of this kind are Unix's")
def test_a_checkpoint_is_not_written_through_a_link(tmp_path):
    target = tmp_path / "letter.txt"
    target.write_text("mine")
    for planted in (".a.safetensors.part", "a.safetensors"):
        (tmp_path / planted).symlink_to(target)
    checkpoint.save_weights(tmp_path / "a.safetensors", architectures.create("unet", **TINY))
    assert target.read_text() == "mine" and not (tmp_path / "a.safetensors").is_symlink()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.safetensors", "letter.txt"]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder to work in: a long song, stems to learn from, and the weights of a tiny U-Net."""
    monkeypatch.chdir(tmp_path)
    noise = 0.1 * torch.randn(4, 1, 8000, generator=torch.Generator().manual_seed(0))
    audio.save("song.wav", noise[0].repeat(1, 600), 8000)
    for stem, samples in zip(STEMS, noise, strict=True):
        audio.save(f"data/train/tune/{stem}.wav", samples, 8000)
    torch.manual_seed(0)
    checkpoint.save_weights("tiny.safetensors", architectures.create("unet", **TINY))
    return tmp_path


def begin(words, lock):
    """Start the command line in a process of its own, and wait until it has its folder."""
    process = start("-m", "sepbook.cli", *words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 100
    while not (lock.exists() and lock.read_text()) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert process.poll() is None and lock.exists()
    return process


def test_two_trainings_into_one_folder(place, capsys):
    fields = [part for name, value in TINY.items() for part in ("--set", f"{name}={json.dumps(value)}")]
    words = ["train", "unet", "--data", "data", "--batch-size", "1", "--seconds", "0.2", "-q", *fields, "-o", "run"]
    first = begin([*words, "--steps", "100000"], place / "run" / NAME)
    for again in (words, [*words, "--resume"], [*words, "--steps", "100000", "--resume"]):
        assert main(again) == 2
        assert f"run: another run (process {first.pid}) is writing here" in capsys.readouterr().err
    assert first.poll() is None, "the first goes on"
    first.kill()
    first.wait()
    for path in place.glob("run/*.safetensors"):
        path.unlink()
    assert main([*words, "--steps", "1"]) == 0, capsys.readouterr().err
    assert not (place / "run" / NAME).exists()


def test_two_separations_into_one_folder(place, capsys):
    words = ["separate", "song.wav", "--weights", "tiny.safetensors", "-q", "-o", "out", "--chunk-seconds", "2"]
    first = begin(words, place / "out" / NAME)
    for again in (words, [*words, "--overwrite"], [*words, "--format", "flac"]):
        assert main(again) == 2
        assert f"out: another run (process {first.pid}) is writing here" in capsys.readouterr().err
    first.send_signal(signal.SIGINT)
    assert first.wait(60) == 130
    assert list(place.glob("out/*")) == list(place.glob("out/.*")) == []
    second = begin(words, place / "out" / NAME)
    second.kill()
    second.wait()
    assert list(place.glob("out/*.wav")) == []
    audio.save("song.wav", torch.zeros(1, 8000), 8000)
    assert main(words) == 0, capsys.readouterr().err
    assert sorted(path.stem for path in place.glob("out/*.wav")) == sorted(STEMS)
