"""Songs from seeds: forms, rests, levels and rooms over many plans. Nothing is rendered, save in the slow test."""

import json
import shutil
import subprocess

import numpy as np
import pytest

from tools.corpus import mastering, palette, rooms, samples, score, theory
from tools.corpus import more as beyond
from tools.corpus import plan as planning
from tools.corpus.form import BAND, SUNG

STEMS = mastering.STEMS
SHIPPED = planning.plans()
BEYOND = [planning.planned("train", k, 100_000 + k, *beyond.words(k)) for k in range(160)]
EVERY = SHIPPED + BEYOND


def test_a_plan_depends_on_its_seed_alone():
    assert planning.plan("train", 7) == SHIPPED[7]
    assert beyond.words(5) == beyond.words(5) != beyond.words(6)


def test_every_song_ends_within_its_seconds_and_parts_follow_each_other():
    for plan in EVERY:
        assert plan.bars * plan.bar_seconds <= planning.SECONDS
        assert plan.sections[0].first_bar == 0
        for before, after in zip(plan.sections, plan.sections[1:], strict=False):
            assert before.end == after.first_bar and before.bars > 0
        assert any(section.name in SUNG for section in plan.sections)


def test_forms_differ():
    assert len({plan.form for plan in SHIPPED if plan.split == "train"}) >= 7
    assert len({plan.form for plan in SHIPPED if plan.split == "test"}) >= 4
    begins = [plan.sections[0].name in SUNG for plan in EVERY]
    assert 0.2 <= np.mean(begins) <= 0.7
    assert 0.2 <= np.mean([plan.ends for plan in EVERY]) <= 0.95


def test_one_song_in_eight_lacks_a_stem_and_each_stem_has_its_turn():
    lacking = [plan.missing for plan in BEYOND]
    assert np.mean([stem is not None for stem in lacking]) == pytest.approx(1 / 8)
    assert {stem for stem in lacking if stem} == set(STEMS)
    test = [plan.missing for plan in SHIPPED if plan.split == "test"]
    assert "vocals" not in test and sum(stem is not None for stem in test) == 1


def test_every_stem_of_the_band_rests_at_times_and_somebody_always_plays():
    for stem in BAND:
        resting = [len(plan.rests[stem]) / plan.bars for plan in BEYOND if plan.missing != stem]
        assert 0.03 <= np.mean(resting) <= 0.35 and np.mean(np.array(resting) > 0) >= 0.3, stem
    for plan in EVERY:
        for section in plan.sections:
            sings = section.name in SUNG and plan.missing != "vocals"
            assert sings or any(stem not in (*section.rests, plan.missing) for stem in BAND)


def test_levels_differ_between_songs_and_within():
    for stem in STEMS:
        levels = [plan.desk.levels[stem] for plan in EVERY]
        assert np.std(levels) > 2 and max(np.abs(levels)) <= 6
        within = [np.ptp([dict(s.gains)[stem] for s in plan.sections]) for plan in EVERY]
        assert np.mean(within) > 2
        assert max(abs(dict(s.gains)[stem]) for plan in EVERY for s in plan.sections) <= 6


def test_rooms_go_from_dry_to_more_than_a_second():
    seconds = np.array([plan.desk.room_seconds for plan in EVERY])
    assert 0.1 <= (seconds == 0).mean() <= 0.35 and seconds.max() > 1.1 and seconds.max() <= 1.2
    wet = [plan.desk.room_db for plan in EVERY]
    assert min(wet) >= -30 and max(wet) <= -8


@pytest.mark.parametrize("seconds", [0.2, 0.6, 1.2])
def test_a_room_takes_its_time_to_fall_by_60_db(seconds):
    rng = np.random.default_rng(0)
    response = rooms.response(rng, seconds, rooms.box(rng, seconds))
    left = 10 * np.log10(np.cumsum(response[::-1] ** 2)[::-1] + 1e-20)  # Schroeder's integral
    fall = np.flatnonzero(left < left[0] - 25)[0] - np.flatnonzero(left < left[0] - 5)[0]
    assert 3 * fall / 16000 == pytest.approx(seconds, rel=0.45)  # the high half falls sooner
    assert (response**2).sum() == pytest.approx(1)


def compose(plan):
    return score.compose(plan, lambda text: len(text.split()) + 2)


