"""Folders of stems as people have them: unequal, incomplete, full of other things."""

import os
import pickle
import shutil
import warnings

import pytest
import torch

from sepbook import audio
from sepbook.data.folder import FolderError, StemFolder, Track

USUAL = ("vocals", "drums", "bass", "other")


def test_tracks_in_the_order_of_their_names(root):
    tracks = StemFolder(root)
    assert [track.name for track in tracks] == ["a", "b", "c"]
    assert len(StemFolder(root, "test")) == 1
    assert tracks.source_names == tracks[0].stem_names == USUAL
    assert (tracks[0].sample_rate, tracks[0].channels, tracks[0].length, tracks[0].seconds) == (8000, 1, 16000, 2.0)
    assert repr(tracks).endswith("3 tracks, 6 s, vocals, drums, bass, other")
    assert repr(tracks[-1]) == "Track('c', 2.0 s, vocals, drums, bass, other)"


@pytest.mark.parametrize("cache", [True, False])
@pytest.mark.parametrize("suffix", audio.SUFFIXES)
def test_samples_are_those_of_the_files(tmp_path, make_track, suffix, cache):
    folder = make_track("song", suffix=suffix)
    track = StemFolder(tmp_path / "root", cache=cache)[0]
    expected = torch.stack([audio.load(folder / f"{stem}{suffix}")[0] for stem in USUAL])
    assert torch.equal(track.sources(), expected)
    assert torch.equal(track.mixture(), expected.sum(0))
    assert torch.equal(track.sources(["bass", "vocals"], 700, 300), expected[[2, 0], :, 700:1000])
    beyond = track.sources(start=15_990, length=20)
    assert torch.equal(beyond[..., :10], expected[..., -10:]) and not beyond[..., 10:].any()
    assert not track.sources(start=99_999, length=5).any()
    assert track.sources(start=99_999, length=5).shape == (4, 1, 5)


def test_a_place_before_the_start_is_refused(root):
    with pytest.raises(ValueError, match="start=-1"):
        StemFolder(root)[0].sources(start=-1, length=5)
    with pytest.raises(ValueError, match="length=-1"):
        StemFolder(root)[0].sources(start=16_001)


def test_a_stem_that_is_not_there(root):
    with pytest.raises(FolderError, match="track 'a' has no stem 'piano'; it has vocals, drums"):
        StemFolder(root)[0].sources(["piano"])


def test_stems_of_unequal_length_end_in_zeros(tmp_path, make_track):
    make_track("near", bass=torch.ones(1, 15_000))
    make_track("far", bass=torch.ones(1, 5_000))
    far, near = StemFolder(tmp_path / "root")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert near.length == 16_000
    with pytest.warns(UserWarning, match="track 'far': bass ends 1.4 s before vocals"):
        found = far.sources(["bass"])
    assert torch.equal(found[0, 0], torch.cat([torch.ones(5000), torch.zeros(11_000)]))


@pytest.mark.parametrize("cache", [True, False])
def test_stems_of_unequal_rate_and_channels(tmp_path, make_track, cache):
    folder = make_track("mixed")
    audio.save(folder / "drums.wav", 0.1 * torch.randn(2, 44_100), 22_050)
    track = StemFolder(tmp_path / "root", cache=cache)[0]
    assert (track.sample_rate, track.channels, track.length) == (22_050, 2, 44_100)
    found = track.sources()
    assert torch.equal(found[1], audio.load(folder / "drums.wav")[0])
    vocals = audio.resample(audio.load(folder / "vocals.wav")[0], 8000, 22_050)
    torch.testing.assert_close(found[0], vocals.repeat(2, 1))
    assert torch.equal(track.sources(start=1000, length=50), found[..., 1000:1050])


def test_rate_channels_and_stems_can_be_asked_for(root):
    track = StemFolder(root, sample_rate=16_000, channels=2, source_names=["drums", "vocals"])[0]
    assert (track.sample_rate, track.channels, track.length) == (16_000, 2, 32_000)
    assert track.sources().shape == (2, 2, 32_000)
    assert track.stem_names == ("drums", "vocals")
    assert StemFolder(root, source_names="bass").source_names == ("bass",)


