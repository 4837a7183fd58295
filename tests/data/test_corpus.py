"""The built-in corpus: all of it is there, is what its checksums say, and is what the book promises."""

import json
import shutil

import pytest
import torch

from sepbook import audio
from sepbook.data import corpus
from sepbook.data.mixing import Mixtures


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A small part of the corpus at another place, with its own checksums, to be damaged."""
    table = json.loads((corpus.ROOT / "checksums.json").read_text())
    kept = {name: row for name, row in table.items() if name.startswith("talkers/test/")}
    for name in kept:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(corpus.ROOT / name, tmp_path / name)
    (tmp_path / "checksums.json").write_text(json.dumps(kept))
    monkeypatch.setattr(corpus, "ROOT", tmp_path)
    return tmp_path


@pytest.mark.parametrize(("split", "least"), [("train", 24), ("valid", 4), ("test", 6)])
def test_songs(split, least):
    tracks = corpus.songs(split)
    assert len(tracks) >= least
    assert tracks.source_names == corpus.SOURCES == ("vocals", "drums", "bass", "other")
    for track in tracks:
        assert (track.sample_rate, track.channels, track.seconds, track.split) == (16_000, 1, 20.0, split)
        assert (track.voice is None) == (max(track.score["vocal_activity"]) == 0)
        frames = {len(track.score["vocal_activity"]), len(track.score["f0"])}
        assert frames == {2000} and track.score["split"] == split


def test_a_song_sounds():
    sources = corpus.songs("test")[0].sources()
    assert sources.shape == (4, 1, 320_000)
    heard = sources.abs().amax(dim=(1, 2))
    assert ((heard > 0.01) | (heard == 0)).all() and (heard > 0.01).sum() >= 3, "at most one stem is left out"


def test_vocals_are_where_the_score_says():
    for track in (track for track in corpus.songs("valid") if track.voice):
        active = torch.tensor(track.score["vocal_activity"]) > 0
        frames = track.sources(["vocals"])[0, 0].unflatten(0, (2000, 160)).square().mean(dim=1)  # (T,)
        assert frames[active].mean() > 100 * frames[~active].mean()
        assert not ((torch.tensor(track.score["f0"]) > 0) & ~active).any()


@pytest.mark.parametrize(("split", "least"), [("train", 40), ("valid", 8), ("test", 8)])
def test_talkers(split, least):
    utterances = corpus.talkers(split)
    assert len({utterance.identity for utterance in utterances}) >= least
    assert all(utterance.text and utterance.split == split for utterance in utterances)
    samples = utterances[0].samples()
    assert samples.shape == (1, round(utterances[0].seconds * 16_000)) and samples.abs().max() > 0.01


def further():
    """Return the utterances of those who talk in training where more talkers are asked for."""
    return [utterance for utterance in corpus.talkers("train", more=True) if utterance.split != "train"]


def test_more_talkers_follow_those_of_training_and_have_voices_of_their_own():
    everybody, few = corpus.talkers("train", more=True), corpus.talkers("train")
    assert everybody[: len(few)] == few and {said.split for said in everybody[len(few) :]} == {"more"}
    voices = {said.voice for said in further()}
    assert len(voices) >= 30 and not voices & {s.voice for split in corpus.SPLITS for s in corpus.talkers(split)}
    babble = {voice for split in corpus.SPLITS for n in corpus.noise(split) for voice in n.details.get("voices", ())}
    assert not voices & babble
    pitch = {said.voice: said.details["pitch"] for said in further() if said.details["scale"] == 1}
    assert min(pitch.values()) < 90 and sum(hertz > 180 for hertz in pitch.values()) >= 8, "low ones and high ones"
    for split in ("valid", "test"):
        with pytest.raises(ValueError, match=f"split '{split}' has no more talkers: they are for training alone"):
            corpus.talkers(split, more=True)


def test_splits_share_no_talker_and_no_song():
    people = [{utterance.identity for utterance in corpus.talkers(split)} for split in corpus.SPLITS]
    people += [{utterance.identity for utterance in further()}]
    titles = [{track.score["title"] for track in corpus.songs(split)} for split in corpus.SPLITS]
    for sets in (people, titles):
        assert len(set.union(*sets)) == sum(map(len, sets))


def test_card():
    card = corpus.card()
    assert card["sources"] == list(corpus.SOURCES)
    assert card["edition"] == (2 if corpus.noise("test") else 1)
    for key in ("music", "baselines", "gap_seen_unseen", "splits", "talkers", "voices"):
        assert card[key].keys() - {"more"} == card["first_edition"][key].keys(), key
    more = {utterance.voice for utterance in further()}
    for split in (*corpus.SPLITS, "more"):
        heard = more
        if split != "more":
            heard = {said.voice for said in corpus.talkers(split)} | {t.voice for t in corpus.songs(split)}
        assert set(card["voices"][split]) == heard - {None}
        assert all(voice["licence"] and voice["source"] for voice in card["voices"][split].values())


def test_noise_of_a_split_is_its_own():
    table = {split: corpus.noise(split) for split in corpus.SPLITS}
    assert len({bool(found) for found in table.values()}) == 1, "all splits have noise, or none"
    for split, found in table.items():
        assert all(noise.split == split and noise.path.is_file() for noise in found)
        assert all(noise.details["source"] and noise.details["licence"] and noise.seconds > 2 for noise in found)
    voices = {split: {v for noise in found for v in noise.details.get("voices", ())} for split, found in table.items()}
    assert sum(map(len, voices.values())) == len(set().union(*voices.values())), "no babbling voice twice"
    talk = {utterance.voice for split in corpus.SPLITS for utterance in corpus.talkers(split)}
    assert not talk & set().union(*voices.values())
    known = {noise.details["source"] for noise in table["train"] + table["valid"] if noise.kind == "recorded"}
    assert not known & {noise.details["source"] for noise in table["test"] if noise.kind == "recorded"}


def test_verify_reads_every_file():
    assert corpus.verify() == len(json.loads((corpus.ROOT / "checksums.json").read_text())) > 100


def test_an_unknown_split():
    for function in (corpus.songs, corpus.talkers):
        with pytest.raises(ValueError, match="no split 'dev'; choose from train, valid, test"):
            function("dev")


def test_verify_finds_what_is_wrong(copy):
    assert corpus.verify() == len(list(copy.rglob("*.ogg")))
    first, second, third, *_ = sorted(copy.rglob("*.ogg"))
    first.unlink()
    second.write_bytes(second.read_bytes()[:-9])
    audio.save(third, 0.9 * audio.load(third)[0], 16_000)
    shutil.copy(third, copy / "more.ogg")
    with pytest.raises(corpus.CorpusError) as caught:
        corpus.verify()
    for fault, path in (("missing", first), ("changed", second), ("changed", third), ("not in checksums.json", "more")):
        name = path if isinstance(path, str) else path.relative_to(copy).as_posix()
        assert f"{fault}: {name}" in str(caught.value)
    for path in sorted(copy.rglob("*.ogg"))[3:]:
        path.unlink()
    with pytest.raises(corpus.CorpusError, match="and .* more"):
        corpus.verify()


def test_verify_names_five_faults_and_counts_the_others(copy):
    first, *others = sorted(copy.rglob("*.ogg"))
    for path in others:
        path.unlink()
    with pytest.raises(corpus.CorpusError) as caught:
        corpus.verify()
    assert str(caught.value).count("missing: ") == 5 and f" and {len(others) - 5} more." in str(caught.value)


def test_equal_bytes_are_right_whatever_a_processor_rounds(copy):
    table = json.loads((copy / "checksums.json").read_text())
    for row in table.values():
        row["sha256"] = "as another processor rounds"
    (copy / "checksums.json").write_text(json.dumps(table))
    assert corpus.verify() == len(table)


def test_a_corpus_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setattr(corpus, "ROOT", tmp_path / "gone")
    for function in (corpus.songs, corpus.talkers, corpus.card, corpus.verify):
        with pytest.raises(corpus.CorpusError, match="gone. Install sepbook again"):
            function()
    monkeypatch.setattr(corpus, "ROOT", tmp_path)
    with pytest.raises(corpus.CorpusError, match="damaged"):
        corpus.songs()
    (tmp_path / "card.json").write_text("[")
    with pytest.raises(corpus.CorpusError, match="card.json: cannot be read"):
        corpus.card()


def test_mixtures_of_the_corpus_with_labels():
    item = Mixtures(corpus.songs("valid"), labels=("vocal_activity", "f0"))[7]
    shapes = {name: tuple(value.shape) for name, value in item.items()}
    assert shapes == {"mixture": (1, 48_000), "sources": (4, 1, 48_000), "vocal_activity": (300,), "f0": (300,)}
