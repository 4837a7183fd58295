"""What happens to samples in files: formats, excerpts, blocks, MP3 for pages."""

import hashlib
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sepbook import audio
from tests.audio.waves import RATES, noise, tone


@pytest.mark.parametrize("suffix", audio.SUFFIXES)
@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("channels", [1, 2, 8])
def test_a_tone_survives_every_format_that_can_hold_it(tmp_path, suffix, rate, channels):
    sound, path = tone(rate, channels=channels), tmp_path / f"tone{suffix}"
    if suffix == ".mp3" and (channels == 8 or rate == 192000):
        with pytest.raises(audio.AudioError, match="remix" if channels == 8 else "no rate of 192000"):
            audio.save(path, sound, rate)
        assert not any(tmp_path.iterdir())
        return
    assert audio.save(path, sound, rate) == path
    found, found_rate = audio.load(path)
    assert (found.dtype, found.shape, found_rate) == (torch.float32, sound.shape, rate)
    tolerance = {".wav": 0.0, ".flac": 2e-7}.get(suffix, 0.03)
    middle = slice(rate // 10, -rate // 10)
    assert (found - sound)[:, middle].abs().max() <= tolerance
    assert audio.info(path) == (rate, rate, channels, 1.0)


PLAIN = [
    (kind, subtype, endian)
    for kind in ("WAV", "WAVEX", "AIFF", "RF64", "W64")
    for subtype in ("PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW")
    for endian in ("LITTLE", "BIG")
    if soundfile.check_format(kind, subtype, endian)
]


@pytest.mark.parametrize(("kind", "subtype", "endian"), PLAIN)
def test_plain_numbers_are_read_as_libsndfile_reads_them(tmp_path, kind, subtype, endian):
    sound = 0.5 * np.random.default_rng(0).standard_normal((1001, 3))
    sound[:3, 0] = -1, 1, 0.99999
    soundfile.write(tmp_path / "a.wav", sound, 16000, subtype, endian, kind)
    theirs = soundfile.read(tmp_path / "a.wav", dtype="float32")[0]
    assert np.array_equal(audio.load(tmp_path / "a.wav")[0].numpy().T, theirs)
    assert np.array_equal(audio.load(tmp_path / "a.wav", start=500, frames=77)[0].numpy().T, theirs[500:577])


@pytest.mark.parametrize("suffix", audio.SUFFIXES)
@pytest.mark.parametrize("length", [1, 2, 100, 1152, 5000])
def test_short_files_keep_their_length(tmp_path, suffix, length):
    path = audio.save(tmp_path / f"short{suffix}", noise(1, length), 16000)
    assert audio.load(path)[0].shape == (1, length)
    assert audio.load(path, 44100)[0].shape == (1, -(-length * 44100 // 16000))
    assert audio.load(path, 8000, 2)[0].shape == (2, -(-length // 2))


@pytest.mark.parametrize("suffix", audio.SUFFIXES)
def test_silence_stays_silence(tmp_path, suffix):
    path = audio.save(tmp_path / f"silence{suffix}", torch.zeros(2, 20000), 16000)
    assert audio.load(path, 44100)[0].abs().max() < 1e-6


@pytest.mark.parametrize("rate", [16000, 44100])
@pytest.mark.parametrize("channels", [1, 2])
def test_mp3_has_no_delay(tmp_path, rate, channels):
    click = torch.zeros(channels, rate)
    click[:, rate // 2] = 0.9
    found, _ = audio.load(audio.save(tmp_path / "click.mp3", click, rate, kbps=128))
    assert found.shape == click.shape
    assert found.abs().argmax(dim=1).tolist() == [rate // 2] * channels


@pytest.mark.parametrize("rate", [8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000])
def test_an_mp3_keeps_its_length_at_every_rate_and_bit_rate(tmp_path, rate):
    for kbps in (32, 64, 160):
        path = audio.save(tmp_path / f"{kbps}.mp3", noise(1, rate // 3), rate, kbps)
        assert audio.load(path)[0].shape == (1, rate // 3)


def test_kbps_sets_the_size_of_an_mp3(tmp_path):
    sizes = [audio.save(tmp_path / f"{k}.mp3", noise(2, 88200), 44100, kbps=k).stat().st_size for k in (64, 128, 256)]
    assert np.allclose(np.array(sizes) * 8 / 2 / 1000, [64, 128, 256], rtol=0.15)
    with pytest.raises(audio.AudioError, match="kbps=16, but an MP3 at 44100 Hz takes 32 to 320"):
        audio.save(tmp_path / "a.mp3", noise(1, 100), 44100, kbps=16)
    with pytest.raises(audio.AudioError, match="kbps is for .mp3 only"):
        audio.save(tmp_path / "a.flac", noise(1, 100), 44100, kbps=64)


def test_an_array_of_one_axis_is_mono(tmp_path):
    path = audio.save(tmp_path / "mono.wav", np.ones(10), 8000)
    assert torch.equal(audio.load(path)[0], torch.ones(1, 10))


def test_integer_files_and_other_containers_are_read(tmp_path):
    sound = (np.arange(-500, 500) / 512).astype(np.float32)
    for kind, subtype in (("WAV", "PCM_16"), ("WAV", "PCM_24"), ("WAV", "DOUBLE"), ("AIFF", "PCM_16"), ("OGG", "OPUS")):
        path = tmp_path / f"{kind}{subtype}"
        soundfile.write(path, sound, 48000, subtype, format=kind)
        found, rate = audio.load(path)
        assert found.shape == (1, 1000) and rate == 48000
        assert subtype == "OPUS" or np.abs(found.numpy()[0] - sound).max() < 1e-4


def test_an_excerpt_is_a_part_of_the_whole(tmp_path):
    sound = noise(2, 9000)
    path = audio.save(tmp_path / "whole.wav", sound, 16000)
    assert torch.equal(audio.load(path, start=100, frames=500)[0], sound[:, 100:600])
    assert torch.equal(audio.load(path, start=8900, frames=500)[0], sound[:, 8900:])
    assert audio.load(path, start=9999, frames=500)[0].shape == (2, 0)


@settings(max_examples=25, deadline=None)
@given(
    rate=st.sampled_from(RATES),
    wanted=st.sampled_from((None, *RATES)),
    seconds=st.floats(0.001, 0.7),
    length=st.integers(1, 60_000),
    channels=st.integers(1, 3),
)
def test_blocks_join_to_what_load_returns(tmp_path_factory, rate, wanted, seconds, length, channels):
    path = tmp_path_factory.getbasetemp() / "blocks.wav"
    audio.save(path, noise(channels, length), rate)
    whole, out_rate = audio.load(path, wanted, 1)
    parts = list(audio.blocks(path, seconds, wanted, 1))
    size = max(1, round(seconds * out_rate))
    assert [part.shape[-1] for part in parts[:-1]] == [size] * (len(parts) - 1)
    assert 1 <= parts[-1].shape[-1] <= size
    torch.testing.assert_close(torch.cat(parts, dim=-1), whole, atol=1e-5, rtol=0)


def test_blocks_cross_the_pieces_that_are_decoded_at_once(tmp_path):
    sound = noise(1, 600_000)
    path = audio.save(tmp_path / "long.flac", sound, 44100)
    for rate in (44100, 16000):
        parts = list(audio.blocks(path, 2.0, rate))
        torch.testing.assert_close(torch.cat(parts, -1), audio.load(path, rate)[0], atol=1e-5, rtol=0)


def test_an_hour_is_read_in_bounded_memory(tmp_path):
    script = f"""
        import resource, wave
        from sepbook import audio
        with wave.open({str(tmp_path / "hour.wav")!r}, "wb") as file:
            file.setparams((2, 2, 16000, 0, "NONE", ""))
            for _ in range(60):
                file.writeframesraw(bytes(16000 * 60 * 4))
        next(audio.blocks({str(tmp_path / "hour.wav")!r}, 10, 44100))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        count = sum(block.shape[-1] for block in audio.blocks({str(tmp_path / "hour.wav")!r}, 10, 22050))
        assert count == 3600 * 22050, count
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True)
    unit = 1 if sys.platform == "darwin" else 1024
    assert int(done.stdout) * unit < 60e6  # bytes; the hour itself has 635 MB


@pytest.mark.parametrize(("rate", "channels"), [(16000, 1), (44100, 2), (192000, 8), (11000, 1)])
def test_mp3_bytes_are_the_same_each_time(tmp_path, rate, channels):
    sound = noise(channels, rate)
    first = audio.mp3_bytes(sound, rate)
    assert first == audio.mp3_bytes(sound.clone(), rate)
    (tmp_path / "page.mp3").write_bytes(first)
    found, found_rate = audio.load(tmp_path / "page.mp3")
    assert found_rate == {192000: 48000, 11000: 11025}.get(rate, rate)
    assert found.shape == (min(channels, 2), found_rate)


def test_mp3_bytes_are_the_same_in_another_process():
    script = """
        import hashlib, torch
        from sepbook import audio
        print(hashlib.sha256(audio.mp3_bytes(torch.linspace(-1.2, 1.2, 20000).sin()[None], 16000)).hexdigest())
    """
    run = [sys.executable, "-c", textwrap.dedent(script)]
    found = subprocess.run(run, capture_output=True, text=True, check=True).stdout.strip()
    ours = audio.mp3_bytes(torch.linspace(-1.2, 1.2, 20000).sin()[None], 16000)
    assert found == hashlib.sha256(ours).hexdigest()
