"""MUSDB18 in both of its layouts, and what is wrong with a file of either."""

import shutil

import pytest
import torch

from sepbook import audio
from sepbook.data import musdb, tasks
from sepbook.data.folder import FolderError, StemFolder
from tests.data.stem_files import RATE, needs_ffmpeg, stems, write_folder, write_stem_file

TRAIN = ("A Band - First", musdb.VALIDATION[0], "Z Band - Last", musdb.VALIDATION[5])
TEST = ("B Band - Unseen",)


@pytest.fixture(params=["HQ", pytest.param("stem.mp4", marks=needs_ffmpeg)])
def root(request, tmp_path):
    for split, names in {"train": TRAIN, "test": TEST}.items():
        for k, name in enumerate(names):
            place = tmp_path / "MUSDB18" / split / name
            if request.param == "HQ":
                write_folder(place, stems(k))
            else:
                write_stem_file(place.with_name(f"{name}.stem.mp4"), stems(k))
    return tmp_path / "MUSDB18"


def test_splits_are_the_usual_ones(root):
    names = {split: [track.name for track in musdb.songs(root, split)] for split in ("train", "valid", "test")}
    assert names == {"train": ["A Band - First", "Z Band - Last"], "valid": sorted(TRAIN[1::2]), "test": list(TEST)}
    assert [track.name for track in StemFolder(root / "train", None)] == sorted(TRAIN)
    assert len(musdb.songs(root, "validation")) == 2


def test_the_sound_is_that_of_the_stems(root):
    track = musdb.songs(root, "train")[0]
    expected = stems(0)
    assert (track.stem_names, track.sample_rate, track.channels) == (musdb.SOURCES, RATE, 2)
    assert torch.allclose(track.sources(), torch.stack([expected[name] for name in musdb.SOURCES]), atol=2e-5)
    assert torch.equal(track.mixture(), track.sources().sum(0))
    assert track.deviation().peak < 1e-4
    assert torch.equal(track.sources(["bass"], 500, 70), track.sources(["bass"])[..., 500:570])


def test_lists_and_sound_are_those_of_the_musdb_package(root):
    package = pytest.importorskip("musdb")
    wav = (root / "test" / TEST[0]).is_dir()
    for split in ("train", "valid"):
        theirs = package.DB(root=str(root), is_wav=wav, subsets="train", split=split)
        assert sorted(track.name for track in theirs) == [track.name for track in musdb.songs(root, split)]
    theirs, ours = package.DB(root=str(root), is_wav=wav, subsets="test")[0], musdb.songs(root, "test")[0]
    for k, name in enumerate(musdb.SOURCES):
        heard = torch.from_numpy(theirs.sources[name].audio.T).float()
        assert torch.allclose(ours.sources()[k], heard, atol=1e-4), name
    assert sorted(package.DB(root=str(root), is_wav=wav).setup["validation_tracks"]) == sorted(musdb.VALIDATION)


def test_every_task_on_songs_takes_it(root):
    wav = (root / "test" / TEST[0]).is_dir()
    for name in ("songs", "vocals", "folder") if wav else ("songs",):
        task = tasks.task(name, root)
        assert len(task.tracks("test")) == 1
        item = task.training(16_000, 1, seconds=0.25)[0]
        assert torch.equal(item["mixture"], item["sources"].sum(0))
        assert task.validation(16_000, 1) is not None


def test_decoded_once_and_for_all(root, tmp_path, monkeypatch):
    out = musdb.decode(root, tmp_path / "small", "valid", sample_rate=8000, channels=1, progress=False)
    again = StemFolder(out, "valid", cache=False)
    assert [track.name for track in again] == sorted(TRAIN[1::2]) and again[0].sample_rate == 8000
    straight = musdb.songs(root, "valid", 8000, 1)[0]
    assert torch.equal(again[0].sources(), straight.sources())
    monkeypatch.setattr(audio, "save", lambda *_: pytest.fail("a song was written a second time"))
    assert musdb.decode(root, out.parent / "small", "valid", progress=False) == out


