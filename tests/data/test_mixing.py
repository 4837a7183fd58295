"""Random mixtures: a function of (seed, item number), made of what the tracks hold."""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from sepbook import audio
from sepbook.data.folder import StemFolder
from sepbook.data.mixing import Mixtures

PLAIN = {"gain_db": (0, 0), "flip": False}


def same(left, right):
    return left.keys() == right.keys() and all(torch.equal(left[key], right[key]) for key in left)


@pytest.fixture
def numbered(tmp_path, make_track):
    """Tracks whose samples say where they come from: track + stem / 10 + time / 100,000."""
    for k in range(3):
        time = torch.arange(16_000)[None] / 160_000
        stems = {name: k + 1 + s / 10 + time for s, name in enumerate(("vocals", "drums", "bass", "other"))}
        make_track(f"song {k}", score={"f0": [k * 1000 + t for t in range(200)]}, **stems)
    names = ("vocals", "drums", "bass", "other")  # named, or each would count as a sum of the others
    return StemFolder(tmp_path / "root", source_names=names)


def origin(value):
    """Track, stem and sample number of one numbered sample."""
    track = int(value)
    stem = int((value - track) * 10 + 1e-4)
    return track - 1, stem, round((value - track - stem / 10) * 160_000)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    item=st.integers(0, 2**40),
    seed=st.integers(0, 2**62),
    seconds=st.floats(0.01, 3.0),
    incoherent=st.sampled_from((0.0, 0.5, 1.0)),
    channels=st.sampled_from((1, 2)),
)
def test_the_mixture_is_exactly_the_sum_and_repeats(root, item, seed, seconds, incoherent, channels):
    tracks = StemFolder(root, channels=channels)
    first, second = (
        Mixtures(tracks, seconds, incoherent=incoherent, seed=seed, labels=("vocal_activity", "f0")) for _ in range(2)
    )
    found = first[item]
    N = round(seconds * 8000)
    assert found["mixture"].shape == (channels, N) and found["sources"].shape == (4, channels, N)
    assert found["f0"].shape == found["vocal_activity"].shape == (-(-N * 100 // 8000),)
    assert all(value.dtype == torch.float32 and value.isfinite().all() for value in found.values())
    assert torch.equal(found["mixture"], found["sources"].sum(0))
    second[item + 1]  # what was drawn before does not matter
    assert same(found, second[item])


@pytest.mark.parametrize("workers", [1, 2])
def test_any_number_of_workers_draws_the_same(root, workers):
    data = Mixtures(StemFolder(root), 0.5, length=12, labels=("f0",))
    alone = list(DataLoader(data, 4))
    others = list(DataLoader(data, 4, num_workers=workers))
    assert len(alone) == len(others) == 3
    assert all(same(left, right) for left, right in zip(alone, others, strict=True))
    assert {key: tuple(value.shape) for key, value in alone[0].items()} == {
        "mixture": (4, 1, 4000), "sources": (4, 4, 1, 4000), "f0": (4, 50),
    }  # fmt: skip
    assert same({key: value[2] for key, value in alone[1].items()}, data[6])


def test_items_from_files_are_those_from_memory(root):
    for options in ({}, {"channels": 2}):
        kept, opened = (Mixtures(StemFolder(root, cache=cache, **options), 0.5, seed=4) for cache in (True, False))
        for i in range(6):
            assert torch.equal(kept[i]["sources"], opened[i]["sources"])


def test_items_seeds_and_folders_differ(root):
    tracks = StemFolder(root)
    data = Mixtures(tracks, 0.5)
    assert not torch.equal(data[0]["mixture"], data[1]["mixture"])
    assert not torch.equal(data[0]["mixture"], Mixtures(tracks, 0.5, seed=1)[0]["mixture"])


def test_a_coherent_item_is_one_place_of_one_song(numbered):
    data = Mixtures(numbered, 0.5, incoherent=0, **PLAIN)
    seen = set()
    for item in range(40):
        sources = data[item]["sources"][:, 0]
        origins = [origin(float(source[0])) for source in sources]
        assert [stem for _, stem, _ in origins] == [0, 1, 2, 3]
        track, _, start = origins[0]
        assert {(t, s) for t, _, s in origins} == {(track, start)} and start % 80 == 0
        assert torch.equal(data[item]["sources"], numbered[track].sources(start=start, length=4000))
        seen.add(track)
    assert seen == {0, 1, 2}


def test_an_incoherent_item_takes_each_stem_from_another_place(numbered):
    data = Mixtures(numbered, 0.5, incoherent=1, **PLAIN)
    places = [{origin(float(source[0]))[::2] for source in data[item]["sources"][:, 0]} for item in range(40)]
    assert all(len(place) > 1 for place in places)
    for source, number in zip(data[3]["sources"][:, 0], range(4), strict=True):
        track, stem, start = origin(float(source[0]))
        assert stem == number
        assert torch.equal(source, numbered[track].sources(start=start, length=4000)[stem, 0])


def test_the_probability_of_incoherent_items(numbered):
    data = Mixtures(numbered, 0.1, incoherent=0.25, **PLAIN)
    places = [{origin(float(source[0]))[::2] for source in data[item]["sources"][:, 0]} for item in range(400)]
    assert 0.17 < sum(len(place) > 1 for place in places) / 400 < 0.33


def test_labels_follow_the_vocals(numbered):
    data = Mixtures(numbered, 0.5, incoherent=1, labels=("f0",), **PLAIN)
    for item in range(20):
        track, _, start = origin(float(data[item]["sources"][0, 0, 0]))
        expected = track * 1000 + start // 80 + torch.arange(50)
        assert torch.equal(data[item]["f0"], expected.float())


def test_gain_and_sign_are_drawn_for_each_stem(numbered):
    plain = Mixtures(numbered, 0.5, incoherent=0, **PLAIN)
    varied = Mixtures(numbered, 0.5, incoherent=0, gain_db=(-6, 3))
    gains = torch.stack([(varied[k]["sources"] / plain[k]["sources"]).mean(dim=(1, 2)) for k in range(200)])
    decibels = 20 * gains.abs().log10()
    assert decibels.min() >= -6.001 and decibels.max() <= 3.001
    assert decibels.min() < -5.5 and decibels.max() > 2.5
    assert 0.4 < (gains > 0).float().mean() < 0.6
    assert decibels.std(dim=1).min() > 0.01


def test_a_stem_is_as_often_turned_over_as_not_and_its_size_stays(root):
    data = Mixtures(StemFolder(root), 0.1, gain_db=(0, 0))
    gains = np.stack([data.draw(item)[1] for item in range(300)])
    assert set(np.unique(gains)) == {-1.0, 1.0} and abs(gains.mean()) < 0.1
    assert len({tuple(row) for row in gains}) == 16, "each stem by itself"


def test_a_short_track_is_followed_by_zeros(root):
    data = Mixtures(StemFolder(root), 3.0, incoherent=0, labels=("f0",))
    for item in range(5):
        found = data[item]
        assert found["sources"][..., :16_000].any() and not found["sources"][..., 16_000:].any()
        assert found["f0"][1:200].all() and not found["f0"][200:].any()


def test_labels_where_frames_are_no_whole_number_of_samples(tmp_path, make_track):
    for k in range(2):
        make_track(f"s{k}", rate=11_025, score={"vocal_activity": [k] * 200})
    data = Mixtures(StemFolder(tmp_path / "root"), 0.777, labels=("vocal_activity",))
    assert data[5]["vocal_activity"].shape == (78,)


def test_it_is_endless_but_an_epoch_ends(root):
    data = Mixtures(StemFolder(root), 0.1, length=3)
    assert data.endless and len(data) == len(list(data)) == 3
    assert data[10**9]["mixture"].shape == (1, 800)
    with pytest.raises(IndexError, match="items count from 0"):
        data[-1]


def test_any_list_of_tracks_will_do(root):
    tracks = [*StemFolder(root), *StemFolder(root, "test")]
    data = Mixtures(tracks, 0.1, incoherent=0, **PLAIN)
    assert data.source_names == tracks[0].stem_names and (data.sample_rate, data.channels) == (8000, 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seconds": 0}, "seconds=0: expected a positive number"),
        ({"seconds": float("nan")}, "seconds=nan"),
        ({"seconds": float("inf")}, "seconds=inf"),
        ({"seconds": 1e-9}, "less than one sample"),
        ({"length": 0}, "length=0: expected at least one item"),
        ({"incoherent": 1.5}, "incoherent=1.5: expected a probability"),
        ({"gain_db": (3, -3)}, "low <= high"),
        ({"gain_db": (0, float("nan"))}, "low <= high"),
        ({"seed": -1}, "seed=-1"),
        ({"labels": ("mood",)}, "unknown label 'mood'; choose from vocal_activity, f0"),
    ],
)
def test_settings_that_make_no_sense(root, options, message):
    with pytest.raises(ValueError, match=message):
        Mixtures(StemFolder(root), **options)


def test_tracks_that_do_not_fit_together(root, make_track, tmp_path):
    with pytest.raises(ValueError, match="tracks is empty"):
        Mixtures([])
    make_track("z", rate=16_000)
    with pytest.raises(
        ValueError, match="sample_rate differs between tracks: 16000 in 'z', 8000 in 'a'. Give StemFolder"
    ):
        Mixtures(StemFolder(root))
    assert Mixtures(StemFolder(root, sample_rate=8000)).sample_rate == 8000


def test_labels_need_a_score_and_vocals(root, tmp_path):
    with pytest.raises(ValueError, match="track 'd': the label 'f0' needs a score.json"):
        Mixtures(StemFolder(root, "test"), labels=("f0",))
    with pytest.raises(ValueError, match="labels follow the stem 'vocals'"):
        Mixtures(StemFolder(root, source_names=["drums", "bass"]), labels=("f0",))


def test_silence_can_be_mixed(tmp_path, make_track):
    make_track("quiet", **{name: torch.zeros(1, 8000) for name in ("vocals", "drums", "bass", "other")})
    assert not Mixtures(StemFolder(tmp_path / "root"), 0.5)[0]["mixture"].any()


def test_a_stem_of_one_sample(tmp_path):
    audio.save(tmp_path / "song" / "drums.wav", torch.ones(1, 1), 8000)
    assert Mixtures(StemFolder(tmp_path, None), 0.5, **PLAIN)[0]["mixture"].sum() == 1


@pytest.mark.parametrize(("frames", "right"), [(199, True), (201, True), (190, False), (0, False), (400, False)])
@pytest.mark.parametrize("label", ["vocal_activity", "f0"])
def test_labels_of_another_length_than_the_track_are_refused(root, make_track, label, frames, right):
    score = {"vocal_activity": [0] * 200, "f0": [0.0] * 200} | {label: [0] * frames}
    folder = make_track("long", score=score)
    if right:
        assert Mixtures(StemFolder(root), 0.5, labels=(label,))[0][label].shape == (50,)
        return
    words = rf"score.json: the label '{label}' has {frames} numbers, but the track of 2.00 s needs 200: 100 for each"
    with pytest.raises(ValueError, match=words) as caught:
        Mixtures(StemFolder(root), 0.5, labels=(label,))
    assert str(folder / "score.json") in str(caught.value)


@pytest.mark.parametrize("values", [["a", "b"], None, {"0": 1}, [[0, 1], [2]]])
def test_labels_that_are_no_numbers_are_refused(root, make_track, values):
    make_track("odd", score={"f0": values})
    with pytest.raises(ValueError, match="score.json: the label 'f0' must be a list of numbers"):
        Mixtures(StemFolder(root), 0.5, labels=("f0",))


def test_a_song_in_which_nobody_sings_has_labels_and_silent_vocals(tmp_path, make_track):
    score = {"vocal_activity": [0] * 200, "f0": [0.0] * 200, "voice": None}
    make_track("quiet", score=score, vocals=torch.zeros(1, 16_000))
    tracks = StemFolder(tmp_path / "root")
    assert tracks[0].voice is None
    data = Mixtures(tracks, 0.5, labels=("vocal_activity", "f0"))
    for number in range(6):
        item = data[number]
        assert item["sources"][0].abs().max() == 0 == item["vocal_activity"].max() == item["f0"].max()
        assert torch.equal(item["mixture"], item["sources"].sum(0)) and item["mixture"].abs().max() > 0


def test_a_track_says_whose_voice_sings(tmp_path, make_track):
    for number, (score, voice) in enumerate([({"voice": "ann"}, "ann"), ({}, None), (None, None), ([], None)]):
        make_track(f"song {number}", score=score)
        track = StemFolder(tmp_path / "root")[number]
        assert track.voice == voice
