"""A folder of MUSDB18 on the command line, as a reader gives it: train, evaluate, separate."""

import pytest

from sepbook.cli import main
from sepbook.data import musdb
from tests.data.stem_files import needs_ffmpeg, stems, write_stem_file


@needs_ffmpeg
@pytest.mark.slow
def test_train_evaluate_and_separate_take_stem_files(tmp_path, capsys):
    for split, name in (("train", "A - B"), ("train", musdb.VALIDATION[0]), ("test", "C - D")):
        write_stem_file(tmp_path / split / f"{name}.stem.mp4", stems(len(name), 1.0))
    root, run = str(tmp_path), str(tmp_path / "run")
    few = ["--preset", "tiny", "--steps", "2", "--batch-size", "2", "--seconds", "0.5", "--quiet"]
    assert main(["train", "unet", "--data", root, *few, "--out", run]) == 0
    assert "no folder 'valid'" not in capsys.readouterr().err
    weights = ["--weights", f"{run}/weights.safetensors", "--quiet"]
    assert main(["evaluate", "--data", root, *weights, "--at", "system"]) == 0
    assert "vocals" in capsys.readouterr().out
    song = str(tmp_path / "test" / "C - D.stem.mp4")
    assert main(["separate", song, "--out", f"{root}/out", *weights]) == 0
    assert len(list((tmp_path / "out").glob("*.wav"))) == 4
