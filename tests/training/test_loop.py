import errno
import math
import os
import signal
import threading

import pytest
import torch

from sepbook.architectures import create
from sepbook.training import checkpoint
from sepbook.training.checkpoint import CheckpointError
from sepbook.training.loop import TrainConfig, TrainingError, train
from tests.systems import Synthetic, Talkers, TalkersConfig, register

TINY = {"widths": (4, 8)}


def fresh(**fields):
    torch.manual_seed(0)
    return create("unet", **{**TINY, **fields})


def config(**fields):
    return TrainConfig(**{"steps": 8, "batch_size": 2, "device": "cpu", "learning_rate": 1e-2, **fields})


def same(a, b):
    return all(torch.equal(v, b.state_dict()[k]) for k, v in a.state_dict().items())


class Breaks(Synthetic):
    def __getitem__(self, i):
        if i == 10:
            raise OSError("disk on fire")
        return super().__getitem__(i)


def items(system, count=6, **fields):
    return Synthetic(system, items=count, samples=4000, **fields)


def test_history_and_best_weights(tmp_path):
    system = fresh()
    history = train(system, items(system), items(system, 2, seed=9), config(folder=str(tmp_path)), progress=False)
    assert history.steps == 8 and [row["step"] for row in history.rows] == [3, 6, 8]
    assert all(math.isfinite(v) for row in history.rows for v in row.values())
    scores = [row["valid_si_sdr_improvement"] for row in history.rows]
    assert history.best_score == max(scores)
    assert history.best_step == history.rows[scores.index(max(scores))]["step"]
    assert same(system, checkpoint.load_weights(tmp_path / "best.safetensors"))
    assert not system.training


def test_the_loop_equals_the_lines_it_stands_for():
    system, by_hand = fresh(), fresh()
    train(system, items(system), config=config(steps=3, schedule="constant"), progress=False)
    data = items(by_hand)
    optimizer = torch.optim.Adam(by_hand.parameters(), 1e-2)
    by_hand.train()
    for step in range(3):
        batch = torch.utils.data.default_collate([data[2 * step], data[2 * step + 1]])
        optimizer.zero_grad()
        by_hand.loss(batch["mixture"], batch["sources"])["loss"].backward()
        torch.nn.utils.clip_grad_norm_(by_hand.parameters(), 5.0)
        optimizer.step()
    assert same(system, by_hand)


@pytest.mark.parametrize("workers", [0, 2])
def test_resumed_equals_uninterrupted(tmp_path, workers):
    whole = fresh(dropout=0.5)  # dropout draws random numbers, which must go on where they stopped
    first = train(whole, items(whole), items(whole, 2, seed=9), config(), progress=False)

    system = fresh(dropout=0.5)
    broken = Breaks(system, items=6, samples=4000)
    fields = {"folder": str(tmp_path), "save_every": 2, "workers": workers}
    with pytest.raises(OSError, match="disk on fire"):
        train(system, broken, items(system, 2, seed=9), config(**fields), progress=False)
    again = fresh(dropout=0.5)
    history = train(again, items(again), items(again, 2, seed=9), config(**fields, resume=True), progress=False)
    assert history.losses == first.losses
    assert same(again, whole)


def test_a_run_is_not_overwritten_and_not_resumed_as_another(tmp_path):
    system = fresh()
    train(system, items(system), config=config(folder=str(tmp_path)), progress=False)
    with pytest.raises(CheckpointError, match="already holds a training run"):
        train(fresh(), items(system), config=config(folder=str(tmp_path)), progress=False)
    with pytest.raises(CheckpointError, match="learning_rate=0.01.*learning_rate=0.1"):
        train(
            fresh(), items(system), config=config(folder=str(tmp_path), resume=True, learning_rate=0.1), progress=False
        )
    with pytest.raises(CheckpointError, match="widths"):
        other = fresh(widths=(4, 6))
        train(other, items(other), config=config(folder=str(tmp_path), resume=True), progress=False)
    checkpoint.save_weights(tmp_path / "last.safetensors", system)
    with pytest.raises(CheckpointError, match="not a training run"):
        train(fresh(), items(system), config=config(folder=str(tmp_path), resume=True), progress=False)


def test_early_stopping():
    system = fresh()
    history = train(
        system, items(system, 4), items(system, 2, seed=9),
        config(steps=100, learning_rate=1e-30, patience=2), progress=False,
    )  # fmt: skip
    assert history.stopped == "early stopping" and history.steps < 100


