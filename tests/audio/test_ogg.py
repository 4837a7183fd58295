"""Ogg as it is found in the field: chains, several streams at once, recordings that were broken off."""

import shutil

import pytest
import soundfile
import torch

from sepbook import audio
from sepbook.audio import ogg
from tests.audio import odd


def pages(data):
    """[(start, end)] of each page."""
    at, found = 0, []
    while page := ogg.page(data[at : at + 282]):
        found.append((at, at + page.size))
        at += page.size
    return found


def changed(page, serial=None, flags=None):
    """A page of another stream, or with other flags, and its checksum."""
    page = bytearray(page)
    if serial is not None:
        page[14:18] = serial.to_bytes(4, "little")
    if flags is not None:
        page[5] = flags
    page[22:26] = bytes(4)
    page[22:26] = ogg.checksum(page).to_bytes(4, "little")
    return bytes(page)


def renumbered(data, serial):
    return b"".join(changed(data[a:b], serial) for a, b in pages(data))


def without_end(data):
    (a, b) = pages(data)[-1]
    return data[:a] + changed(data[a:b], flags=data[a + 5] & ~4)


def multiplexed(one, other):
    """Two streams at the same time: first pages first, then the others in turn."""
    one, other = ([data[a:b] for a, b in pages(data)] for data in (renumbered(one, 1), renumbered(other, 2)))
    mixed = [one[0], other[0]]
    for k in range(1, max(len(one), len(other))):
        mixed += one[k : k + 1] + other[k : k + 1]
    return b"".join(mixed)


def text_stream():
    """A stream that is no sound, as subtitles and skeletons are."""
    body = b"fishead\0" + bytes(56)
    first = b"OggS\0\2" + bytes(8) + (7).to_bytes(4, "little") + bytes(8) + b"\1" + bytes([len(body)]) + body
    last = b"OggS\0\4" + bytes(8) + (7).to_bytes(4, "little") + b"\1\0\0\0" + bytes(4) + b"\1\5hello"
    return changed(first) + changed(last)


SUBTYPES = {"VORBIS": 16_000, "OPUS": 48_000}


@pytest.fixture(scope="module", params=SUBTYPES)
def song(request, tmp_path_factory):
    """The bytes of a plain file and its samples."""
    path = tmp_path_factory.mktemp("ogg") / "plain.ogg"
    rate = SUBTYPES[request.param]
    soundfile.write(path, odd.sound(rate=rate).T.numpy(), rate, request.param, format="OGG")
    return path.read_bytes(), audio.load(path)[0]


def write(folder, data, name="odd.ogg"):
    (folder / name).write_bytes(data)
    return folder / name


CHAINS = {
    "the same twice": lambda d: d + d,
    "another number": lambda d: d + renumbered(d, 99),
    "three": lambda d: d + renumbered(d, 5) + d,
    "zeros between": lambda d: d + bytes(100) + d,
    "the first has no end": lambda d: without_end(d) + renumbered(d, 5),
    "a suffix that lies": lambda d: d + d,
}


@pytest.mark.parametrize("kind", CHAINS)
def test_a_chain_is_read_to_its_end(tmp_path, song, kind):
    data, expected = song
    path = write(tmp_path, CHAINS[kind](data), "odd.wav" if "suffix" in kind else "odd.ogg")
    links = 3 if kind == "three" else 2
    with pytest.warns(audio.AudioWarning, match=f"it holds {links} streams"):
        found = odd.agrees(path)
    assert torch.equal(found, expected.repeat(1, links))


TOGETHER = {
    "another sound at the same time": (lambda d: multiplexed(d, d), "several sounds at the same time"),
    "a skeleton in front": (lambda d: text_stream() + d, None),
    "no sound behind": (lambda d: d + text_stream(), None),
    "junk in front of a page": (lambda d: d[: pages(d)[3][0]] + b"junk" + d[pages(d)[3][0] :], "4 bytes are no pages"),
    "zeros behind": (lambda d: d + bytes(5000), None),
    "text behind": (lambda d: d + b"<html>" * 9, "54 bytes are no pages"),
}


@pytest.mark.parametrize("kind", TOGETHER)
@pytest.mark.filterwarnings("ignore::sepbook.audio.AudioWarning")
def test_the_sound_among_other_things(tmp_path, song, kind):
    change, said = TOGETHER[kind]
    path = write(tmp_path, change(song[0]))
    assert torch.equal(odd.agrees(path), song[1])
    if said:
        with pytest.warns(audio.AudioWarning, match=said):
            audio.load(path)


def test_a_recording_that_was_broken_off_is_read_with_a_note(tmp_path, song):
    for data in (without_end(song[0]), song[0][: pages(song[0])[-1][0]]):
        with pytest.warns(audio.AudioWarning, match="it has no last page"):
            found = odd.agrees(write(tmp_path, data))
        assert torch.equal(found[:, :3000], song[1][:, :3000])


@pytest.mark.parametrize("kept", [-1, -10, 0.7, 0.5, 0.2])
def test_a_page_that_is_cut_is_refused_where_it_holds_more_than_a_tenth_of_a_second(tmp_path, song, kept):
    data = song[0][:kept] if kept < 0 else song[0][: int(len(song[0]) * kept)]
    (start, _), previous = next((a, b) for a, b in pages(song[0]) if b > len(data)), None
    at = [ogg.page(song[0][a : a + 282]).granule for a, b in pages(song[0]) if a <= start]
    previous = at[-2] if len(at) > 1 else 0
    rate = 48_000 if b"OpusHead" in data[:100] else 16_000
    path = write(tmp_path, data)
    if (at[-1] - previous) / rate > 0.1 or previous <= 0:
        with pytest.raises(audio.AudioError, match="truncated"):
            audio.load(path)
    else:
        with pytest.warns(audio.AudioWarning, match="its last page is cut off"):
            audio.load(path)


@pytest.mark.parametrize("codec", ["flac", "libvorbis", "libopus", "libspeex"])
def test_ffmpegs_files_and_chains_of_them(tmp_path, codec):
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    audio.save(tmp_path / "a.wav", odd.sound(1, 16_000), 16_000)
    odd.ffmpeg("-i", tmp_path / "a.wav", "-c:a", codec, tmp_path / "a.ogg")
    one = odd.agrees(tmp_path / "a.ogg")
    assert abs(one.shape[1] / audio.info(tmp_path / "a.ogg").sample_rate - odd.SECONDS) < 0.1
    data = (tmp_path / "a.ogg").read_bytes()
    with pytest.warns(audio.AudioWarning, match="2 streams"):
        found = audio.load(write(tmp_path, data + data))[0]
    assert abs(found.shape[1] - 2 * one.shape[1]) < 500
    torch.testing.assert_close(found[:, :20_000], one[:, :20_000], atol=2e-3, rtol=0)


def test_the_checksum_is_that_of_ogg(song):
    for start, end in pages(song[0]):
        page = song[0][start:end]
        assert changed(page) == page
