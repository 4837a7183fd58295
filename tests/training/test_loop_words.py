"""What a run says on the way, and when it stops: throughput, waiting, patience, ties, rounding of epochs."""

import pytest
import torch

from sepbook.training import _meter
from sepbook.training._meter import Meter
from sepbook.training._state import Run
from sepbook.training.config import TrainConfig
from sepbook.training.device import Device, choose
from sepbook.training.loop import train
from tests.systems import Synthetic
from tests.systems.one_voice import Config, OneVoice

CPU = choose("cpu")


def voice(**more):
    torch.manual_seed(0)
    return type("Voice", (OneVoice,), more)(Config())


def items(count=4, samples=800, kind=Synthetic, seed=0):
    return kind(voice(), items=count, samples=samples, seed=seed)


def run(system=None, data=None, valid=None, progress=False, **fields):
    fields = {"steps": 8, "batch_size": 2, "device": "cpu", **fields}
    return train(system or voice(), data or items(), valid, TrainConfig(**fields), progress)


@pytest.fixture
def clock(monkeypatch):
    """A clock that goes on only when told."""
    now = [100.0]
    monkeypatch.setattr(_meter.time, "perf_counter", lambda: now[0])
    return now


class Slow(Synthetic):
    """Each item takes two seconds to make, and each step of the system one."""

    clock = None

    def __getitem__(self, i):
        self.clock[0] += 2.0
        return super().__getitem__(i)


def timed(clock, **fields):
    def loss(self, mixture, sources, **labels):
        clock[0] += 1.0
        return OneVoice.loss(self, mixture, sources)

    data = items(kind=type("Timed", (Slow,), {"clock": clock}))
    return run(voice(loss=loss), data, **fields)


def test_throughput_and_waiting_are_measured(clock):
    rate = voice().sample_rate
    rows = timed(clock, steps=6).rows
    assert [row["step"] for row in rows] == [2, 4, 6]
    assert [row["seconds"] for row in rows] == [10.0, 20.0, 30.0]
    for row in rows:
        assert row["audio_per_second"] == pytest.approx(2 * 800 / rate / 5)  # two items in five seconds
    waits = [(n - 1) * 4 / (n * 5 - 4) for n in (2, 4, 6)]  # the first batch does not count
    assert [row["waited"] for row in rows] == pytest.approx(waits)


def test_throughput_after_resuming_counts_what_was_done_since(clock, tmp_path):
    class Ends(Exception):
        pass

    def loss(self, mixture, sources, **labels):
        clock[0] += 1000.0
        self.calls = getattr(self, "calls", 0) + 1
        if self.calls == 5:
            raise Ends
        return OneVoice.loss(self, mixture, sources)

    place = {"folder": tmp_path, "save_every": 1}
    with pytest.raises(Ends):
        run(voice(loss=loss), **place)
    rows = timed(clock, **place, resume=True).rows
    assert [row["step"] for row in rows] == [2, 4, 6, 8]
    for row, seconds in zip(rows[2:], (10.0, 20.0), strict=True):
        assert row["seconds"] == seconds
        assert row["audio_per_second"] == pytest.approx(2 * 800 / voice().sample_rate / 5)


def test_a_card_that_waits_is_told_and_a_processor_is_not(clock, capsys):
    card = Device(torch.device("cuda"), torch.float32, False, "a card")
    for device, waiting, said in ((card, 3.0, True), (card, 0.5, False), (CPU, 9.0, False)):
        job = Run(voice(), TrainConfig(device="cpu"), items(), None, CPU)
        meter = Meter(job, True)
        job.device = device
        for _ in meter.watch(range(11)):
            clock[0] += 1.0
            meter.waiting = waiting
        meter.finish()
        spoken = capsys.readouterr()
        assert ("waited for data" in spoken.out + spoken.err) is said


class Scores:
    """Validation that says what it is told to."""

    def __init__(self, monkeypatch, scores):
        found = iter(scores)
        look = lambda *_: {"valid_loss": 1.0, "valid_si_sdr_improvement": next(found)}  # noqa: E731
        monkeypatch.setattr("sepbook.training.loop.validate", look)


@pytest.mark.parametrize(
    ("scores", "patience", "best", "steps"),
    [
        ([5, 4, 3, 2, 1], 1, 2, 4),
        ([5, 4, 3, 2, 1], 2, 2, 6),
        ([5, 4, 6, 5, 4, 3], 2, 6, 10),
        ([1, 2, 3, 4, 5], 1, 10, 10),
        ([5, 4, 3, 2, 1], 0, 2, 10),
        ([5, 4, 3, 2, 1], 4, 2, 10),
        ([3, 3, 3, 3, 3], 0, 2, 10),  # of equal ones the first is kept
        ([3, 4, 4, 3, 4], 0, 4, 10),
        ([float("nan"), 1, 0, 0, 0], 0, 4, 10),
        ([1, float("nan"), 2, 0, 0], 0, 6, 10),
        ([-50, -40, -45, -45, -45], 2, 4, 8),
    ],
)
def test_patience_counts_epochs_and_the_first_of_equal_scores_is_best(monkeypatch, scores, patience, best, steps):
    Scores(monkeypatch, scores)
    weights = []

    class Noted(Synthetic):
        def __getitem__(self, i):
            weights.append({k: v.clone() for k, v in system.state_dict().items()})
            return super().__getitem__(i)

    system = voice()
    history = run(system, items(kind=Noted), items(1), steps=10, patience=patience)
    assert (history.best_step, history.steps) == (best, steps)
    assert history.stopped == ("early stopping" if patience and steps - best >= 2 * patience else "")
    if best < steps:
        assert all(torch.equal(v, weights[2 * best][k]) for k, v in system.state_dict().items()), "the best are kept"


def test_without_validation_the_last_weights_are_kept():
    plain, again = voice(), voice()
    history = run(plain)
    assert history.best_score == max(-row["loss"] for row in history.rows)
    optimised = run(again, steps=8)
    assert optimised.losses == history.losses
    assert all(torch.equal(v, again.state_dict()[k]) for k, v in plain.state_dict().items())


@pytest.mark.parametrize(
    ("count", "steps", "rows"), [(5, 5, [2, 4, 5]), (2, 3, [1, 2, 3]), (9, 3, [3]), (8, 8, [4, 8])]
)
def test_epochs_end_where_the_items_are_used_up_and_at_the_end(count, steps, rows):
    history = run(data=items(count), steps=steps)
    assert [row["step"] for row in history.rows] == rows
    begins = [0, *rows]
    for begin, row in zip(begins, history.rows, strict=False):
        assert row["loss"] == pytest.approx(sum(history.losses[begin : row["step"]]) / (row["step"] - begin))


def test_the_system_is_told_the_terms_of_each_epoch_and_prepared_once():
    told, prepared = [], []

    def epoch_end(self, terms):
        told.append(terms)

    def prepare(self, loader):
        prepared.append(sum(len(batch["mixture"]) for batch in loader))

    history = run(voice(epoch_end=epoch_end, prepare=prepare), items(5), steps=5)
    assert prepared == [5] and [terms["loss"] for terms in told] == [row["loss"] for row in history.rows]


def test_the_bar_says_loss_throughput_and_memory(capsys):
    run(valid=items(1, seed=3), progress=True, steps=4)
    said = capsys.readouterr()
    text = said.out + said.err
    assert "loss=" in text and "s/s" in text and "MB" in text and "CPU" in text
