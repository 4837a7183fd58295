"""MP3 as it is found in the field: all of the sound comes back, or a word says why not."""

import warnings

import pytest
import torch

from sepbook import audio
from sepbook.audio import mp3
from tests.audio import odd


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    """The bytes of a plain VBR file, its samples, and a folder."""
    folder = tmp_path_factory.mktemp("mp3")
    data = odd.coded(folder / "plain.mp3")
    return data, audio.load(folder / "plain.mp3")[0]


def write(folder, data):
    path = folder / "odd.mp3"
    path.write_bytes(data)
    return path


def whole(data):
    """A plain file has its first frame at 0."""
    assert mp3.head(data[:4])
    return data


# Nothing but the way in which the sound is wrapped differs: the samples are those of the plain file, bit for bit.
SAME = {
    "one tag": lambda d: odd.id3() + d,
    "two tags": lambda d: odd.id3() + odd.id3(1000, 4) + d,
    "three tags and padding": lambda d: odd.id3() + odd.id3() + bytes(50) + odd.id3(9) + d,
    "a tag with a footer": lambda d: odd.id3(100, 4, 16) + b"3DI" + odd.id3(100, 4, 16)[3:10] + d,
    "padding after the tag": lambda d: odd.id3(2000) + bytes(777) + d,
    "zeros in front": lambda d: bytes(5000) + d,
    "a picture in the tag": lambda d: odd.id3(content=odd.JPEG) + d,
    "an APE tag in front": lambda d: odd.ape() + d,
    "ID3v1 behind": lambda d: d + odd.ID3V1,
    "APE behind": lambda d: d + odd.ape(),
    "APE and ID3v1 behind": lambda d: d + odd.ape() + odd.ID3V1,
    "lyrics and ID3v1 behind": lambda d: d + odd.LYRICS + odd.ID3V1,
    "ID3v2 behind": lambda d: d + odd.id3(),
    "zeros behind": lambda d: d + bytes(3000),
    "a header that counts 0 frames": lambda d: odd.recounted(d, 0),
    "a header that counts too few frames": lambda d: odd.recounted(d, 20),
    "a header that counts one too many": lambda d: odd.recounted(d, len(odd.frames(d))),
}


@pytest.mark.parametrize("kind", SAME)
def test_wrapping_changes_no_sample_and_needs_no_word(tmp_path, song, kind):
    data, expected = song
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.equal(odd.agrees(write(tmp_path, SAME[kind](whole(data)))), expected)


# Something was skipped, or said of the file what is not so: all of the sound, and a note.
NOTED = {
    "junk in front": (lambda d: b"hello world " * 30 + d, "360 bytes before the sound are no MP3 frames"),
    "a picture in front": (lambda d: odd.JPEG + d, "before the sound are no MP3 frames"),
    "junk behind": (lambda d: d + b"<html>" * 50, "300 bytes after 2.0. s of sound are no MP3 frames"),
    "a tag whose size is too small": (lambda d: odd.id3()[:9] + b"\x20" + bytes(490) + b"x" * 9 + d, "skipped"),
    "a tag whose size is too large": (lambda d: b"ID3\3\0\0\0\0\x10\0" + bytes(400) + d, None),
    "a header that counts too many frames": (lambda d: odd.recounted(d, 500, len(d)), "counts 500 frames, but 78"),
    "an old APE tag without a header": (lambda d: d + odd.ape(header=False), "are no MP3 frames"),
}


@pytest.mark.parametrize("kind", NOTED)
def test_what_is_skipped_is_said(tmp_path, song, kind):
    change, said = NOTED[kind]
    path = write(tmp_path, change(song[0]))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = audio.load(path)[0]
    assert torch.equal(found, song[1])
    if said:
        with pytest.warns(audio.AudioWarning, match=said):
            audio.load(path)
        assert all(str(path) in str(warning.message) for warning in told)