class Poisoned(Synthetic):
    """One item holds NaN."""

    poison = 9

    def __getitem__(self, i):
        item = super().__getitem__(i)
        if i == self.poison:
            item["mixture"] = item["mixture"] * float("nan")
        return item


def test_nan_is_reported_with_its_item_and_the_best_weights_stay(tmp_path):
    system = fresh()
    data, valid = Poisoned(system, items=4, samples=4000), items(system, 2, seed=9)
    fields = {"folder": str(tmp_path), "save_every": 1}
    with pytest.raises(TrainingError, match=r"loss is nan at step 4: the data holds NaN.*: item 9 \(mixture\)"):
        train(system, data, valid, config(**fields), progress=False)
    assert all(v.isfinite().all() for v in system.state_dict().values())
    assert same(system, checkpoint.load_weights(tmp_path / "best.safetensors"))
    whole, mended = fresh(), fresh()
    train(whole, items(whole, 4), valid, config(), progress=False)
    train(mended, items(mended, 4), valid, config(**fields, resume=True), progress=False)
    assert same(whole, mended), "with the file mended it goes on where it was"


def test_a_loss_that_refuses_nan_itself_is_reported_in_the_same_way():
    torch.manual_seed(0)
    system = Talkers(TalkersConfig())
    data, valid = Poisoned(system, items=4, samples=4000), items(system, 2, seed=9)
    with pytest.raises(TrainingError, match=r"step 4: the data holds NaN.*: item 9 \(mixture\).*weights of step 4"):
        train(system, data, valid, config(), progress=False)
    assert all(v.isfinite().all() for v in system.state_dict().values())


def test_nan_in_a_shuffled_data_set_is_reported_with_the_number_that_it_has_there():
    system = fresh()
    data = Poisoned(system, items=4, samples=2000)
    data.endless, data.poison = False, 3
    with pytest.raises(TrainingError, match=r"item 3 \(mixture\).*The weights of step [01] are kept"):
        train(system, data, config=config(), progress=False)


@pytest.mark.parametrize("broken", ["loss", "gradient"])
def test_weights_that_break_are_never_saved(tmp_path, broken):
    class Explodes(Talkers):
        def loss(self, mixture, sources, **labels):
            self.calls = getattr(self, "calls", 0) + 1
            loss = super().loss(mixture, sources)["loss"]
            if self.calls < 4:
                return {"loss": loss}
            zero = sum((p * 0).sum() for p in self.parameters())
            return {"loss": loss * torch.inf if broken == "loss" else loss + zero.abs().sqrt()}

    system = Explodes(TalkersConfig())
    with pytest.raises(TrainingError, match=f"the {broken} is .* at step 3: items 6, 7, which are finite.*rate"):
        train(system, items(system, 20), config=config(folder=str(tmp_path), save_every=1), progress=False)
    assert all(v.isfinite().all() for v in system.state_dict().values())
    tensors, header = checkpoint.read(tmp_path / "last.safetensors")
    assert len(header["history"]["losses"]) == 3 and all(v.isfinite().all() for v in tensors.values())


@pytest.mark.parametrize("name", ["last.safetensors", "best.safetensors"])
def test_a_full_disk_stops_the_run_and_what_was_saved_goes_on(tmp_path, monkeypatch, name):
    system, valid = fresh(dropout=0.5), items(fresh(), 2, seed=9)
    replace, fields = os.replace, {"folder": str(tmp_path), "save_every": 1}

    def full(source, target):
        if target.name == name and (tmp_path / "best.safetensors").exists():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        replace(source, target)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(CheckpointError, match=f"{name}: could not be written .No space left.*Free some space"):
        train(system, items(system), valid, config(**fields), progress=False)
    assert all(p.name in ("last.safetensors", "best.safetensors") for p in tmp_path.iterdir())
    monkeypatch.setattr(os, "replace", replace)
    whole, again = fresh(dropout=0.5), fresh(dropout=0.5)
    train(whole, items(whole), valid, config(), progress=False)
    train(again, items(again), valid, config(**fields, resume=True), progress=False)
    assert same(whole, again)