def test_a_missing_stem(tmp_path, make_track):
    make_track("good")
    make_track("poor", bass=None, drums=None)
    with pytest.raises(FolderError, match=r"train.poor: the stem 'drums' is missing \(the track has other, vocals\)"):
        StemFolder(tmp_path / "root")
    track = StemFolder(tmp_path / "root", allow_missing=True)[1]
    assert track.stem_names == USUAL
    assert not track.sources(["drums", "bass"]).any()
    assert torch.equal(track.mixture(), track.sources(["vocals", "other"]).sum(0))
    with pytest.raises(FolderError, match="'piano' is missing"):
        StemFolder(tmp_path / "root", source_names=["piano"], allow_missing=True)


def test_other_stems_than_the_usual_four(tmp_path, make_track):
    make_track("duo", drums=None, bass=None, other=None, violin=torch.ones(1, 9), cello=torch.ones(1, 9))
    assert StemFolder(tmp_path / "root").source_names == ("vocals", "cello", "violin")


def test_what_is_no_stem_is_passed_over(tmp_path, make_track):
    folder = make_track("song")
    for name in ("notes.txt", ".vocals.wav", "._drums.wav", "cover.jpg", "score.mid"):
        (folder / name).write_text("no sound")
    (folder / "bass.wav.bak").mkdir()
    (folder / "old.wav").mkdir()
    for name in (".git", "__MACOSX", "empty", "papers"):
        (tmp_path / "root" / "train" / name).mkdir()
    (tmp_path / "root" / "train" / "papers" / "a.pdf").touch()
    (tmp_path / "root" / "train" / "readme.wav").write_text("not in a folder")
    tracks = StemFolder(tmp_path / "root")
    assert [track.name for track in tracks] == ["song"]
    assert tracks.source_names == USUAL


def test_an_extra_stem_in_one_track(tmp_path, make_track):
    make_track("a")
    make_track("b", click=torch.ones(1, 16_000))
    with pytest.raises(FolderError, match=r"a: the stem 'click' is missing.*source_names"):
        StemFolder(tmp_path / "root")
    track = StemFolder(tmp_path / "root", source_names=USUAL)[1]
    assert track.mixture().abs().max() < 1  # the click is not in the mixture


def test_a_stem_that_is_there_twice(tmp_path, make_track):
    audio.save(make_track("a") / "bass.flac", torch.ones(1, 9), 8000)
    with pytest.raises(FolderError, match="two files for one stem, bass.flac and bass.wav"):
        StemFolder(tmp_path / "root")


@pytest.mark.parametrize("name", ["Größe – 音楽 🎵", "x" * 255, " spaces ", "-rf", "semi;colon$(x)"])
def test_names_of_all_kinds(tmp_path, make_track, name):
    make_track(name, **{"воkал": torch.ones(1, 100)})
    track = StemFolder(tmp_path / "root")[0]
    assert track.name == name
    assert track.sources(["воkал"], length=100).sum() == 100


def test_suffixes_in_capitals(tmp_path, make_track):
    folder = make_track("a")
    (folder / "bass.wav").rename(folder / "bass.WAV")
    assert StemFolder(tmp_path / "root").source_names == USUAL


def test_links(tmp_path, make_track):
    folder = make_track("song")
    (folder / "around").symlink_to(folder)
    (tmp_path / "root" / "train" / "up").symlink_to(tmp_path / "root")
    (tmp_path / "root" / "train" / "self").symlink_to("self")
    assert [track.name for track in StemFolder(tmp_path / "root")] == ["song"]
    (tmp_path / "root" / "train" / "twin").symlink_to(folder)
    assert [track.name for track in StemFolder(tmp_path / "root")] == ["song", "twin"]
    for target in ("gone.wav", "bass.wav"):
        (folder / "bass.wav").unlink()
        (folder / "bass.wav").symlink_to(target)
        with pytest.raises(FolderError, match="bass.wav: this link leads nowhere"):
            StemFolder(tmp_path / "root")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(FolderError, match="no such folder"):
        StemFolder(tmp_path / "loop")


def test_folders_that_hold_no_tracks(tmp_path, root):
    cases = [
        (tmp_path / "nowhere", "train", "there is no such folder. Expected: ROOT/train/TRACK/vocals.wav"),
        (root / "train" / "a" / "bass.wav", "train", "this is a file"),
        (root, "valid", r"no folder for the split 'valid' \(found: test, train\). Expected"),
        (root / "train", "train", "found: a, b, c.* use split=None"),
        (root, None, r"no track with stems in it \(found: test, train\)"),
    ]
    for place, split, message in cases:
        with pytest.raises(FolderError, match=message) as caught:
            StemFolder(place, split)
        assert str(place) in str(caught.value)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FolderError, match="found: nothing"):
        StemFolder(tmp_path / "empty", None)


