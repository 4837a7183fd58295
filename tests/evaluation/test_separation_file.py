"""From file to files: streamed, the same as in memory, whole stems or none, in bounded memory."""

import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile
import torch
import tqdm
from torch import nn

from sepbook import audio
from sepbook.evaluation import separation
from sepbook.evaluation.separation import separate, separate_file


class Halves(nn.Module):
    """Half of the mixture for one source and half for the other; breaks at a chosen chunk."""

    source_names, sample_rate, channels, ordered, stride = ("first", "second"), 8000, 1, True, 1

    def __init__(self, breaks_at=None, error=None):
        super().__init__()
        self.calls, self.breaks_at, self.error = 0, breaks_at, error

    def forward(self, mixture):
        self.calls += 1
        if self.calls == self.breaks_at:
            raise self.error
        return torch.stack([0.5 * mixture, 0.5 * mixture], dim=1)


class Smooth(Halves):
    """With context: a running mean over 101 samples, and what it leaves."""

    def forward(self, mixture):
        smooth = nn.functional.avg_pool1d(mixture, 101, stride=1, padding=50)
        return torch.stack([smooth, mixture - smooth], dim=1)


def sound(C, N, seed=0):
    return 0.9 * (torch.rand(C, N, generator=torch.Generator().manual_seed(seed)) - 0.5)


def written(folder):
    return sorted(path.name for path in folder.rglob("*")) if folder.exists() else []


@pytest.mark.parametrize("rate", [8000, 11025, 44100, 192_000])
@pytest.mark.parametrize("C, N", [(1, 1), (2, 3), (1, 40_001), (8, 5000)])
def test_streaming_equals_memory(tmp_path, monkeypatch, rate, C, N):
    samples = sound(C, N)
    song = audio.save(tmp_path / "song.wav", samples, rate)
    monkeypatch.setattr(separation, "BLOCK_SECONDS", 0.05)
    stems = separate_file(Smooth(), song, tmp_path / "stems", chunk_seconds=0.2)
    expected = separate(Smooth(), samples, rate, chunk_seconds=0.2)
    assert list(stems) == ["first", "second"]
    for name, estimate in zip(stems, expected, strict=True):
        found, found_rate = audio.load(stems[name])
        assert found_rate == rate and found.shape == (C, N)
        torch.testing.assert_close(found, estimate, atol=1e-5, rtol=0)


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".mp3"])
def test_formats(tmp_path, suffix):
    song = audio.save(tmp_path / "song.wav", sound(2, 16_000), 16_000)
    stems = separate_file(Halves(), song, tmp_path / "new" / "folder", suffix)
    assert written(tmp_path / "new" / "folder") == [f"first{suffix}", f"second{suffix}"]
    assert audio.load(stems["first"])[0].shape == (2, 16_000)


def test_the_length_that_an_mp3_really_has(tmp_path):
    song = audio.save(tmp_path / "song.mp3", sound(1, 33_333), 16_000)
    stem = separate_file(Halves(), song, tmp_path / "stems")["second"]
    assert audio.load(stem)[0].shape == audio.load(song)[0].shape


@pytest.mark.parametrize("error", [ValueError("broken"), KeyboardInterrupt(), MemoryError()])
def test_nothing_is_left_of_a_run_that_fails(tmp_path, error):
    song = audio.save(tmp_path / "song.wav", sound(1, 40_000), 8000)
    system = Halves(breaks_at=3, error=error)
    system.train()
    with pytest.raises(type(error)):
        separate_file(system, song, tmp_path / "stems", chunk_seconds=1)
    assert system.calls == 3 and system.training
    assert written(tmp_path / "stems") == []


def test_bad_samples_in_the_middle_leave_nothing(tmp_path):
    samples = sound(1, 400_000)
    samples[0, 390_000] = torch.nan
    song = tmp_path / "song.wav"
    soundfile.write(song, samples.T.numpy(), 8000, subtype="FLOAT")
    with pytest.raises(audio.AudioError, match="song.wav.*NaN"):
        separate_file(Halves(), song, tmp_path / "stems", chunk_seconds=1)
    assert written(tmp_path / "stems") == []


def test_a_song_that_changes_meanwhile_leaves_nothing(tmp_path):
    song = audio.save(tmp_path / "song.wav", sound(1, 400_000), 8000)

    class Disturbed(Halves):
        def forward(self, mixture):
            with open(song, "ab") as file:
                file.write(b"more")
            return super().forward(mixture)

    with pytest.raises(audio.AudioError, match="song.wav: the file changed while it was read"):
        separate_file(Disturbed(), song, tmp_path / "stems", chunk_seconds=1)
    assert written(tmp_path / "stems") == []


def test_a_folder_that_vanishes_meanwhile_is_named(tmp_path):
    song = audio.save(tmp_path / "song.wav", sound(1, 40_000), 8000)

    class Vanishes(Halves):
        def forward(self, mixture):
            shutil.rmtree(tmp_path / "stems", ignore_errors=True)
            return super().forward(mixture)

    with pytest.raises(audio.AudioError, match=r"stems.second.wav: cannot be written \(No such file"):
        separate_file(Vanishes(), song, tmp_path / "stems", chunk_seconds=1)


