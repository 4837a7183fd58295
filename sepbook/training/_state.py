"""What a training run must remember to go on as if nothing had happened."""

import dataclasses
import json
import math
import signal
import threading
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import torch

from sepbook._locking import alone_in
from sepbook.training import checkpoint
from sepbook.training.averaging import WeightAverage
from sepbook.training.checkpoint import CheckpointError
from sepbook.training.descent import make_plateau

LAST, BEST = "last.safetensors", "best.safetensors"
FREE = ("folder", "resume", "workers", "device", "compile", "save_every")  # may differ when a run is resumed


@dataclass
class History:
    """What happened: the loss of every step, and one row per epoch.

    ``losses``: one float per step. ``rows``: dicts with step, loss and its further terms, learning_rate, seconds,
    audio_per_second (seconds of mixture trained on per second), and with validation data valid_loss and
    valid_si_sdr_improvement in dB.
    """

    losses: list[float] = field(default_factory=list)
    rows: list[dict] = field(default_factory=list)
    best_step: int = 0
    best_score: float = -math.inf  # validation SI-SDR improvement in dB, or minus the training loss without it
    stopped: str = ""  # why it ended before its last step: "early stopping", "interrupted" or ""

    @property
    def steps(self) -> int:
        """Number of steps done."""
        return len(self.losses)

    def __repr__(self):
        last = f", last loss {self.losses[-1]:.4g}" if self.losses else ""
        why = f", {self.stopped}" if self.stopped else ""
        return f"History({self.steps} steps{last}, best at step {self.best_step}{why})"


@dataclass
class Run:
    """One run in memory: the system, its optimiser, and the numbers that belong to them."""

    system: torch.nn.Module
    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    config: object
    data: object
    items: object = None  # the loader's sampler: which items make which step
    history: History = field(default_factory=History)
    sums: dict = field(default_factory=dict)  # of the loss terms, this epoch so far
    best: dict = field(default_factory=dict)  # weights with the best validation so far, on the CPU
    average: WeightAverage | None = None

    def __post_init__(self):
        self.plateau = make_plateau(self.optimizer, self.config)

    @property
    def step(self) -> int:
        """Number of steps done."""
        return self.history.steps

    def follow(self) -> None:
        """Begin to average the weights, where the configuration wants it."""
        self.average = WeightAverage(self.system, self.config.average) if self.config.average else None

    def averaged(self):
        """Context in which the system has the average of its weights, where there is one."""
        return self.average.in_use() if self.average else nullcontext()

    def keep(self, best: bool) -> None:
        """Leave in the system what the run was for: the best weights, else the last ones, or their average."""
        if best and self.best:
            self.system.load_state_dict(self.best)
        elif self.average:
            self.system.load_state_dict(self.average.weights)

    def keep_best(self, score: float) -> None:
        """Remember the weights if this score is the highest so far; the first of equal ones stays."""
        score = -math.inf if math.isnan(score) else score
        if not self.best or score > self.history.best_score:
            self.history.best_score, self.history.best_step = score, self.step
            self.best = {k: v.detach().cpu().clone() for k, v in self.system.state_dict().items()}
            if self.config.folder:
                notes = {"step": self.step, "score": score, "seed": self.config.seed}
                header = {**checkpoint.describe(self.system), "notes": notes}
                checkpoint.write(Path(self.config.folder) / BEST, self.best, header)

    def save(self) -> None:
        """Write everything to last.safetensors, atomically."""
        if not self.config.folder:
            return
        tensors, rest = checkpoint.flatten_optimizer(self.optimizer)
        tensors |= {f"system.{k}": v for k, v in self.system.state_dict().items()}
        tensors["rng"] = torch.get_rng_state()
        if self.average:
            tensors |= {f"average.{k}": v for k, v in self.average.weights.items()}
        header = {
            **checkpoint.describe(self.system),
            "train": dataclasses.asdict(self.config),
            "data": about_data(self.data),
            "history": {**dataclasses.asdict(self.history), "stopped": ""},
            "sums": self.sums,
            "optimizer": rest,
            "scaler": self.scaler.state_dict(),
            "plateau": self.plateau.state_dict() if self.plateau else {},
        }
        checkpoint.write(Path(self.config.folder) / LAST, tensors, header)

    def restore(self) -> torch.Tensor:
        """Read last.safetensors back and return the random state, to be set once the loader runs."""
        path = Path(self.config.folder) / LAST
        tensors, header = checkpoint.read(path)
        refuse_other_config(path, header, self.system, self.config, self.data)
        weights = {k.removeprefix("system."): v for k, v in tensors.items() if k.startswith("system.")}
        checkpoint.fill(self.system, weights, path)
        checkpoint.unflatten_optimizer(self.optimizer, tensors, header["optimizer"])
        self.follow()
        if self.average:
            self.average.steps = len(header["history"]["losses"])
            self.average.weights = {
                k.removeprefix("average."): v.to(self.average.weights[k.removeprefix("average.")].device)
                for k, v in tensors.items()
                if k.startswith("average.")
            }
        if self.plateau:
            self.plateau.load_state_dict(header["plateau"])
        self.scaler.load_state_dict(header["scaler"])
        self.history, self.sums = History(**header["history"]), header["sums"]
        best = path.with_name(BEST)
        if best.is_file():
            self.best, _ = checkpoint.read(best)
        return tensors["rng"]


