"""Mixtures of speech: who meets whom, how loud, how fast, in which noise; and the fixed scenes to score."""

import json

import numpy as np
import pytest
import torch

from sepbook.data import _noise, _scenes, corpus
from sepbook.data.tasks import task

RATE = 8000


def pairs_of(data, count, monkeypatch):
    """Who talks in the first items."""
    drawn, excerpt = [], data.voices.excerpt
    monkeypatch.setattr(data.voices, "excerpt", lambda r, name, *rest: drawn.append(name) or excerpt(r, name, *rest))
    for number in range(count):
        data[number]
    return list(zip(drawn[::2], drawn[1::2], strict=True))


def test_a_talker_never_meets_himself(monkeypatch):
    data = task("talkers").training(RATE, seconds=0.1)
    pairs = pairs_of(data, 300, monkeypatch)
    drawn = [name for pair in pairs for name in pair]
    assert len(pairs) == 300 and all(a != b for a, b in pairs)
    assert set(drawn) == set(data.voices.names), "everybody talks"
    assert {(a, b) for a, b in pairs} & {(b, a) for a, b in pairs}, "in either order"


def test_the_first_talkers_are_an_octave_apart_where_that_is_asked_for(monkeypatch):
    data = task("talkers").training(RATE, seconds=0.1, mixing={"far_first": 100})
    table = json.loads((corpus.ROOT / "talkers" / "talkers.json").read_text())
    pitch = {row["name"]: row["pitch"] for row in table}
    pairs = pairs_of(data, 300, monkeypatch)
    octaves = [np.log2(pitch[a] / pitch[b]) for a, b in pairs]
    assert min(map(abs, octaves[:100])) >= 1 and min(octaves[:100]) < 0 < max(octaves[:100]), "in either order"
    assert len(set(pairs[:100])) > 50, "not always the same ones"
    assert np.mean(np.abs(octaves[100:])) < 0.8, "then any"
    plain = task("talkers").training(RATE, seconds=0.1)
    assert torch.equal(plain[100]["mixture"], data[100]["mixture"]), "as if nothing had been asked for"
    assert data.settings()["far_first"] == 100 and "far_first" not in plain.settings()


def loudest_bin(samples, rate):
    """Return the frequency (Hz) where a sound (C=1, N) is loudest."""
    N = samples.shape[-1]
    return float(torch.fft.rfft(samples[0] * torch.hann_window(N)).abs().argmax()) * rate / N


