"""Two processes on two halves of a batch take the step that one process takes on the whole batch."""

import os
import subprocess
import sys

import pytest
import torch

from sepbook._locking import alone_in
from sepbook.training import checkpoint
from tests.systems import register

pytestmark = pytest.mark.slow  # real processes: `make test` runs them, `make check` does not

RUN = """
import os, sys, torch
import pytest
from sepbook import architectures
from sepbook.training import checkpoint
from sepbook.training.loop import TrainConfig, train
from tests.systems import Synthetic, register

torch.set_num_threads(1)
write = checkpoint.write
def written(path, *rest):
    write(path, *rest)
    print("process", os.environ.get("RANK", "0"), "wrote", path.name, flush=True)
checkpoint.write = written
with pytest.MonkeyPatch.context() as patch:
    register(patch)
    torch.manual_seed(0)
    system = architectures.create(sys.argv[3], "small")
    data = Synthetic(system, items=16, samples=4000)
    config = TrainConfig(steps=1, batch_size=int(sys.argv[2]), device="cpu", folder=sys.argv[1], clip_norm=1e9)
    train(system, data, Synthetic(system, items=2, samples=4000, seed=9), config, progress=False)
    print("done", flush=True)
"""


def run(script, folder, batch, name, processes):
    start = [sys.executable]
    if processes > 1:
        start += ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "GOMP_SPINCOUNT": "0", "PYTHONPATH": os.getcwd()}
    arguments = [*start, str(script), str(folder), str(batch), name]
    return subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=240)


def test_two_processes_equal_one_on_the_joined_batch(tmp_path, monkeypatch):
    script = tmp_path / "run.py"
    script.write_text(RUN)
    alone = run(script, tmp_path / "alone", 4, "conditioned", 1)
    assert alone.returncode == 0, alone.stderr[-2000:]
    both = run(script, tmp_path / "both", 2, "conditioned", 2)
    assert both.returncode == 0, both.stderr[-2000:]
    assert both.stdout.count("done") == 2
    assert "process 0 wrote last.safetensors" in both.stdout and "process 1 wrote" not in both.stdout
    register(monkeypatch)
    one, _ = checkpoint.read(tmp_path / "alone" / "last.safetensors")
    two, header = checkpoint.read(tmp_path / "both" / "last.safetensors")
    averages = [key for key in one if key.endswith(".exp_avg")]  # after one step, Adam's is a tenth of the gradient
    assert averages
    for key in averages:
        torch.testing.assert_close(10 * two[key], 10 * one[key], atol=1e-6, rtol=0)
    assert len(header["history"]["losses"]) == 1
    assert sorted(p.name for p in (tmp_path / "both").iterdir()) == ["best.safetensors", "last.safetensors"]


def test_two_processes_are_refused_together_where_another_run_writes(tmp_path):
    script = tmp_path / "run.py"
    script.write_text(RUN)
    with alone_in(tmp_path / "taken"):
        refused = run(script, tmp_path / "taken", 2, "conditioned", 2)
    assert refused.returncode != 0 and "done" not in refused.stdout and "wrote" not in refused.stdout
    assert f"another run (process {os.getpid()}) is writing here" in refused.stderr
