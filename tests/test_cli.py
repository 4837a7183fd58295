"""The command line: help that teaches, the commands, exit codes, and what goes to which stream."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import warnings

import pytest
import torch
import typer

from sepbook import __version__, architectures, audio, cli
from sepbook.cli import commands, main
from sepbook.data.folder import StemFolder
from sepbook.data.mixing import Mixtures
from sepbook.evaluation import metrics, oracles
from sepbook.training import checkpoint

RATE = 8000
TINY = {"sample_rate": RATE, "n_fft": 64, "hop": 16, "widths": (4, 4)}
SET = [part for name, value in TINY.items() for part in ("--set", f"{name}={json.dumps(value)}")]
COMMANDS = ("separate", "train", "evaluate", "shapes", "stream", "grade", "score")


def noise(*shape, seed=0):
    return 0.2 * (torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) - 0.5)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder to work in, with a song, stems to learn from, and the weights of a tiny U-Net."""
    monkeypatch.chdir(tmp_path)
    audio.save("song.wav", noise(2, 12_000), 44_100)
    for number, split in enumerate(("train", "train", "valid", "test", "test")):
        for stem, name in enumerate(("vocals", "drums", "bass", "other")):
            audio.save(f"stems/{split}/song {number}/{name}.wav", noise(1, RATE, seed=10 * number + stem), RATE)
    torch.manual_seed(0)
    checkpoint.save_weights("tiny.safetensors", architectures.create("unet", **TINY))
    return tmp_path


def call(capsys, *arguments):
    """Run a command in this process: (exit code, stdout, stderr)."""
    code = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def examples(command):
    """Yield the command lines that the help of a command shows."""
    text = typer.main.get_command(commands.app).commands[command].help
    yield from (shlex.split(line.strip()) for line in text.splitlines() if line.strip().startswith("sepbook "))


def test_version_and_bare_call(capsys):
    assert call(capsys, "--version") == (0, f"sepbook {__version__}\n", "")
    code, out, _ = call(capsys)
    assert code == 0 and all(command in out for command in COMMANDS) and "First steps" in out


@pytest.mark.parametrize("command", COMMANDS)
def test_help_teaches(capsys, command):
    code, out, _ = call(capsys, command, "--help")
    assert code == 0
    assert "Examples:" in out and len(list(examples(command))) >= 2
    for parameter in typer.main.get_command(commands.app).commands[command].params:
        assert getattr(parameter, "help", None), f"{command}: {parameter.name} is not explained"


@pytest.mark.parametrize("command", COMMANDS)
def test_examples_of_the_help_can_be_typed(command):
    parser = typer.main.get_command(commands.app).commands[command]
    for words in examples(command):
        words = words[: min(words.index(sign) for sign in "<>" if sign in words)] if {"<", ">"} & {*words} else words
        assert words[1] == command
        parser.make_context(command, words[2:])


def test_readme_examples_can_be_typed(root):
    lines = re.findall(r"^sepbook (\w+)(.*?)(?:#.*)?$", (root / "README.md").read_text(encoding="utf-8"), re.M)
    assert len(lines) >= 3
    for command, rest in lines:
        if "--help" not in rest:
            typer.main.get_command(commands.app).commands[command].make_context(command, shlex.split(rest))


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
def test_separate(place, capsys, suffix):
    code, out, err = call(
        capsys, "separate", "song.wav", "--weights", "tiny.safetensors", "-o", "new/out", "--format", suffix
    )
    assert code == 0
    assert (
        err.startswith("sepbook: note: nothing above 4000 Hz is in the stems: unet works at 8000 Hz")
        and err.count("\n") == 1
    )
    assert out.split() == [os.path.join("new", "out", f"{n}.{suffix}") for n in ("vocals", "drums", "bass", "other")]
    for path in out.split():
        assert audio.info(path)[:3] == (12_000, 44_100, 2)


def test_separate_goes_where_it_is_told_from_any_folder(place, capsys, monkeypatch, tmp_path_factory):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    song, weights = place / "song.wav", place / "tiny.safetensors"
    assert call(capsys, "separate", song, "--weights", weights)[0] == 0
    assert (place.parent / os.getcwd() / "stems" / "bass.wav").exists()
    assert not (place / "stems" / "bass.wav").exists()


