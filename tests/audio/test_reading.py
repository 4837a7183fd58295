"""Audio files that cannot be read: each gives one clear error that names the file."""

import os
import shutil
import subprocess

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sepbook import audio


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A second of noise in each format, as bytes."""
    folder = tmp_path_factory.mktemp("good")
    sound = 0.1 * torch.randn(2, 16000, generator=torch.Generator().manual_seed(0))
    return {suffix: audio.save(folder / f"a{suffix}", sound, 16000).read_bytes() for suffix in audio.SUFFIXES}


def refused(path, match):
    """All three ways to read a file refuse it, and name it."""
    for read in (audio.load, lambda p: list(audio.blocks(p, 0.1))):
        with pytest.raises(audio.AudioError, match=match) as caught:
            read(path)
        assert str(path) in str(caught.value)


def test_missing_file_names_its_neighbours(tmp_path, good):
    (tmp_path / "song.wav").write_bytes(good[".wav"])
    refused(tmp_path / "sonk.wav", "there is no such file.*Did you mean song.wav")
    refused(tmp_path / "nothing-like-it.flac", "Check the spelling")
    refused(tmp_path / "nowhere" / "song.wav", "Its folder does not exist either")


def test_not_a_file(tmp_path):
    refused(tmp_path, "this is a folder")
    refused("/dev/zero", "device or a pipe")
    os.mkfifo(tmp_path / "pipe.wav")
    refused(tmp_path / "pipe.wav", "device or a pipe")


def test_strange_names(tmp_path, good):
    refused(tmp_path / ("x" * 300 + ".wav"), "cannot be opened")
    refused("a\0b.wav", "cannot be opened")
    (tmp_path / "around.wav").symlink_to("around.wav")
    refused(tmp_path / "around.wav", "cannot be opened")
    (tmp_path / "broken.wav").symlink_to("gone.wav")
    refused(tmp_path / "broken.wav", "no such file|is missing")
    for name in ("Größe – 音楽 🎵.flac", "x" * 250 + ".wav", "no suffix", "wrong suffix.mp3"):
        (tmp_path / name).write_bytes(good[".flac"])
        assert audio.load(tmp_path / name)[0].shape == (2, 16000)


@pytest.mark.parametrize("suffix", audio.SUFFIXES)
def test_empty_file(tmp_path, suffix):
    (tmp_path / f"empty{suffix}").touch()
    refused(tmp_path / f"empty{suffix}", "empty .0 bytes")


@pytest.mark.parametrize("suffix", audio.SUFFIXES)
@pytest.mark.parametrize("kept", [0.0005, 0.01, 0.3, 0.5, 0.85])
def test_truncated_file(tmp_path, good, suffix, kept):
    data = good[suffix]
    path = tmp_path / f"cut{suffix}"
    path.write_bytes(data[: int(len(data) * kept)])
    refused(path, "truncated|not a readable audio file|damaged")


@pytest.mark.parametrize("suffix", audio.SUFFIXES)
@pytest.mark.parametrize("missing", [1, 2, 30])
@pytest.mark.filterwarnings("ignore::sepbook.audio.AudioWarning")
def test_a_few_bytes_short(tmp_path, good, suffix, missing):
    """Less than a tenth of a second may be missing, with a note; where more depends on these bytes: refused."""
    path = tmp_path / f"short{suffix}"
    path.write_bytes(good[suffix][:-missing])
    if suffix in (".flac", ".ogg"):
        refused(path, "truncated|damaged")
        return
    with pytest.warns(audio.AudioWarning, match="promises|cut off"):
        assert audio.load(path)[0].shape[1] > 14_400


@pytest.mark.parametrize(
    "data", [b"hello", b"RIFF", b"ID3" + bytes(90), b"<html>404</html>", b"\x89PNG" * 100, bytes(9999)]
)
@pytest.mark.parametrize("suffix", [*audio.SUFFIXES, ".raw", ".m4a", ""])
def test_no_audio(tmp_path, data, suffix):
    path = tmp_path / f"page{suffix}"
    path.write_bytes(data)
    refused(path, "not a readable audio file.*ffmpeg")


@pytest.mark.parametrize(("value", "where"), [(np.nan, 0), (np.inf, 12345), (-np.inf, 15999)])
def test_not_finite(tmp_path, value, where):
    sound = np.zeros((16000, 2), np.float32)
    sound[where, 1] = value
    soundfile.write(tmp_path / "bad.wav", sound, 16000, "FLOAT")
    refused(tmp_path / "bad.wav", f"NaN or infinity, first at {where / 16000:.3f} s")


def test_very_large_numbers_are_finite(tmp_path):
    soundfile.write(tmp_path / "loud.wav", np.full(10, 3e38, np.float32), 16000, "FLOAT")
    assert audio.load(tmp_path / "loud.wav")[0].isfinite().all()


def test_no_samples(tmp_path):
    soundfile.write(tmp_path / "none.wav", np.zeros((0, 1)), 16000)
    refused(tmp_path / "none.wav", "no samples at all")


def test_impossible_rate(tmp_path):
    soundfile.write(tmp_path / "slow.wav", np.zeros(10), 3)
    refused(tmp_path / "slow.wav", "3 samples per second")


def test_a_file_that_changes_while_it_is_read(tmp_path):
    path = audio.save(tmp_path / "live.wav", torch.zeros(1, 600_000), 16000)
    with pytest.raises(audio.AudioError, match="live.wav: the file changed while it was read"):
        for _ in audio.blocks(path, 1.0):
            with open(path, "ab") as file:
                file.write(b"more")


def test_a_file_that_is_replaced_while_it_is_read_is_read_as_it_was(tmp_path):
    path = audio.save(tmp_path / "old.wav", torch.zeros(1, 600_000), 16000)
    reading = audio.blocks(path, 1.0)
    parts = [next(reading)]
    audio.save(path, torch.ones(1, 10), 16000)
    parts += reading
    assert torch.equal(torch.cat(parts, -1), torch.zeros(1, 600_000))


@pytest.fixture(scope="module")
def ffmpeg(tmp_path_factory):
    """Write ten seconds, noise and then silence, with ffmpeg and return the path."""
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    folder = tmp_path_factory.mktemp("ffmpeg")
    noise = torch.randn(1, 264_600, generator=torch.Generator().manual_seed(0))
    sound = torch.cat([0.2 * noise, torch.zeros(1, 176_400)], -1)
    source = audio.save(folder / "source.wav", sound, 44100)

    def write(name, *options, piped=False):
        command = ["ffmpeg", "-y", "-loglevel", "error", "-i", source, *options]
        target = folder / name
        if piped:
            with open(target, "wb") as file:
                subprocess.run([*command, "-f", target.suffix[1:], "-"], stdout=file, check=True)
        else:
            subprocess.run([*command, target], check=True)
        return target

    return write


@pytest.mark.parametrize("name", ["a.wav", "a.ogg"])
def test_files_from_a_pipe_do_not_know_their_length_and_are_read(ffmpeg, name):
    assert audio.load(ffmpeg(name, piped=True))[0].shape == (1, 441_000)


def test_other_peoples_mp3(ffmpeg):
    assert audio.load(ffmpeg("vbr.mp3", "-q:a", "4"))[0].shape == (1, 441_000)
    bare = audio.load(ffmpeg("cbr.mp3", "-b:a", "128k", "-write_xing", "0"))[0]
    assert 441_000 <= bare.shape[1] <= 441_000 + 3 * 1152  # delay and padding stay, as no header notes them


@pytest.mark.parametrize("suffix", audio.SUFFIXES)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_bytes_give_samples_or_one_kind_of_error(tmp_path, good, suffix, data):
    damaged = bytearray(good[suffix])
    places = st.integers(0, 120) | st.integers(0, len(damaged) - 1)
    for place, value in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), min_size=1, max_size=20)):
        damaged[place] = value
    path = tmp_path / f"damaged{suffix}"
    path.write_bytes(damaged[: data.draw(st.integers(0, len(damaged)) | st.just(len(damaged)))])
    try:
        found, rate = audio.load(path)
    except audio.AudioError as error:
        assert str(path) in str(error)
    else:
        assert found.isfinite().all() and found.shape[1] > 0 and rate > 0