def about_data(data) -> dict:
    """What identifies a data set, ready for JSON: its size, its stems, and its own settings where it has some."""
    settings = data.settings() if hasattr(data, "settings") else {}
    return {"items": len(data), "stems": list(data.source_names), **settings}


def refuse_other_config(path: Path, header: dict, system, config, data) -> None:
    """Raise CheckpointError when a run would be resumed as another one; the difference is named."""
    if "train" not in header:
        raise CheckpointError(f"{path}: holds weights, but not a training run that could go on")
    now = json.loads(json.dumps(checkpoint.describe(system) | {"train": dataclasses.asdict(config)}))
    now = {"system": now["system"], "preset": now["preset"], **now["train"], **now["config"]}
    was = {"system": header["system"], "preset": header["preset"], **header["train"], **header["config"]}
    refuse_difference(path, was, now)
    refuse_difference(path, header.get("data", {}), about_data(data), "the data's ")


def refuse_difference(path: Path, was: dict, now: dict, whose: str = "") -> None:
    """Raise CheckpointError for the first entry that differs; what only one side has differs too."""
    for key in [*was, *(key for key in now if key not in was)] if was else ():
        old, new = (list(v) if isinstance(v, tuple) else v for v in (was.get(key), now.get(key)))
        if key not in FREE and old != new:
            raise CheckpointError(
                f"{path}: this run was started with {whose}{key}={old!r}, but now {key}={new!r} is asked for; "
                "use the old value, or another folder for a new run"
            )


@contextmanager
def claim(folder: str | Path | None, resume: bool, first: bool = True):
    """Keep other runs out of the folder for the length of a `with` block; yield whether there is one to go on with.

    Of several processes only the first holds the folder, for all. Raises CheckpointError when another run is writing
    there, when nothing can be written, and when a new run would overwrite an old one.
    """
    if not folder:
        yield False
        return
    with alone_in(folder, CheckpointError) if first else nullcontext():
        there = (Path(folder) / LAST).is_file()
        if there and not resume:
            raise CheckpointError(
                f"{folder}: already holds a training run; resume it (resume=True, or --resume on the command line) "
                "or choose another folder"
            )
        yield there


@contextmanager
def ask_to_stop():
    """Turn the first ctrl-C into a request that the loop sees after its step; a second one stops at once.

    Yields a function that says whether stopping was asked for. Outside the main thread it never was.
    """
    asked = []
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return

    def note(signum, frame):
        if asked:
            raise KeyboardInterrupt
        asked.append(signum)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield lambda: bool(asked)
    finally:
        signal.signal(signal.SIGINT, before)
