"""Slakh, MoisesDB and LibriMix, each as its publishers lay it out, small."""

import json

import pytest
import torch

from sepbook import audio
from sepbook.data import layouts, tasks
from sepbook.data.folder import FolderError, StemFolder

RATE = 8000


def sound(path, seed, channels=1, samples=800, rate=RATE):
    generator = torch.Generator().manual_seed(seed)
    samples = 0.1 * torch.randn(channels, samples, generator=generator)
    audio.save(path, samples, rate)
    return audio.load(path)[0]


METADATA = """UUID: 1a81ae092884234f3264e2f45927f00a
audio_dir: stems
normalized: true
stems:
  S00:
    audio_rendered: true
    inst_class: Bass
    is_drum: false
  S01:
    audio_rendered: true
    inst_class: Drums
    is_drum: true
  S02:
    inst_class: Guitar
  S03:
    inst_class: Strings (continued)
  S04:
    audio_rendered: false
    inst_class: Piano
target_peak: -1.0
"""


def slakh(root):
    made = {}
    for split in ("train", "validation", "test"):
        track = root / split / f"Track0000{len(split) % 7}"
        made[split] = [sound(track / "stems" / f"S0{k}.flac", k) for k in range(4)]
        sound(track / "mix.flac", 9)
        (track / "metadata.yaml").write_text(METADATA)
    return made


def moisesdb(root):
    song = root / "0a1b2c"
    made = {
        name: [sound(song / name / f"{name}{k}.wav", k + len(name), 2, 800 + 9 * k) for k in range(count)]
        for name, count in {"vocals": 2, "drums": 3, "guitar": 1}.items()
    }
    (song / "data.json").write_text(json.dumps({"song": "a", "stems": []}))
    return made


def librimix(root):
    made = {}
    for split in ("train-100", "dev", "test"):
        for k, name in enumerate(("1272-128104-0000_2035-147961-0014", "84-1-0_1272-2-1")):
            folder = root / "wav8k" / "min" / split
            made[split, name] = [sound(folder / s / f"{name}.wav", 5 * k + j) for j, s in enumerate(("s1", "s2"))]
            sound(folder / "mix_clean" / f"{name}.wav", 9)
    return made


def test_slakh_sorts_numbered_stems_by_instrument(tmp_path):
    made = slakh(tmp_path / "in")
    assert layouts.recognise(tmp_path / "in") == "slakh"
    out = layouts.arrange(tmp_path / "in", tmp_path / "out", progress=False)
    for split, word in (("train", "train"), ("valid", "validation"), ("test", "test")):
        (track,) = StemFolder(out, split)
        assert track.stem_names == ("drums", "bass", "other")
        bass, drums, guitar, strings = made[word]
        assert torch.allclose(track.sources(), torch.stack([drums, bass, guitar + strings]), atol=1e-6)


@pytest.mark.parametrize("release", ["", "moisesdb_v0.1"])
def test_moisesdb_adds_the_files_of_a_stem(release, tmp_path):
    made = moisesdb(tmp_path / "in" / release)
    assert layouts.recognise(tmp_path / "in") == "moisesdb"
    out = layouts.arrange(tmp_path / "in", tmp_path / "out", channels=2, split="test", progress=False)
    (track,) = StemFolder(out, "test")
    assert track.stem_names == ("vocals", "drums", "guitar") and track.channels == 2
    first, second = made["vocals"]
    assert torch.allclose(track.sources(["vocals"])[0, :, :800], first + second[:, :800], atol=1e-6)
    assert torch.allclose(track.sources(["vocals"])[0, :, 800:809], second[:, 800:], atol=1e-6)


def test_librimix_keeps_who_speaks(tmp_path):
    made = librimix(tmp_path / "in")
    assert layouts.recognise(tmp_path / "in") == "librimix"
    out = layouts.arrange(tmp_path / "in", tmp_path / "out", progress=False)
    assert [len(StemFolder(out, split)) for split in ("train", "valid", "test")] == [2, 2, 2]
    track = StemFolder(out, "test")[0]
    assert track.stem_names == ("talker_1", "talker_2")
    assert track.score == {"identities": {"talker_1": "1272", "talker_2": "2035"}}
    assert torch.allclose(track.sources(), torch.stack(made["test", track.name]), atol=1e-6)
    item = tasks.task("folder", out).training(RATE, 1, seconds=0.05)[0]
    assert torch.equal(item["mixture"], item["sources"].sum(0))


def test_rate_and_channels_are_converted_and_nothing_is_written_twice(tmp_path, monkeypatch):
    slakh(tmp_path / "in")
    out = layouts.arrange(tmp_path / "in", tmp_path / "out", 4000, 2, progress=False)
    track = StemFolder(out)[0]
    assert (track.sample_rate, track.channels, track.length) == (4000, 2, 400)
    monkeypatch.setattr(audio, "save", lambda *_: pytest.fail("a track was written a second time"))
    layouts.arrange(tmp_path / "in", tmp_path / "out", 4000, 2, progress=False)


def test_what_is_none_of_these_or_broken_is_named(tmp_path):
    with pytest.raises(FolderError, match="none of slakh, moisesdb, librimix"):
        layouts.arrange(tmp_path, tmp_path / "out")
    slakh(tmp_path / "in")
    bad = next((tmp_path / "in").glob("*/*/metadata.yaml"))
    bad.write_text("stems: none\n")
    with pytest.raises(FolderError, match="names no stem"):
        layouts.arrange(tmp_path / "in", tmp_path / "out")
    (tmp_path / "empty" / "song").mkdir(parents=True)
    (tmp_path / "empty" / "song" / "data.json").write_text("{}")
    with pytest.raises(FolderError, match="no folders with sound"):
        layouts.arrange(tmp_path / "empty", tmp_path / "out")


def test_a_broken_file_leaves_no_half_track(tmp_path):
    librimix(tmp_path / "in")
    (tmp_path / "in" / "wav8k" / "min" / "dev" / "s2" / "84-1-0_1272-2-1.wav").write_bytes(b"")
    with pytest.raises(audio.AudioError, match="84-1-0_1272-2-1.wav"):
        layouts.arrange(tmp_path / "in", tmp_path / "out", progress=False)
    assert not (tmp_path / "out" / "valid" / "84-1-0_1272-2-1").exists()
