"""A run goes on as itself or not at all: whatever is missing, damaged or changed is said in words."""

import json
import math
import shutil
import signal

import pytest
import torch

from sepbook._locking import alone_in
from sepbook.architectures import create
from sepbook.losses.weighting import DynamicWeights
from sepbook.training import _resume, checkpoint
from sepbook.training._folder import SIGNALS, leave_signals_to_the_loop
from sepbook.training._state import Run
from sepbook.training.checkpoint import CheckpointError
from sepbook.training.device import choose
from sepbook.training.loop import TrainConfig, train
from tests.systems import Synthetic

FIELDS = {"steps": 6, "batch_size": 2, "device": "cpu", "average": 0.9, "schedule": "plateau", "save_every": 1}


def fresh(kind=None, **fields):
    torch.manual_seed(0)
    system = create("unet", widths=(4,), n_fft=64, hop=32, dropout=0.5, **fields)
    if kind is None:
        return system
    other = kind(system.config)
    other.load_state_dict(system.state_dict(), strict=False)
    other.name, other.preset = "unet", "small"
    return other


def items(count=4, seed=0, kind=Synthetic):
    return kind(fresh(), items=count, samples=1000, seed=seed)


def run(folder=None, system=None, data=None, valid=None, **fields):
    system = system or fresh()
    config = TrainConfig(**{**FIELDS, "folder": folder, **fields})
    history = train(system, data or items(), valid or items(2, seed=9), config, progress=False)
    return system, history


def same(a, b):
    return all(torch.equal(v, b.state_dict()[k]) for k, v in a.state_dict().items())


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """The folder of a run that was stopped after four of its six steps."""
    folder = tmp_path_factory.mktemp("resume") / "run"

    class Stops(Synthetic):
        def __getitem__(self, i):
            if i == 7:
                signal.raise_signal(signal.SIGINT)
            return super().__getitem__(i)

    _, history = run(folder, data=items(kind=Stops))
    assert (history.steps, history.stopped) == (4, "interrupted")
    return folder


@pytest.fixture
def copy(done, tmp_path):
    """Return copy(change): a copy of that folder whose last.safetensors has been changed."""

    def made(change=None, name="last.safetensors"):
        folder = tmp_path / "run"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(done, folder)
        if change is not None:
            tensors, header = checkpoint.read(folder / name)
            header = json.loads(json.dumps(header))
            change(tensors, header)
            checkpoint.write(folder / name, tensors, header)
        return folder

    return made


def test_untouched_it_goes_on(copy):
    whole, history = run()
    resumed, again = run(copy(), resume=True)
    assert same(whole, resumed) and again.losses == history.losses


def paths(value, prefix=()):
    """Yield the place of every entry of a nested dict."""
    for key, inner in value.items():
        yield (*prefix, key)
        if isinstance(inner, dict):
            yield from paths(inner, (*prefix, key))


def place(header, path):
    for key in path[:-1]:
        header = header[key]
    return header


WRONG = ("a word", None, [], {}, True, -3.5, math.nan, ["a"], {"a": 1})


@pytest.mark.slow
def test_no_damage_to_the_header_is_any_other_error(done, copy, monkeypatch):
    """Each field is taken away, and given values of every kind: it is refused in words, or it did not matter."""
    monkeypatch.setattr(checkpoint.os, "fsync", lambda file: None)
    _, header = checkpoint.read(done / "last.safetensors")
    unwatched = ("format", "versions")
    every = [p for p in paths(header) if p[0] not in unwatched and p[:2] != ("train", "folder")]
    assert len(every) > 70
    passed = []
    for number, path in enumerate(every):
        wrong = (WRONG[(number + k) % len(WRONG)] for k in (0, 2, 5))
        for value in ("gone", *(value for value in wrong if value != place(header, path)[path[-1]])):

            def change(tensors, header, path=path, value=value):
                if value == "gone":
                    del place(header, path)[path[-1]]
                else:
                    place(header, path)[path[-1]] = value

            job = Trial(copy(change))
            if job.error is None:
                passed.append((path, value))
            else:
                assert isinstance(job.error, CheckpointError), (path, value, job.error)
                assert "last.safetensors" in str(job.error) and len(str(job.error)) > 60
    free = {("train", name) for name in _resume.FREE}
    harmless = {path for path, value in passed if value != "gone"}
    assert {path for path, value in passed if value == "gone"} <= free
    for path in harmless - free:
        kinds = [value for where, value in passed if where == path]
        right = (-3.5, True, None, "a word", *([{"a": 1}] if path == ("sums",) else []))  # a sum of another term
        assert all(value in right for value in kinds), (path, kinds)


class Trial:
    """What `restore` says to a folder."""

    def __init__(self, folder, **fields):
        self.error = None
        config = TrainConfig(**{**FIELDS, "folder": folder, "resume": True, **fields})
        try:
            job = Run(fresh(), config, items(), items(2, seed=9), choose("cpu"))
            self.states = job.restore()
        except Exception as error:
            self.error = error


