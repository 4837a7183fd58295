"""The training loop, whole: draw a batch, compute the loss, follow its gradient, and look up from time to time.

Nothing here knows which system it trains; the contract of `sepbook.architectures.base` is all it uses.

Taught on: book/training/loop
"""

import math

import torch
from torch import Tensor, nn

from sepbook.architectures.base import System
from sepbook.losses.weighting import NotFiniteError
from sepbook.training import _distributed, _folder
from sepbook.training._meter import Meter
from sepbook.training._state import History, Run
from sepbook.training.batches import Batches, ItemNumbers, check
from sepbook.training.config import TrainConfig, TrainingError
from sepbook.training.descent import learning_rate
from sepbook.training.device import choose
from sepbook.training.validation import validate

__all__ = ["History", "TrainConfig", "TrainingError", "TrainingStep", "train"]


class TrainingStep(nn.Module):
    """A module whose forward pass is the system's loss: what several processes can wrap.

    Taught on: book/training/loop
    """

    def __init__(self, system: System):
        super().__init__()
        self.system = system

    def forward(self, **batch: Tensor) -> dict[str, Tensor]:
        """Return the loss terms of a batch."""
        return self.system.loss(**batch)


def train(system: System, data, valid=None, config: TrainConfig | None = None, progress: bool = True) -> History:
    """Train a system in place and return what happened; the best weights are in the system afterwards.

    `data` and `valid` are data sets of dicts {"mixture": (C, N), "sources": (S, C, N), …} with ``source_names``; what
    else a batch holds goes to the system as labels. One epoch is once through ``len(data)`` items. Validation measures
    the SI-SDR improvement of whole estimates; without `valid` the last weights are kept.

    Ctrl-C (SIGTERM, SIGHUP) finishes the step, saves, and leaves the best weights. Raises TrainingError for a loss that
    is not finite or data that do not fit, CheckpointError when files stand in the way. Taught on: book/training/loop
    """
    config = config or TrainConfig()
    check(system, data, valid, config)
    world = _distributed.find()
    device = choose(config.device, world.local, config.precision, bool(config.compile))
    world.join(device.device)
    with device.ready(), _folder.claim(config.folder, config.resume, world) as resuming:
        torch.manual_seed(config.seed)
        system.to(device.device).train()
        run = Run(system, config, data, valid, device, world)
        batches = Batches(system, data, config, device, world)
        random_states = run.restore() if resuming else run.begin(prepare=batches)
        model = distribute(TrainingStep(system), run)
        with Meter(run, progress) as meter, _folder.ask_to_stop() as asked:
            steps = batches.steps(run.step)
            run.set_random(random_states)  # only now: making the iterator draws a number
            meter.say((run.news if resuming else device.reason) + batches.note)
            for batch in meter.watch(steps if not run.over else ()):
                terms = one_step(model, run, batch)
                meter.step(batch, terms)
                if run.step % run.epoch == 0 or run.step == config.steps:
                    end_epoch(run, meter)
                    if config.patience and run.step - run.history.best_step >= config.patience * run.epoch:
                        run.history.stopped = "early stopping"
                if world.any(asked()) and not run.history.stopped:
                    run.history.stopped = "interrupted"
                if run.step % config.save_every == 0 or run.over:
                    run.save()
                if run.over:
                    break
            meter.finish()
        run.keep()
    system.eval()
    return run.history


def one_step(model: nn.Module, run: Run, batch: dict) -> dict[str, float]:
    """Forward, backward, clip, update: one step of gradient descent. Returns the loss terms of this process.

    Taught on: book/training/loop
    """
    config, optimizer = run.config, run.optimizer
    if config.schedule != "plateau":
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(run.step, config)
    try:
        with run.parts.in_use():
            terms = model(**batch)
    except NotFiniteError:  # a loss that looks for the sample; the loop also knows the item, and keeps the best weights
        terms = {"loss": torch.tensor(math.nan)}
    values = {name: term.item() for name, term in terms.items()}
    loss = run.world.mean(values["loss"])
    if not math.isfinite(loss):
        stop_not_finite(run, batch, "loss", values["loss"])
    optimizer.zero_grad(set_to_none=True)
    run.scaler.scale(terms["loss"]).backward()
    run.scaler.unscale_(optimizer)
    norm = nn.utils.clip_grad_norm_(run.system.parameters(), config.clip_norm)
    if not (run.scaler.is_enabled() or norm.isfinite()):  # float16 may overflow: its scaler leaves such a step out
        stop_not_finite(run, batch, "gradient", norm.item())
    run.scaler.step(optimizer)
    run.scaler.update()
    if run.average:
        run.average.update()
    run.history.losses.append(loss)
    for name, value in values.items():
        run.sums[name] = run.sums.get(name, 0.0) + value
    return values


def end_epoch(run: Run, meter: Meter) -> None:
    """Average the epoch's terms, validate, keep the best weights, and tell the system.

    The first process validates; all take its word. Taught on: book/training/loop
    """
    if run.scaler.is_enabled() and run.scaler.get_scale() < 1.0:  # halved at each overflow: it is something else
        stop_not_finite(run, {}, "gradient", math.inf)
    steps = run.step % run.epoch or run.epoch
    terms, run.sums = run.means(steps), {}
    row = {"step": run.step, **terms, "learning_rate": run.optimizer.param_groups[0]["lr"]}
    row |= {"seconds": meter.seconds, "audio_per_second": meter.rate, "waited": meter.waited}
    with run.averaged():
        if run.valid is not None:
            look = (run.system, run.valid, run.device, run.config.batch_size)
            row |= run.world.lead(lambda: validate(*look))
        score = row.get("valid_si_sdr_improvement", -terms["loss"])
        run.keep_best(score)
    run.history.rows.append(run.world.tell(row))
    if run.plateau:
        run.plateau.step(score)
    run.system.epoch_end(terms)
    run.system.train()


def distribute(model: nn.Module, run: Run) -> nn.Module:
    """Let the gradients of all processes be averaged, where there are several. Taught on: book/training/loop."""
    if run.world.size == 1:
        return model
    cards = [run.device.device.index] if run.device.device.type == "cuda" else None
    return nn.parallel.DistributedDataParallel(model, device_ids=cards, find_unused_parameters=True)


def stop_not_finite(run: Run, batch: dict, what: str, value: float) -> None:
    """Raise TrainingError that says at which step and items the loss or its gradient broke.

    The best weights are restored; where no epoch was complete yet, the last ones stay. Taught on: book/training/loop
    """
    items = ItemNumbers(run.data, run.config, run.step, run.world).of_step(run.step)
    broken = {  # item: what of it is broken
        item: name
        for name, tensor in batch.items()
        for item, part in zip(items, tensor, strict=True)
        if part.is_floating_point() and not part.isfinite().all()
    }
    if math.isfinite(value):  # then another process met it, and says more
        cause = "in another process"
    elif broken:
        named = ", ".join(f"item {item} ({name})" for item, name in broken.items())
        cause = f"the data holds NaN or infinity: {named}; mend or remove the file that it comes from"
    else:
        named = ", ".join(map(str, items))
        cause = f"items {named}, which are finite themselves; try a lower learning rate or a smaller clip_norm"
    if run.best:
        run.system.load_state_dict(run.best)
    run.world.share(run.system)
    kept = run.history.best_step or run.step
    raise TrainingError(f"the {what} is {value} at step {run.step}: {cause}. The weights of step {kept} are kept")
