"""Noise of the corpus: splits share nothing, sounds go round without a seam, and each says where it is from."""

import numpy as np
import pytest
import soundfile

from tools.corpus import noise

RATE = noise.SAMPLE_RATE


def speak(voice, text):
    """Two seconds of a buzz with gaps: not speech, but each voice and text has its own."""
    rng = np.random.default_rng([len(text), *voice.encode()])
    time = np.arange(2 * RATE) / RATE
    syllables = 0.5 + 0.5 * np.sign(np.sin(2 * np.pi * rng.uniform(2, 4) * time))
    return 0.1 * np.sign(np.sin(2 * np.pi * rng.uniform(80, 220) * time)) * syllables


@pytest.fixture
def recordings(tmp_path, monkeypatch):
    """Made-up files in the place of the recordings, in stereo at 44.1 kHz."""
    for name in {recording.file for part in noise.RECORDINGS.values() for recording in part}:
        rng = np.random.default_rng(list(name.encode()))
        soundfile.write(tmp_path / f"{name}.flac", 0.05 * rng.standard_normal((10 * 44_100, 2)), 44_100)
    monkeypatch.setattr(noise, "SAMPLES", tmp_path)


def test_splits_share_no_voice_and_the_test_no_recording():
    voices = {split: {name for name, _ in noise.VOICES[split]} for split in noise.SPLITS}
    assert sum(map(len, voices.values())) == len(set.union(*voices.values()))
    files = {split: {recording.file for recording in noise.RECORDINGS[split]} for split in noise.SPLITS}
    assert not files["test"] & (files["train"] | files["valid"]) and len(files["test"]) >= 1
    taken = sorted((r.file, r.start, r.end) for part in noise.RECORDINGS.values() for r in part)
    for (name, _, end), (other, start, _) in zip(taken, taken[1:], strict=False):
        assert name != other or end <= start, f"{name}: two excerpts overlap"


def test_every_split_has_every_kind():
    for split in noise.SPLITS:
        assert {kind for s, kind, _ in noise.jobs() if s == split} == {"traffic", "babble", "recorded"}
    asked = noise.wanted()
    assert {name for name, _, _ in asked} == {name for part in noise.VOICES.values() for name, _ in part}


@pytest.mark.parametrize("kind", ["traffic", "babble", "recorded"])
def test_a_sound_has_its_level_and_no_seam_and_comes_out_the_same_again(recordings, kind):
    samples, row = noise.make("test", kind, 0, speak)
    again, _ = noise.make("test", kind, 0, speak)
    other, _ = noise.make("train", kind, 0, speak)
    assert np.array_equal(samples, again) and not np.array_equal(samples[:1000], other[:1000])
    assert row["path"] == f"noise/test/{kind}_0.ogg" and row["seconds"] == len(samples) / RATE > 4
    assert np.abs(samples).max() <= 0.9 and noise.level(samples) == pytest.approx(noise.LEVEL, abs=0.1)
    steps = np.abs(np.diff(samples))
    assert abs(samples[0] - samples[-1]) <= 1.01 * steps.max(), "no click where it begins again"
    assert row["source"] and row["licence"]


def test_a_crossfade_leads_from_the_end_to_the_beginning():
    count = int(noise.SEAM * RATE)
    samples = np.concatenate([np.zeros(5 * count), np.ones(count)])
    looped = noise.without_seam(samples)
    assert looped.shape == (5 * count,) and looped[0] == 1 and looped[count:].max() == 0
    assert (np.diff(looped[:count]) <= 1e-12).all()


def test_traffic_lies_low_and_swells_and_falls():
    samples, _ = noise.make("train", "traffic", 1, speak)
    power = np.abs(np.fft.rfft(samples)) ** 2
    frequencies = np.fft.rfftfreq(len(samples), 1 / RATE)
    assert power[frequencies < 1500].sum() > 0.9 * power.sum()
    levels = [noise.level(part) for part in np.array_split(samples, 16)]
    assert 4 < max(levels) - min(levels) < 25


def test_a_babble_is_of_many_who_never_pause():
    said = []
    samples, row = noise.make("train", "babble", 2, lambda *asked: said.append(asked) or speak(*asked))
    assert set(row["voices"]) == {name for name, _ in said} <= {name for name, _ in noise.VOICES["train"]}
    levels = [noise.level(part) for part in np.array_split(samples, 16)]
    assert max(levels) - min(levels) < 6
    with pytest.raises(ValueError, match="voice .*: forty sentences last 0.0 s; is it silent"):
        noise.make("train", "babble", 0, lambda name, text: np.zeros(4))


def test_an_event_comes_again_and_again(recordings):
    number = [recording.repeated for recording in noise.RECORDINGS["test"]].index(True)
    event = np.concatenate([np.ones(100), np.zeros(RATE)])
    heard = noise.again(np.random.default_rng(0), event)
    starts = np.flatnonzero((heard[1:] > 0.4) & (heard[:-1] < 0.4))
    assert len(starts) >= 4 and np.diff(starts).std() > 100, "at no even pace"
    samples, row = noise.make("test", "recorded", number, speak)
    assert len(samples) == noise.SECONDS * RATE and noise.RECORDINGS["test"][number].author in row["source"]


def test_recordings_are_public_domain_and_name_their_makers(recordings):
    for split, part in noise.RECORDINGS.items():
        for number, recording in enumerate(part):
            _, row = noise.make(split, "recorded", number, speak)
            assert row["licence"] == "CC0 1.0" and row["excerpt"] == [recording.start, recording.end]
            assert f"/{recording.number}/" in row["source"]
