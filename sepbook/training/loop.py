"""The training loop, whole: draw a batch, compute the loss, follow its gradient, and look up from time to time.

Nothing here knows which system it trains; the contract of `sepbook.architectures.base` is all it uses.

Taught on: book/training/loop
"""

import math
import time

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from sepbook.architectures.base import System
from sepbook.losses._finite import NotFiniteError
from sepbook.training import _distributed, _state
from sepbook.training._batches import check, make_loader, one_epoch, select
from sepbook.training._state import History, Run
from sepbook.training.config import TrainConfig, TrainingError
from sepbook.training.descent import learning_rate, make_optimizer
from sepbook.training.device import Device, choose, peak_memory
from sepbook.training.validation import validate

__all__ = ["History", "TrainConfig", "TrainingError", "TrainingStep", "train"]


class TrainingStep(nn.Module):
    """A module whose forward pass is the system's loss: what autocast and several processes can wrap.

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

    Ctrl-C finishes the step, saves, and leaves the best weights. Raises TrainingError for a loss that is not finite
    or too little data, CheckpointError when files stand in the way. Taught on: book/training/loop
    """
    config = config or TrainConfig()
    world = _distributed.join()
    device = choose(config.device, world.local)
    check(system, data, valid, config)
    torch.manual_seed(config.seed)
    system.to(device.device).train()
    optimizer = make_optimizer(system, config)
    scaler = torch.amp.GradScaler(device.device.type, enabled=device.scaler)
    run = Run(system, optimizer, scaler, config, data)
    with _state.claim(config.folder, config.resume, world.first) as resuming:
        random_state = run.restore() if resuming else torch.get_rng_state()
        loader = make_loader(data, config, device, run.step, world)
        run.items = loader.sampler
        if run.step == 0:
            system.prepare(one_epoch(data, config.batch_size * world.size))  # the same look in every process
            run.follow()
        model = wrap(system, config, device, world)
        epoch = max(1, len(data) // (config.batch_size * world.size))  # steps
        bar = tqdm(total=config.steps, initial=run.step, disable=not (progress and world.first), unit="step")
        with bar, _state.ask_to_stop() as asked:
            batches = iter(loader)
            torch.set_rng_state(random_state)  # only now: making the loader's iterator draws a number
            started, since = time.perf_counter(), run.step
            if run.step == 0:
                bar.write(device.reason) if progress and world.first else None
            for batch in batches:
                batch = device.move(select(batch, data, system))
                terms = one_step(model, run, batch, device, world)
                seconds = batch["mixture"].shape[0] * batch["mixture"].shape[-1] / system.sample_rate * world.size
                rate = seconds * (run.step - since) / (time.perf_counter() - started)
                bar.update()
                bar.set_postfix(postfix(terms["loss"], run, rate, device), refresh=False)
                last = run.step == config.steps
                if run.step % epoch == 0 or last:
                    end_epoch(run, valid, device, world, epoch, rate, time.perf_counter() - started)
                    if config.patience and run.step - run.history.best_step >= config.patience * epoch:
                        run.history.stopped = "early stopping"
                if world.any(asked(), device.device):
                    run.history.stopped = "interrupted"
                if world.first and (run.step % config.save_every == 0 or last or run.history.stopped):
                    run.save()
                if run.history.stopped:
                    break
        run.keep(valid is not None)
    world.wait()
    system.eval()
    return run.history


def one_step(model: nn.Module, run: Run, batch: dict, device: Device, world) -> dict[str, float]:
    """Forward, backward, clip, update: one step of gradient descent. Returns the loss terms.

    Taught on: book/training/loop
    """
    config, optimizer = run.config, run.optimizer
    if config.schedule != "plateau":
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(run.step, config)
    try:
        with device.autocast():
            terms = model(**batch)
    except NotFiniteError:  # a loss that looks for the sample; the loop also knows the item, and keeps the best weights
        terms = {"loss": torch.tensor(math.nan)}
    values = {name: term.item() for name, term in terms.items()}
    if world.any(not math.isfinite(values["loss"]), device.device):
        stop_not_finite(run, batch, "loss", values["loss"])
    optimizer.zero_grad(set_to_none=True)
    run.scaler.scale(terms["loss"]).backward()
    run.scaler.unscale_(optimizer)
    norm = nn.utils.clip_grad_norm_(run.system.parameters(), config.clip_norm)
    if not (device.scaler or norm.isfinite()):  # float16 may overflow: its scaler leaves such a step out
        stop_not_finite(run, batch, "gradient", norm.item())
    run.scaler.step(optimizer)
    run.scaler.update()
    if run.average:
        run.average.update()
    run.history.losses.append(values["loss"])
    for name, value in values.items():
        run.sums[name] = run.sums.get(name, 0.0) + value
    return values


def end_epoch(run: Run, valid, device: Device, world, epoch: int, rate: float, seconds: float) -> None:
    """Average the epoch's terms, validate, keep the best weights, and tell the system.

    Taught on: book/training/loop
    """
    steps = run.step % epoch or epoch
    terms = {name: total / steps for name, total in run.sums.items()}
    run.sums = {}
    row = {"step": run.step, **terms, "learning_rate": run.optimizer.param_groups[0]["lr"]}
    row |= {"seconds": seconds, "audio_per_second": rate}
    if world.first:
        with run.averaged():
            if valid is not None:
                row |= validate(run.system, valid, device, run.config.batch_size)
            run.keep_best(row.get("valid_si_sdr_improvement", -terms["loss"]))
    run.history.rows.append(row)
    if run.plateau:
        run.plateau.step(row.get("valid_si_sdr_improvement", -terms["loss"]))
    world.wait()
    run.system.epoch_end(terms)
    run.system.train()


def wrap(system: System, config: TrainConfig, device: Device, world) -> nn.Module:
    """Return the training step, compiled and distributed where asked. Taught on: book/training/loop."""
    network = getattr(system, "network", None)
    if config.compile and network is not None:
        network.compile()  # in place, so that the names of the weights stay
    model = TrainingStep(system)
    if world.size > 1:
        cards = [device.device.index] if device.device.type == "cuda" else None
        model = nn.parallel.DistributedDataParallel(model, device_ids=cards)
    return model


def stop_not_finite(run: Run, batch: dict, what: str, value: float) -> None:
    """Raise TrainingError that says at which step and items the loss or its gradient broke.

    The best weights are restored; where no epoch was complete yet, the last ones stay. Taught on: book/training/loop
    """
    items = run.items.of_step(run.step)
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
    kept = run.history.best_step if run.best else run.step
    raise TrainingError(f"the {what} is {value} at step {run.step}: {cause}. The weights of step {kept} are kept")


def postfix(loss: float, run: Run, rate: float, device: Device) -> dict[str, str]:
    """Say beside the progress bar: loss, validation, throughput, peak memory. Taught on: book/training/loop."""
    shown = {"loss": f"{loss:.4f}"}
    if run.history.rows and "valid_si_sdr_improvement" in run.history.rows[-1]:
        shown["valid SI-SDRi"] = f"{run.history.rows[-1]['valid_si_sdr_improvement']:.1f} dB"
    return shown | {"audio": f"{rate:.0f} s/s", "memory": f"{peak_memory(device.device):.0f} MB"}
