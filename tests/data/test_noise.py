"""Noise for speech, in both editions of the corpus: one with a folder of noise, and one that has hum and hiss alone."""

import json
import pickle

import pytest
import torch

from sepbook import audio
from sepbook.data import _noise, _scenes, corpus
from sepbook.data.tasks import task

RATE = 8000
KINDS = ("hum and hiss", "babble", "recorded", "traffic")
FILES = {"train": ("babble", "babble", "traffic", "recorded"), "valid": ("babble", "traffic", "recorded")}
FILES["test"] = FILES["valid"]


def build(root, noise):
    """A corpus of two base voices with three talkers each in every split; one talker has a voice of his own."""
    rows, sound = [], torch.Generator().manual_seed(0)
    for split in corpus.SPLITS:
        for who, voice in enumerate(("ann", "ann", "ann", "bob", "bob", "bob", "cleo")):
            for take in range(2):
                path = f"talkers/{split}/{who}{take}.wav"
                save(root / path, 0.1 * torch.randn(1, 16_000, generator=sound))
                name, text = f"{split}{who}", f"{who} says {take}"
                rows.append({"name": name, "split": split, "voice": f"{split} {voice}", "path": path, "text": text})
    (root / "talkers" / "talkers.json").write_text(json.dumps(rows))
    if noise:
        build_noise(root, sound)


def build_noise(root, sound):
    rows = []
    for split, kinds in FILES.items():
        for number, kind in enumerate(kinds):
            path = f"noise/{split}/{kind}_{number}.wav"
            save(root / path, 0.1 * torch.randn(1, 8_000, generator=sound))
            rows.append({"path": path, "split": split, "kind": kind, "source": "made up", "licence": "CC0"})
    (root / "noise" / "noise.json").write_text(json.dumps(rows))


def save(path, samples):
    path.parent.mkdir(parents=True, exist_ok=True)
    audio.save(path, samples, corpus.SAMPLE_RATE)


@pytest.fixture
def first(tmp_path, monkeypatch):
    """An edition without noise."""
    build(tmp_path, noise=False)
    monkeypatch.setattr(corpus, "ROOT", tmp_path)


@pytest.fixture
def second(tmp_path, monkeypatch):
    """An edition with noise of three more kinds."""
    build(tmp_path, noise=True)
    monkeypatch.setattr(corpus, "ROOT", tmp_path)
    return tmp_path


def test_an_edition_without_noise_has_hum_and_hiss_and_no_rooms(first):
    assert corpus.noise("test") == []
    data, scenes = task("speech_noise").training(RATE, seconds=0.5), task("speech_noise").tracks("test", RATE)
    assert data.settings()["noise"] == {"kinds": ["hum and hiss"], "recordings": {}, "rooms": [0.0, 0.0]}
    assert {(scene.details["noise"], scene.details["room"]) for scene in scenes} == {("hum and hiss", 0.0)}
    dry = data.voices.samples(data.voices.names[0], 0)
    assert data.noises.room(None, dry) == (dry, 0.0)


def test_noise_of_the_corpus_says_what_it_is(second):
    found = corpus.noise("train")
    assert [noise.kind for noise in found] == list(FILES["train"]) and {noise.split for noise in found} == {"train"}
    assert (found[0].name, found[0].seconds, found[0].samples().shape) == ("babble_0", 0.5, (1, 8000))
    assert all(noise.details["licence"] for noise in found)
    with pytest.raises(ValueError, match="no split 'dev'"):
        corpus.noise("dev")
    (second / "noise" / "noise.json").write_text("{")
    with pytest.raises(corpus.CorpusError, match="noise.json: cannot be read"):
        task("speech_noise").training(RATE)


