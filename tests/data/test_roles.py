"""What a file of a track is: a stem, the whole, or a sum of stems."""

import json
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch

from sepbook import audio
from sepbook.data import corpus
from sepbook.data.folder import FolderError, StemFolder

USUAL = ("vocals", "drums", "bass", "other")


@pytest.fixture
def stems():
    """Four real stems of four seconds, each (1, N)."""
    return dict(zip(USUAL, corpus.songs("test")[0].sources()[..., 64_000:128_000], strict=True))


@pytest.fixture
def song(tmp_path, stems):
    """A function that writes a song with more files; returns the root."""

    def write(suffix=".wav", name="song", leave_out=(), **more):
        for stem, samples in {**stems, **more}.items():
            if stem not in leave_out:
                audio.save(tmp_path / "train" / name / f"{stem}{suffix}", samples, 16_000)
        return tmp_path

    return write


WHOLE = (
    "Mixture", "MIX", "mixdown", "Full Mix", "full_mix", "01 Mixture", "00-mix", "master", "MASTERED", "song",
    "Original", "stereo mix", "final mix", "bounce", " mix ", "Whole", "full song",
)  # fmt: skip


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.filterwarnings("error")
def test_the_whole_is_no_stem_under_any_name(song, stems, name):
    whole = sum(stems.values())
    track = StemFolder(song(**{name: whole}))[0]
    assert track.stem_names == USUAL
    torch.testing.assert_close(track.mixture(), whole)
    assert track.deviation().decibels < -100


SUMS = ("accompaniment", "Instrumental", "no_vocals", "No Vocals", "karaoke", "minus one", "Backing Track")


@pytest.mark.parametrize("name", SUMS)
def test_a_sum_with_a_telling_name_is_left_out_and_said(song, stems, name):
    root = song(**{name: stems["drums"] + stems["bass"] + stems["other"]})
    with pytest.warns(UserWarning, match=f"left out of the mixture.*{name.strip()}.*source_names"):
        tracks = StemFolder(root)
    assert tracks.source_names == USUAL
    torch.testing.assert_close(tracks[0].mixture(), sum(stems.values()))


LOOKS = {
    "music": lambda s: s["drums"] + s["bass"] + s["other"],
    "take 7": lambda s: sum(s.values()),
    "quiet sum": lambda s: 0.2 * sum(s.values()),
    "rhythm": lambda s: s["drums"] + s["bass"],
    "backing": lambda s: s["drums"] + s["bass"] + s["other"],
    "limited": lambda s: (1.5 * sum(s.values())).clamp(-0.5, 0.5),
    "band": lambda s: 0.8 * s["drums"] + 1.1 * s["bass"] + s["other"],
}


@pytest.mark.parametrize("name", LOOKS)
@pytest.mark.parametrize("suffix", [".wav", ".mp3"])
def test_a_sum_without_a_telling_name_is_found_by_its_sound(song, stems, name, suffix):
    track = StemFolder(song(suffix, **{name: LOOKS[name](stems)}))[0]
    for _ in range(2):  # each time
        with pytest.raises(FolderError, match=rf"{name}{suffix}: is no stem of its own but .* together.*source_names"):
            track.sources(["drums"], 0, 100)
    chosen = StemFolder(track.paths["bass"].parent.parent.parent, source_names=USUAL)[0]
    assert chosen.sources().shape[0] == 4


OWN = {
    "two stems": (("vocals", "accompaniment"), lambda s: {"accompaniment": s["drums"] + s["bass"] + s["other"]}),
    "speech, music, effects": (("speech", "music", "effects"), lambda s: {
        "speech": s["vocals"], "music": s["bass"] + s["other"], "effects": s["drums"]}),
    "five": ((*USUAL, "piano"), lambda s: {"piano": s["other"].flip(-1)}),
    "a delayed copy": ((*USUAL, "echo"), lambda s: {"echo": s["other"].roll(4000, -1)}),
    "a silent one": ((*USUAL, "brass"), lambda s: {"brass": torch.zeros(1, 64_000)}),
    "the same twice": ((*USUAL, "vocals double"), lambda s: {"vocals double": s["vocals"]}),
}  # fmt: skip


@pytest.mark.parametrize("kind", OWN)
@pytest.mark.filterwarnings("error")
def test_stems_of_their_own_stay(song, stems, kind):
    names, make = OWN[kind]
    root = song(leave_out=set(USUAL) - set(names), **make(stems))
    tracks = StemFolder(root)
    assert set(tracks.source_names) == set(names)
    assert tracks[0].sources().shape == (len(names), 1, 64_000)


@pytest.mark.filterwarnings("error")
def test_a_sum_that_is_far_from_the_given_mixture_is_said(song, stems):
    whole = sum(stems.values())
    root = song(mixture=whole, name="good")
    assert StemFolder(root)[0].sources().shape == (4, 1, 64_000)
    track = StemFolder(song(mixture=whole, name="bad", bass=stems["other"].flip(-1)))[0]
    with pytest.warns(UserWarning, match="'bad': the sum of the stems is far from mixture.wav"):
        track.sources()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        track.sources()


