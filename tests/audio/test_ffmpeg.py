"""What libsndfile cannot read goes through ffmpeg, or is refused in words where there is none."""

import os
import shutil
import subprocess
import sys
import textwrap

import pytest
import torch

from sepbook import audio
from sepbook.audio import ffmpeg
from tests.audio import odd

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
RATE = 16_000
FOREIGN = {  # file name: options
    "aac.m4a": ("-c:a", "aac"),
    "alac.m4a": ("-c:a", "alac"),
    "raw.aac": ("-c:a", "aac"),
    "a.wma": ("-c:a", "wmav2"),
    "opus.webm": ("-c:a", "libopus"),
    "vorbis.mka": ("-c:a", "libvorbis"),
    "video.mp4": ("-f", "lavfi", "-i", "color=size=32x32:duration=2", "-c:a", "aac", "-shortest"),
    "video.mkv": ("-f", "lavfi", "-i", "color=size=32x32:duration=2", "-c:a", "flac", "-shortest"),
    "a.ac3": ("-ar", "32000", "-c:a", "ac3"),
    "adpcm.wav": ("-c:a", "adpcm_ms"),
    "mp3 in.wav": ("-c:a", "libmp3lame"),
    "a.tta": ("-c:a", "tta"),
    "a.wv": ("-c:a", "wavpack"),
    "a.caf": ("-c:a", "pcm_s16be"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("foreign")
    audio.save(place / "source.wav", odd.sound(2, RATE), RATE)
    return place


@needs_ffmpeg
@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.filterwarnings("ignore::sepbook.audio.AudioWarning")
def test_a_foreign_format_gives_the_samples_that_ffmpeg_gives(folder, name):
    odd.ffmpeg("-i", folder / "source.wav", *FOREIGN[name], folder / name)
    found, rate = audio.load(folder / name)
    assert audio.info(folder / name).frames == found.shape[1]
    assert abs(found.shape[1] / rate - odd.SECONDS) < 0.15
    expected = odd.ffmpeg_samples(folder / name, 2)
    assert abs(found.shape[1] - expected.shape[1]) <= 1152
    if name not in ("mp3 in.wav", "adpcm.wav"):
        assert torch.equal(found, expected)


@needs_ffmpeg
def test_excerpts_and_blocks_of_a_foreign_format(folder):
    odd.ffmpeg("-i", folder / "source.wav", "-c:a", "alac", folder / "parts.m4a")
    whole = odd.agrees(folder / "parts.m4a")
    assert (whole - odd.sound(2, RATE)).abs().max() < 1e-4
    assert torch.equal(audio.load(folder / "parts.m4a", start=7000, frames=999)[0], whole[:, 7000:7999])


@needs_ffmpeg
@pytest.mark.parametrize("name", ["-i.m4a", "a:b.m4a", "pipe:0.m4a", "ü 音 %d.m4a", "'; touch x.m4a", "http:__x.m4a"])
def test_names_are_names_and_no_options(folder, tmp_path, monkeypatch, name):
    odd.ffmpeg("-i", folder / "source.wav", "-c:a", "alac", folder / "name.m4a")
    shutil.copy(folder / "name.m4a", tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert audio.load(name)[0].shape == (2, odd.SECONDS * RATE)
    assert os.listdir() == [name]


@needs_ffmpeg
@pytest.mark.parametrize(
    "text",
    [
        "ffconcat version 1.0\nfile source.wav\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nsource.wav\n#EXT-X-ENDLIST\n",
        "#EXTM3U\n#EXTINF:2,\nhttp://127.0.0.1:9/a.wav\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 0\n",
        "<?xml version='1.0'?><MPD><Period><BaseURL>source.wav</BaseURL></Period></MPD>",
    ],
)
def test_a_file_that_names_others_reads_nothing(folder, text):
    path = folder / "list.m4a"
    path.write_text(text)
    with pytest.raises(audio.AudioError, match="list.m4a: not a readable audio file"):
        audio.load(path)


@needs_ffmpeg
def test_a_foreign_file_that_is_cut_is_refused(folder):
    odd.ffmpeg("-i", folder / "source.wav", "-c:a", "aac", "-movflags", "+faststart", folder / "whole.m4a")
    data = (folder / "whole.m4a").read_bytes()
    for kept in (0.9, 0.5, 0.1):
        (folder / "cut.m4a").write_bytes(data[: int(len(data) * kept)])
        with pytest.raises(audio.AudioError, match="cut.m4a"):
            audio.load(folder / "cut.m4a")


@needs_ffmpeg
def test_a_flac_without_a_length(folder):
    path = audio.save(folder / "a.flac", odd.sound(2, RATE), RATE)
    data, expected = bytearray(path.read_bytes()), audio.load(path)[0]
    data[21] &= 0xF0  # the number of samples has 36 bits
    data[22:26] = bytes(4)
    (folder / "endless.flac").write_bytes(odd.id3() + bytes(data))
    assert torch.equal(odd.agrees(folder / "endless.flac"), expected)


def test_without_ffmpeg_the_message_names_it_and_how_to_get_it(tmp_path, monkeypatch):
    (tmp_path / "a.m4a").write_bytes(b"\0\0\0\x20ftypM4A " + bytes(900))
    monkeypatch.setenv("PATH", "")
    assert not ffmpeg.installed()
    for read in (audio.load, audio.info, lambda path: list(audio.blocks(path))):
        with pytest.raises(audio.AudioError, match=r"a.m4a: not a readable.*ffmpeg is installed \(apt install ffmpeg"):
            read(tmp_path / "a.m4a")


@needs_ffmpeg
@pytest.mark.slow
def test_an_hour_through_ffmpeg_stays_in_bounded_memory(folder, tmp_path):
    tone = "sine=frequency=300:sample_rate=8000:duration=1500"
    odd.ffmpeg("-f", "lavfi", "-i", tone, "-c:a", "flac", tmp_path / "a.mka")
    script = f"""
        import resource
        from sepbook import audio
        path = {str(tmp_path / "a.mka")!r}
        next(audio.blocks(path, 10))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert sum(block.shape[-1] for block in audio.blocks(path, 10)) == 1500 * 8000
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True)
    unit = 1 if sys.platform == "darwin" else 1024
    assert int(done.stdout) * unit < 24e6  # bytes; the samples have 48 MB


@needs_ffmpeg
def test_no_process_is_left(folder):
    odd.ffmpeg("-i", folder / "source.wav", "-c:a", "alac", folder / "left.m4a")
    reading = audio.blocks(folder / "left.m4a", 0.1)
    next(reading)
    reading.close()
    process = ffmpeg.Process(folder / "left.m4a")
    process.close()
    assert process._process.poll() is not None