def test_every_command_works_from_any_folder_with_relative_paths(place, capsys, monkeypatch):
    (place / "far" / "away").mkdir(parents=True)
    monkeypatch.chdir(place / "far" / "away")
    up = os.path.join("..", "..")
    weights, data = os.path.join(up, "tiny.safetensors"), os.path.join(up, "stems")
    out = os.path.join(up, "far", "out")
    assert call(capsys, "separate", os.path.join(up, "song.wav"), "--weights", weights, "-o", out)[0] == 0
    assert len(list((place / "far" / "out").glob("*.wav"))) == 4
    train = ["train", "unet", "--data", data, "--steps", 1, "--batch-size", 1, "--seconds", 0.2, "-q", *SET]
    code, run, err = call(capsys, *train)
    assert code == 0 and run == os.path.join("runs", "unet_small", "weights.safetensors") + "\n", err
    assert (place / "far" / "away" / run.strip()).exists()
    code, out, err = call(capsys, "evaluate", "--data", data, "--weights", run.strip(), "-q")
    assert code == 0 and "vocals" in out, err


def strictly(text):
    """Read JSON as other languages do: NaN and Infinity are none."""

    def refuse(name):
        raise AssertionError(f"{name} is no JSON")

    return json.loads(text, parse_constant=refuse)


def test_json_is_json_and_nothing_else_even_where_there_is_no_score(place, capsys):
    audio.save("stems/alone/only/vocals.wav", torch.zeros(1, RATE), RATE)
    for seed, stem in enumerate(("drums", "bass", "other")):
        audio.save(f"stems/alone/only/{stem}.wav", noise(1, RATE, seed=seed), RATE)
    arguments = ["--weights", "tiny.safetensors", "--data", "stems", "--split", "alone", "--oracle", "--json"]
    code, out, _ = call(capsys, "evaluate", *arguments)
    scores = strictly(out)["scores"]
    assert code == 0 and scores["silent"] == 1 and scores["improvement"]["interval"] == [None, None]
    for rest in ([], ["--preset", "paper", "--depth", 0], ["--time", "--seconds", 0.1]):
        code, out, err = call(capsys, "shapes", "unet", "--json", *rest)
        assert (code, err) == (0, "") and strictly(out)["system"] == "unet"


def test_overwrite_is_asked_for(place, capsys):
    assert call(capsys, "separate", "song.wav", "--weights", "tiny.safetensors", "-o", "out")[0] == 0
    code, out, err = call(capsys, "separate", "song.wav", "--weights", "tiny.safetensors", "-o", "out")
    assert code == 2 and out == "" and "--overwrite" in err
    assert call(capsys, "separate", "song.wav", "--weights", "tiny.safetensors", "-o", "out", "--overwrite")[0] == 0


def test_warnings_become_notes(capsys, monkeypatch):
    def warn(*args, **kwargs):
        warnings.warn("12 samples were clipped", audio.ClippingWarning, stacklevel=2)

    monkeypatch.setattr(audio, "info", warn)
    code, _, err = call(capsys, "separate", "song.wav", "--device", "nowhere")
    assert code == 2 and "sepbook: note: 12 samples were clipped\n" in err and ".py" not in err


def test_evaluate_prints_the_scores(place, capsys):
    arguments = ["evaluate", "--weights", "tiny.safetensors", "--data", "stems"]
    code, out, err = call(capsys, *arguments)
    system = checkpoint.load_weights("tiny.safetensors")
    tracks = StemFolder("stems", "test")
    expected = metrics.evaluate(system, tracks)
    assert (code, err) == (0, "") and out == f"{expected}\n"
    code, out, _ = call(capsys, *arguments, "--oracle", "--json", "--split", "test")
    found = json.loads(out)
    assert found["scores"] == expected.as_dict()
    assert found["oracle"] == oracles.evaluate(tracks, system.source_names).as_dict()
    assert {k: found[k] for k in ("system", "preset", "data", "split")} == {
        "system": "unet",
        "preset": "small",
        "data": "stems",
        "split": "test",
    }


