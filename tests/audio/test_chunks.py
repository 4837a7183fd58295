"""WAV, AIFF and their kin as they are found in the field: sizes that were never written, bytes that are missing."""

import struct
import warnings

import numpy as np
import pytest
import soundfile
import torch

from sepbook import audio
from tests.audio import odd

RATE = 16_000
SOUND = odd.sound(2, RATE)[:, : RATE // 2 + 1]  # (C, N): an odd number of frames
KINDS = {
    "WAV": (".wav", "PCM_16"), "WAV 8 bit": (".wav", "PCM_U8"), "WAV 24 bit": (".wav", "PCM_24"),
    "WAV 32 bit": (".wav", "PCM_32"), "WAV float": (".wav", "FLOAT"), "WAV double": (".wav", "DOUBLE"),
    "WAV A-law": (".wav", "ALAW"), "WAV mu-law": (".wav", "ULAW"), "WAVEX": (".wav", "PCM_24"),
    "RF64": (".wav", "PCM_16"), "W64": (".w64", "PCM_16"), "AIFF": (".aiff", "PCM_16"),
    "AIFF 24 bit": (".aiff", "PCM_24"), "AIFF float": (".aiff", "FLOAT"), "RIFX": (".wav", "PCM_16"),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _without_ffmpeg(monkeypatch):
    """All of this is read by our own means."""
    monkeypatch.setenv("PATH", "")


def make(path, kind):
    """Write SOUND in one kind; return its bytes and samples."""
    suffix, subtype = KINDS[kind]
    container = kind.split()[0].replace("RIFX", "WAV")
    path = path / f"plain{suffix}"
    endian = "BIG" if kind == "RIFX" else None
    soundfile.write(path, SOUND.T.numpy(), RATE, subtype, endian, format=container)
    return path.read_bytes(), audio.load(path)[0]


def data_place(data, kind):
    """Where the size of the samples stands: (place, width, order, first sample)."""
    if kind.startswith("AIFF"):
        at = data.find(b"SSND")
        return at + 4, 4, "big", at + 16
    if kind == "W64":
        at = data.find(b"data\xf3\xac\xd3\x11")
        return at + 16, 8, "little", at + 24
    at = data.find(b"data")
    return at + 4, 4, "big" if kind == "RIFX" else "little", at + 8


def sized(data, kind, size):
    """With another size in the head of the samples."""
    place, width, order, _ = data_place(data, kind)
    return data[:place] + size.to_bytes(width, order) + data[place + width :]


def load(folder, data, suffix=".wav"):
    path = folder / f"odd{suffix}"
    path.write_bytes(data)
    return odd.agrees(path)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [0, 0xFFFF_FFFF, 0x7FFF_FFFF])
def test_a_size_that_was_never_written(tmp_path, kind, size):
    data, expected = make(tmp_path, kind)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.equal(load(tmp_path, sized(data, kind, size)), expected)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("missing", [1, 2, 3, 700])
def test_a_few_bytes_that_are_missing_are_said_and_no_more(tmp_path, kind, missing):
    data, expected = make(tmp_path, kind)
    _, _, _, start = data_place(data, kind)
    block = (len(data) - start) // expected.shape[1]
    end = start + block * expected.shape[1]
    whole = expected.shape[1] - -(-missing // block)
    with pytest.warns(audio.AudioWarning, match=f"promises {missing} bytes more than are there"):
        found = load(tmp_path, data[: end - missing])
    assert torch.equal(found, expected[:, :whole])


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_lacks_more_than_a_tenth_of_a_second_is_refused(tmp_path, kind):
    data, _ = make(tmp_path, kind)
    with pytest.raises(audio.AudioError, match=r"truncated, \d+ bytes \(0.2\d s\) missing"):
        load(tmp_path, data[: len(data) - (len(data) - 80) // 2])


def chunk(name, content, pad=True):
    return name + struct.pack("<I", len(content)) + content + (b"\0" if pad and len(content) % 2 else b"")


def with_chunks(data, before=b"", after=b""):
    """A WAV with more chunks in front of the samples and behind them."""
    at = data.find(b"data")
    made = data[:at] + before + data[at:] + after
    return made[:4] + struct.pack("<I", len(made) - 8) + made[8:]


EXTRA = {
    "a list behind": {"after": chunk(b"LIST", b"INFOISFT" + bytes(8))},
    "an odd one in front": {"before": chunk(b"junk", b"odd")},
    "an odd one in front that is not filled up": {"before": chunk(b"junk", b"odd", pad=False)},
    "a tag behind": {"after": chunk(b"id3 ", odd.id3(301))},
    "zeros behind": {"after": bytes(100)},
    "a broadcast one in front": {"before": chunk(b"bext", bytes(602))},
    "one with a size that is too large behind": {"after": b"LIST" + struct.pack("<I", 5000) + b"INFO"},
    "an ID3v1 tag behind": {"after": odd.ID3V1},
}


@pytest.mark.parametrize("kind", EXTRA)
def test_chunks_around_the_samples(tmp_path, kind):
    data, expected = make(tmp_path, "WAV")
    assert torch.equal(load(tmp_path, with_chunks(data, **EXTRA[kind])), expected)


def test_no_samples_and_chunks_behind_are_no_samples(tmp_path):
    data, _ = make(tmp_path, "WAV")
    empty = sized(data[: data.find(b"data") + 8], "WAV", 0) + chunk(b"LIST", b"INFO" + bytes(4))
    with pytest.raises(audio.AudioError, match="no samples at all"):
        load(tmp_path, empty)


@pytest.mark.parametrize(("suffix", "lie"), [(".wav", ".mp3"), (".wav", ".ogg"), (".flac", ".wav"), (".wav", "")])
def test_a_suffix_that_lies(tmp_path, suffix, lie):
    path = audio.save(tmp_path / f"a{suffix}", SOUND, RATE)
    expected = audio.load(path)[0]
    assert torch.equal(load(tmp_path, path.read_bytes(), lie), expected)


@pytest.mark.parametrize("size", [0, 0xFFFF_FFFF])
def test_many_pieces_are_read_behind_a_wrong_size(tmp_path, size):
    sound = np.random.default_rng(0).integers(-9999, 9999, (600_001, 1), dtype=np.int16)
    soundfile.write(tmp_path / "a.wav", sound, 44_100)
    data = sized((tmp_path / "a.wav").read_bytes(), "WAV", size)
    found = load(tmp_path, data + b"\1")  # and half a frame
    assert torch.equal(found, torch.from_numpy(sound.T / 32768).float())
