"""An hour of sound takes no more memory than six minutes, can be stopped, and comes out the same in any chunks."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from sepbook import architectures, audio, shapes
from sepbook.data import corpus
from sepbook.evaluation._level import measure
from sepbook.evaluation.separation import EDGE, chunk_sizes, separate
from sepbook.training import checkpoint

pytestmark = pytest.mark.slow  # real processes: `make test` runs them, `make check` does not

RATE = 8000  # of the files; the system works at half of it, so that both ways of resampling are part of the test
GROWTH = 24  # MB that an hour may take more than six minutes; one stem of the hour alone has 115

HOUR = """
import json, re, sys, torch
from sepbook import _bars, audio
sys.path.insert(0, sys.argv[1])
from test_separation_file import Smooth
from sepbook.evaluation import separation


class Half(Smooth):
    sample_rate = 4000

def peak():
    status = open("/proc/self/status").read()
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]) / 1000

torch.set_num_threads(1)
_bars.AFTER = 0  # seconds: a fast machine shows it too
folder = sys.argv[2]
for minutes in (6, 60):
    with audio.Writer(f"{folder}/{minutes}.wav", 8000, 1) as song:
        for minute in range(minutes):
            generator = torch.Generator().manual_seed(minute)
            song.write(torch.rand(1, 60 * 8000, generator=generator) - 0.5)
    stems = separation.separate_file(Half(), f"{folder}/{minutes}.wav", f"{folder}/{minutes}", chunk_seconds=30)
    frames = [audio.info(path).frames for path in stems.values()]
    print(json.dumps({"peak": peak(), "frames": frames}), flush=True)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells the peak memory of a process")
def test_an_hour_takes_no_more_memory_than_six_minutes(tmp_path):
    command = [sys.executable, "-c", HOUR, str(Path(__file__).parent), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-2000:]
    short, long = map(json.loads, done.stdout.splitlines())
    assert short["frames"] == [6 * 60 * RATE] * 2 and long["frames"] == [60 * 60 * RATE] * 2
    assert long["peak"] - short["peak"] < GROWTH
    assert "Separating" in done.stderr, "it shows how far it is"


def test_the_shipped_unet_gives_the_same_in_any_chunks_that_leave_it_its_context():
    """What is thrown away at each edge must be longer than half the receptive field; the page of the U-Net says so."""
    system = checkpoint.shipped("unet")
    field = max(row.receptive_field or 0 for row in shapes.trace(system, torch.zeros(1, 1, RATE * 2)).rows)
    mixture = torch.cat([track.mixture() for track in corpus.songs("test")[:2]], dim=1)  # (C, N)
    level = measure(system, [mixture])  # that `separate` gives to the song
    with torch.no_grad():
        whole = level.undo(system(level.apply(mixture)[None])[0])
    default = separate(system, mixture, 16_000)
    torch.testing.assert_close(default, whole, atol=1e-4, rtol=0)
    for seconds, overlap in ((13.0, 0.5), (25.0, 0.25)):
        length, hop = chunk_sizes(system, seconds, overlap)
        assert EDGE * (length - hop) > field / 2 and length < mixture.shape[1]
        found = separate(system, mixture, 16_000, seconds, overlap)
        torch.testing.assert_close(found, whole, atol=1e-4, rtol=0)
    hasty = separate(system, mixture, 16_000, 4.0, 0.1)
    assert (hasty - whole).abs().max() > 1e-2, "shorter edges show"


def test_an_hour_can_be_stopped_on_the_way(tmp_path):
    """Ctrl-C in a real process: it ends soon, says so, and leaves neither stems nor halves of them."""
    torch.manual_seed(0)
    tiny = architectures.create("unet", sample_rate=RATE, n_fft=64, hop=16, widths=(4, 4))
    checkpoint.save_weights(tmp_path / "tiny.safetensors", tiny)
    with audio.Writer(tmp_path / "hour.flac", RATE, 1) as song:
        for _ in range(60):
            song.write(torch.zeros(1, 60 * RATE))
    words = ["separate", "hour.flac", "--weights", "tiny.safetensors", "--chunk-seconds", "5"]
    command, pipes = [sys.executable, "-m", "sepbook.cli", *words], {"stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=tmp_path, **pipes) as process:
        while process.poll() is None and not any(p.stat().st_size > 500_000 for p in tmp_path.glob("stems/.*.part")):
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        asked = time.monotonic()
        errors = process.communicate(timeout=900)[1]
    assert process.returncode == 130 and "stopped. No half-written file is left." in errors
    assert time.monotonic() - asked < 30
    assert list((tmp_path / "stems").iterdir()) == []
