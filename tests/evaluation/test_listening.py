"""The sounds of a listening test and the statistics of its answers, against the standard and other implementations."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy import stats

from sepbook import audio
from sepbook.data import corpus
from sepbook.evaluation import listening

RATE = 16000


def noise(*shape, seed=0):
    return 0.1 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def track(vocals, rate=RATE, names=("vocals", "drums")):
    """A track of two stems whose first is given."""
    stems = torch.stack([vocals, noise(*vocals.shape, seed=9)])[: len(names)]

    def sources(asked=names, start=0, length=None):
        chosen = stems[[names.index(name) for name in asked]]
        return chosen[..., start : None if length is None else start + length]

    return SimpleNamespace(name="a song", stem_names=names, sample_rate=rate, sources=sources)


def test_passage_is_where_the_source_is_heard_without_a_break():
    gain = torch.zeros(12 * RATE)
    gain[RATE : 3 * RATE] = 3.0  # loud, but too short
    gain[5 * RATE + 1000 : 10 * RATE] = 1.0
    start = listening.passage(track(gain * noise(1, 12 * RATE)), "vocals", 4.0)
    assert 5 * RATE + 1000 <= start <= 6 * RATE and start % (RATE // 4) == 0


@pytest.mark.parametrize(
    ("song", "name"),
    [
        (track(noise(1, 9 * RATE)), "bass"),  # a song may lack a stem altogether
        (track(torch.zeros(1, 9 * RATE)), "vocals"),
        (track(noise(1, 3 * RATE)), "vocals"),
    ],
    ids=["no such stem", "silent", "too short"],
)
def test_there_may_be_no_passage(song, name):
    assert listening.passage(song, name, 4.0) is None
    assert listening.versions(song, None, name) is None


def test_anchor_is_that_of_the_standard():
    click = torch.zeros(1, RATE)
    click[0, RATE // 2] = 1.0
    filtered = listening.anchor(click, RATE)
    assert filtered.shape == click.shape and filtered[0].abs().argmax() == RATE // 2  # it is not late
    response = 20 * torch.fft.rfft(filtered[0].double()).abs().clamp(min=1e-9).log10()
    hertz = torch.arange(len(response)) * RATE / RATE
    assert response[hertz <= 3500].abs().max() < 0.1
    assert response[hertz >= 4000].max() < -25 and response[hertz >= 4500].max() < -50
    with pytest.raises(ValueError, match="needs a rate above 8000 Hz, not 8000 Hz"):
        listening.anchor(click, 8000)


def test_match_loudness_makes_all_as_loud_as_the_first_and_clips_nothing():
    time = torch.arange(2 * RATE) / RATE
    sounds = {
        "a": noise(1, 2 * RATE),
        "b": 0.01 * torch.sin(2 * math.pi * 300 * time)[None],
        "c": 5 * noise(1, 2 * RATE),
    }
    matched = listening.match_loudness(sounds, RATE)
    levels = [audio.loudness(x, RATE) for x in matched.values()]
    assert levels == pytest.approx([audio.loudness(sounds["a"], RATE)] * 3, abs=0.05)
    spiky = {"a": 8 * noise(1, RATE), "b": noise(1, RATE, seed=1)}
    loud = listening.match_loudness(spiky, RATE)
    assert max(float(x.abs().max()) for x in loud.values()) == pytest.approx(listening.LOUDEST)
    assert audio.loudness(loud["a"], RATE) == pytest.approx(audio.loudness(loud["b"], RATE), abs=0.05)
    with pytest.raises(ValueError, match="'b' is silent"):
        listening.match_loudness({"a": noise(1, RATE), "b": torch.zeros(1, RATE)}, RATE)


def test_versions_are_equally_loud_named_and_scored():
    from sepbook.training import checkpoint

    song = next(song for song in corpus.songs("test") if listening.passage(song, "vocals") is not None)
    sounds, scores = listening.versions(song, checkpoint.shipped("unet"), label="ours")
    assert list(sounds) == ["true source", "anchor", "ideal mask", "ours", "mixture"] == list(scores)
    levels = [audio.loudness(x, song.sample_rate) for x in sounds.values()]
    assert max(levels) - min(levels) < 0.1
    assert scores["true source"] == 100 and scores["ideal mask"] > scores["ours"] > scores["mixture"]
    assert {x.shape for x in sounds.values()} == {(1, 4 * song.sample_rate)}


@pytest.mark.parametrize("trials", [1, 5, 10, 37])
def test_guessing_is_the_binomial_test(trials):
    for right in range(trials + 1):
        expected = stats.binomtest(right, trials, alternative="greater").pvalue
        assert listening.guessing(right, trials) == pytest.approx(expected, rel=1e-9)


def test_fewest_right_is_the_smallest_that_will_do():
    assert [listening.fewest_right(n) for n in (4, 5, 10, 16, 20)] == [None, 5, 9, 12, 15]
    assert listening.fewest_right(10, 0.01) == 10
    for trials in range(5, 40):
        right = listening.fewest_right(trials)
        assert listening.guessing(right, trials) <= 0.05 < listening.guessing(right - 1, trials)


@pytest.mark.parametrize("pair", [(-1, 5), (6, 5), (0, 0)])
def test_more_right_than_trials_is_refused(pair):
    with pytest.raises(ValueError, match="right <= trials"):
        listening.guessing(*pair)


def test_who_does_not_find_the_reference_is_left_out():
    scores = {
        "exact": [100] * 17 + [89] * 3,  # 15 % are not more than 15 %
        "over": [100] * 16 + [89] * 4,
        "edge": [90] * 20,
        "once": [100, 0, 100, 100, 100, 100, 100],
    }
    assert listening.left_out(scores) == ["over"]
    assert listening.left_out(scores, least=91) == ["over", "edge"] and listening.left_out(scores, share=0) == [
        "exact", "over", "once",
    ]  # fmt: skip


def test_interval_is_students():
    values = [3.0, 5.0, 4.0, 8.0]
    expected = stats.t.interval(0.95, 3, np.mean(values), stats.sem(values))
    assert listening.interval(values) == pytest.approx(expected)
    with pytest.raises(ValueError, match="there are 1 listeners"):
        listening.interval([3.0])


def test_correlation_is_scipys_with_ties():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 6, 30).astype(float)
    y = x + rng.normal(0, 2, 30)
    assert listening.correlation(x, y) == pytest.approx(stats.pearsonr(x, y).statistic)
    assert listening.correlation(x, y, ranks=True) == pytest.approx(stats.spearmanr(x, y).statistic)
    with pytest.raises(ValueError, match="constant"):
        listening.correlation([1, 1, 1], [1, 2, 3])
    with pytest.raises(ValueError, match="2 and 3 numbers"):
        listening.correlation([1, 2], [1, 2, 3])
