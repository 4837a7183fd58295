"""Two real processes: they take the steps that one takes, agree on everything, and none waits for a dead one.

Starting processes costs seconds, so one pair goes through all that can be told from the inside, and writes it down.
"""

import json
import os
import socket
import subprocess
import sys

import pytest
import torch

from sepbook._locking import alone_in
from sepbook.architectures import create
from sepbook.training import _distributed
from sepbook.training._distributed import World
from sepbook.training.checkpoint import CheckpointError
from sepbook.training.loop import TrainConfig, TrainingError, train
from tests.systems import Synthetic
from tests.systems.conditioned import Conditioned
from tests.systems.conditioned import Config as ConditionedConfig

slow = pytest.mark.slow  # real processes: `make test` runs them, `make check` does not

INSIDE = """
import json, os, signal, sys
from pathlib import Path
import torch
from sepbook.architectures import create
from sepbook.training import checkpoint
from sepbook.training.loop import TrainConfig, train
from tests.systems import Synthetic, Talkers, TalkersConfig
from tests.training.test_distributed import Doubled, conditioned, shuffled

torch.set_num_threads(1)
rank, folder, found = int(os.environ.get("RANK", 0)), Path(sys.argv[1]), {}
write = checkpoint.write
checkpoint.write = lambda path, *rest: (found.setdefault("wrote", []).append(path.name), write(path, *rest))[0]

def config(**fields):
    return TrainConfig(**{"steps": 6, "batch_size": 2, "device": "cpu", **fields})

def state(system):
    return {key: value.tolist() for key, value in system.state_dict().items()}

def unet(seed=rank):  # weights differ before, masks of dropout during training
    torch.manual_seed(seed)
    return create("unet", widths=(4, 8), dropout=0.5)

# 1. Twenty steps in float64, without dropout and batch norm
system = conditioned()
history = train(system, shuffled(system), None, config(steps=20), progress=False)
found["double"], found["losses"] = state(system), history.losses
found["terms"] = system.told

# 2. With both, in float32: stops early; goes on nowhere; the same run, stopped by ctrl-C in one process, goes on
class Watched(type(unet())):
    seen = ()
    def loss(self, mixture, sources, **labels):
        if self.training:
            self.seen = [*self.seen, torch.rand(1).item()]
        return super().loss(mixture, sources)

def watched():
    system = Watched(unet().config)
    system.load_state_dict(unet().state_dict())
    return system

class Stops(Synthetic):
    def __getitem__(self, i):
        if i == 14:  # the second process's, in the fourth step
            os.kill(os.getpid(), signal.SIGTERM)
        return super().__getitem__(i)

def items(kind=Synthetic, count=8, seed=0):
    return kind(unet(), items=count, samples=2000, seed=seed)

valid = items(count=2, seed=9)
patient = {"steps": 200, "patience": 2, "learning_rate": 1e-30, "save_every": 1}
for name, place in (("whole", None), ("early", folder / "early")):
    system = watched()
    history = train(system, items(), valid, config(**patient, folder=place), progress=False)
    found[name] = [state(system), history.best_step, history.steps, history.stopped, history.rows, system.seen]
system = watched()
history = train(system, items(), valid, config(**patient, folder=folder / "early", resume=True), progress=False)
found["early again"] = [state(system), history.best_step, history.steps, history.stopped, system.seen]
moving = {"steps": 8, "learning_rate": 0.01, "save_every": 1, "folder": str(folder / "moving")}
system = watched()
train(system, items(), valid, config(**{**moving, "folder": None}), progress=False)
found["moving"] = state(system)
history = train(watched(), items(Stops), valid, config(**moving), progress=False)
found["stopped"] = [history.stopped, history.steps]
system = watched()
train(system, items(), valid, config(**moving, resume=True), progress=False)
found["resumed"] = state(system)

# 3. A run of one process is no run of two
def refused(action):
    try:
        action()
    except Exception as error:
        return f"{type(error).__name__}: {error}"

found["other size"] = refused(lambda: train(
    unet(), items(), valid, config(**{**moving, "folder": str(folder / "one"), "resume": True}), progress=False))
found["taken"] = refused(lambda: train(unet(), items(), None, config(folder=folder / "taken"), progress=False))

# 4. A weight that nobody uses, and another one in each step
class Idle(Talkers):
    def __init__(self, config):
        super().__init__(config)
        self.idle = torch.nn.Linear(2, 2)
        self.turns = torch.nn.ParameterList([torch.nn.Parameter(torch.zeros(())) for _ in range(3)])
        self.calls = 0
    def loss(self, mixture, sources, **labels):
        self.calls += 1
        own = self.turns[(self.calls + rank) % 3]
        return {"loss": super().loss(mixture, sources)["loss"] + own, f"turn {rank}": own.detach() + 1}

torch.manual_seed(0)
system = Idle(TalkersConfig())
history = train(system, Synthetic(system, items=8, samples=800), None, config(), progress=False)
found["idle"] = [state(system), sorted(history.rows[-1])]

# 5. NaN in one process: both stop, with the weights of the step before
class Poisoned(Synthetic):
    def __getitem__(self, i):
        item = super().__getitem__(i)
        return {**item, "mixture": item["mixture"] * float("nan")} if i == 10 else item

system = unet()
found["nan"] = refused(lambda: train(system, items(Poisoned), valid, config(), progress=False))
found["finite"] = all(value.isfinite().all().item() for value in system.state_dict().values())
(folder / f"{rank}.json").write_text(json.dumps(found))
"""