def tensors_of(done):
    return checkpoint.read(done / "last.safetensors")[0]


@pytest.mark.slow
def test_no_damage_to_the_tensors_is_any_other_error(done, copy, monkeypatch):
    monkeypatch.setattr(checkpoint.os, "fsync", lambda file: None)
    for key, value in tensors_of(done).items():
        for kind in ("gone", "longer", "more axes", "of another type"):

            def change(tensors, header, key=key, kind=kind, value=value):
                if kind == "gone":
                    del tensors[key]
                elif kind == "longer":
                    tensors[key] = torch.cat([value.flatten(), value.flatten()[:1]])
                elif kind == "more axes":
                    tensors[key] = torch.stack([value, value])
                elif key.startswith("rng"):
                    tensors[key] = value.float()
                else:
                    tensors[key] = torch.full_like(value, math.nan) if value.is_floating_point() else value[None]

            error = Trial(copy(change)).error
            remembered = key.startswith("optimizer.") and kind == "of another type"
            assert isinstance(error, CheckpointError) or (remembered and error is None), (key, kind, error)


def test_best_weights_that_are_missing_damaged_or_of_another_run_are_named(copy):
    folder = copy()
    (folder / "best.safetensors").unlink()
    with pytest.raises(CheckpointError, match="best.safetensors: is missing, .* those of step"):
        run(folder, resume=True)
    folder = copy()
    (folder / "best.safetensors").write_bytes(b"broken")
    with pytest.raises(CheckpointError, match="best.safetensors: not a readable"):
        run(folder, resume=True)
    for change, words in (
        (lambda tensors, header: tensors.popitem(), "best.safetensors: the weight .* is missing"),
        (lambda tensors, header: header.pop("notes"), "holds the weights of step None"),
        (lambda tensors, header: header.update(notes=3), "holds the weights of step None"),
        (lambda tensors, header: header["notes"].update(step=0), "holds the weights of step 0"),
    ):
        with pytest.raises(CheckpointError, match=words):
            run(copy(change, "best.safetensors"), resume=True)


def test_other_releases_are_told_and_go_on(copy, capsys):
    def older(tensors, header):
        header["versions"] = {"torch": "1.0", "sepbook": header["versions"]["sepbook"]}

    folder = copy(older)
    config = TrainConfig(**{**FIELDS, "folder": folder, "resume": True})
    train(fresh(), items(), items(2, seed=9), config, progress=True)
    said = capsys.readouterr()
    assert "begun with torch 1.0, now" in said.out + said.err


def test_weights_that_were_saved_are_where_another_run_begins(tmp_path):
    first, _ = run()
    checkpoint.save_weights(tmp_path / "weights.safetensors", first)
    loaded = checkpoint.load_weights(tmp_path / "weights.safetensors")
    begun = {key: value.clone() for key, value in loaded.state_dict().items()}
    again, history = run(system=loaded, valid=None, learning_rate=1e-9, average=0.0)
    assert history.steps == 6 and not again.training
    for name, value in again.named_parameters():
        torch.testing.assert_close(value.detach(), begun[name], atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"steps": 7}, "steps=6, but now steps=7 .*another folder"),
        ({"optimizer": "sgd"}, "optimizer='adam', but now optimizer='sgd'"),
        ({"optimizer_options": {"eps": 1e-7}}, "optimizer_options={}, but now optimizer_options={'eps': 1e-07}"),
        ({"schedule": "cosine"}, "schedule='plateau'"),
        ({"average": 0.5}, "average=0.9"),
        ({"precision": "bfloat16"}, "precision='auto'"),
        ({"seed": 1}, "seed=0"),
    ],
)
def test_another_run_is_refused(copy, fields, words):
    with pytest.raises(CheckpointError, match=words):
        run(copy(), resume=True, **fields)


class Louder(Synthetic):
    """The same items, but for one source of them, by so many decibels."""

    decibels = 6.0

    def __getitem__(self, i):
        item = super().__getitem__(i)
        item["sources"][1] *= 10 ** (self.decibels / 20)
        return {**item, "mixture": item["sources"].sum(0)}


def test_data_that_have_changed_are_refused(copy):
    with pytest.raises(CheckpointError, match="the data's sound has changed"):
        run(copy(), data=items(kind=Louder), resume=True)
    with pytest.raises(CheckpointError, match="the data's sound has changed"):
        run(copy(), data=items(seed=3), resume=True)
    with pytest.raises(CheckpointError, match="the validation data's sound has changed"):
        run(copy(), valid=items(2, seed=8), resume=True)
    with pytest.raises(CheckpointError, match="validation data's items=2, but now items=3"):
        run(copy(), valid=items(3, seed=9), resume=True)

    class Tracks(Synthetic):
        tracks = [type("Track", (), {"length": 5})]

    with pytest.raises(CheckpointError, match="track_lengths=0, but now track_lengths=5"):
        run(copy(), data=items(kind=Tracks), resume=True)