def test_existing_stems_are_safe(tmp_path):
    song = audio.save(tmp_path / "song.wav", sound(1, 8000), 8000)
    folder = tmp_path / "stems"
    folder.mkdir()
    (folder / "second.wav").write_text("mine")
    with pytest.raises(audio.AudioError, match="second.wav: exists already"):
        separate_file(Halves(), song, folder)
    assert written(folder) == ["second.wav"] and (folder / "second.wav").read_text() == "mine"
    with pytest.raises(ValueError, match="broken"):
        separate_file(Halves(1, ValueError("broken")), song, folder, overwrite=True)
    assert (folder / "second.wav").read_text() == "mine", "replaced only by what is complete"
    separate_file(Halves(), song, folder, overwrite=True)
    assert audio.info(folder / "second.wav").frames == 8000


def test_the_song_itself_is_never_overwritten(tmp_path):
    song = audio.save(tmp_path / "first.wav", sound(1, 8000), 8000)
    before = song.read_bytes()
    with pytest.raises(audio.AudioError, match="the file to separate"):
        separate_file(Halves(), song, tmp_path, overwrite=True)
    assert song.read_bytes() == before


def test_a_missing_file_makes_no_folder(tmp_path):
    with pytest.raises(audio.AudioError, match="no such file"):
        separate_file(Halves(), tmp_path / "song.wav", tmp_path / "stems")
    assert not (tmp_path / "stems").exists()


SLOWLY = """
import sys, time
sys.path.insert(0, {tests!r})
from test_separation_file import Halves, separate_file
class Slow(Halves):
    def forward(self, mixture):
        print("chunk", flush=True)
        time.sleep(0.2)
        return super().forward(mixture)
separate_file(Slow(), {song!r}, {folder!r}, chunk_seconds=1, progress=False)
"""


def test_ctrl_c_leaves_no_half_stem(tmp_path):
    song = audio.save(tmp_path / "song.wav", sound(1, 8000 * 60), 8000)
    code = SLOWLY.format(tests=str(Path(__file__).parent), song=str(song), folder=str(tmp_path / "stems"))
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", code], **pipes) as process:
        assert [process.stdout.readline() for _ in range(3)] == ["chunk\n"] * 3
        assert len(written(tmp_path / "stems")) == 3, "two hidden parts, and the lock, while it runs"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=900)
    assert process.returncode != 0 and "KeyboardInterrupt" in errors
    assert written(tmp_path / "stems") == []


def test_a_full_disk_leaves_no_half_stem(tmp_path):
    song = audio.save(tmp_path / "song.wav", sound(1, 8000 * 60), 8000)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
    try:
        with pytest.raises(audio.AudioError, match=r"first.wav: cannot be written \(File too large\)"):
            separate_file(Halves(), song, tmp_path / "stems", chunk_seconds=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert written(tmp_path / "stems") == []


def test_no_more_is_read_than_is_needed(tmp_path, monkeypatch):
    """Memory is bounded: at any moment what was read and not yet written is a chunk and a few blocks."""
    song = audio.save(tmp_path / "song.wav", sound(1, 8000 * 60), 8000)
    read, wrote, ahead = [0], [0], []
    blocks, write = audio.blocks, audio.Writer.write

    def counted_blocks(*args):
        for block in blocks(*args):
            read[0] += block.shape[-1]
            yield block

    def counted_write(self, samples):
        wrote[0] += samples.shape[-1] / 2  # two stems
        ahead.append(read[0] - wrote[0])
        write(self, samples)

    monkeypatch.setattr(audio, "blocks", counted_blocks)
    monkeypatch.setattr(audio.Writer, "write", counted_write)
    monkeypatch.setattr(separation, "BLOCK_SECONDS", 0.5)
    separate_file(Halves(), song, tmp_path / "stems", chunk_seconds=2)
    once = 8000 * 60  # samples that are read before, to find the level
    assert read[0] - once == wrote[0] == once
    assert max(ahead) - once <= 8000 * (2 + 3 * 0.5)


def test_progress_shows_only_after_two_seconds(tmp_path, capsys, monkeypatch):
    song = audio.save(tmp_path / "song.wav", sound(1, 40_000), 8000)
    clock = iter(range(0, 100_000, 3))
    monkeypatch.setattr(tqdm.std, "time", lambda: 0.0)
    separate_file(Halves(), song, tmp_path / "one", chunk_seconds=1)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(tqdm.std, "time", lambda: next(clock))
    separate_file(Halves(), song, tmp_path / "two", chunk_seconds=1, progress=False)
    assert capsys.readouterr().err == ""
    separate_file(Halves(), song, tmp_path / "three", chunk_seconds=1)
    assert "Separating: 100%" in capsys.readouterr().err