@pytest.mark.parametrize("name", ("talkers", "speech_noise"))
def test_talkers_are_played_faster_and_slower_each_by_himself(name, monkeypatch):
    tone = torch.sin(2 * np.pi * 400 * torch.arange(4 * RATE) / RATE)[None]
    data = task(name).training(RATE, seconds=0.5, mixing={"speed": 0.25})
    monkeypatch.setattr(data.voices, "samples", lambda identity, take: tone)
    heard = []
    excerpt = data.voices.excerpt
    monkeypatch.setattr(data.voices, "excerpt", lambda *given: heard.append(excerpt(*given)) or heard[-1])
    for number in range(60):
        data[number]
    found = np.array([loudest_bin(samples, RATE) for samples in heard])
    assert all(samples.shape == (1, RATE // 2) for samples in heard)
    assert all(samples[:, -RATE // 10 :].abs().max() > 0.9 for samples in heard), "sounds to its end"
    assert 400 / 1.27 < found.min() < 400 / 1.2 and 400 * 1.2 < found.max() < 400 * 1.27
    assert len(set(found)) > 10 and abs(np.log2(found / 400).mean()) < 0.1, "up as often as down"


def test_an_item_of_changed_speed_depends_on_its_seed_and_number_alone():
    one, again = (task("talkers").training(RATE, seconds=0.5, mixing={"speed": 0.2}) for _ in range(2))
    plain, item = task("talkers").training(RATE, seconds=0.5), one[3]
    again[7]
    assert torch.equal(item["mixture"], again[3]["mixture"]) and torch.equal(item["mixture"], item["sources"].sum(0))
    assert not torch.equal(item["mixture"], plain[3]["mixture"])
    assert one.settings()["speed"] == 0.2 and "speed" not in plain.settings(), "and a run must go on with the same"


@pytest.mark.parametrize("name", ("talkers", "speech_noise"))
def test_more_talkers_talk_in_training_alone(name):
    few, many = (task(name).training(RATE, seconds=0.5, mixing=mixing) for mixing in ({}, {"more_talkers": True}))
    names = many.voices.names
    assert names[: len(few.voices.names)] == few.voices.names and len(names) > 1.5 * len(few.voices.names)
    assert many.settings() == {**few.settings(), "talkers": names}, "a run must go on with the same"
    assert not torch.equal(few[3]["mixture"], many[3]["mixture"])
    assert {who for scene in task(name).tracks("train") for who in scene.identities.values()} <= set(few.voices.names)


@pytest.mark.parametrize("split", corpus.SPLITS)
def test_fixed_pairs_are_of_different_talkers_of_their_split(split):
    scenes = task("talkers").tracks(split, RATE)
    there = {utterance.identity for utterance in corpus.talkers(split)}
    for scene in scenes:
        assert len(set(scene.identities.values())) == 2 and set(scene.identities.values()) <= there
        assert scene.sources().square().mean((-2, -1)).min() > 1e-5, "both talk"
    assert len(scenes) == min(_scenes.MOST, len(there) * (len(there) - 1) // 2), (
        "every pair, or as many as there may be"
    )
    voices = [scene.voices for scene in scenes]
    if len({utterance.voice for utterance in corpus.talkers(split)}) > 2:
        assert sum(first != second for first, second in voices) > len(voices) / 2, "mostly two voices"


def test_levels_of_talkers_and_noise():
    talkers, noisy = (task(name).training(RATE, seconds=4.0) for name in ("talkers", "speech_noise"))
    gaps = {"talkers": [], "noise": []}
    for name, data in (("talkers", talkers), ("noise", noisy)):
        for number in range(40):
            level = 10 * data[number]["sources"].square().mean((-2, -1)).log10()
            gaps[name].append(float(level[0] - level[1]))
    assert min(gaps["noise"]) >= -0.01 and max(gaps["noise"]) <= 10.01 and max(gaps["noise"]) > 8
    assert max(map(abs, gaps["talkers"])) < 9 and min(gaps["talkers"]) < -1, "5 dB, and what their pauses do"
    loud = task("speech_noise").training(RATE, seconds=1.0, mixing={"snr_db": (-20.0, -20.0)})[0]["sources"]
    level = 10 * loud.square().mean((-2, -1)).log10()
    assert float(level[0] - level[1]) == pytest.approx(-20, abs=0.01)


def test_levels_of_fixed_scenes():
    scenes = {name: task(name).tracks("valid", RATE) for name in ("speech_noise", "talkers")}
    noisy, talk = ([scene.sources().square().mean((-2, -1)).log10() for scene in list_] for list_ in scenes.values())
    gaps = [float(10 * (level[0] - level[1])) for level in noisy]
    assert min(gaps) >= -0.01 and max(gaps) <= 10.01 and max(gaps) - min(gaps) > 5
    assert all(abs(float(10 * (level[0] - level[1]))) < 7 for level in talk) and 16 <= len(noisy) <= 32


def test_a_short_utterance_is_whole_and_somewhere_in_its_item():
    voices = task("talkers").material("test", RATE, 1)
    places = set()
    for number in range(8):
        found = voices.excerpt(_scenes.fixed_random("test", number), voices.names[0], 12 * RATE)
        sounding = found[0].nonzero().flatten()
        places.add(int(sounding[0]))
        length = int(sounding[-1] - sounding[0])
        lengths = [voices.samples(voices.names[0], take).shape[-1] for take in range(4)]
        assert found.shape == (1, 12 * RATE) and min(abs(length - n) for n in lengths) < 0.1 * RATE
    assert len(places) > 5


def test_noise_hums_and_hisses_and_is_another_in_each_place():
    tracks = {split: task("speech_noise").tracks(split, RATE) for split in ("train", "test")}
    hums = {split: [t for t in scenes if t.details["noise"] == _noise.HUM_AND_HISS] for split, scenes in tracks.items()}
    noise = [track.sources(["noise"])[0, 0, :4000] for split in hums.values() for track in split[:12]]
    alike = torch.corrcoef(torch.stack(noise)) - torch.eye(len(noise))
    assert alike.abs().max() < 0.9
    spectra = [torch.fft.rfft(x).abs() for x in noise]
    peaks = [float(s.max() / s.median()) for s in spectra]
    assert max(peaks) > 100, "a hum is a line"


def test_hiss_reaches_high():
    random = np.random.default_rng(0)
    drawn = [_noise.hum_and_hiss(random, RATE, RATE) for _ in range(20)]
    shares = [float(s[RATE // 4 :].square().sum() / s.square().sum()) for s in (torch.fft.rfft(x).abs() for x in drawn)]
    assert max(shares) > 0.2 and min(shares) < 0.05, "of the energy, above a quarter of the rate"


@pytest.mark.parametrize("length", [1, 2, 7, 8000])
@pytest.mark.parametrize("rate", [100, 8000, 44_100])
def test_noise_has_the_level_it_says_at_any_length_and_rate(length, rate):
    noise = _noise.hum_and_hiss(_scenes.fixed_random("test", length), length, rate)
    assert noise.shape == (length,) and noise.isfinite().all()
    assert float(noise.square().mean()) == pytest.approx(1, abs=1e-4)
