"""`train` and `evaluate` follow recipes and tasks: what is trained on, what options replace, and at which rates."""

import json
import os

import pytest
import torch

from sepbook import architectures, audio, shapes
from sepbook.cli import _training, main
from sepbook.cli._loading import from_weights
from sepbook.data.tasks import task
from sepbook.evaluation import metrics, oracles
from sepbook.training import checkpoint
from tests.systems import register

MINE = ["--set", "widths=[4,4]", "--set", "n_fft=64", "--set", "hop=16", "--set", "sample_rate=8000"]


def call(capsys, *arguments):
    """Run a command in this process: (exit code, stdout, stderr)."""
    code = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def planned(place, monkeypatch, capsys):
    """A function that types a training and returns what the loop would get, without a step."""
    seen = []

    def note(system, data, valid, config, progress):
        seen[:] = [system, data, valid, config]
        raise ValueError("enough")

    monkeypatch.setattr(_training, "train", note)

    def plan(*words):
        seen.clear()
        with pytest.raises(ValueError, match="enough"):
            from sepbook.cli.commands import app

            app(["train", *map(str, words)], standalone_mode=False)
        return seen

    return plan


SHORT = {"incoherent": 0.0, "gain_db": [0.0, 0.0]}
LONG = {"incoherent": 0.5, "gain_db": [-4.0, 2.0]}


@pytest.mark.parametrize(
    ("words", "steps", "items", "mixing"), [([], 3000, 2400, LONG), (["--steps", 350], 350, 280, SHORT)]
)
def test_without_options_it_is_the_run_that_the_book_quotes(planned, words, steps, items, mixing):
    system, data, valid, config = planned("unet", *words)
    torch.manual_seed(0)
    fresh = architectures.create("unet")
    assert all(torch.equal(value, fresh.state_dict()[name]) for name, value in system.state_dict().items())
    assert (config.steps, config.batch_size, config.learning_rate, config.seed) == (steps, 8, 3e-3, 0)
    assert (config.schedule, config.clip_norm, config.weight_decay) == ("cosine", 5.0, 0.0)
    assert data.settings() | mixing == data.settings() and data.flip
    assert (len(data), data.samples, data.seed, len(data.tracks)) == (items, 48_000, 0, 30)
    assert (len(valid), valid.samples, valid.seed, len(valid.tracks)) == (16, 160_000, 1, 4)
    assert valid.settings() | SHORT == valid.settings(), "validation is never made incoherent"


def test_an_option_replaces_one_line_of_the_recipe(planned):
    words = ["--steps", 40, "--batch-size", 3, "--seconds", 0.5, "--learning-rate", 0.01, "--seed", 7, "--workers", 1]
    _, data, valid, config = planned("unet", *words)
    assert (config.steps, config.batch_size, config.learning_rate) == (40, 3, 0.01)
    assert (config.seed, config.workers, config.folder) == (7, 1, os.path.join("runs", "unet_small"))
    assert (len(data), data.samples, data.seed) == (35 * 3, 8000, 7)
    assert data.settings() | SHORT == data.settings() and (len(valid), valid.seed) == (16, 1)


def test_every_task_can_be_named(planned):
    talk = ["--set", 'source_names=["talker_1","talker_2"]']
    _, data, valid, _ = planned("unet", *MINE, *talk, "--task", "talkers")
    assert data.source_names == valid.source_names == ("talker_1", "talker_2")
    assert (data.sample_rate, data.channels) == (8000, 1)
    _, data, *_ = planned("unet", "--task", "speech_noise", "--seconds", 1)
    assert data.source_names == ("speech", "noise")
    system, data, *_ = planned("unet", "--preset", "paper", "--seconds", 1)
    assert (data.source_names, system.source_names, data.sample_rate) == (
        ("vocals", "accompaniment"),
        ("vocals",),
        8192,
    )


def folder_of(names, root="mine", splits=("train", "test")):
    for number, split in enumerate(splits):
        for stem, name in enumerate(names):
            noise = torch.randn(1, 8000, generator=torch.Generator().manual_seed(10 * number + stem))
            audio.save(f"{root}/{split}/one/{name}.wav", 0.1 * noise, 8000)


