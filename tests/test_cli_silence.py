"""Whole runs on songs that lack something: a stem that never sounds, or is not there, in one song or in all."""

import json
import math

import pytest
import torch

from sepbook import audio
from sepbook.cli import main
from sepbook.training import checkpoint

RATE = 8000
STEMS = ("vocals", "drums", "bass", "other")
SET = [f"--set={name}={value}" for name, value in {"sample_rate": RATE, "n_fft": 64, "hop": 16}.items()]
SET += ["--set=widths=[4,4]"]
SPLITS = ("train", "train", "valid", "test", "test")
EVERYWHERE = range(5)


def song(number, silent=(), missing=()):
    """Write one song below stems/."""
    for place, name in enumerate(STEMS):
        if name not in missing:
            random = torch.Generator().manual_seed(10 * number + place)
            sound = 0.1 * torch.randn(1, RATE, generator=random) * (name not in silent)
            audio.save(f"stems/{SPLITS[number]}/song {number}/{name}.wav", sound, RATE)


def strictly(text):
    """Read JSON without NaN."""

    def refuse(name):
        raise AssertionError(f"{name} is no JSON")

    return json.loads(text, parse_constant=refuse)


# What is silent in which songs, what is missing in which, the task; and the sources left out of the two test songs.
CASES = {
    "a test song without voice": ({"vocals": [3]}, {}, "songs", 1),
    "no test song with a voice": ({"vocals": [3, 4]}, {}, "songs", 2),
    "training songs without voice": ({"vocals": [0, 1]}, {}, "songs", 0),
    "a valid song without drums and bass": ({"drums": [2], "bass": [2]}, {}, "songs", 0),
    "nobody ever plays bass": ({"bass": EVERYWHERE}, {}, "songs", 2),
    "one stem alone in a song": ({"drums": [4], "bass": [4], "other": [4]}, {}, "songs", 3),
    "a silent song": ({stem: [3] for stem in STEMS}, {}, "songs", 4),
    "stems that are not there": ({}, {"vocals": [1, 3], "bass": [0, 2, 4]}, "songs", 2),
    "two sources, a song without voice": ({"vocals": [0, 2, 3]}, {}, "vocals", 1),
    "two sources, a song of voice alone": ({"drums": [3], "bass": [3], "other": [3]}, {}, "vocals", 1),
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("case", CASES)
def test_training_and_scores_go_through(tmp_path, monkeypatch, capsys, case):
    silent, missing, task, left_out = CASES[case]
    monkeypatch.chdir(tmp_path)
    for number in range(5):
        song(number, *([stem for stem in table if number in table[stem]] for table in (silent, missing)))
    names = STEMS if task == "songs" else ("vocals", "accompaniment")
    named = f"--set=source_names={json.dumps(names)}"
    data = ["--data", "stems", "--task", task, *(["--allow-missing"] if missing else [])]
    train = ["train", "unet", *data, "--steps", "3", "--batch-size", "2", "--seconds", "0.3", "-q", named, *SET]
    assert main([*train, "--out", "run"]) == 0, capsys.readouterr().err
    tensors, header = checkpoint.read("run/last.safetensors")
    losses = header["history"]["losses"]
    assert len(losses) == 3 and all(math.isfinite(loss) for loss in losses)
    assert all(tensor.isfinite().all() for tensor in tensors.values() if tensor.is_floating_point())
    capsys.readouterr()
    evaluate = ["evaluate", "--weights", "run/weights.safetensors", *data, "--oracle", "-q"]
    assert main([*evaluate, "--json"]) == 0, capsys.readouterr().err
    found = strictly(capsys.readouterr().out)
    assert found["scores"]["silent"] == found["oracle"]["silent"] == left_out
    assert main(evaluate) == 0
    assert (f"Left out: {left_out} silent" in capsys.readouterr().out) == (left_out > 0)