@pytest.mark.parametrize("missing", STEMS)
def test_a_song_that_lacks_a_stem_has_no_note_of_it(missing):
    plan = next(plan for plan in EVERY if plan.missing == missing)
    written = compose(plan)
    notes = {"vocals": written.lines, "drums": written.drums, "bass": written.bass, "other": written.others}
    assert [stem for stem in STEMS if not notes[stem]] == [missing]
    assert score.rest_spans(plan, missing) == [(0.0, planning.SECONDS)]


def test_no_note_begins_in_a_bar_of_rest():
    for plan in SHIPPED:
        written = compose(plan)
        for stem, notes in (("drums", written.drums), ("bass", written.bass)):
            for start, end in score.rest_spans(plan, stem):
                assert not any(start <= note.start < end or note.start < start < note.end for note in notes)
        assert all(line.span[0] > 0 for line in written.lines)  # room for a consonant before the first beat


def test_voicings_have_as_many_voices_as_asked():
    chord = theory.Chord(0, 4, 0, (0, 4, 7))
    for voices in (2, 3, 4, 5, 6):
        pitches = theory.voicing(chord, 60, None, voices)
        assert len(set(pitches)) == voices and {p % 12 for p in pitches} <= {0, 4, 7}


def tones(silent=()):
    rng = np.random.default_rng(1)
    return {s: np.zeros(320_000) if s in silent else 0.1 * rng.standard_normal(320_000) for s in STEMS}


@pytest.mark.parametrize("silent", [("vocals",), ("drums", "bass"), STEMS])
def test_a_silent_stem_stays_silent_and_nothing_divides_by_zero(silent):
    plan = SHIPPED[3]
    with np.errstate(invalid="raise"):
        finished = mastering.master(tones(silent), np.random.default_rng(0), plan.desk, gains(plan))
    for stem, x in finished.items():
        assert np.isfinite(x).all() and x.any() == (stem not in silent)
    assert np.abs(sum(finished.values())).max() <= mastering.PEAK + 1e-9


def gains(plan):
    return {stem: [(s.first_bar * plan.bar_seconds, dict(s.gains)[stem]) for s in plan.sections] for stem in STEMS}


def test_dynamics_make_no_step():
    steady = np.ones(160_000)
    heard = mastering.dynamics(steady, [(0, -6.0), (5, 6.0)])
    assert heard[0] == pytest.approx(10**-0.3) and heard[-1] == pytest.approx(10**0.3)
    assert np.abs(np.diff(heard)).max() < 2e-3


def test_recorded_kits_are_credited_and_belong_to_one_split():
    used = set().union(*(samples.files(kit) for kit in samples.KITS))
    assert used == {name for _, names in samples.CREDITS.values() for name in names.split()}
    train, test = (set().union(*map(samples.files, samples.SPLITS[split])) for split in ("train", "test"))
    assert train and test and not train & test


@pytest.mark.skipif(not samples.available(), reason="sonic-pi-samples is not installed")
def test_a_recorded_kit_plays_every_lane():
    plan = SHIPPED[0]
    drums = compose(plan).drums
    for kit in samples.KITS:
        played = samples.render(drums, kit, planning.SECONDS, 1.0)
        assert played.shape == (320_000,) and np.isfinite(played).all() and played.any()


@pytest.fixture
def rendered(monkeypatch, tmp_path):
    """`more.render` with the renderer replaced: which songs it asks for."""
    asked = []

    class Here:
        def __init__(self, *_):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return False

        def map(self, work, jobs):
            for root, index, which in jobs:
                folder = root / which.split / f"song_{index:05d}"
                folder.mkdir(parents=True)
                for stem in STEMS:
                    (folder / f"{stem}.ogg").touch()
                (folder / "score.json").write_text("{}")
                asked.append(index)
                yield folder.name

    monkeypatch.setattr(beyond, "ProcessPoolExecutor", Here)
    monkeypatch.setattr(beyond, "missing", lambda split: [])
    return asked


def test_more_songs_go_on_where_they_stopped(rendered, tmp_path):
    said = []
    beyond.render(tmp_path, 3, say=said.append)
    (tmp_path / "train" / "song_00001" / "score.json").unlink()  # as if it had been stopped there
    shutil.rmtree(tmp_path / "train" / "song_00001")
    (tmp_path / ".song_00009.1").mkdir()
    assert beyond.render(tmp_path, 4, say=said.append) == 2
    assert rendered == [0, 1, 2, 1, 3] and not (tmp_path / ".song_00009.1").exists()
    assert "2 of 4 songs are there already" in said[-3]