def test_the_look_is_short_and_waits_until_sound_is_asked_for(song, stems, monkeypatch):
    for k in range(5):
        song(name=f"song {k}", mixture=sum(stems.values()))
    loaded, load = [], audio.load
    monkeypatch.setattr(audio, "load", lambda *a, **kw: loaded.append(a) or load(*a, **kw))
    tracks = StemFolder(song())
    assert not loaded
    tracks[0].sources(["bass"], 0, 100)
    assert len(loaded) <= 5 * 5 + 1
    loaded.clear()
    tracks[0].sources(["drums"], 0, 100)
    assert len(loaded) == 1


SPELLINGS = ("Vocals", "VOCALS", " vocals ", "01 vocals", "1-Vocals", "03_vocals")


@pytest.mark.parametrize("name", SPELLINGS)
def test_the_usual_stems_in_any_spelling(song, stems, name):
    root = song(leave_out=["vocals"], **{name: stems["vocals"]})
    song(name="another")
    tracks = StemFolder(root)
    assert tracks.source_names == USUAL and len(tracks) == 2
    assert torch.equal(tracks[1].sources(["vocals"])[0], stems["vocals"])


def test_other_stems_spelled_differently_in_two_tracks(song, stems):
    root = song(**{"Lead Guitar": stems["other"].flip(-1)})
    song(name="z", **{"lead_guitar": stems["other"].flip(-1)})
    assert StemFolder(root).source_names == (*USUAL, "Lead Guitar")
    assert StemFolder(root, source_names=["LEAD GUITAR"]).source_names == ("Lead Guitar",)


def test_one_stem_in_two_spellings(song, stems):
    root = song(**{"Vocals ": stems["vocals"]})
    with pytest.raises(FolderError, match="two files for one stem"):
        StemFolder(root)


@pytest.mark.parametrize(
    ("split", "name"),
    [
        ("valid", "validation"), ("valid", "Val"), ("valid", "dev"), ("train", "Training"), ("train", "TRAIN"),
        ("test", "eval"), ("test", "Testing"), ("validation", "valid"), ("Extra", "extra"),
    ],
)  # fmt: skip
def test_other_words_for_a_split(song, split, name):
    root = song()
    (root / "train").rename(root / "renamed")
    (root / "renamed").rename(root / name)
    assert len(StemFolder(root, split)) == 1


def test_two_folders_for_one_split(song):
    root = song()
    for name in ("val", "dev"):
        (root / name).mkdir()
    with pytest.raises(FolderError, match="dev and val could both be the split 'valid'. Rename one"):
        StemFolder(root, "valid")


def test_sound_that_lies_too_deep_or_too_high(song):
    root = song()
    (root / "deep" / "song" / "stems").mkdir(parents=True)
    (root / "train" / "song" / "bass.wav").rename(root / "deep" / "song" / "stems" / "bass.wav")
    with pytest.raises(FolderError, match="one folder deeper, in .*stems: move it up"):
        StemFolder(root, "deep")
    with pytest.raises(FolderError, match="Sound lies there directly: move it into a folder for each track"):
        StemFolder(root / "train" / "song", None)
    with pytest.raises(FolderError, match="Stems lie there directly: move them into"):
        StemFolder(root / "train" / "song", "train")


@pytest.mark.parametrize("form", ["flat", "one stem missing", "a sum"])
def test_the_command_line_gives_no_advice_in_python(song, stems, form):
    root = song(**({"take": sum(stems.values())} if form == "a sum" else {}))
    if form == "flat":
        root = root / "train"
    if form == "one stem missing":
        song(name="poor", leave_out=["bass"])
    run = [sys.executable, "-m", "sepbook.cli", "train", "unet", "--data", str(root), "--steps", "1", "-q"]
    done = subprocess.run(run, capture_output=True, text=True, cwd=root)
    assert done.returncode == 2
    assert "=" not in done.stderr and "[…]" not in done.stderr
    assert str(root) in done.stderr and ("Move" in done.stderr or "--allow-missing" in done.stderr)


def test_stems_that_ffmpeg_reads(song, stems):
    import shutil

    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    root = song()
    for path in sorted((root / "train" / "song").glob("*.wav")):
        command = ["ffmpeg", "-v", "error", "-i", path, "-c:a", "alac", path.with_suffix(".m4a")]
        subprocess.run(command, check=True)
        path.unlink()
    track = StemFolder(root)[0]
    assert track.length == 64_000
    assert np.abs((track.mixture() - sum(stems.values())).numpy()).max() < 1e-3
    assert json.dumps(track.stem_names) == json.dumps(USUAL)
