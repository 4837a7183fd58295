"""Patients 7 to 9, the data: each cure is green however it is written, half a cure gets its hint."""

import random

import numpy as np
import pytest
import torch

from sepbook.check.training import mended, sick
from tests.check.tables import (  # noqa: F401
    test_right_answers_are_right_for_other_cases_too,
    test_right_answers_turn_green,
    test_wrong_answers_get_their_own_hint,
)

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


def by_stride(excerpts, seed):
    """Every fifth song, from a place that the seed draws."""
    songs = sorted({song for song, _ in excerpts})
    first = np.random.default_rng(seed).integers(5)
    held = {songs[(first + 5 * i) % len(songs)] for i in range(max(1, len(songs) // 5))}
    return [e for e in excerpts if e[0] not in held], [e for e in excerpts if e[0] in held]


def by_torch(excerpts, seed):
    songs = sorted(dict(excerpts))
    order = torch.randperm(len(songs), generator=torch.Generator().manual_seed(seed)).tolist()
    test = {songs[i] for i in order[: len(songs) // 5]}
    return tuple(filter(lambda e: e[0] not in test, excerpts)), tuple(filter(lambda e: e[0] in test, excerpts))


def fit_in_numpy(stems, gains):
    x = stems.double().numpy() * 10 ** (gains.double().numpy() / 20)[:, None, None]
    x = x / max(1.0, np.abs(x).max(), np.abs(x.sum(0)).max())
    return x.sum(0), x


def fit_by_loop(stems, gains):
    rows = [stem * 10 ** (gain / 20) for stem, gain in zip(stems, gains.tolist(), strict=True)]
    peak = max(float(x.abs().max()) for x in [*rows, sum(rows)])
    rows = [row / peak if peak > 1 else row for row in rows]
    return [sum(rows), torch.stack(rows)]


def level_in_numpy(x, rms):
    y = x.numpy() - x.numpy().mean(-1, keepdims=True)
    return y * rms / np.sqrt((y**2).mean())


def one_channel(x, rms):
    y = x.clone()
    y[0] -= y[0].mean()
    return y * rms / y.square().mean().sqrt()


RIGHT = [
    (7, mended.split),
    (7, by_song()),
    (7, by_stride),
    (7, by_torch),
    (7, lambda e, seed: tuple(map(set, by_song()(e, seed)))),
    (8, mended.mix),
    (8, fit(spare=1.05)),
    (8, fit_in_numpy),
    (8, fit_by_loop),
    (9, mended.set_level),
    (9, level_in_numpy),
    (9, high_pass),
    (9, lambda x, rms: rms * (x - x.mean(-1, True)) / x.std(-1).norm() * 2**0.5),
]
WRONG = [
    (7, sick.split, "songs have excerpts on both sides"),
    (7, in_order, "1 of 10 songs still has excerpts on both sides"),
    (7, by_time, "10 of 10 songs have excerpts on both sides"),
    (7, by_song(share=2), "for the test, not a fifth"),
    (7, by_song(lose=True), "3 of 60 excerpts are in neither list"),
    (7, by_song(repeat=True), "2 excerpts are in both lists"),
    (7, by_song(seeded=False), "random numbers that the whole notebook shares"),
    (7, lambda e, seed: by_song()(e, 7), "the seed is not used"),
    (7, lambda e, seed: by_song()(e, seed)[::-1], "80% of the songs are for the test"),
    (7, lambda e, seed: (by_song()(e, seed)[0] * 2, by_song()(e, seed)[1]), "come more than once"),
    (7, by_the_system, "The same seed gives another split"),
    (7, lambda e, seed: (e, []), "0% of the songs are for the test"),
    (7, lambda e, seed: e, "should be two lists"),
    (7, lambda e, seed: ([song for song, _ in e], []), "pairs of a song and a start"),
    (8, sick.mix, "of the mixture is still cut off"),
    (8, only_mixture, "only one of the two was made quieter"),
    (8, bent(lambda x: x.clamp(-0.3, 0.3)), "cut off or bent"),
    (8, bent(torch.tanh), "they sound distorted now"),
    (8, bent(lambda x: x), "the mixture reaches"),
    (8, fit("mixture"), "a source reaches"),
    (8, fit("both", always=True), "A mix that fits is changed too"),
    (8, fit(spare=4.0), "would do"),
    (8, own_factors, "the balance of the mix has changed"),
    (8, lambda stems, gains: mended.mix(stems, gains / 2), "the gains are halved"),
    (8, lambda stems, gains: mended.mix(stems, -gains), "the gains have the other sign"),
    (8, lambda stems, gains: mended.mix(stems, 0 * gains), "the gains are not used"),
    (8, lambda stems, gains: louder(stems, gains).sum(0), "two things"),
    (8, lambda stems, gains: (stems.sum(0), louder(stems, gains)), "not the sum of its sources"),
    (9, sick.set_level, "The channels still have offsets"),
    (9, one_channel, "The channels still have offsets of"),
    (9, level((-2, -1)), "each by itself is not"),
    (9, level(after=True), "In which order do you measure"),
    (9, level(per=True), "the balance between left and right has changed"),
    (9, lambda x, rms: level()(x, rms) * 2, "and not 0.05"),
    (9, lambda x, rms: x - x.mean(-1, True), "the level is as it was"),
    (9, lambda x, rms: level()(x, 0.05), "Use the name rms"),
    (9, lambda x, rms: level()(x, rms**2), "it is the square of the RMS"),
    (9, lambda x, rms: level()(x, 1) * rms / level()(x, 1).abs().max(), "it is the peak that was set"),
    (9, lambda x, rms: -mended.set_level(x, rms), "upside down"),
    (9, lambda x, rms: rms * x.sign() - (rms * x.sign()).mean(-1, True), "not the recording any more"),
    (9, lambda x, rms: x / 0, "infinite"),
]