def test_fixed_scenes_have_each_kind_in_turn_and_say_which(second):
    for split in corpus.SPLITS:
        scenes = task("speech_noise").tracks(split, RATE)
        kinds = [scene.details["noise"] for scene in scenes]
        assert kinds == [KINDS[number % 4] for number in range(len(scenes))] and len(scenes) == 14
        assert all(
            (scene.details["recording"] is None) == (kind == KINDS[0])
            for scene, kind in zip(scenes, kinds, strict=True)
        )
        assert len({scene.details["room"] for scene in scenes}) > 10, "rooms differ"
        for scene in scenes:
            speech, noise = 10 * scene.sources().square().mean((-2, -1)).log10()
            assert float(speech - noise) == pytest.approx(scene.details["snr_db"], abs=0.02)
            assert 0 <= scene.details["snr_db"] <= 10 and 0 <= scene.details["room"] <= 0.8
            assert scene.voices == (f"{split} " + ("ann", "bob", "cleo")[int(scene.identities["speech"][-1]) // 3],)


def test_training_meets_every_kind_and_depends_on_seed_and_number_alone(second, monkeypatch):
    data = task("speech_noise").training(RATE, seconds=0.25, seed=5)
    seen, draw = [], data.noises.draw
    monkeypatch.setattr(data.noises, "draw", lambda *given: seen.append(draw(*given)) or seen[-1])
    items = [data[number]["sources"] for number in range(60)]
    counts = [sum(details["noise"] == kind for _, details in seen) for kind in KINDS]
    assert min(counts) > 5, "a kind is as likely with one file as with two"
    assert {details["recording"] for _, details in seen} == {None, *(noise.name for noise in corpus.noise("train"))}
    again = pickle.loads(pickle.dumps(task("speech_noise").training(RATE, seconds=0.25, seed=5)))
    assert all(torch.equal(items[number], again[number]["sources"]) for number in (59, 7, 0))
    assert json.loads(json.dumps(data.settings())) == again.settings()
    assert data.settings()["noise"]["recordings"]["babble"] == ["babble_0", "babble_1"]


def test_another_folder_of_noise_is_another_training(second):
    before = task("speech_noise").training(RATE).settings()
    table = second / "noise" / "noise.json"
    table.write_text(json.dumps(json.loads(table.read_text())[1:]))
    assert task("speech_noise").training(RATE).settings() != before
    assert "noise" not in task("talkers").training(RATE).settings()


def test_noise_goes_round_where_it_is_shorter_than_the_item(second):
    noises = _noise.Noises("test", corpus.SAMPLE_RATE)
    for kind in KINDS[1:]:
        found, details = noises.draw(_scenes.fixed_random("test", 1), 20_000, kind)
        assert torch.equal(found[:4000], found[8000:12_000]) and details["noise"] == kind
        assert float(found.square().mean()) == pytest.approx(1, abs=1e-4)


def test_silent_noise_and_silent_speech_stay_finite(second):
    for path in (second / "noise" / "train").iterdir():
        save(path, torch.zeros(1, 100))
    for path in (second / "talkers" / "train").iterdir():
        save(path, torch.zeros(1, 100))
    data = task("speech_noise").training(RATE, seconds=0.1)
    assert all(data[number]["sources"].isfinite().all() for number in range(12))


@pytest.mark.parametrize("seconds", [0.1, 0.4, 0.8])
def test_a_room_rings_as_long_as_it_says_behind_the_direct_sound(seconds):
    click = torch.zeros(2, 2 * RATE)
    click[:, 100] = 1
    heard = _noise.in_room(_scenes.fixed_random("test", 3), click, RATE, seconds)
    assert heard.shape == click.shape and float(heard[0, 100]) == pytest.approx(1, abs=1e-4)
    assert heard[:, :100].abs().max() < 1e-5, "nothing before its cause"
    rest = heard[0, 101:].square()
    left = rest.flip(0).cumsum(0).flip(0) / rest.sum()  # Schroeder's backward integral
    fallen = [int((left > 10 ** (-d / 10)).sum()) for d in (5, 25)]
    assert 3 * (fallen[1] - fallen[0]) / RATE == pytest.approx(seconds, rel=0.2)
    assert float(rest.sum()) == pytest.approx(_noise.ECHO * seconds / 0.8, rel=0.01), "a larger room echoes more"


@pytest.mark.parametrize("length", [0, 1, 50])
def test_a_dry_room_and_short_sounds(length):
    sound = torch.randn(1, length)
    assert torch.equal(_noise.in_room(None, sound, RATE, 0.0), sound)
    assert _noise.in_room(_scenes.fixed_random("test", 1), sound, RATE, 0.5).shape == sound.shape


def test_pairs_of_different_voices_come_first_and_each_has_its_turn(first, monkeypatch):
    monkeypatch.setattr(_scenes, "MOST", 12)
    scenes = task("talkers").tracks("test", RATE)
    met = [tuple(sorted(scene.voices)) for scene in scenes]
    assert len(scenes) == 12 == len({scene.name for scene in scenes})
    pairs = [("test ann", "test bob"), ("test ann", "test cleo"), ("test bob", "test cleo")]
    assert set(met[:3]) == set(pairs), "each pair of voices once before one comes again"
    assert [met.count(pair) for pair in pairs] == [6, 3, 3], "as many of each as there are"
    assert all(a != b for a, b in met)


def test_one_voice_only_still_makes_pairs_of_different_talkers(first):
    table = corpus.ROOT / "talkers" / "talkers.json"
    rows = [{**row, "voice": "ann"} for row in json.loads(table.read_text())]
    table.write_text(json.dumps(rows))
    scenes = task("talkers").tracks("test", RATE)
    assert len(scenes) == 21 and all(len(set(scene.identities.values())) == 2 for scene in scenes)
    assert {voice for scene in scenes for voice in scene.voices} == {"ann"}, "no interval can speak of voices here"
    assert {utterance.voice for utterance in corpus.talkers("test")} == {"ann"}
