"""What a run says on the way: a bar with loss, validation, throughput and memory, and whether the device waits."""

import time

from tqdm.auto import tqdm

from sepbook.training._state import Run
from sepbook.training.device import peak_memory

LONG = 0.1  # part of the time that a card may wait for data before it is said


class Meter:
    """Counts the seconds of sound and of waiting since this process began, whatever was done before it was resumed."""

    def __init__(self, run: Run, shown: bool):
        self.run, self.shown = run, shown and run.world.first
        self.sound = self.waiting = 0.0
        self.started = self.first = time.perf_counter()
        self.bar = tqdm(total=run.config.steps, initial=run.step, disable=not self.shown, unit="step")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.bar.close()

    def say(self, words: str) -> None:
        """Write a line above the bar."""
        if self.shown:
            self.bar.write(words)

    @property
    def seconds(self) -> float:
        """Seconds since the first batch was asked for."""
        return time.perf_counter() - self.started

    @property
    def rate(self) -> float:
        """Seconds of mixture that all processes together trained on, per second."""
        return self.sound / max(self.seconds, 1e-9)

    @property
    def waited(self) -> float:
        """Part of the time that this process waited for data; the first batch, for which all do, does not count."""
        return self.waiting / max(time.perf_counter() - self.first, 1e-9)

    def watch(self, batches):
        """Yield the batches, and measure how long each was waited for."""
        self.started = self.first = asked = time.perf_counter()
        for number, batch in enumerate(batches):
            now = time.perf_counter()
            if number:
                self.waiting += now - asked
            else:
                self.first = now
            yield batch
            asked = time.perf_counter()

    def step(self, batch: dict, terms: dict[str, float]) -> None:
        """Count a step, and say beside the bar how it went."""
        B, N = batch["mixture"].shape[0], batch["mixture"].shape[-1]
        self.sound += B * N / self.run.system.sample_rate * self.run.world.size
        shown, rows = {"loss": f"{terms['loss']:.4f}"}, self.run.history.rows
        if rows and "valid_si_sdr_improvement" in rows[-1]:
            shown["valid SI-SDRi"] = f"{rows[-1]['valid_si_sdr_improvement']:.1f} dB"
        device = self.run.device.device
        shown |= {"audio": f"{self.rate:.0f} s/s", "memory": f"{peak_memory(device):.0f} MB"}
        if device.type != "cpu":
            shown["waits"] = f"{self.waited:.0%}"
        self.bar.update()
        self.bar.set_postfix(shown, refresh=False)

    def finish(self) -> None:
        """Say at the end when a card has waited for data."""
        if self.run.device.device.type != "cpu" and self.waited > LONG:
            self.say(
                f"The device waited for data {self.waited:.0%} of the time, with {self.run.config.workers} workers: "
                "try more (workers), or hold_tracks=True where all tracks have room on the card"
            )
