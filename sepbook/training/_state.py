"""What a training run must remember to go on as if nothing had happened."""

import math
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path

import torch

from sepbook.training import _resume, checkpoint
from sepbook.training._distributed import World
from sepbook.training._folder import BEST, LAST
from sepbook.training.averaging import WeightAverage
from sepbook.training.config import TrainConfig
from sepbook.training.descent import make_optimizer, make_plateau
from sepbook.training.device import Device
from sepbook.training.parts import Parts

PRIME = 1_000_003  # between the seeds of two processes


@dataclass
class History:
    """What happened: the loss of every step, and one row per epoch.

    ``losses``: one float per step. ``rows``: dicts with step, loss and its further terms, learning_rate, seconds,
    audio_per_second (seconds of mixture trained on per second), waited (part of the time that the device waited for
    data), and with validation data valid_loss and valid_si_sdr_improvement in dB. Of several processes: the means.
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
    config: TrainConfig
    data: object
    valid: object
    device: Device
    world: World = World()
    history: History = field(default_factory=History)
    sums: dict = field(default_factory=dict)  # of the loss terms, this epoch so far
    best: dict = field(default_factory=dict)  # weights with the best validation so far, on the CPU of the first process
    average: WeightAverage | None = None

    def __post_init__(self):
        self.optimizer = make_optimizer(self.system, self.config)
        self.scaler = torch.amp.GradScaler(self.device.device.type, enabled=self.device.scaler)
        self.plateau = make_plateau(self.optimizer, self.config)
        self.parts = Parts(self.system, self.device, self.config.compile)

    @property
    def step(self) -> int:
        """Number of steps done."""
        return self.history.steps

    @property
    def over(self) -> bool:
        """Whether there is nothing more to do."""
        return self.step >= self.config.steps or self.history.stopped != ""

    @property
    def epoch(self) -> int:
        """Number of steps in which all processes together see as many items as the data set has."""
        return max(1, len(self.data) // (self.config.batch_size * self.world.size))

    @cached_property
    def identity(self) -> dict:
        """What must be the same when this run goes on, ready for JSON."""
        return _resume.describe(self)

    @property
    def news(self) -> str:
        """What a run that was resumed has to say."""
        if self.over:
            why = "stopped early" if self.history.stopped else "was finished"
            return f"This run {why} at step {self.step}: nothing is left to do. For more steps use another folder"
        now, then = _resume.versions(), self.begun_with
        other = [f"{name} {then.get(name)}, now {now[name]}" for name in now if then.get(name) != now[name]]
        note = f". It was begun with {'; '.join(other)}: the last digits may differ" if other else ""
        return f"This run goes on at step {self.step}, {self.device.reason}{note}"

    def means(self, steps: int) -> dict[str, float]:
        """The mean of each term over the steps of an epoch and all processes."""
        every = self.world.gather(self.sums)
        names = dict.fromkeys(name for sums in every for name in sums)
        return {name: sum(sums.get(name, 0.0) for sums in every) / (steps * len(every)) for name in names}

    def begin(self, prepare) -> list[torch.Tensor]:
        """Look at the data once, and return the random state to begin with: each process has its own."""
        if self.config.folder:
            self.identity  # noqa: B018 (the sounds as they are now)
        self.system.prepare(prepare)  # the same look in every process
        self.world.share(self.system)
        self.follow()
        if self.world.rank:
            torch.manual_seed(self.config.seed + PRIME * self.world.rank)
        return self._random_state()

    def follow(self) -> None:
        """Begin to average the weights, where the configuration wants it."""
        self.average = WeightAverage(self.system, self.config.average) if self.config.average else None

    def averaged(self):
        """Context in which the system has the average of its weights, where there is one."""
        return self.average.in_use() if self.average else nullcontext()

    def keep_best(self, score: float) -> None:
        """Remember the weights if this score is the highest so far; the first of equal ones stays."""
        score = -math.inf if math.isnan(score) else score
        if self.history.best_step and not score > self.history.best_score:
            return
        self.history.best_score, self.history.best_step = score, self.step
        if self.world.first:
            self.best = {k: v.detach().cpu().clone() for k, v in self.system.state_dict().items()}
        if self.config.folder:
            notes = {"step": self.step, "score": score, "seed": self.config.seed}
            header = {**checkpoint.describe(self.system), "notes": notes}
            self.world.lead(lambda: checkpoint.write(Path(self.config.folder) / BEST, self.best, header))

    def keep(self) -> None:
        """Leave in the system what the run was for: the best weights, else the last ones, or their average."""
        if self.best and self.valid is not None:
            self.system.load_state_dict(self.best)
        elif self.average:
            self.system.load_state_dict(self.average.weights)
        self.world.share(self.system)

    def save(self) -> None:
        """Write everything to last.safetensors, atomically; all processes must ask."""
        if not self.config.folder:
            return
        states = self.world.gather([bytes(state.tolist()).hex() for state in self._random_state()])
        tensors, rest = checkpoint.flatten_optimizer(self.optimizer)
        tensors |= {f"system.{k}": v for k, v in self.system.state_dict().items()}
        tensors |= {f"average.{k}": v for k, v in (self.average.weights if self.average else {}).items()}
        for kind, texts in zip(("rng", "rng.device"), zip(*states, strict=True), strict=False):
            rows = [torch.frombuffer(bytearray.fromhex(text), dtype=torch.uint8) for text in texts]
            tensors[kind] = torch.stack(rows)  # one row for each process
        stopped = self.history.stopped if self.history.stopped == "early stopping" else ""
        header = {
            **self.identity,
            "tensors": len(tensors),
            "versions": _resume.versions(),
            "history": {**asdict(self.history), "stopped": stopped},
            "sums": self.sums,
            "optimizer": rest,
            "scaler": self.scaler.state_dict(),
            "plateau": self.plateau.state_dict() if self.plateau else {},
        }
        self.world.lead(lambda: checkpoint.write(Path(self.config.folder) / LAST, tensors, header))

    def restore(self) -> list[torch.Tensor]:
        """Read the run back and return the random state, to be set once the loader runs. Raises CheckpointError."""
        path = Path(self.config.folder) / LAST
        tensors, header = checkpoint.read(path)
        _resume.check_same_run(path, header, self.identity)
        _resume.check_whole(path, tensors, header, self)
        self.history, self.sums = History(**header["history"]), header["sums"]
        self.begun_with = header["versions"]
        self._read_best(path.with_name(BEST))
        self.follow()
        try:
            self._fill(tensors, header, path)
            return self._read_random(tensors)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, RuntimeError) as error:
            raise error if isinstance(error, checkpoint.CheckpointError) else _resume.damaged(path, error) from error

    def _fill(self, tensors, header, path) -> None:
        weights = {
            kind: {k.removeprefix(kind): v for k, v in tensors.items() if k.startswith(kind)}
            for kind in ("system.", "average.")
        }
        if self.average:
            checkpoint.fill(self.system, weights["average."], path)
            self.follow()
            self.average.steps = self.step
        checkpoint.fill(self.system, weights["system."], path)
        own = [{k: group[k] for k in ("fused", "foreach") if k in group} for group in self.optimizer.param_groups]
        groups = [saved | here for saved, here in zip(header["optimizer"]["groups"], own, strict=True)]
        checkpoint.unflatten_optimizer(self.optimizer, tensors, {**header["optimizer"], "groups": groups})
        self.scaler.load_state_dict(header["scaler"])
        if self.plateau:
            self.plateau.load_state_dict(header["plateau"])

    def _read_best(self, path: Path) -> None:
        if self.history.best_step == 0:
            return
        if not path.is_file():
            raise checkpoint.CheckpointError(
                f"{path}: is missing, and with it the best weights so far, those of step {self.history.best_step}. "
                "Bring the file back, or use another folder for a new run"
            )
        self.best, header = checkpoint.read(path)
        checkpoint.fill(self.system, self.best, path)
        step = header.get("notes", {}).get("step") if isinstance(header.get("notes"), dict) else None
        if not (isinstance(step, int) and step >= self.history.best_step):
            raise _resume.damaged(path, f"it holds the weights of step {step}, not of {self.history.best_step}")

    def _random_state(self) -> list[torch.Tensor]:
        """The states of the processor's random numbers and, on a card, of its own."""
        on_card = self.device.device.type == "cuda"
        return [torch.get_rng_state(), *([torch.cuda.get_rng_state(self.device.device)] if on_card else [])]

    def _read_random(self, tensors) -> list[torch.Tensor]:
        states = []
        for kind, own in zip(("rng", "rng.device"), self._random_state(), strict=False):
            stored = tensors.get(kind)
            if kind == "rng.device" and stored is None:  # it was begun on the CPU
                continue
            if stored is None or stored.dtype != own.dtype or stored.shape != (self.world.size, len(own)):
                raise ValueError(f"its random state {kind!r} is missing or of another size")
            states.append(stored[self.world.rank].clone())
        return states

    def set_random(self, states: list[torch.Tensor]) -> None:
        """Set the random states that `begin` or `restore` returned."""
        torch.set_rng_state(states[0])
        if len(states) > 1:
            torch.cuda.set_rng_state(states[1], self.device.device)
