"""A system of one's own on the command line: the whole way, stopped and resumed, and what is answered when it fails."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from sepbook import architectures, audio
from sepbook.cli import main
from sepbook.training import checkpoint
from tests.systems import one_voice

TEXT = Path(one_voice.__file__).read_text(encoding="utf-8")
STOPS = """
CALLS = []


class Stops(OneVoice):
    def loss(self, mixture, sources, **labels):
        CALLS.append(1)
        if len(CALLS) == 1 + 3:  # the rehearsal's, and those of three steps
            os.kill(os.getpid(), signal.SIGINT)
        return super().loss(mixture, sources)


SYSTEM = Stops
"""
RUN = ["train", "my_system.py", "--data", "stems", "--preset", "tiny", "--steps", 6, "--batch-size", 2, "--quiet"]
RUN += ["--seconds", 0.25]
WEIGHTS = "runs/my_system_tiny/weights.safetensors"


def noise(*shape, seed=0):
    return 0.2 * (torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) - 0.5)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with my_system.py, stems to learn from, and a song."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(architectures, "OWN", {})
    Path("my_system.py").write_text(TEXT, encoding="utf-8")
    audio.save("song.wav", noise(2, 12_000), 44_100)
    for number, split in enumerate(("train", "valid", "test")):
        for stem, name in enumerate(("vocals", "other")):
            audio.save(f"stems/{split}/song {number}/{name}.wav", noise(1, 8000, seed=10 * number + stem), 16_000)
    return tmp_path


@pytest.fixture
def call(place, capsys):
    """A function that runs a command in this process: (exit code, stdout, stderr)."""

    def call(*arguments):
        code = main([str(argument) for argument in arguments])
        return code, *capsys.readouterr()

    return call


def test_the_whole_way(call):
    code, out, said = call(*RUN)
    assert (code, out.strip()) == (0, WEIGHTS)
    assert f"sepbook evaluate --weights {WEIGHTS} --system my_system.py --data stems" in said
    code, out, _ = call("evaluate", "--system", "my_system.py", "--weights", WEIGHTS, "--data", "stems", "--json", "-q")
    scores = json.loads(out)
    assert (code, scores["system"], scores["preset"], scores["scores"]["tracks"]) == (0, "my_system", "tiny", 1)
    code, out, said = call("separate", "song.wav", "--system", "my_system.py", "--weights", WEIGHTS, "-q")
    assert (code, out.split()) == (0, ["stems/vocals.wav"]), said
    assert audio.info("stems/vocals.wav").frames == 12_000
    code, out, _ = call("shapes", "my_system.py", "--preset", "tiny", "--json")
    assert code == 0 and json.loads(out)["system"] == "my_system"


def test_it_validates_stops_and_goes_on_where_it_was(call):
    assert call(*RUN, "--out", "whole")[0] == 0
    header = checkpoint.read("whole/best.safetensors")[1]
    assert header["system"] == "my_system"
    file = Path("my_system.py")
    file.write_text("import os\nimport signal\n" + TEXT + STOPS, encoding="utf-8")
    code, _, said = call(*RUN)
    assert code == 130 and "step 3 of 6. Go on with --resume" in said
    file.write_text(TEXT, encoding="utf-8")
    assert call(*RUN, "--resume")[0] == 0
    whole, resumed = (
        checkpoint.read(path)[0] for path in ("whole/last.safetensors", "runs/my_system_tiny/last.safetensors")
    )
    assert all(torch.equal(value, resumed[name]) for name, value in whole.items() if name.startswith("system."))
    assert any(name.startswith("system.") for name in whole)


def test_in_a_process_of_its_own_and_from_another_folder(place):
    (place / "below").mkdir()
    words = ["shapes", str(place / "my_system.py"), "--depth", "0"]
    done = subprocess.run(
        [sys.executable, "-m", "sepbook.cli", *words], capture_output=True, text=True, cwd=place / "below",
        env=os.environ | {"PYTHONPATH": str(Path(architectures.__file__).parents[2])},
    )  # fmt: skip
    assert done.returncode == 0 and "OneVoice" in done.stdout, done.stderr
    assert not list(place.rglob("__pycache__")), "nothing is left beside the file"


def test_weights_alone_do_not_say_which_file_to_run(call):
    call(*RUN)
    architectures.OWN.clear()  # as in another process
    code, _, said = call("evaluate", "--weights", WEIGHTS)
    assert code == 2 and "give its file too: --system my_system.py, or adopt('my_system.py')" in said
    code, _, said = call("evaluate", "--system", "my_system.py")
    assert code == 2 and f"the book has no weights of a system of your own; give yours too, --weights {WEIGHTS}" in (
        said.replace("_small", "_tiny")
    )
    code, _, said = call("evaluate", "--system", "unet", "--weights", WEIGHTS)
    assert code == 2 and "holds the weights of system 'my_system', but 'unet' was asked for" in said


def test_hostile_names_in_weights_are_not_turned_into_advice(call):
    tensors = {"a": torch.zeros(1)}
    header = {"system": "../evil\x1b[31m", "preset": "small", "config": {}}
    checkpoint.write("evil.safetensors", tensors, header)
    code, _, said = call("separate", "song.wav", "--weights", "evil.safetensors")
    assert code == 2 and "--system" not in said and "\x1b" not in said


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            [("import torch\n", "import toorch\n")],
            "my_system.py: line 11: ModuleNotFoundError: No module",
        ),
        ([("class Config:", "class Settings:")], "NameError: name 'Config' is not defined"),
        ([("\nSYSTEM =", "\nSYSTEMS =")], "my_system.py has no SYSTEM: write SYSTEM = MySystem"),
        ([("(self, mixture, sources, **labels)", "(self, mixture)")], "unexpected keyword argument 'sources'"),
        ([("return self.istft(estimates, mixture.shape[-1])", "return estimates")], "expected (B, S, C, N) = (2, 1, 1"),
        ([('task="vocals"', 'task="singers"')], "singers"),
        ([('("vocals",)', '("voice",)')], "voice"),
        ([('("vocals",)', '("../vocals",)')], "it becomes a file, so choose one like 'vocals'"),
        ([("        self.stride = config.hop", "        # self.stride = config.hop")], "write in its __init__"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bad_files_are_answered_in_words_and_nothing_is_trained(call, changes, words):
    text = TEXT
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    Path("my_system.py").write_text(text, encoding="utf-8")
    code, out, said = call(*RUN)
    assert (code, out) == (2, "") and words in said and "Traceback" not in said
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["train", "missing.py"], "missing.py: No such file or directory"),
        (["train", "my_system"], "my_system.py is a file here: write my_system.py"),
        (["shapes", "my_sistem"], "system 'my_sistem' is unknown"),
        (["train", "my_system.py", "--set", "width=wide"], "expected a whole number"),
        (["train", "my_system.py", "--preset", "large"], "preset 'large' is unknown to 'my_system'"),
    ],
)
def test_wrong_names(call, words, answer):
    code, _, said = call(*words)
    assert code == 2 and answer in said


def test_a_system_that_breaks_only_at_work_is_no_mistake_of_the_book(call):
    call(*RUN)
    broken = TEXT.replace("return self.istft(", "return self.istfft(")
    Path("my_system.py").write_text(broken, encoding="utf-8")
    for words in (["separate", "song.wav"], ["evaluate"]):
        code, _, said = call(*words, "--system", "my_system.py", "--weights", WEIGHTS)
        assert code == 2 and "has no attribute 'istfft'" in said