def test_a_missing_stem_may_be_silence(place, capsys):
    (place / "stems" / "test" / "song 3" / "bass.wav").unlink()
    arguments = ["evaluate", "--weights", "tiny.safetensors", "--data", "stems", "--json"]
    assert call(capsys, *arguments)[0] == 2
    code, out, _ = call(capsys, *arguments, "--allow-missing")
    assert code == 0 and json.loads(out)["scores"]["silent"] == 1


def test_shapes_prints_the_trace(capsys):
    code, out, err = call(capsys, "shapes", "unet", "--preset", "paper", "--seconds", 12, "--depth", 1)
    assert (code, err) == (0, "")
    assert "9,823,313 parameters" in out and "(B=1, C=1, N=98304)" in out
    code, out, _ = call(capsys, "shapes", "unet", "--json", "--set", "n_fft=512", "--time")
    found = json.loads(out)
    assert found["parameters"] == sum(p.numel() for p in architectures.create("unet", n_fft=512).parameters())
    assert found["rows"][0]["inputs"][0]["sizes"] == [1, 1, 48_000]
    assert found["rows"][0]["milliseconds"] > 0 and found["macs_per_second"] > 1e6
    assert found["rows"][0]["times"] == 1 and found["uncounted"].keys() == {"Fourier transform"}


def test_shapes_unfolds_repeats(capsys):
    deep = ("shapes", "unet", "--set", "convolutions=5", "--seconds", 0.5)
    folded, whole = (call(capsys, *deep, *more)[1] for more in ((), ("--unfold",)))
    assert "(4 times)" in folded and "encoder.0.more.9" not in folded
    assert "times)" not in whole and "encoder.0.more.9" in whole


def test_train_separate_evaluate(place, capsys):
    train = ["train", "unet", "--data", "stems", "--batch-size", 2, "--seconds", 0.5, *SET]
    code, out, err = call(capsys, *train, "--steps", 3, "--out", "runs/one", "--quiet")
    assert code == 0 and out == os.path.join("runs", "one", "weights.safetensors") + "\n"
    assert "sepbook evaluate --weights" in err
    again = [*train, "--steps", 3, "--out", "runs/two", "--quiet"]
    assert call(capsys, *again)[0] == 0
    first, second = (checkpoint.load_weights(f"runs/{run}/weights.safetensors") for run in ("one", "two"))
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name]), "the same seed, the same weights"
    assert call(capsys, "separate", "song.wav", "--weights", "runs/one/weights.safetensors", "-o", "o")[0] == 0
    assert call(capsys, *train, "--steps", 3, "--out", "runs/one", "--quiet", "--resume")[0] == 0


def test_train_writes_to_runs_and_says_so_without_valid(place, capsys):
    for path in (place / "stems" / "valid").rglob("*.wav"):
        path.unlink()
    (place / "stems" / "valid" / "song 2").rmdir()
    (place / "stems" / "valid").rmdir()
    code, out, err = call(
        capsys, "train", "unet", "--data", "stems", "--steps", 2, "--batch-size", 1, "--seconds", 0.2, *SET
    )
    assert code == 0 and out.startswith(os.path.join("runs", "unet_small")) and "no folder 'valid'" in err


def test_a_folder_for_the_run_that_is_there_already_or_cannot_be_written(place, capsys, monkeypatch):
    train = ["train", "unet", "--data", "stems", "--steps", 1, "--batch-size", 1, "--seconds", 0.2, "-q", *SET]
    (place / "run").mkdir()
    (place / "run" / "notes.txt").write_text("mine")
    code, _, err = call(capsys, *train, "--out", "run", "--resume")
    assert code == 0 and "note: run holds no run to go on with: this is a new one" in err
    assert (place / "run" / "notes.txt").read_text() == "mine"
    code, _, err = call(capsys, *train, "--out", "run")
    assert code == 2 and "run: already holds a training run; resume it" in err and "--resume" in err
    code, _, err = call(capsys, *train, "--out", "run", "--resume", "--seconds", 0.3)
    assert code == 2 and "the data's seconds=0.2, but now seconds=0.3" in err

    def refuse(path, *rest):
        raise PermissionError(13, "Permission denied", path)

    drawn = []
    monkeypatch.setattr(Mixtures, "__getitem__", lambda self, index: drawn.append(index))
    monkeypatch.setattr("sepbook._locking.os.open", refuse)
    code, _, err = call(capsys, *train, "--out", "locked")
    assert code == 2 and "locked: no folder that can be written to (Permission denied)" in err
    assert not drawn, "it is said before the first step"


