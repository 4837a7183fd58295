"""Which items make which batch, and what of a batch a system wants to see.

Taught on: book/training/loop
"""

from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Sampler

from sepbook.architectures.base import System
from sepbook.data.augmentation import Augment
from sepbook.training._distributed import World
from sepbook.training._folder import leave_signals_to_the_loop, signals_wait
from sepbook.training._held import Held, fits
from sepbook.training.config import TrainingError
from sepbook.training.device import Device

ALONE = World()


class ItemNumbers(Sampler):
    """The numbers of the items of every step, from any step on, whatever the number of workers.

    An endless data set (`data.endless`) makes item i from i alone, so the numbers count up. Any other one is shuffled
    anew each time it is used up, by (seed, round). Taught on: book/training/loop
    """

    def __init__(self, data, config, start: int = 0, world: World = ALONE):
        self.data, self.config, self.start, self.world = data, config, start, world
        self._rounds: dict = {}  # the order of the items in each of the latest two

    def __len__(self) -> int:
        return (self.config.steps - self.start) * self.config.batch_size

    def __iter__(self):
        for step in range(self.start, self.config.steps):
            yield from self.of_step(step)

    def of_step(self, step: int) -> list[int]:
        """The numbers of the items that this process takes in a step."""
        B = self.config.batch_size
        first = (step * self.world.size + self.world.rank) * B
        if getattr(self.data, "endless", False):
            return list(range(first, first + B))
        return [self._shuffled(i, len(self.data)) for i in range(first, first + B)]

    def _shuffled(self, i: int, size: int) -> int:
        turn, position = divmod(i, size)
        if turn not in self._rounds:
            generator = torch.Generator().manual_seed(self.config.seed * 1_000_003 + turn)
            latest = dict(list(self._rounds.items())[-1:])  # a batch may end one round and begin the next
            self._rounds = latest | {turn: torch.randperm(size, generator=generator).numpy()}
        return int(self._rounds[turn][position])


def select(batch: dict, data, system: System) -> dict[str, Tensor]:
    """Pick the system's sources, by name, out of all stems; the mixture stays the sum of all.

    Taught on: book/training/loop
    """
    batch = {name: value for name, value in batch.items() if torch.is_tensor(value)}
    index = [list(data.source_names).index(name) for name in system.source_names]
    return {**batch, "sources": batch["sources"][:, index]}


def check(system: System, data, valid, config) -> None:
    """Raise a clear error before the first step rather than a strange one after it.

    Taught on: book/training/loop
    """
    check_fit(system, data, "training")
    if len(data) < config.batch_size:
        raise TrainingError(f"the training set has {len(data)} items, fewer than one batch of {config.batch_size}")
    if valid is not None:
        check_fit(system, valid, "validation")
        if len(valid) == 0:
            raise TrainingError("the validation set has no items; give none (valid=None), or one with at least one")


def check_fit(system: System, data, which: str) -> None:
    """Raise TrainingError where a data set has other sources, another rate or other channels than the system.

    Taught on: book/training/loop
    """
    missing = [name for name in system.source_names if name not in data.source_names]
    if missing:
        raise TrainingError(
            f"the system separates {', '.join(system.source_names)}, but the {which} data has only "
            f"{', '.join(data.source_names)}; missing: {', '.join(missing)}"
        )
    for field, unit, mend in (
        ("sample_rate", " Hz", "resample the tracks: StemFolder(..., sample_rate={0})"),
        ("channels", " audio channel(s)", "mix the tracks down or up: StemFolder(..., channels={0})"),
    ):
        own, given = getattr(system, field), getattr(data, field, None)
        if given not in (None, own):
            raise TrainingError(
                f"the {which} data has {given}{unit}, but the system was made for {own}{unit}: "
                f"{mend.format(own)}, or create the system with {field}={given}"
            )


class Batches:
    """The batches of a run, selected and on the device: `steps()` gives those to train on, iteration every item once.

    Taught on: book/training/loop
    """

    def __init__(self, system: System, data, config, device: Device, world: World):
        self.system, self.data, self.config, self.device, self.world = system, data, config, device, world
        self.held = Held(data, device.device) if fits(data, device.device, config.hold_tracks) else None
        self.augment = Augment(config.augment, system.sample_rate, data.source_names, config.seed)

    @property
    def note(self) -> str:
        """What there is to say about where the items are made."""
        return f"; all {len(self.data.tracks)} tracks are held there, and mixed there" if self.held else ""

    def numbers(self, start: int = 0) -> ItemNumbers:
        """The numbers of the items from a step on."""
        return ItemNumbers(self.data, self.config, start, self.world)

    def steps(self, start: int):
        """Return an iterator over the batches from step `start` on. Making it may draw a random number."""
        numbers, B = self.numbers(start), self.config.batch_size
        if self.held:
            drawn = (self.held.draw(numbers.of_step(step)) for step in range(start, self.config.steps))
            return self._augmented(map(self.held.make, _ahead(drawn)), start)
        workers = self.config.workers
        loader = DataLoader(
            self.data,
            batch_size=B,
            sampler=numbers,
            num_workers=workers,
            prefetch_factor=4 if workers else None,
            pin_memory=self.device.device.type == "cuda",
            worker_init_fn=leave_signals_to_the_loop,
        )
        with signals_wait():
            items = iter(loader)  # starts the workers
        return self._augmented(map(self.device.move, items), start)

    def __len__(self) -> int:
        """Number of batches that hold every item once, for all processes together."""
        return -(-len(self.data) // (self.config.batch_size * self.world.size))

    def __iter__(self):
        """Every item once, in order, the same in every process: what `System.prepare` may look at."""
        B = self.config.batch_size * self.world.size
        if self.held:
            numbers = range(len(self.data))
            every = (self.held.make(self.held.draw(numbers[i : i + B])) for i in range(0, len(self.data), B))
        else:
            every = map(self.device.move, DataLoader(self.data, batch_size=B, sampler=range(len(self.data))))
        return map(self._selected, every)

    def _augmented(self, batches, start: int):
        """Augment all stems of each batch, from step `start` on, and pick the system's; each process in its own way."""
        for step, batch in enumerate(batches, start):
            own = step * self.world.size + self.world.rank
            yield self._selected(self.augment(batch, own) if self.config.augment else batch)

    def _selected(self, batch: dict) -> dict[str, Tensor]:
        return select(batch, self.data, self.system)


def _ahead(batches):
    """Yield from an iterator whose next value is made by another thread, while the device computes."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = pool.submit(next, batches, None)
            yield batch