def test_a_song_that_could_not_be_decoded_leaves_no_half(tmp_path, monkeypatch):
    write_folder(tmp_path / "in" / "train" / "A - B", stems(0))
    (tmp_path / "in" / "train" / "A - B" / "other.wav").write_bytes(b"no sound")
    with pytest.raises(audio.AudioError, match="other.wav"):
        musdb.decode(tmp_path / "in", tmp_path / "out", "train", progress=False)
    assert not list(tmp_path.glob("out/**/*.wav"))


def test_a_folder_of_its_own_for_validation_is_left_alone(tmp_path):
    for split, name in (("train", musdb.VALIDATION[0]), ("train", "Another"), ("valid", "Third")):
        write_folder(tmp_path / split / name, stems(1, 0.1))
    assert len(StemFolder(tmp_path, "train")) == 2
    assert [track.name for track in StemFolder(tmp_path, "valid")] == ["Third"]


@needs_ffmpeg
def test_aac_as_in_the_real_files(tmp_path):
    write_stem_file(tmp_path / "test" / "A - B.stem.mp4", stems(3, 1.0), ("aac", "-b:a", "256k"))
    track = musdb.songs(tmp_path, "test")[0]
    found = track.deviation()
    assert -60 < found.decibels < -5 and track.length >= RATE  # each stream is coded by itself: they do not add up


@needs_ffmpeg
@pytest.mark.parametrize("options", [(), ("-movflags", "+faststart")])
def test_a_truncated_file_is_named(tmp_path, options):
    path = write_stem_file(tmp_path / "test" / "A - B.stem.mp4", stems(3, 1.0), ("aac",), options=options)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(audio.AudioError, match="A - B.stem.mp4"):
        musdb.songs(tmp_path, "test")[0].sources()


@needs_ffmpeg
def test_a_file_without_one_of_its_streams_is_named(tmp_path):
    sounds = stems(3)
    del sounds["vocals"]
    write_stem_file(tmp_path / "test" / "A - B.stem.mp4", sounds)
    with pytest.raises(audio.AudioError, match=r"A - B.stem.mp4.*stream 4"):
        musdb.songs(tmp_path, "test")[0].sources()


@needs_ffmpeg
def test_streams_of_other_rates_lengths_and_channels_come_out_alike(tmp_path):
    sounds = stems(3)
    sounds["bass"] = sounds["bass"][:, ::2]
    sounds["other"] = sounds["other"][:1]
    sounds["drums"] = torch.nn.functional.pad(sounds["drums"], (0, 2 * RATE))
    rates = [RATE // 2 if name == "bass" else RATE for name in sounds]
    write_stem_file(tmp_path / "test" / "A - B.stem.mp4", sounds, rates=rates)
    track = musdb.songs(tmp_path, "test")[0]
    with pytest.warns(UserWarning, match="zeros fill it up"):
        found = track.sources()
    assert found.shape == (4, 2, round(2.5 * RATE)) and not found[2, :, RATE:].any()
    assert torch.equal(found[3, 0], found[3, 1])


def test_a_missing_stem_and_an_empty_folder(tmp_path):
    folder = write_folder(tmp_path / "train" / "A - B", stems(0))
    (folder / "bass.wav").unlink()
    with pytest.raises(FolderError, match="the stem 'bass' is missing"):
        musdb.songs(tmp_path)
    (tmp_path / "test").mkdir()
    with pytest.raises(FolderError, match="no track with stems in it"):
        musdb.songs(tmp_path, "test")
    with pytest.raises(FolderError, match="no folder for the split 'valid'"):
        musdb.songs(tmp_path, "valid")
    with pytest.raises(FolderError, match="there is no such folder"):
        musdb.songs(tmp_path / "nowhere")


def test_without_ffmpeg_the_message_says_how_to_get_it(tmp_path, monkeypatch):
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "A - B.stem.mp4").write_bytes(b"\0\0\0\x18ftypM4A ")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(audio.AudioError, match=r"A - B.stem.mp4.*apt install ffmpeg"):
        musdb.songs(tmp_path, "test")[0].sources()
