"""Tasks: what is in an item, that it depends on seed and number alone, what is refused. Speech: see test_speech."""

import json
import pickle
import shutil

import numpy as np
import pytest
import torch

from sepbook.data import corpus, tasks
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
