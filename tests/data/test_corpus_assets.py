"""The corpus that ships: counts, lengths, levels, honest splits, scores that agree with the sound."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

import sepbook

ROOT = Path(sepbook.__file__).parent / "assets" / "corpus"
STEMS = ("vocals", "drums", "bass", "other")
SPLITS = ("train", "valid", "test")
FIRST = json.loads((ROOT / "card.json").read_text(encoding="utf-8"))["edition"] == 1


def read_json(*parts):
    return json.loads(ROOT.joinpath(*parts).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def songs():
    """{split: {song: {stem: int16 samples}}}, decoded once."""
    decoded = {split: {} for split in SPLITS}
    for split in SPLITS:
        for folder in sorted((ROOT / "songs" / split).iterdir()):
            decoded[split][folder.name] = {
                stem: soundfile.read(folder / f"{stem}.ogg", dtype="int16")[0] for stem in STEMS
            }
    return decoded


@pytest.fixture(scope="module")
def scores():
    """{split: {song: score}}"""
    return {
        s: {p.parent.name: json.loads(p.read_text()) for p in sorted((ROOT / "songs" / s).glob("*/score.json"))}
        for s in SPLITS
    }


@pytest.fixture(scope="module")
def checksums():
    return read_json("checksums.json")


@pytest.fixture(scope="module")
def talkers():
    return read_json("talkers", "talkers.json")


def every(songs):
    """(split, name, stems) of all songs."""
    return [(split, name, stems) for split in SPLITS for name, stems in songs[split].items()]


def test_counts(songs, talkers):
    assert len(songs["train"]) >= 24 and len(songs["valid"]) >= 4 and len(songs["test"]) >= 6
    identities = {split: {row["name"] for row in talkers if row["split"] == split} for split in SPLITS}
    assert len(identities["train"]) >= 40 and len(identities["valid"]) >= 8 and len(identities["test"]) >= 8


def test_size_below_16_mb():
    size = {path: path.stat().st_size for path in ROOT.rglob("*") if path.is_file()}
    assert sum(size.values()) <= 16e6
    assert sum(bytes_ for path, bytes_ in size.items() if "noise" in path.relative_to(ROOT).parts) <= 1.2e6


def test_nothing_is_missing_or_left_over(checksums):
    assert {path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.ogg")} == set(checksums)


def test_every_song_is_20_seconds_of_16_khz_mono(songs, checksums):
    for split, name, stems in every(songs):
        for stem, samples in stems.items():
            assert samples.shape == (320_000,), f"{split}/{name}/{stem}"
            assert checksums[f"songs/{split}/{name}/{stem}.ogg"]["length"] == 320_000
    infos = {soundfile.info(ROOT / path).samplerate for path in list(checksums)[::40]}
    assert infos == {16_000}


def test_songs_decode_to_their_checksums(songs, checksums):
    for split, name, stems in every(songs):
        for stem, samples in stems.items():
            digest = hashlib.sha256(samples.astype("<i2").tobytes()).hexdigest()
            assert digest == checksums[f"songs/{split}/{name}/{stem}.ogg"]["sha256"], f"{split}/{name}/{stem}"


def test_files_have_their_checksums(checksums):
    for path, row in checksums.items():
        assert hashlib.sha256((ROOT / path).read_bytes()).hexdigest() == row["bytes_sha256"], path


def test_talkers_decode_to_their_checksums(talkers, checksums):
    for row in talkers:
        samples, rate = soundfile.read(ROOT / row["path"], dtype="int16")
        assert rate == 16_000 and samples.ndim == 1
        assert 1.5 <= len(samples) / rate <= (4.0 if FIRST else 10.0), row["path"]
        assert np.abs(samples).max() < 32_000, row["path"]
        digest = hashlib.sha256(samples.astype("<i2").tobytes()).hexdigest()
        assert (digest, len(samples)) == (checksums[row["path"]]["sha256"], checksums[row["path"]]["length"]), row[
            "path"
        ]


def test_nothing_clips_and_nothing_is_silent(songs):
    for split, name, stems in every(songs):
        mixture = sum(samples.astype(np.int64) for samples in stems.values())
        assert np.abs(mixture).max() < 1.05 * 32_768, f"{split}/{name}"  # mixed below 0.9; Vorbis overshoots
        there = {stem: samples for stem, samples in stems.items() if samples.any()}
        assert len(there) >= (4 if FIRST else 3), f"{split}/{name} has {', '.join(there)} alone"
        for stem, samples in there.items():
            assert np.abs(samples).max() > (1_500 if FIRST else 500), f"{split}/{name}/{stem} is nearly silent"
            rms = np.sqrt((samples.astype(float) ** 2).mean())
            assert np.abs(samples).max() < 32_767, f"{split}/{name}/{stem} clips"
            assert abs(samples.mean()) < 0.03 * rms, f"{split}/{name}/{stem} has an offset"


def test_vocals_rest_in_15_to_40_percent_of_the_seconds(songs):
    shares = []
    for split, name, stems in every(songs):
        if not stems["vocals"].any():
            continue
        seconds = stems["vocals"].reshape(20, 16_000).astype(float)
        level = np.sqrt((seconds**2).mean(axis=1))
        silent = (level < 0.01 * level.max()).mean()
        shares.append(silent)
        assert (0.15 if FIRST else 0.0) <= silent <= (0.40 if FIRST else 0.7), f"{split}/{name}: {silent:.2f}"
    assert 0.15 <= np.mean(shares) <= 0.40
    card = read_json("card.json")
    assert all(0.15 <= card["splits"][split]["vocals_silent_seconds"] <= 0.40 for split in SPLITS)


def test_activity_and_pitch_agree_with_the_sound(songs, scores):
    for split, name, stems in every(songs):
        score = scores[split][name]
        activity, f0 = np.array(score["vocal_activity"]), np.array(score["f0"])
        assert activity.shape == f0.shape == (2000,)
        assert not np.any((f0 > 0) & (activity == 0))
        if not stems["vocals"].any():
            assert not activity.any() and score["voice"] is None
            continue
        assert activity.max() == 1 and activity.min() == 0
        power = (stems["vocals"].reshape(2000, 160).astype(float) ** 2).mean(axis=1)
        assert power[f0 > 0].mean() > 50 * power[activity == 0].mean(), f"{split}/{name}"


def test_notes_are_in_order_and_in_range(scores):
    for split in SPLITS:
        for name, score in scores[split].items():
            for stem in STEMS:
                if not score["notes"][stem]:
                    assert not FIRST, f"{split}/{name}/{stem}"
                    continue
                notes = np.array(score["notes"][stem])
                assert notes.shape[1] == 4 and len(notes) >= (8 if FIRST else 4), f"{split}/{name}/{stem}"
                assert (np.diff(notes[:, 0]) >= 0).all() and (notes[:, 1] > notes[:, 0]).all()
                assert notes[:, :2].min() >= 0 and notes[:, 1].max() <= 20
                assert 20 <= notes[:, 2].min() and notes[:, 2].max() <= 110


def test_test_songs_share_nothing_with_training(scores):
    def collect(split, values):
        return {value for score in scores[split].values() for value in values(score) if value is not None}

    for what, values in {
        "drum kit": lambda s: s["instruments"]["drums"],
        "program": lambda s: [tuple(p) for stem in ("bass", "other") for p in s["programs"][stem]],
        "singer": lambda s: [s["singer"]],
        "voice": lambda s: [s["voice"]],
        "lyric": lambda s: s["lyric"],
        "title": lambda s: [s["title"]],
    }.items():
        shared = collect("train", values) & collect("test", values)
        assert not shared, f"{what} in train and test: {shared}"


def test_test_talkers_share_nothing_with_training(talkers):
    for field in ("name", "voice", "text"):
        train, test = ({row[field] for row in talkers if row["split"] == split} for split in ("train", "test"))
        assert not train & test, f"{field}: {train & test}"
    for split in ("valid", "test"):
        other = {row["text"] for row in talkers if row["split"] != split}
        assert not other & {row["text"] for row in talkers if row["split"] == split}


def test_card_says_that_it_is_not_easy_and_not_impossible():
    baselines = read_json("card.json")["baselines"]
    assert baselines["static_equaliser_test"]["mean"] <= 4.0
    assert baselines["harmonic_percussive_and_equaliser_test"]["mean"] <= 5.0
    assert baselines["harmonic_percussive_two_equalisers_test"]["mean"] <= 5.2  # the strongest blind one we found
    assert 12.0 <= baselines["ideal_ratio_mask_test"]["mean"] <= 18.0


def test_licences_are_there():
    text = (ROOT / "LICENSES.md").read_text(encoding="utf-8")
    for needed in ("Frank Wen", "Carnegie Mellon University", "WORLD", "CC BY 4.0"):
        assert needed in text