def test_ctrl_c_while_training_keeps_the_work(place, capsys, monkeypatch):
    draw = Mixtures.__getitem__

    def interrupt(self, index):
        if index == 7:
            signal.raise_signal(signal.SIGINT)
        return draw(self, index)

    monkeypatch.setattr(Mixtures, "__getitem__", interrupt)
    train = ["train", "unet", "--data", "stems", "--steps", 6, "--batch-size", 2, "--seconds", 0.2, *SET]
    code, out, err = call(capsys, *train)
    assert code == 130 and "Go on with --resume" in err
    steps = int(re.search(r"step (\d+) of 6", err)[1])
    assert 3 <= steps < 6
    monkeypatch.setattr(Mixtures, "__getitem__", draw)
    assert call(capsys, *train, "--resume")[0] == 0
    assert checkpoint.read(out.strip())[1]["notes"]["steps"] == 6


def test_ctrl_c_is_130_in_a_real_process(place):
    audio.save("long.wav", noise(2, 44_100 * 240), 44_100)
    command = [sys.executable, "-m", "sepbook.cli", "separate", "long.wav", "--weights", "tiny.safetensors"]
    command += ["-o", "out", "--format", "ogg", "--chunk-seconds", "7"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None and not list(place.glob("out/.*")):
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=900)
    assert process.returncode == 130, err
    assert out == "" and err.splitlines()[-1] == "sepbook: stopped. No half-written file is left."
    assert list(place.glob("out/*")) == [] and list(place.glob("out/.*")) == []


def test_exit_code_of_a_real_process(tmp_path):
    command = [sys.executable, "-m", "sepbook.cli", "separate", "nothing.wav"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("sepbook: nothing.wav: there is no such file") and done.stderr.count("\n") == 1


def broken(error):
    def fail(*args, **kwargs):
        raise error

    return fail


@pytest.mark.parametrize("error", [RuntimeError("a bug"), TypeError("a bug"), KeyError("a bug")])
def test_our_own_mistakes_show_where(capsys, monkeypatch, error):
    monkeypatch.setattr(audio, "info", broken(error))
    code, _, err = call(capsys, "separate", "song.wav")
    assert code == 1 and "Traceback" in err and "a bug" in err


def test_value_errors_of_other_packages_are_bugs(capsys, monkeypatch):
    monkeypatch.setattr(audio, "info", lambda path: json.loads("{"))
    code, _, err = call(capsys, "separate", "song.wav")
    assert code == 1 and "JSONDecodeError" in err


def test_ctrl_c_anywhere_is_130(capsys, monkeypatch):
    monkeypatch.setattr(audio, "info", broken(KeyboardInterrupt()))
    code, _, err = call(capsys, "separate", "song.wav")
    assert code == 130 and "stopped" in err and "Traceback" not in err


def test_debug_shows_the_traceback_of_what_is_refused(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEPBOOK_DEBUG", "1")
    code, _, err = call(capsys, "separate", "song.wav")
    assert code == 2 and "Traceback" in err and err.splitlines()[-1].startswith("sepbook: song.wav: there is no")


def test_what_the_system_refuses_names_the_file():
    assert cli.meant_for_the_user(PermissionError(13, "Permission denied", "x.wav"))
    assert cli.explain(PermissionError(13, "Permission denied", "x.wav")).startswith("x.wav: Permission denied.")
    assert cli.explain(OSError("no file")) == "no file"
