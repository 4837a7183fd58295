"""Patients 7 to 9, the data: each cure is green however it is written, half a cure gets its hint."""

import random

import pytest
import torch

from sepbook.check.training import bug_clinic as check

pytestmark = pytest.mark.filterwarnings("ignore:To copy construct", "ignore:The length of signal", "ignore:A window")


def in_order(excerpts, seed):
    ordered = sorted(excerpts)
    return ordered[: len(ordered) * 4 // 5 + 2], ordered[len(ordered) * 4 // 5 + 2 :]


def by_time(excerpts, seed):
    return [e for e in excerpts if e[1] < 4], [e for e in excerpts if e[1] >= 4]


def by_song(seeded=True, share=5, lose=False, repeat=False):
    """Return an answer to exercise 7 that shares out songs."""

    def answer(excerpts, seed):
        songs = sorted({song for song, _ in excerpts})
        (random.Random(seed) if seeded else random).shuffle(songs)
        held = set(songs[: max(1, len(songs) // share)])
        train = [e for e in excerpts if e[0] not in held]
        test = [e for e in excerpts if e[0] in held]
        return train[3 * lose :], test + train[:2] * repeat

    return answer


def by_the_system(excerpts, seed):
    """Draw from a source that no seed starts."""
    chance = random.SystemRandom()
    songs = sorted({song for song, _ in excerpts})
    kept = set(chance.sample(songs, 4 * len(songs) // 5))
    return [e for e in excerpts if e[0] in kept], [e for e in excerpts if e[0] not in kept]


@pytest.mark.parametrize("answer", [by_song(), lambda e, seed: tuple(map(set, by_song()(e, seed)))])
def test_split_right_in_two_ways(hear, answer):
    assert "✔ Patient 7" in hear(check.exercise_7, answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (in_order, "1 of 10 songs still has excerpts on both sides"),
        (by_time, "10 of 10 songs have excerpts on both sides"),
        (by_song(share=2), "for the test, not a fifth"),
        (by_song(lose=True), "3 of 60 excerpts are in neither list"),
        (by_song(repeat=True), "2 excerpts are in both lists"),
        (by_song(seeded=False), "random numbers that the whole notebook shares"),
        (lambda e, seed: by_song()(e, 7), "the seed is not used"),
        (by_the_system, "The same seed gives another split"),
        (lambda e, seed: (e, []), "0% of the songs are for the test"),
        (lambda e, seed: e, "should be two lists"),
        (lambda e, seed: ([song for song, _ in e], []), "pairs of a song and a start"),
    ],
)
def test_split_half_mended(hear, answer, words):
    assert words in hear(check.exercise_7, answer, times=2)


def louder(stems, gains):
    return stems * 10 ** (gains / 20).view(-1, 1, 1)


def fit(which="both", always=False, spare=1.0):
    """Return an answer to exercise 8 that divides by a peak."""

    def answer(stems, gains):
        x = louder(stems, gains)
        peaks = {"mixture": x.sum(0).abs().max(), "sources": x.abs().max()}
        peak = max(peaks.values()) if which == "both" else peaks[which]
        x = x / (spare * peak) if always or peak > 1 else x
        return x.sum(0), x

    return answer


def only_mixture(stems, gains):
    x = louder(stems, gains)
    return x.sum(0) / x.sum(0).abs().max().clamp(min=1), x


def own_factors(stems, gains):
    x = louder(stems, gains)
    x = x / x.abs().amax((1, 2), keepdim=True).clamp(min=1) / (3 if x.abs().max() > 1 else 1)
    return x.sum(0), x


def bent(function):
    return lambda stems, gains: (function(louder(stems, gains)).sum(0), function(louder(stems, gains)))


@pytest.mark.parametrize("answer", [fit(), fit(spare=1.05)])
def test_mix_right_in_two_ways(hear, answer):
    assert "✔ Patient 8" in hear(check.exercise_8, answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (only_mixture, "only one of the two was made quieter"),
        (bent(lambda x: x.clamp(-0.3, 0.3)), "cut off or bent"),
        (bent(torch.tanh), "cut off or bent"),
        (bent(lambda x: x), "the mixture reaches"),
        (fit("mixture"), "a source reaches"),
        (fit("both", always=True), "A mix that fits is changed too"),
        (fit(spare=4.0), "would do"),
        (own_factors, "the balance of the mix has changed"),
        (lambda stems, gains: louder(stems, gains).sum(0), "two things"),
        (lambda stems, gains: (stems.sum(0), louder(stems, gains)), "not the sum of its sources"),
    ],
)
def test_mix_half_mended(hear, answer, words):
    assert words in hear(check.exercise_8, answer, times=2)


def level(axis=-1, after=False, per=False):
    """Return an answer to exercise 9: over which axes the mean is taken, and whether the level is measured before."""

    def answer(x, rms):
        y = x - x.mean(axis, keepdim=True)
        power = (x if after else y).square()
        return y * rms / (power.mean(-1, keepdim=True) if per else power.mean()).sqrt()

    return answer


def high_pass(x, rms):
    bins = torch.fft.rfft(x)
    bins[:, :3] = 0
    y = torch.fft.irfft(bins, x.shape[-1])
    return rms * y / y.square().mean().sqrt()


@pytest.mark.parametrize(
    "answer", [level(), high_pass, lambda x, rms: rms * (x - x.mean(-1, True)) / x.std(-1).norm() * 2**0.5]
)
def test_level_right_in_three_ways(hear, answer):
    assert "✔ Patient 9" in hear(check.exercise_9, answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (level((-2, -1)), "each by itself is not"),
        (level(after=True), "In which order do you measure"),
        (level(per=True), "the balance between left and right has changed"),
        (lambda x, rms: level()(x, rms) * 2, "and not 0.05"),
        (lambda x, rms: rms * x.sign() - (rms * x.sign()).mean(-1, True), "not the recording any more"),
        (lambda x, rms: x / 0, "infinite"),
    ],
)
def test_level_half_mended(hear, answer, words):
    assert words in hear(check.exercise_9, answer, times=2)
