"""Soundscapes: what is drawn, what is heard, what is written, and what is said where a folder or a plan gives none."""

import dataclasses
import json
import pickle

import pytest
import torch

from sepbook import audio
from sepbook.data import jams, scaper, tasks
from sepbook.data.folder import StemFolder
from sepbook.data.scaper import Plan, SoundscapeError, Soundscapes

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),
]  # Scaper takes seconds to import; warnings: theirs
RATE = 8000
STEMS = ("vocals", "drums", "bass")
SHORT = Plan(seconds=1.0, sample_rate=RATE)


def song(seed, seconds=4.0, rate=RATE, level=0.1):
    """Noise that grows, so that every place of it can be told from every other one."""
    generator = torch.Generator().manual_seed(seed)
    return (
        level
        * torch.linspace(0.5, 1, round(seconds * rate))
        * torch.randn(1, round(seconds * rate), generator=generator)
    )


@pytest.fixture(scope="module")
def foreground(tmp_path_factory):
    folder = tmp_path_factory.mktemp("foreground")
    for s, stem in enumerate(STEMS):
        for k, name in enumerate(("one", "two", "three")):
            audio.save(folder / stem / f"{name}.wav", song(10 * s + k, level=0.02 * (s + 1)), RATE)
    return folder


def cut(event, seconds=1.0):
    """The piece of its file that an event without changes of pitch and tempo is (C, N)."""
    samples, rate = audio.load(event.source_file)
    start = int(event.source_time * rate)
    return samples[:, start : start + int(seconds * rate)]


def level(x):
    return 10 * x.square().mean().log10()


def test_an_item_has_the_sources_of_its_plan_and_is_their_sum(foreground):
    scapes = Soundscapes(foreground, SHORT)
    item = scapes[3]
    assert scapes.source_names == STEMS, "the usual order of stems"
    assert item["sources"].shape == (3, 1, RATE) and item["sources"].dtype == torch.float32
    assert torch.equal(item["mixture"], item["sources"].sum(0))
    assert all(source.any() for source in item["sources"])


@pytest.mark.parametrize("change", [{}, {"pitch_shift": ("const", 3)}, {"time_stretch": ("const", 0.8)}])
def test_the_mixture_that_scaper_makes_is_the_sum_to_a_millionth(foreground, tmp_path, change):
    scapes = Soundscapes(foreground, dataclasses.replace(SHORT, **change))
    sources, _ = scapes.make(1, tmp_path / "a.jams")
    mixture, again, found = jams.replay(tmp_path / "a.jams")
    torch.testing.assert_close(sources.sum(0), mixture, atol=1e-6, rtol=0)
    torch.testing.assert_close(again, sources, atol=1e-6, rtol=0)
    assert list(found.events) == scapes.draw(1)


def test_an_item_follows_from_seed_and_number(foreground):
    scapes = Soundscapes(foreground, SHORT, seed=4)
    torch.manual_seed(1)
    first = scapes[7]["sources"]
    scapes[2], torch.manual_seed(2)
    again = pickle.loads(pickle.dumps(scapes))[7]["sources"]
    assert torch.equal(first, again)
    assert not torch.equal(first, scapes[8]["sources"])
    assert not torch.equal(first, Soundscapes(foreground, SHORT, seed=5)[7]["sources"])


def test_workers_give_the_same_items(foreground):
    scapes = Soundscapes(foreground, SHORT, length=4)
    loader = torch.utils.data.DataLoader(scapes, batch_size=2, num_workers=2)
    found = torch.cat([batch["sources"] for batch in loader])
    assert torch.equal(found, torch.stack([scapes[i]["sources"] for i in range(4)]))


def test_coherent_stems_are_one_place_of_one_song(foreground):
    scapes = Soundscapes(foreground, dataclasses.replace(SHORT, incoherent=0.0))
    places = [{(e.source_file.name, e.source_time) for e in scapes.draw(i)} for i in range(20)]
    assert all(len(place) == 1 for place in places)
    assert {name for place in places for name, _ in place} == {"one.wav", "two.wav", "three.wav"}
    for source, event in zip(scapes[0]["sources"], scapes.draw(0), strict=True):
        x = cut(event)
        gain = (source * x).sum() / x.square().sum()
        torch.testing.assert_close(source, gain * x, atol=1e-6, rtol=1e-4)