JOINED = {
    "with cat": (lambda d: d + d, 2),
    "three, with tags": (lambda d: (odd.id3() + d + odd.ID3V1) * 3, 3),
    "with a picture between": (lambda d: d + odd.id3(content=odd.JPEG) + d, 2),
    "with padding between": (lambda d: d + bytes(999) + d, 2),
    "with junk between": (lambda d: d + b"junk" * 9 + d, 2),
    "with APE tags": (lambda d: (d + odd.ape()) * 2, 2),
    "wrong counts in both": (lambda d: odd.recounted(d, 9) * 2, 2),
}


@pytest.mark.parametrize("kind", JOINED)
def test_joined_files_are_read_one_after_the_other(tmp_path, song, kind):
    change, pieces = JOINED[kind]
    path = write(tmp_path, change(song[0]))
    with pytest.warns(audio.AudioWarning, match=f"it holds {pieces} pieces of sound"):
        found = odd.agrees(path)
    assert torch.equal(found, song[1].repeat(1, pieces))


def shifted(found, expected):
    """The largest difference after the delay that no header notes was taken off, its first bits aside."""
    delay = found.shape[1] - expected.shape[1]
    assert 0 <= delay < 3 * 1152
    shifts = range(0, delay + 1)
    middle = slice(30_000, 32_000)
    errors = [(found[:, k:][:, middle] - expected[:, middle]).abs().max().item() for k in shifts]
    return min(errors)


BARE = {
    "VBR": lambda d: odd.bare(d),
    "behind a tag": lambda d: odd.id3() + odd.bare(d),
    "behind two tags": lambda d: odd.id3() + odd.id3(1000, 4) + odd.bare(d),
    "padding after the tag": lambda d: odd.id3(2000) + bytes(777) + odd.bare(d),
    "a tag behind": lambda d: odd.bare(d) + odd.ID3V1,
    "with Fraunhofer's header": lambda d: odd.vbri(d),
}


@pytest.mark.parametrize("kind", BARE)
def test_a_file_that_does_not_count_its_frames_is_counted(tmp_path, song, kind):
    found = odd.agrees(write(tmp_path, BARE[kind](song[0])))
    assert shifted(found, song[1]) < 1e-4


@pytest.mark.parametrize(
    ("mode", "channels", "rate"),
    [
        ("CONSTANT", 2, 44_100), ("CONSTANT", 1, 48_000), ("AVERAGE", 2, 32_000), ("VARIABLE", 1, 24_000),
        ("CONSTANT", 2, 22_050), ("VARIABLE", 2, 16_000), ("CONSTANT", 1, 12_000), ("AVERAGE", 1, 8_000),
    ],
)  # fmt: skip
@pytest.mark.parametrize("counted", [True, False])
def test_every_edition_and_mode(tmp_path, mode, channels, rate, counted):
    data = odd.coded(tmp_path / "a.mp3", mode, channels, rate)
    path = write(tmp_path, data if counted else odd.bare(data))
    found = odd.agrees(path)
    length = round(odd.SECONDS * rate)
    assert found.shape[0] == channels
    assert found.shape[1] == length if counted else length <= found.shape[1] <= length + 3 * 1152


@pytest.mark.parametrize("loud_first", [True, False])
def test_the_length_is_counted_and_never_guessed(tmp_path, loud_first, monkeypatch):
    monkeypatch.setattr(odd, "SECONDS", 8.0)
    sound = odd.sound
    monkeypatch.setattr(odd, "sound", lambda *a: sound(*a, loud_first=loud_first))
    path = write(tmp_path, odd.bare(odd.coded(tmp_path / "a.mp3", channels=1, rate=16_000)))
    assert audio.info(path).seconds == pytest.approx(8.0, abs=0.1)


def test_a_last_frame_that_is_cut_off_is_left_out_with_a_note(tmp_path, song):
    for data in (song[0], odd.bare(song[0])):
        with pytest.warns(audio.AudioWarning, match="its last frame is cut off, so the last 0.026 s"):
            found = odd.agrees(write(tmp_path, data[:-5]))
        assert abs(found.shape[1] - song[1].shape[1]) < 0.1 * odd.RATE


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_a_file_that_is_shorter_than_its_header_says_is_refused(tmp_path, song, kept):
    with pytest.raises(audio.AudioError, match=r"truncated, the last \d.\d\d s missing"):
        audio.load(write(tmp_path, song[0][: int(len(song[0]) * kept)]))


