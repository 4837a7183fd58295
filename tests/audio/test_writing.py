"""Audio files are written whole or not at all."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
import torch

from sepbook import audio


def noise(channels, length):
    return 0.1 * torch.randn(channels, length, generator=torch.Generator().manual_seed(length))


@pytest.mark.parametrize("suffix", audio.SUFFIXES)
def test_blocks_make_the_same_file_as_the_whole(tmp_path, suffix):
    sound = noise(2, 200_000)
    with audio.Writer(tmp_path / f"blocks{suffix}", 44100, 2) as writer:
        for block in sound.split(7777, dim=-1):
            writer.write(block)
        assert [path.suffix for path in tmp_path.iterdir()] == [".part"]
    whole = audio.save(tmp_path / f"whole{suffix}", sound, 44100)
    found, expected = audio.load(tmp_path / f"blocks{suffix}")[0], audio.load(whole)[0]
    if suffix == ".ogg":  # Vorbis decides by what it has seen: compare what is heard
        assert found.shape == expected.shape and (found - expected).square().mean() < 0.1 * expected.square().mean()
    else:
        assert torch.equal(found, expected)


@pytest.mark.parametrize("suffix", [".flac", ".ogg", ".mp3"])
def test_clipping_is_counted_and_reported(tmp_path, suffix):
    sound = torch.tensor([[0.5, -1.5, 1.0, 2.0] * 1000])
    with pytest.warns(audio.ClippingWarning, match="2000 samples .* clipped .peak 2.00."):
        audio.save(tmp_path / f"loud{suffix}", sound, 16000)
    if suffix == ".flac":
        assert audio.load(tmp_path / "loud.flac")[0].abs().max() <= 1


@pytest.mark.filterwarnings("error")
def test_wav_keeps_what_is_louder_than_one(tmp_path):
    sound = torch.tensor([[0.5, -1.5, 20.0]])
    assert torch.equal(audio.load(audio.save(tmp_path / "loud.wav", sound, 16000))[0], sound)


@pytest.mark.parametrize(
    ("name", "sound", "rate", "match"),
    [
        ("a.aac", torch.ones(1, 9), 16000, "cannot write '.aac'. Choose one of: .wav"),
        ("a", torch.ones(1, 9), 16000, "cannot write ''"),
        ("a.wav", torch.full((1, 9), torch.nan), 16000, "NaN or infinity"),
        ("a.wav", torch.ones(1, 1, 9), 16000, "expected samples .C, N., got 3 axes"),
        ("a.wav", torch.ones(1, 0), 16000, "nothing to save"),
        ("a.flac", torch.ones(9, 9), 16000, "9 channels .axis C.*1 to 8"),
        ("a.wav", torch.ones(9999, 1), 16000, r"C=9999 audio channels.*are C and N swapped\?"),
        ("a.mp3", torch.ones(2, 9), 96000, "MP3 has no rate of 96000"),
        ("a.wav", torch.ones(2, 9), 0, "0 Hz given"),
        ("a.flac", torch.ones(2, 9), 900_000, "1 to 655350 Hz"),
        ("x" * 300 + ".wav", torch.ones(2, 9), 16000, "cannot be written .File name too long"),
        ("a\0.wav", torch.ones(2, 9), 16000, "cannot be written"),
    ],
)
def test_what_cannot_be_written_leaves_nothing(tmp_path, name, sound, rate, match):
    with pytest.raises(audio.AudioError, match=match):
        audio.save(tmp_path / name, sound, rate)
    assert not any(tmp_path.iterdir())


def test_places_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "folder.wav").mkdir()
    with pytest.raises(audio.AudioError, match="cannot be written"):
        audio.save(tmp_path / "file" / "a.wav", torch.ones(1, 9), 16000)
    with pytest.raises(audio.AudioError, match="this is a folder"):
        audio.save(tmp_path / "folder.wav", torch.ones(1, 9), 16000)
    assert sorted(os.listdir(tmp_path)) == ["file", "folder.wav"]


def test_a_missing_folder_is_made_and_the_permissions_are_the_usual_ones(tmp_path):
    path = audio.save(tmp_path / "a" / "b" / "c.wav", torch.ones(1, 9), 16000)
    (tmp_path / "usual").touch()
    assert path.stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_block_with_other_channels(tmp_path):
    with pytest.raises(audio.AudioError, match="block has 1 channels .axis C., expected 2"):
        with audio.Writer(tmp_path / "a.wav", 16000, 2) as writer:
            writer.write(torch.ones(2, 9))
            writer.write(torch.ones(1, 9))
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_error_in_between_keeps_the_older_file(tmp_path, error):
    path = audio.save(tmp_path / "a.flac", torch.zeros(1, 5), 16000)
    with pytest.raises(error):
        with audio.Writer(path, 16000, 1) as writer:
            writer.write(noise(1, 99_999))
            raise error
    assert os.listdir(tmp_path) == ["a.flac"]
    assert torch.equal(audio.load(path)[0], torch.zeros(1, 5))


def test_a_wav_beyond_four_gigabytes_is_refused_before_it_breaks(tmp_path):
    with pytest.raises(audio.AudioError, match="at most 4 GiB. Save it as .flac"):
        with audio.Writer(tmp_path / "a.wav", 16000, 1) as writer:
            writer.frames = 2**30 - 2000  # as if an hour of 24 channels were written already
            writer.write(torch.ones(1, 9999))
    assert not any(tmp_path.iterdir())


FULL = """
    import resource, sys, numpy
    from sepbook.audio import AudioError, Writer
    noise = 0.1 * numpy.random.default_rng(0).standard_normal((2, 44100 * 4))
    for room in (0, 100, 40_000):
        for path in sys.argv[1:]:
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, -1))
            try:
                with Writer(path, 44100, 2) as writer:
                    writer.write(noise)
                print("saved")
            except AudioError as error:
                print(error)