def test_a_run_goes_on_with_its_own_data_only(tmp_path):
    system = fresh()
    fields = {"folder": str(tmp_path), "resume": True}
    train(system, items(system), config=config(**fields), progress=False)
    with pytest.raises(CheckpointError, match="with the data's items=6, but now items=7.*another folder"):
        train(fresh(), items(system, 7), config=config(**fields), progress=False)
    data = items(system)
    data.settings = lambda: {"seconds": 3.0}
    with pytest.raises(CheckpointError, match="the data's seconds=None, but now seconds=3.0"):
        train(fresh(), data, config=config(**fields), progress=False)


def test_too_little_data_and_missing_sources():
    system = fresh()
    with pytest.raises(TrainingError, match="1 items, fewer than one batch of 2"):
        train(system, items(system, 1), config=config(), progress=False)
    data = items(system)
    data.source_names = ("vocals", "drums", "piano", "other")
    with pytest.raises(TrainingError, match="the training data has only .*missing: bass"):
        train(system, data, config=config(), progress=False)


def test_sources_are_picked_by_name():
    class Recorder(Talkers):
        def loss(self, mixture, sources, **labels):
            self.seen = mixture.clone(), sources.clone()
            return super().loss(mixture, sources)

    system = Recorder(TalkersConfig(source_names=("c", "a"), sample_rate=8000))
    data = items(Talkers(TalkersConfig(source_names=("a", "b", "c"))))
    train(system, data, config=config(steps=1), progress=False)
    mixture, sources = system.seen
    item = data[0]
    assert torch.equal(sources[0], item["sources"][[2, 0]])
    assert torch.equal(mixture[0], item["sources"].sum(0))


def test_a_finite_data_set_is_shuffled_and_used_up_evenly(monkeypatch):
    class Finite(Synthetic):
        endless = False
        seen = []

        def __getitem__(self, i):
            assert 0 <= i < self.items
            self.seen.append(i)
            return super().__getitem__(i)

    system = fresh()
    train(system, Finite(system, items=4, samples=2000), config=config(steps=4), progress=False)
    assert sorted(Finite.seen[:4]) == sorted(Finite.seen[4:8]) == [0, 1, 2, 3]


def test_unordered_systems_are_validated_under_the_best_order(monkeypatch):
    register(monkeypatch)
    torch.manual_seed(0)
    system = create("talkers")

    class Perfect(Talkers):
        def forward(self, mixture, **inputs):
            return self.truth.flip(1)

        def loss(self, mixture, sources, **labels):
            self.truth = sources
            return {"loss": self.encoder.weight.sum() * 0 + 1}

    perfect = Perfect(system.config)
    history = train(perfect, items(system), items(system, 2), config(steps=1), progress=False)
    assert history.rows[0]["valid_si_sdr_improvement"] > 40


def test_an_estimate_of_pure_silence_scores_worst():
    class Silent(type(fresh())):
        def forward(self, mixture, **inputs):
            return torch.zeros_like(super().forward(mixture, **inputs))

    silent = Silent(fresh().config)
    history = train(silent, items(silent), items(silent, 2), config(steps=1), progress=False)
    assert history.rows[0]["valid_si_sdr_improvement"] < -80  # as in evaluation.metrics, and never a gain


def test_ctrl_c_finishes_the_step_and_keeps_the_best(tmp_path):
    system = fresh()

    class Interrupts(Synthetic):
        def __getitem__(self, i):
            if i == 9:
                os.kill(os.getpid(), signal.SIGINT)
            return super().__getitem__(i)

    data = Interrupts(system, items=4, samples=4000)
    fields = {"steps": 12, "folder": str(tmp_path)}
    history = train(system, data, items(system, 2, seed=9), config(**fields), progress=False)
    assert history.stopped == "interrupted" and history.steps == 5
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    tensors, header = checkpoint.read(tmp_path / "last.safetensors")
    assert len(header["history"]["losses"]) == 5
    whole, resumed = fresh(), fresh()
    train(whole, items(whole, 4), items(system, 2, seed=9), config(steps=12), progress=False)
    train(resumed, items(whole, 4), items(system, 2, seed=9), config(**fields, resume=True), progress=False)
    assert same(whole, resumed)


def test_runs_outside_the_main_thread():
    system, results = fresh(), []
    job = threading.Thread(
        target=lambda: results.append(train(system, items(system), config=config(steps=1), progress=False))
    )
    job.start()
    job.join()
    assert results[0].steps == 1
