"""Tasks: what is in an item, that it depends on seed and number alone, that talkers differ, what is refused."""

import json
import pickle
import shutil

import numpy as np
import pytest
import torch

from sepbook.data import _noise, _scenes, corpus, tasks
from sepbook.data.mixing import Mixtures
from sepbook.data.tasks import TaskError, task

RATE = 8000
MADE = ("songs", "vocals", "talkers", "speech_noise")  # from the corpus


@pytest.fixture(scope="module")
def training():
    return {name: task(name).training(RATE, seconds=0.5, length=20, seed=3) for name in MADE}


@pytest.mark.parametrize("name", MADE)
def test_items_have_the_sources_of_the_task_and_their_exact_sum(training, name):
    data = training[name]
    assert tuple(data.source_names) == task(name).source_names
    assert (len(data), data.sample_rate, data.channels, data.endless) == (20, RATE, 1, True)
    for number in (0, 1, 19, 5000):
        item = data[number]
        assert item["sources"].shape == (len(data.source_names), 1, RATE // 2)
        assert torch.equal(item["mixture"], item["sources"].sum(0))
        assert item["sources"].isfinite().all() and item["mixture"].abs().max() > 0
    with pytest.raises(IndexError, match="count from 0"):
        data[-1]


@pytest.mark.parametrize("name", MADE)
def test_an_item_depends_on_seed_and_number_alone(training, name):
    data = training[name]
    again = pickle.loads(pickle.dumps(task(name).training(RATE, seconds=0.5, length=7, seed=3)))
    other = task(name).training(RATE, seconds=0.5, length=20, seed=4)
    for number in (4, 0):
        assert torch.equal(data[number]["sources"], again[number]["sources"])
        assert not torch.equal(data[number]["sources"], other[number]["sources"])
    assert not torch.equal(data[0]["sources"], data[1]["sources"])
    assert json.loads(json.dumps(data.settings())) != json.loads(json.dumps(other.settings()))


@pytest.mark.parametrize("name", MADE)
def test_validation_never_changes_and_its_items_can_be_stacked(name):
    first, second = (task(name).validation(RATE) for _ in range(2))
    assert 16 <= len(first) <= 32 and tuple(first.source_names) == task(name).source_names
    items = [first[number] for number in range(len(first))]
    assert len({item["mixture"].shape for item in items}) == 1
    assert all(torch.equal(items[n]["sources"], second[n]["sources"]) for n in (0, len(first) - 1))
    assert all(torch.equal(item["mixture"], item["sources"].sum(0)) for item in items)


def test_songs_are_validated_as_they_are():
    data = task("songs").validation(corpus.SAMPLE_RATE)
    assert isinstance(data, Mixtures)
    assert (len(data), data.samples, data.seed) == (16, 10 * corpus.SAMPLE_RATE, 1)
    assert (data.incoherent, data.gain_db) == (0.0, (0.0, 0.0))
    told = task("songs").validation(corpus.SAMPLE_RATE, labels=("vocal_activity",))
    assert set(told[3]) - set(data[3]) == {"vocal_activity"} and told[3]["vocal_activity"].shape == (1000,)
    assert torch.equal(told[3]["sources"], data[3]["sources"])


@pytest.mark.parametrize("name", MADE)
def test_tracks_are_what_evaluation_asks_for(name):
    tracks = task(name).tracks("test", RATE, 2)
    assert len({track.name for track in tracks}) == len(tracks) >= 6
    track = tracks[-1]
    names = task(name).source_names
    sources = track.sources(names)
    assert sources.shape == (len(names), 2, round(track.seconds * track.sample_rate)) and track.sample_rate == RATE
    assert torch.equal(track.mixture(), sources.sum(0))
    assert torch.equal(track.sources(names[::-1])[0], sources[-1])
    assert torch.equal(track.sources(names[:1], 100, 50), sources[:1, :, 100:150])
    assert task(name).tracks("test")[0].sample_rate == corpus.SAMPLE_RATE


@pytest.mark.parametrize("name", MADE)
def test_splits_share_nothing(name):
    sounds = [{track.name for track in task(name).tracks(split)} for split in corpus.SPLITS]
    assert not (sounds[0] & sounds[1] or sounds[0] & sounds[2] or sounds[1] & sounds[2])
    with pytest.raises(ValueError, match="no split 'best'; choose from train"):
        task(name).tracks("best")


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


def test_vocals_are_the_song_in_two_parts(training):
    song, parts = task("songs").tracks("test")[0], task("vocals").tracks("test")[0]
    assert torch.equal(parts.sources(["vocals"])[0], song.sources(["vocals"])[0])
    torch.testing.assert_close(parts.mixture(), song.mixture(), atol=1e-6, rtol=0)
    assert parts.score["title"] == song.score["title"]
    with pytest.raises(TaskError, match="no 'drums'"):
        parts.sources(["drums"])


def test_a_folder_of_stems_takes_the_place_of_the_corpus(root, make_track):
    folder = task("folder", root)
    assert folder.source_names == ("vocals", "drums", "bass", "other")
    assert folder.training(8000, seconds=0.5)[0]["sources"].shape == (4, 1, 4000)
    assert folder.validation(8000) is None, "there is no split for it"
    make_track("v", "valid")
    assert folder.validation(8000)[0]["mixture"].shape == (1, 2 * 8000), "tracks of two seconds"
    (root / "valid").rename(root / "dev")
    assert len(folder.validation(8000)) == 16, "under another word"
    assert [track.name for track in folder.tracks("test")] == ["d"]
    assert task("songs", root).training(8000).source_names == folder.source_names
    assert task("vocals", root).training(8000)[0]["sources"].shape == (2, 1, 24_000)
    (root / "train" / "a" / "bass.wav").unlink()
    assert task("folder", root, allow_missing=True).training(8000).source_names == folder.source_names
    with pytest.raises(ValueError, match="the stem 'bass' is missing"):
        task("folder", root).training(8000)


def test_a_stem_that_a_whole_split_lacks_is_silence_there_on_request(root, make_track):
    make_track("v", "valid", bass=None)
    (root / "test" / "d" / "vocals.wav").unlink()
    folder = task("folder", root, allow_missing=True)
    for split in ("train", "valid", "test"):
        tracks = folder.tracks(split)
        assert tracks.source_names == ("vocals", "drums", "bass", "other") == tracks[0].stem_names, split
    assert folder.tracks("valid")[0].sources(["bass"]).abs().max() == 0
    assert folder.validation(8000)[0]["sources"].shape == (4, 1, 16_000)
    assert task("vocals", root, allow_missing=True).tracks("test")[0].sources()[0].abs().max() == 0
    assert task("folder", root).tracks("test").source_names == ("drums", "bass", "other"), "not unless asked"


@pytest.fixture
def pairs(tmp_path, make_track):
    """Three tracks of two talkers; Anna is in all of them."""
    for name, other in (("a", "Ben"), ("b", "Cleo"), ("c", "Dan")):
        stems = {f"talker_{n}": 0.1 * torch.randn(1, 16_000) for n in (1, 2)}
        score = {"identities": {"talker_1": "Anna", "talker_2": other}}
        make_track(name, score=score, vocals=None, drums=None, bass=None, other=None, **stems)
    return tmp_path / "root"


def places(data, count=200):
    import numpy as np

    return [data._draw_places(np.random.default_rng(i)) for i in range(count)]


def test_talkers_of_a_folder_are_mixed_where_it_says_who_they_are(pairs, tmp_path):
    data = task("folder", pairs).training(8000, seconds=0.5, mixing={"incoherent": 1.0})
    who = [[track.score["identities"][name] for name in data.source_names] for track in data.tracks]
    met = {(who[first[0]][0], who[second[0]][1]) for first, second in places(data)}
    assert met == {("Anna", "Ben"), ("Anna", "Cleo"), ("Anna", "Dan")}
    (pairs / "train" / "b" / "score.json").unlink()
    with pytest.warns(UserWarning, match="nothing says who the talkers are"):
        assert task("folder", pairs).training(8000, mixing={"incoherent": 1.0}).incoherent == 0.0


def test_one_talker_alone_cannot_be_mixed(pairs):
    for track in (pairs / "train").iterdir():
        (track / "score.json").write_text('{"identities": {"talker_1": "Anna", "talker_2": "Anna"}}')
    with pytest.raises(ValueError, match="different talkers: the tracks have too few"):
        task("folder", pairs).training(8000, mixing={"incoherent": 1.0})[0]


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda p: task("talker"), r"task 'talker' is unknown; did you mean 'talkers'\? Choose one of: songs, vocals"),
        (lambda p: task(""), "task '' is unknown. Choose one of: songs, vocals, talkers, speech_noise, folder"),
        (lambda p: task("folder"), "task 'folder' needs a folder of stems: .*--data FOLDER"),
        (lambda p: task("talkers", p), "task 'talkers' is made from the built-in corpus; .*--task folder"),
        (lambda p: task("folder", p / "none").training(8000), "none: there is no such folder"),
        (
            lambda p: task("songs").training(8000, mixing={"snr_db": 3}),
            "knows no mixing 'snr_db'; it knows: incoh",
        ),
        (
            lambda p: task("talkers").training(8000, mixing={"flip": 1}),
            "knows no mixing 'flip'; it knows: gain_db, far_first, speed",
        ),
        (lambda p: task("talkers").training(8000, mixing={"far_first": -1}), "far_first=-1: expected a number of it"),
        *(
            (lambda p, n=name: task(n).training(8000, mixing={"speed": 20}), "speed=20: expected a share of 0 to 1")
            for name in ("talkers", "speech_noise")
        ),
        (lambda p: task("talkers").training(8000, mixing={"speed": -0.1}), "speed=-0.1: expected a share"),
        (lambda p: task("talkers").training(8000, mixing={"gain_db": (3, -3)}), r"levels=\(3, -3\): expected"),
        (lambda p: task("talkers").training(8000, seconds=float("nan")), "seconds=nan"),
        (lambda p: task("speech_noise").training(8000, length=0), "length=0"),
        (lambda p: task("talkers").tracks()[0].sources(["talker_3"]), "has no source 'talker_3'; it has talker_1"),
    ],
)
def test_what_cannot_be_had_is_refused_in_words(tmp_path, ask, words):
    with pytest.raises(ValueError, match=words):
        ask(tmp_path)