def test_coherent_stems_share_pitch_and_tempo(foreground):
    plan = Plan(1.0, RATE, incoherent=0.0, pitch_shift=("uniform", -3, 3), time_stretch=("uniform", 0.7, 1.4))
    scapes = Soundscapes(foreground, plan)
    found = [scapes.draw(i) for i in range(8)]
    assert all(len({(e.pitch_shift, e.time_stretch, e.source_seconds) for e in events}) == 1 for events in found)
    assert len({events[0].pitch_shift for events in found}) == 8
    assert all(abs(e.source_seconds * e.time_stretch - 1) < 1e-9 for events in found for e in events), "all is filled"


def test_incoherent_stems_come_from_places_of_their_own(foreground):
    scapes = Soundscapes(foreground, dataclasses.replace(SHORT, incoherent=1.0))
    found = [scapes.draw(i) for i in range(20)]
    assert all(len({e.source_time for e in events}) == 3 for events in found)
    assert any(len({e.source_file.name for e in events}) > 1 for events in found)


def test_the_share_of_incoherent_items_is_that_of_the_plan(foreground):
    scapes = Soundscapes(foreground, dataclasses.replace(SHORT, incoherent=0.25))
    share = sum(len({e.source_time for e in scapes.draw(i)}) > 1 for i in range(48)) / 48
    assert 0.1 < share < 0.42


def test_distributions_are_what_they_say(foreground):
    plan = Plan(1.0, RATE, source_time=("choose", [0.5, 2.0]), snr=("truncnorm", 0, 5, -2, 2), incoherent=1.0)
    events = [e for i in range(25) for e in Soundscapes(foreground, plan).draw(i)]
    assert {e.source_time for e in events} == {0.5, 2.0}
    assert -2 <= min(e.snr for e in events) < -1 and 1 < max(e.snr for e in events) <= 2
    late = [e for i in range(25) for e in Soundscapes(foreground, SHORT).draw(i)]
    assert max(e.source_time for e in late) <= 3 and max(e.source_time for e in late) > 2.5, (
        "the piece fits in the file"
    )


def test_equal_levels_bring_each_stem_to_the_reference(foreground):
    plan = dataclasses.replace(SHORT, snr=("const", 3), reference=-30.0)
    sources, found = Soundscapes(foreground, plan).make(0)
    assert [e.snr for e in found.events] == [3, 3, 3]
    for source in sources:
        assert abs(audio.loudness(source, RATE) + 27) < 0.1


def test_own_levels_keep_the_balance_of_the_song(foreground):
    plan = dataclasses.replace(SHORT, snr=("const", 0), levels="own", incoherent=0.0)
    scapes = Soundscapes(foreground, plan)
    for source, event in zip(scapes[2]["sources"], scapes.draw(2), strict=True):
        torch.testing.assert_close(source, cut(event), atol=1e-6, rtol=1e-5)
    louder = Soundscapes(foreground, dataclasses.replace(plan, snr=("const", 6)))[2]["sources"]
    torch.testing.assert_close(louder, scapes[2]["sources"] * 10 ** (6 / 20), atol=1e-6, rtol=1e-4)


def test_a_rest_is_never_made_loud(tmp_path):
    audio.save(tmp_path / "loud" / "a.wav", song(1), RATE)
    audio.save(tmp_path / "rest" / "a.wav", song(2) * 1e-5, RATE)
    loud, rest = Soundscapes(tmp_path, SHORT)[0]["sources"]
    assert level(loud) > -40 and level(rest) < -100