class Doubled(Synthetic):
    """The same items in float64, for a shuffled data set."""

    endless = False

    def __getitem__(self, i):
        return {key: value.double() for key, value in super().__getitem__(i).items()}


class Told(Conditioned):
    """Writes down what it is told at the end of each epoch."""

    told = ()

    def epoch_end(self, terms):
        super().epoch_end(terms)
        self.told = [*self.told, terms]


def conditioned():
    torch.manual_seed(0)
    return Told(ConditionedConfig()).double()


def shuffled(system):
    return Doubled(system, items=24, samples=800)


def environment(**more):
    root = os.getcwd()
    return {**os.environ, "OMP_NUM_THREADS": "1", "GOMP_SPINCOUNT": "0", "PYTHONPATH": root, **more}


def launch(*arguments, options=("--standalone",), processes=2):
    """Start torchrun; its output goes to pipes."""
    start = [sys.executable, "-m", "torch.distributed.run", *options, "--nproc-per-node", str(processes)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([*start, *map(str, arguments)], env=environment(), **pipes)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """What two processes wrote down."""
    folder = tmp_path_factory.mktemp("pair")
    (folder / "run.py").write_text(INSIDE)
    fields = {"steps": 2, "learning_rate": 0.01, "save_every": 1, "batch_size": 2, "device": "cpu"}
    torch.manual_seed(0)
    system = create("unet", widths=(4, 8), dropout=0.5)
    data, valid = (Synthetic(system, items=n, samples=2000, seed=s) for n, s in ((8, 0), (2, 9)))
    train(system, data, valid, TrainConfig(**fields, folder=folder / "one"), progress=False)
    with alone_in(folder / "taken"):
        job = launch(folder / "run.py", folder)
        _, errors = job.communicate(timeout=900)
    assert job.returncode == 0, errors[-3000:]
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(2)]


@slow
def test_twenty_steps_of_two_equal_those_of_one(pair):
    system = conditioned()
    config = TrainConfig(steps=20, batch_size=4, device="cpu")
    history = train(system, shuffled(system), None, config, progress=False)
    for found in pair:
        for key, value in system.state_dict().items():
            torch.testing.assert_close(
                torch.tensor(found["double"][key], dtype=torch.float64), value, atol=1e-6, rtol=0
            )
        assert found["losses"] == pytest.approx(history.losses, abs=1e-6), "the loss of a step is the mean of all"
        for told, terms in zip(found["terms"], system.told, strict=True):
            assert told == pytest.approx(terms, abs=1e-6), "and so are the terms of an epoch"


@slow
def test_two_agree_on_everything(pair):
    one, two = pair
    for name in ("double", "losses", "terms", "moving", "resumed", "stopped", "idle"):
        assert one[name] == two[name], name
    assert one["whole"][:5] == two["whole"][:5]
    assert one["whole"][1:4] == [4, 8, "early stopping"] or one["whole"][3] == "early stopping"
    assert not set(one["whole"][5]) & set(two["whole"][5]), "each draws random numbers of its own"
    for found in pair:
        assert found["early"][0] == found["whole"][0]
        assert found["early again"] == [*found["early"][:4], []], "what has stopped early stays stopped"
        assert found["stopped"] == ["interrupted", 4]
        assert found["resumed"] == found["moving"], "with the random numbers that each process was at"
    assert {"last.safetensors", "best.safetensors"} == set(one["wrote"]) and "wrote" not in two


@slow
def test_two_are_refused_together(pair):
    one, two = pair
    for found in pair:
        assert "started with processes=1, but now processes=2" in found["other size"]
    assert "CheckpointError" in one["taken"] and f"another run (process {os.getpid()}) is writing here" in one["taken"]
    assert "TrainingError: the first process had to stop: CheckpointError" in two["taken"]
    assert one["idle"][1].count("turn 0") == one["idle"][1].count("turn 1") == 1
    assert "the loss is" in one["nan"] and "step 2" in one["nan"] and "in another process" in two["nan"] + one["nan"]
    assert "item 10 (mixture)" in one["nan"] + two["nan"]
    assert one["finite"] and two["finite"]