"""


def test_a_full_disk_leaves_the_older_files_and_nothing_else(tmp_path):
    paths = [audio.save(tmp_path / f"a{suffix}", torch.zeros(1, 5), 16000) for suffix in audio.SUFFIXES]
    run = [sys.executable, "-c", textwrap.dedent(FULL), *paths]
    lines = subprocess.run(run, capture_output=True, text=True, check=True).stdout.splitlines()
    for line, path in zip(lines, paths * 3, strict=True):
        assert line.startswith(f"{path}: cannot be written (File too large)")
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    assert [audio.load(path)[0].shape for path in paths] == [(1, 5)] * len(paths)


ENDLESS = """
    import sys, numpy
    from sepbook.audio import Writer
    noise = 0.1 * numpy.random.default_rng(0).standard_normal((2, 30_000))
    with Writer(sys.argv[1], 44100, 2) as writer:
        while True:
            writer.write(noise)
"""


def test_ctrl_c_leaves_nothing(tmp_path):
    command = [sys.executable, "-c", textwrap.dedent(ENDLESS)]
    running = [
        subprocess.Popen([*command, tmp_path / f"a{suffix}"], stderr=subprocess.PIPE, text=True)
        for suffix in audio.SUFFIXES
    ]
    started = time.monotonic()
    try:
        while sum(path.stat().st_size > 0 for path in tmp_path.iterdir()) < 4 and time.monotonic() - started < 100:
            time.sleep(0.02)
        for process in running:
            process.send_signal(signal.SIGINT)
        for process in running:
            _, errors = process.communicate(timeout=900)
            assert process.returncode != 0 and "KeyboardInterrupt" in errors
    finally:  # whatever happened: nobody writes on for ever
        for process in running:
            process.kill()
    assert not any(tmp_path.iterdir())


def test_two_runs_into_one_place_do_not_mix(tmp_path):
    path = tmp_path / "a.wav"
    with audio.Writer(path, 16000, 1) as first:
        first.write(torch.zeros(1, 5000))
        with audio.Writer(path, 16000, 1) as second:
            second.write(torch.ones(1, 7000))
        assert torch.equal(audio.load(path)[0], torch.ones(1, 7000))
        first.write(torch.zeros(1, 5000))
    assert torch.equal(audio.load(path)[0], torch.zeros(1, 10_000))
    assert os.listdir(tmp_path) == ["a.wav"]


def test_silence_is_measured(tmp_path):
    with audio.Writer(tmp_path / "a.flac", 16000, 1) as writer:
        writer.write(np.zeros((1, 10)))
    assert (writer.frames, writer.clipped, writer.peak) == (10, 0, 0.0)


def test_what_a_killed_run_left_is_swept_and_what_a_living_one_writes_is_not(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    for name in (f".sepbook-{dead.pid}-abc.part", ".sepbook-0123456789ab.part", "mine.part", ".other.part"):
        (tmp_path / name).touch()
    with audio.Writer(tmp_path / "a.wav", 16000, 1) as writer:
        audio.sweep(tmp_path)
        writer.write(torch.ones(1, 9))
    assert sorted(os.listdir(tmp_path)) == [".other.part", "a.wav", "mine.part"]