def test_the_folder_of_more_songs_takes_the_place_of_the_corpus(rendered, tmp_path):
    from sepbook.data import corpus
    from sepbook.data.tasks import task

    beyond.render(tmp_path, 2, say=str)
    for split in ("valid", "test"):
        assert [track.name for track in task("songs", tmp_path).tracks(split)] == [
            track.name for track in corpus.songs(split)
        ]
    shipped = {path.name for path in (beyond.CORPUS / "train").iterdir()}
    assert {path.name for path in (tmp_path / "train").iterdir()} == shipped | {"song_00000", "song_00001"}


def test_a_teachers_songs_are_others_and_like_those_of_the_test():
    one, same, other = (beyond.Which(seed, "test") for seed in (7, 7, 8))
    assert [one.song_seed(k) for k in range(3)] == [same.song_seed(k) for k in range(3)]
    plans = [
        [planning.planned(w.split, w.turn(k), w.song_seed(k), *beyond.words(k, w)) for k in range(12)]
        for w in (one, same, other)
    ]
    assert plans[0] == plans[1] and not set(map(describe, plans[0])) & set(map(describe, plans[2]))
    mine, everybodys = {p.seed for group in plans for p in group}, {p.seed for p in EVERY}
    assert not mine & everybodys and max(beyond.FIRST_SEED + 9_000_000, *everybodys) < min(mine)
    for plan in plans[0]:
        assert plan.kit in palette.KITS["test"] and plan.singer in palette.SINGERS["test"]
        assert plan.bass in palette.BASSES["test"]


def describe(plan):
    return plan.title, plan.tempo, plan.tonic, plan.form, plan.lyric


def test_a_folder_does_not_mix_songs_of_two_seeds(rendered, tmp_path):
    beyond.render(tmp_path, 2, say=lambda text: None)
    assert json.loads((tmp_path / "songs.json").read_text())["first_seed"] == beyond.FIRST_SEED
    for which in (beyond.Which(3), beyond.Which(None, "test")):
        with pytest.raises(ValueError, match="another seed or split"):
            beyond.render(tmp_path, 2, say=lambda text: None, which=which)
    secret = beyond.Which(3, "test")
    assert beyond.render(tmp_path / "exam", 2, say=lambda text: None, which=secret) == 2
    assert beyond.done(tmp_path / "exam" / "test" / "song_00001")
    with pytest.raises(ValueError, match="at most"):
        beyond.render(tmp_path / "exam", 10_001, say=lambda text: None, which=secret)


def test_without_the_engines_flite_sings(monkeypatch):
    monkeypatch.setattr(beyond, "can_speak", lambda voice: voice in beyond.FLITE)
    monkeypatch.setattr(samples, "available", lambda: False)
    singers = {beyond.plan(k).singer for k in range(40)}
    assert singers <= set(beyond.usable_singers()) and len(singers) > 1
    assert all(beyond.plan(k).kit not in samples.KITS for k in range(40))


@pytest.mark.slow
@pytest.mark.skipif(not (shutil.which("fluidsynth") and shutil.which("flite")), reason="needs fluidsynth and flite")
def test_a_song_beyond_the_corpus_is_rendered_whole(tmp_path, monkeypatch):
    import soundfile

    pytest.importorskip("fluidsynth")
    pytest.importorskip("pyworld")
    monkeypatch.setattr(beyond, "can_speak", lambda voice: voice in beyond.FLITE)
    try:
        beyond.missing()
    except RuntimeError as error:
        pytest.skip(str(error))
    except subprocess.CalledProcessError:
        pytest.skip("a voice cannot be had here")
    beyond.render_one((tmp_path, 5, beyond.EVERYBODYS))  # without drums
    folder = tmp_path / "train" / "song_00005"
    assert beyond.done(folder) and [p.name for p in tmp_path.iterdir()] == ["train"]
    told = json.loads((folder / "score.json").read_text())
    assert told["missing"] == "drums" and told["notes"]["drums"] == [] and told["programs"]["drums"] == []
    assert len(told["f0"]) == len(told["vocal_activity"]) == 2000
    stems = {stem: soundfile.read(folder / f"{stem}.ogg")[0] for stem in STEMS}
    assert {stem for stem in STEMS if not stems[stem].any()} == {"drums"}
    assert all(x.shape == (320_000,) for x in stems.values())