def test_another_decoder_may_round_otherwise(copy, monkeypatch):
    monkeypatch.setattr(Louder, "decibels", 0.1)
    run(copy(), data=items(kind=Louder), resume=True)


def test_what_stopped_early_stays_stopped(tmp_path, capsys):
    fields = {"steps": 60, "patience": 2, "learning_rate": 1e-30, "average": 0.0}
    system, first = run(tmp_path, **fields)
    assert first.stopped == "early stopping" and first.steps == 6 and first.best_step == 2
    config = TrainConfig(**{**FIELDS, "folder": tmp_path, "resume": True, **fields})
    again = fresh()
    history = train(again, items(), items(2, seed=9), config, progress=True)
    said = capsys.readouterr()
    assert (history.stopped, history.losses, history.rows) == (first.stopped, first.losses, first.rows)
    assert same(system, again) and "stopped early at step 6: nothing is left to do" in said.out + said.err


def test_a_finished_run_has_nothing_to_do(tmp_path):
    system, first = run(tmp_path)
    again, history = run(tmp_path, resume=True)
    assert history == first and same(system, again)


def test_memories_of_helpers_go_on(tmp_path):
    """Weights of the loss that follow the epochs are part of the system, and so of the run."""

    class Weighs(type(fresh())):
        def __init__(self, config):
            super().__init__(config)
            self.dynamic = DynamicWeights(2)

        def loss(self, mixture, sources, **labels):
            value = super().loss(mixture, sources)["loss"]
            return {"loss": self.dynamic.weights[0] * value, "first": value.detach()}

        def epoch_end(self, terms):
            self.dynamic.update([terms["first"], 0.5 * terms["first"] ** 2])

    class Stops(Synthetic):
        def __getitem__(self, i):
            if i == 15:
                signal.raise_signal(signal.SIGTERM)
            return super().__getitem__(i)

    fields = {"steps": 12, "average": 0.0, "learning_rate": 0.05}
    whole, first = run(system=fresh(Weighs), **fields)
    _, half = run(tmp_path, fresh(Weighs), items(kind=Stops), **fields)
    assert (half.steps, half.stopped) == (8, "interrupted")
    resumed, history = run(tmp_path, fresh(Weighs), resume=True, **fields)
    assert history.losses == first.losses and same(whole, resumed)
    assert whole.dynamic.weights[0] != 1


def test_random_numbers_of_the_card_go_on(tmp_path, monkeypatch):
    """A card that is pretended: its state is saved, and set again."""
    states, own = [torch.arange(16, dtype=torch.uint8)], Run._random_state
    monkeypatch.setattr(Run, "_random_state", lambda self: [*own(self), states[-1]])
    monkeypatch.setattr(torch.cuda, "set_rng_state", lambda state, device: states.append(state))
    run(tmp_path)
    assert torch.equal(states[-1], states[0])
    states[:] = [torch.zeros(16, dtype=torch.uint8)]
    run(tmp_path, resume=True)
    assert torch.equal(states[-1], torch.arange(16, dtype=torch.uint8))


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_scheduler_that_ends_the_job_is_like_ctrl_c(tmp_path, name):
    number = getattr(signal, name)

    class Stops(Synthetic):
        def __getitem__(self, i):
            if i == 7:
                signal.raise_signal(number)
            return super().__getitem__(i)

    before = signal.getsignal(number)
    _, history = run(tmp_path, data=items(kind=Stops))
    assert (history.stopped, history.steps) == ("interrupted", 4) and signal.getsignal(number) is before
    whole, _ = run()
    resumed, history = run(tmp_path, resume=True)
    assert history.stopped == "" and same(whole, resumed)

    class Twice(Stops):
        def __getitem__(self, i):
            if i == 6:
                signal.raise_signal(number)
            return super().__getitem__(i)

    with pytest.raises(KeyboardInterrupt):
        run(data=items(kind=Twice))
    assert signal.getsignal(number) is before


def test_what_a_killed_run_left_half_written_is_swept_away(tmp_path):
    stale = [tmp_path / name for name in (".last.safetensors.part", ".best.safetensors.part")]
    others = [tmp_path / name for name in ("notes.part", ".vocals.wav.part", "a.safetensors.part")]
    for path in (*stale, *others):
        path.write_bytes(b"half")
    with pytest.raises(CheckpointError, match="another run"), alone_in(tmp_path):
        run(tmp_path)
    assert all(path.exists() for path in stale), "under another run's lock nothing is touched"
    run(tmp_path, steps=1)
    assert not any(path.exists() for path in stale) and all(path.exists() for path in others)


def test_workers_leave_the_signals_of_the_group_to_the_loop():
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        leave_signals_to_the_loop(0)
        for number in SIGNALS:
            signal.raise_signal(number)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert {signal.SIGINT, signal.SIGTERM, signal.SIGHUP} == set(before)