def test_a_damaged_head_in_the_middle_loses_one_frame_and_says_so(tmp_path, song):
    start, end = odd.frames(song[0])[40]
    data = bytearray(song[0])
    data[start : start + 2] = b"\0\1"
    with pytest.warns(audio.AudioWarning, match=rf"{end - start} bytes after 1.0\d s of sound are no MP3 frames"):
        found = odd.agrees(write(tmp_path, bytes(data)))
    assert song[1].shape[1] - found.shape[1] <= 1152 + 600


def test_mono_after_stereo_keeps_the_channels_of_the_first(tmp_path, song):
    mono = odd.coded(tmp_path / "mono.mp3", channels=1)
    expected = audio.load(tmp_path / "mono.mp3")[0]
    for data, channels in ((song[0] + mono, 2), (mono + song[0], 1)):
        with pytest.warns(audio.AudioWarning, match="2 pieces"):
            found = odd.agrees(write(tmp_path, data))
        assert found.shape == (channels, 2 * song[1].shape[1])
    assert torch.equal(found[:, : expected.shape[1]], expected)


def test_pieces_of_two_rates_are_all_there_or_refused(tmp_path, song):
    other = odd.coded(tmp_path / "other.mp3", rate=48_000)
    path = write(tmp_path, song[0] + other)
    try:
        found, rate = audio.load(path)
    except audio.AudioError as error:
        assert "pieces of 44100 and 48000 Hz" in str(error)
    else:
        assert abs(found.shape[1] / rate - 4.0) < 0.1


def test_a_suffix_that_lies(tmp_path, song):
    (tmp_path / "song.wav").write_bytes(song[0])
    assert torch.equal(odd.agrees(tmp_path / "song.wav"), song[1])


def test_free_format_is_read_or_refused(tmp_path):
    data = odd.bare(odd.coded(tmp_path / "a.mp3", "CONSTANT"))
    free = bytearray(data)
    for start, _ in odd.frames(data):
        free[start + 2] &= 0x0F
    (tmp_path / "b.mp3").write_bytes(data)
    expected = audio.load(tmp_path / "b.mp3")[0]
    try:
        found = odd.agrees(write(tmp_path, bytes(free)))
    except audio.AudioError as error:
        assert "not a readable audio file" in str(error)
    else:
        assert abs(found.shape[1] - expected.shape[1]) <= 1152


@pytest.mark.parametrize("layer", ["mp2"])
@pytest.mark.parametrize("rate", [44_100, 24_000])
def test_layer_two(tmp_path, layer, rate):
    import shutil

    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed: nothing here writes layer II")
    audio.save(tmp_path / "a.wav", odd.sound(rate=rate), rate)
    odd.ffmpeg("-i", tmp_path / "a.wav", "-c:a", "mp2", "-b:a", "128k", tmp_path / "a.mp2")
    found = odd.agrees(tmp_path / "a.mp2")
    assert abs(found.shape[1] / rate - odd.SECONDS) < 0.1


def test_the_file_is_read_in_pieces(tmp_path, song, monkeypatch):
    """A file of any size: never more than a piece of it in memory."""
    from sepbook.audio import spans

    monkeypatch.setattr(spans, "PIECE", 4096)
    sizes = []

    class Watched:
        def __init__(self, file):
            self.file = file

        def seek(self, *place):
            return self.file.seek(*place)

        def read(self, count):
            sizes.append(count)
            return self.file.read(count)

    path = write(tmp_path, odd.id3(content=odd.JPEG * 9) + odd.bare(song[0]) * 4 + bytes(99_999))
    with open(path, "rb") as file:
        walk = mp3.Walk(Watched(file), path.stat().st_size)
        walk.parts[0].copy(Watched(file)).close()
    assert walk.runs[0].frames == 4 * (len(odd.frames(song[0])) - 1)
    assert max(sizes) <= 131_072