def test_a_folder_is_taken_as_it_is_and_its_vocals_are_told_apart(planned, capsys):
    folder_of(("vocals", "drums", "bass", "other"))
    _, data, valid, _ = planned("unet", *MINE, "--data", "mine")
    assert data.source_names == ("vocals", "drums", "bass", "other") and valid is None
    assert "mine has no folder 'valid'" in capsys.readouterr().err
    _, data, *_ = planned("unet", "--preset", "paper", "--data", "mine", "--seconds", 1)
    assert data.source_names == ("vocals", "accompaniment")


def test_from_weights_goes_on_from_them(planned, capsys):
    torch.manual_seed(3)
    checkpoint.save_weights("tiny.safetensors", architectures.create("unet", "tiny"))
    before = checkpoint.load_weights("tiny.safetensors").state_dict()
    system, *_ = planned("unet", "--from", "tiny.safetensors", "--steps", 5)
    assert system.preset == "tiny"
    assert all(torch.equal(value, before[name]) for name, value in system.state_dict().items())
    planned("unet", "--from", "tiny.safetensors", "--preset", "tiny")


@pytest.mark.parametrize(
    ("words", "culprit"),
    [
        (
            ["train", "talkers", "--from", "tiny.safetensors"],
            "holds the weights of system 'unet', but 'talkers' was asked",
        ),
        (["train", "unet", "--from", "none.safetensors"], "none.safetensors: there is no such file"),
        (["train", "unet", "--from", "tiny.safetensors", "--set", "hop=2"], "--from tiny.safetensors and --set hop=2"),
        (["train", "unet", "--from", "tiny.safetensors", "--preset", "paper"], "weights of the preset 'tiny', but --p"),
        (
            ["evaluate", "--weights", "tiny.safetensors", "--preset", "paper"],
            "weights of the preset 'tiny', but --pres",
        ),
        (
            ["train", "unet", "--task", "talker"],
            "task 'talker' is unknown; did you mean 'talkers'? Choose one of: songs",
        ),
        (["train", "unet", "--task", "folder"], "task 'folder' needs a folder of stems"),
        (["train", "unet", "--task", "talkers", "--data", "mine"], "task 'talkers' is made from the built-in corpus"),
        (["train", "unet", "--task", "talkers"], "the system separates vocals, drums, bass, other, but"),
        (["evaluate", "--weights", "tiny.safetensors", "--at", "mine"], "--at"),
        (["evaluate", "--weights", "tiny.safetensors", "--split", "best"], "no split 'best'"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(place, capsys, monkeypatch, words, culprit):
    register(monkeypatch)
    checkpoint.save_weights("tiny.safetensors", architectures.create("unet", "tiny"))
    code, out, err = call(capsys, *words)
    assert code == 2 and culprit in err and "Traceback" not in err and not out


@pytest.mark.slow
def test_talkers_are_reached_as_songs_are(place, capsys, monkeypatch):
    register(monkeypatch)
    train = ["train", "talkers", "--steps", 2, "--batch-size", 2, "--seconds", 0.5, "--out", "run", "-q"]
    code, out, err = call(capsys, *train)
    weights = out.strip()
    assert code == 0, err
    assert checkpoint.read(weights)[1]["notes"]["task"] == "talkers"
    again = [
        "train",
        "talkers",
        "--from",
        weights,
        "--steps",
        1,
        "--batch-size",
        2,
        "--seconds",
        0.5,
        "--out",
        "two",
        "-q",
    ]
    assert call(capsys, *again)[0] == 0
    code, out, err = call(capsys, "evaluate", "--system", "talkers", "--weights", weights, "--oracle", "--json", "-q")
    found = json.loads(out)
    assert (code, found["task"], found["scores"]["tracks"]) == (0, "talkers", len(task("talkers").tracks())), err
    assert [found[k]["sample_rates"] for k in ("scores", "scores_at_system", "oracle", "oracle_at_system")] == [
        [16_000], [8000], [16_000], [8000],
    ]  # fmt: skip
    audio.save("talk.wav", 0.1 * torch.randn(2, 4000), 16_000)
    code, out, _ = call(capsys, "separate", "talk.wav", "--weights", weights)
    assert code == 0 and out.split() == [os.path.join("stems", f"talker_{n}.wav") for n in (1, 2)]
    code, out, _ = call(capsys, "shapes", "talkers")
    assert code == 0 and out == f"{shapes.trace(architectures.create('talkers'), torch.zeros(1, 1, 24_000))}\n"


def test_what_is_printed_after_training_can_be_typed(place, capsys):
    """Whatever the task was: the line that asks how good it is scores the system on what it has learned."""
    small = [*MINE, "--steps", 1, "--batch-size", 1, "--seconds", 0.2, "-q"]
    talk = ["--task", "speech_noise", "--set", 'source_names=["speech","noise"]', "--out", "talk"]
    folder_of(("vocals", "drums", "bass", "other"), splits=("train", "valid", "test"))
    for words, tracks in ((talk, len(task("speech_noise").tracks())), (["--data", "mine", "--out", "own"], 1)):
        code, _, err = call(capsys, "train", "unet", *small, *words)
        assert code == 0, err
        typed = err.split("How good is it?  sepbook ")[1].split()
        code, out, err = call(capsys, *typed, "--json", "-q")
        assert code == 0, err
        assert json.loads(out)["scores"]["tracks"] == tracks


NO_TASKS = [None, 3, "talkers", ["task"], {"task": ["talkers"]}, {"task": "sings"}, {"task": "folder"}]


@pytest.mark.parametrize("notes", NO_TASKS)
def test_weights_that_say_no_task_are_for_that_of_their_recipe(place, notes):
    checkpoint.save_weights("a.safetensors", architectures.create("unet", "tiny"))
    tensors, header = checkpoint.read("a.safetensors")
    checkpoint.write("a.safetensors", tensors, {**header, "notes": notes})
    assert from_weights(None, None, "a.safetensors").task == "songs"


def test_a_lower_rate_gets_a_second_table_and_the_ideal_mask_the_same_rate(place, capsys):
    folder_of(("vocals", "drums", "bass", "other"))
    torch.manual_seed(0)
    fields = {"n_fft": 64, "hop": 16, "widths": (4, 4)}
    for rate in (8000, 4000, 16_000):
        checkpoint.save_weights(f"{rate}.safetensors", architectures.create("unet", sample_rate=rate, **fields))
    evaluate = ["evaluate", "--data", "mine", "--oracle", "-q", "--weights"]
    titles = {}
    for rate, at in ((8000, None), (4000, None), (16_000, None), (4000, "system"), (4000, "track")):
        code, out, err = call(capsys, *evaluate, f"{rate}.safetensors", *(["--at", at] if at else []))
        assert code == 0, err
        titles[rate, at] = [line for line in out.splitlines() if " Hz" in line]
    system, mask = "unet small, at {} Hz", "ideal ratio mask, p = 1, at {} Hz"
    heard, own = ([line.format(rate) for line in (system, mask)] for rate in (8000, 4000))
    assert titles[8000, None] == titles[16_000, None] == titles[4000, "track"] == heard
    assert titles[4000, None] == heard + own and titles[4000, "system"] == own
    code, out, _ = call(capsys, *evaluate, "4000.safetensors", "--json")
    found = json.loads(out)
    system = checkpoint.load_weights("4000.safetensors")
    from sepbook.data.folder import StemFolder

    tracks = StemFolder("mine", "test")
    assert found["scores_at_system"] == metrics.evaluate(system, tracks, at="system").as_dict()
    seen = metrics.at_rate(tracks, 4000)
    assert found["oracle_at_system"] == oracles.evaluate(seen, system.source_names).as_dict()
    assert list(found) == ["system", "preset", "task", "data", "split", *(
        name + ending for ending in ("", "_at_system") for name in ("scores", "oracle")
    )]  # fmt: skip