@pytest.mark.parametrize(("rate", "channels"), [(16_000, 1), (11_025, 2), (RATE, 2)])
def test_stems_of_another_rate_or_in_stereo_are_converted(tmp_path, rate, channels):
    t = torch.arange(4 * rate) / rate
    audio.save(tmp_path / "drums" / "a.wav", 0.1 * torch.sin(2 * torch.pi * 500 * t).repeat(channels, 1), rate)
    audio.save(tmp_path / "vocals" / "a.wav", song(1), RATE)
    sources = Soundscapes(tmp_path, SHORT)[0]["sources"]
    assert sources.shape == (2, 1, RATE)
    heard = torch.fft.rfft(sources[1, 0, 500:-500]).abs()
    assert abs(float(heard.argmax()) * RATE / (RATE - 1000) - 500) < 2, "the tone is as high as it was"
    assert level(sources[1, 0, : RATE // 2]) - level(sources[1, 0, RATE // 2 :]) < 1, "and lasts to the end"


def test_a_change_of_pitch_is_one_of_so_many_semitones(tmp_path):
    t = torch.arange(4 * RATE) / RATE
    audio.save(tmp_path / "tone" / "a.wav", 0.1 * torch.sin(2 * torch.pi * 500 * t)[None], RATE)
    (source,) = Soundscapes(tmp_path, dataclasses.replace(SHORT, pitch_shift=("const", 12)))[0]["sources"]
    heard = torch.fft.rfft(source[0, 1000:-1000]).abs()
    assert abs(float(heard.argmax()) * RATE / (RATE - 2000) / 1000 - 1) < 0.02


def test_soundscapes_in_a_folder_are_stems_for_everyone(foreground, tmp_path):
    for split, seed in (("train", 0), ("valid", 1)):
        assert scaper.generate(foreground, tmp_path, split, 3, SHORT, seed, progress=False) == tmp_path
    tracks = StemFolder(tmp_path, "train")
    scapes = Soundscapes(foreground, SHORT)
    assert [track.name for track in tracks] == ["000000", "000001", "000002"]
    torch.testing.assert_close(tracks[2].sources(STEMS), scapes[2]["sources"], atol=1e-6, rtol=0)
    mixture, _, _ = jams.replay(tmp_path / "train" / "000002" / "soundscape.jams")
    torch.testing.assert_close(tracks[2].mixture(), mixture, atol=1e-6, rtol=0)

    task = tasks.task("folder", tmp_path)
    assert task.source_names == STEMS
    item = task.training(RATE, 1, seconds=0.5)[0]
    assert item["sources"].shape == (3, 1, RATE // 2)
    assert len(task.validation(RATE, 1)) > 0


def test_a_second_call_goes_on_and_another_plan_is_refused(foreground, tmp_path):
    scaper.generate(foreground, tmp_path, count=1, plan=SHORT, progress=False)
    before = (tmp_path / "train" / "000000" / "drums.wav").stat().st_mtime_ns
    (tmp_path / "train" / ".000001.part").mkdir()
    scaper.generate(foreground, tmp_path, count=2, plan=SHORT, progress=False)
    assert (tmp_path / "train" / "000000" / "drums.wav").stat().st_mtime_ns == before
    assert sorted(p.name for p in (tmp_path / "train").iterdir()) == ["000000", "000001", "plan.json"]
    with pytest.raises(SoundscapeError, match="differ in snr.*another folder"):
        scaper.generate(foreground, tmp_path, plan=dataclasses.replace(SHORT, snr=("const", 0)), progress=False)
    with pytest.raises(SoundscapeError, match="differ in data_seed"):
        scaper.generate(foreground, tmp_path, plan=SHORT, seed=1, progress=False)


def test_settings_tell_plans_apart_and_are_json(foreground):
    settings = Soundscapes(foreground, SHORT).settings()
    assert json.loads(json.dumps(settings))["files"]["drums"] == ["one.wav", "three.wav", "two.wav"]
    for change in ({"snr": ("const", 1)}, {"incoherent": 0.1}, {"quick": True}, {"levels": "own"}):
        assert Soundscapes(foreground, dataclasses.replace(SHORT, **change)).settings() != settings


def test_a_whole_corpus_is_laid_out(tmp_path, make_track):
    make_track("a", bass=torch.zeros(1, 16000))
    make_track("b")
    folder = scaper.lay_out(StemFolder(tmp_path / "root", "train"), tmp_path / "foreground")
    found = {name: [path.stem for path in paths] for name, paths in scaper.labels(folder).items()}
    assert found == {"vocals": ["a", "b"], "drums": ["a", "b"], "bass": ["b"], "other": ["a", "b"]}
    assert {e.source_file.stem for i in range(9) for e in Soundscapes(folder, Plan(1.0, incoherent=0.0)).draw(i)} == {
        "b"
    }


# ---------------------------------------------------------------- what gives no soundscapes


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seconds": 0}, "seconds=0: expected a positive number"),
        ({"sample_rate": 0}, "sample_rate=0"),
        ({"channels": 0}, "channels=0"),
        ({"incoherent": 1.5}, "incoherent=1.5.*probability"),
        ({"levels": "loud"}, "levels='loud'.*equal, own"),
        ({"snr": 3}, "snr=3 is no distribution.*'uniform', -5, 5.*truncnorm"),
        ({"snr": None}, "snr=None is no distribution"),
        ({"source_time": ("uniform", 0)}, "source_time=.*no distribution"),
        ({"pitch_shift": ("gauss", 0, 1)}, "pitch_shift=.*no distribution"),
        ({"time_stretch": ("const", 0)}, "Scaper refuses the plan"),
        ({"snr": ("uniform", 5, -5)}, "Scaper refuses the plan"),
        ({"source_time": ("const", -1)}, "Scaper refuses the plan"),
    ],
)
def test_a_plan_without_sense_is_explained(foreground, change, words):
    with pytest.raises(SoundscapeError, match=words):
        Soundscapes(foreground, dataclasses.replace(SHORT, **change))


def test_a_folder_without_sounds_is_explained(tmp_path):
    with pytest.raises(SoundscapeError, match="no such folder.*Expected"):
        Soundscapes(tmp_path / "none")
    with pytest.raises(SoundscapeError, match="no folder for a label.*it is empty"):
        Soundscapes(tmp_path)
    audio.save(tmp_path / "a.wav", song(1), RATE)
    with pytest.raises(SoundscapeError, match="sounds lie there directly"):
        Soundscapes(tmp_path)
    (tmp_path / "drums").mkdir()
    (tmp_path / "drums" / "notes.txt").write_text("no sound")
    with pytest.raises(SoundscapeError, match="drums: no sound in this folder.*Add a file.*or remove the folder"):
        Soundscapes(tmp_path)


def test_songs_that_cannot_stay_together_are_explained(tmp_path):
    audio.save(tmp_path / "drums" / "a.wav", song(1), RATE)
    audio.save(tmp_path / "vocals" / "b.wav", song(2), RATE)
    with pytest.raises(SoundscapeError, match="no song has a file in all of vocals, drums.*incoherent=1.0"):
        Soundscapes(tmp_path, SHORT)
    assert Soundscapes(tmp_path, dataclasses.replace(SHORT, incoherent=1.0))[0]["sources"].shape == (2, 1, RATE)
    audio.save(tmp_path / "vocals" / "a.wav", song(2, seconds=3.5), RATE)
    with pytest.raises(SoundscapeError, match="'a' differ in length .vocals 3.50 s, drums 4.00 s"):
        Soundscapes(tmp_path, SHORT)


def test_a_file_that_is_no_sound_is_named(tmp_path):
    (tmp_path / "drums").mkdir()
    (tmp_path / "drums" / "a.wav").write_text("no sound")
    with pytest.raises(audio.AudioError, match=r"drums.a\.wav"):
        Soundscapes(tmp_path, SHORT)


def test_items_and_epochs_count_from_one_side(foreground):
    with pytest.raises(IndexError, match="count from 0"):
        Soundscapes(foreground, SHORT)[-1]
    with pytest.raises(SoundscapeError, match="length=0"):
        Soundscapes(foreground, SHORT, length=0)
    assert len(Soundscapes(foreground, SHORT, length=5)) == 5