DIES = """
import os, sys, time, torch
from sepbook.architectures import create
from sepbook.training.loop import TrainConfig, train
from tests.systems import Synthetic

torch.set_num_threads(1)
rank, how = int(os.environ["RANK"]), sys.argv[1]

class Dies(Synthetic):
    def __getitem__(self, i):
        if rank == 1 and i >= 9:
            if how == "raises":
                raise OSError("the cable is out")
            os._exit(3)
        return super().__getitem__(i)

torch.manual_seed(0)
system = create("unet", widths=(4, 8))
train(system, Dies(system, items=4, samples=2000), None, TrainConfig(batch_size=2, device="cpu"), progress=False)
"""


def free_port():
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return place.getsockname()[1]


@slow
@pytest.mark.parametrize("how", ["raises", "dies"])
def test_nobody_waits_for_a_dead_process(tmp_path, how):
    """Started by hand: no launcher is there to end the one that is left."""
    (tmp_path / "run.py").write_text(DIES)
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    jobs = [
        subprocess.Popen(
            [sys.executable, str(tmp_path / "run.py"), how],
            env=environment(**shared, RANK=str(rank), LOCAL_RANK=str(rank)),
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        errors = [job.communicate(timeout=900)[1] for job in jobs]
    finally:
        for job in jobs:
            job.kill()
    assert jobs[1].returncode == (1 if how == "raises" else 3)
    assert jobs[0].returncode == 1 and "Error" in errors[0]
    if how == "raises":
        assert "OSError: the cable is out" in errors[1]


MEETS = """
import json, os, sys
from pathlib import Path
import torch
from sepbook.training.loop import TrainConfig, train
from tests.training.test_distributed import conditioned, shuffled

torch.set_num_threads(1)
system, asked = conditioned(), int(sys.argv[2])
train(system, shuffled(system), None, TrainConfig(steps=asked, batch_size=2, device="cpu"), progress=False)
where = {name: os.environ[name] for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE", "GROUP_RANK")}
Path(sys.argv[1], where["RANK"]).write_text(json.dumps([where, system.out.weight.tolist()]))
"""


@slow
def test_two_machines_meet_by_torchruns_own_rendezvous(tmp_path):
    """Two launchers, as on two machines, on this one."""
    (tmp_path / "run.py").write_text(MEETS)
    options = ["--nnodes", "2", "--rdzv-backend", "c10d", "--rdzv-id", "7"]
    options += ["--rdzv-endpoint", f"127.0.0.1:{free_port()}"]
    jobs = [launch(tmp_path / "run.py", tmp_path, 2, options=options, processes=1) for _ in range(2)]
    try:
        for job in jobs:
            _, errors = job.communicate(timeout=900)
            assert job.returncode == 0, errors[-3000:]
    finally:
        for job in jobs:
            job.kill()
    found = [json.loads((tmp_path / rank).read_text()) for rank in "01"]
    assert [place["GROUP_RANK"] for place, _ in found] in (["0", "1"], ["1", "0"])
    assert {place["LOCAL_RANK"] for place, _ in found} == {"0"} and found[0][1] == found[1][1]


@pytest.mark.parametrize(
    "given",
    [
        {"WORLD_SIZE": "two"},
        {"WORLD_SIZE": "0"},
        {"WORLD_SIZE": "2", "RANK": "2"},
        {"WORLD_SIZE": "2", "RANK": "-1"},
        {"WORLD_SIZE": "2", "RANK": "0", "LOCAL_RANK": "x"},
        {"RANK": "1"},
    ],
)
def test_an_environment_that_makes_no_sense_is_named(monkeypatch, given):
    for name in ("WORLD_SIZE", "RANK", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    assert _distributed.find() == World()
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(TrainingError, match="start several processes with torchrun"):
        _distributed.find()
    for name, value in {"WORLD_SIZE": "4", "RANK": "3", "LOCAL_RANK": "1"}.items():
        monkeypatch.setenv(name, value)
    assert _distributed.find() == World(3, 1, 4)


def test_alone_everything_is_its_own_word():
    alone = World()
    assert alone.first and alone.mean(2.5) == 2.5 and alone.any(True) and not alone.any(False)
    assert alone.tell({"a": 1}) == {"a": 1} and alone.gather("a") == ["a"] and alone.lead(lambda: 3) == 3
    with pytest.raises(CheckpointError, match="full"):
        alone.lead(lambda: (_ for _ in ()).throw(CheckpointError("full")))
    alone.share(torch.nn.Linear(1, 1))