def test_tracks_without_a_level_of_splits(root):
    assert len(StemFolder(root / "train", split=None)) == 3


def test_only_a_mixture_is_no_track(tmp_path):
    audio.save(tmp_path / "song" / "mixture.wav", torch.ones(1, 9), 8000)
    with pytest.raises(FolderError, match="no track with stems"):
        StemFolder(tmp_path, None)


def test_deviation_of_a_mixture_file(tmp_path, make_track):
    folder = make_track("song")
    track = StemFolder(tmp_path / "root")[0]
    assert track.deviation() is None
    total = track.mixture()
    audio.save(folder / "mixture.wav", 0.9 * total[:, :-100], 8000)
    track = StemFolder(tmp_path / "root")[0]
    assert track.stem_names == USUAL and torch.equal(track.mixture(), total)
    assert track.deviation().decibels == pytest.approx(-16.97, abs=0.3)  # of 0.9: 0.1, and the last 100
    assert track.deviation().peak == pytest.approx(float(total[:, -100:].abs().max()), abs=1e-6)
    audio.save(folder / "mixture.wav", total, 8000)
    assert StemFolder(tmp_path / "root")[0].deviation() == (0.0, float("-inf"))


def test_a_damaged_stem_is_named(root):
    (root / "train" / "b" / "drums.wav").write_bytes(b"no sound")
    tracks = StemFolder(root)
    assert tracks[0].sources().any()
    with pytest.raises(audio.AudioError, match="b.drums.wav: not a readable audio file"):
        tracks[1].sources()


def test_a_stem_that_changes_after_its_header_was_read(root):
    track = StemFolder(root, cache=False)[0]
    assert track.length == 16_000
    audio.save(root / "train" / "a" / "bass.wav", torch.ones(1, 99), 8000)
    found = track.sources(["bass"])
    assert found.shape == (1, 1, 16_000) and found.sum() == 99


def test_score(root):
    track = StemFolder(root)[1]
    assert track.score["f0"][5] == 1005
    assert StemFolder(root, "test")[0].score is None
    (root / "train" / "b" / "score.json").write_text("{oops")
    with pytest.raises(FolderError, match="b.score.json: this is not valid JSON"):
        StemFolder(root)[1].score  # noqa: B018


def test_the_cache_spares_decoding_and_keeps_to_its_limit(root, monkeypatch):
    decoded, load = [], audio.load
    monkeypatch.setattr(audio, "load", lambda path, *a, **kw: decoded.append(path) or load(path, *a, **kw))
    tracks = StemFolder(root, source_names=USUAL)  # stems that were named are not looked at first
    for _ in range(3):
        tracks[0].sources()
    assert len(decoded) == 4
    one_track = 4 * 16_000 * 4  # bytes
    tracks = StemFolder(root, source_names=USUAL, cache_bytes=one_track)
    decoded.clear()
    for track in (0, 0, 1, 1, 0):
        tracks[track].sources()
        assert tracks[track]._cache.bytes <= one_track
    assert len(decoded) == 12
    tracks = StemFolder(root, cache_bytes=100)
    assert tracks[0].sources().any() and tracks[0]._cache.bytes == 0


def test_a_track_travels_to_another_process_without_its_samples(root):
    track = StemFolder(root)[0]
    expected = track.sources()
    data = pickle.dumps(track)
    assert len(data) < 5000
    assert torch.equal(pickle.loads(data).sources(), expected)


def test_a_folder_that_vanishes(root):
    tracks = StemFolder(root)
    shutil.rmtree(root)
    with pytest.raises(audio.AudioError, match="there is no such file"):
        tracks[0].sources()


def test_a_track_of_ones_own(root):
    track = Track("mine", None, {"drums": root / "train" / "a" / "drums.wav", "x": root / "train" / "a" / "bass.wav"})
    assert track.stem_names == ("drums", "x") and track.sources().shape == (2, 1, 16_000)
    assert os.fspath(track.paths["x"]).endswith("bass.wav")