def test_a_task_whose_stems_are_others_is_refused(root):
    for track in (root / "train").iterdir():
        (track / "vocals.wav").unlink()
    with pytest.raises(TaskError, match="needs the stem 'vocals' and others; it has drums"):
        task("vocals", root).training(8000)


@pytest.mark.parametrize("name", MADE)
def test_a_task_without_data_on_this_machine_says_so(monkeypatch, tmp_path, name):
    monkeypatch.setattr(corpus, "ROOT", tmp_path / "gone")
    for ask in (task(name).training, task(name).validation):
        with pytest.raises(corpus.CorpusError, match="The built-in corpus is not at .*gone. Install sepbook again"):
            ask(RATE)


def test_talkers_that_are_not_there(monkeypatch, tmp_path):
    shutil.copytree(corpus.ROOT / "songs", tmp_path / "songs")
    monkeypatch.setattr(corpus, "ROOT", tmp_path)
    with pytest.raises(corpus.CorpusError, match="talkers.json: cannot be read"):
        task("talkers").training(RATE)
    assert len(task("songs").training(RATE).tracks) == len(list((tmp_path / "songs" / "train").iterdir())) >= 24


def test_names():
    assert tasks.names() == (*MADE, "folder")
    assert repr(task("songs")) == "task('songs')"
