"""Checks of the lab on real songs: splits, rests, one gain for all, a leak. Taught on: book/data/musdb."""

import math

import torch
from torch import Tensor

from sepbook.check import CheckFailure, call, exercise, expect_shape, expect_sizes, expect_values
from sepbook.check._compare import is_close
from sepbook.check._inputs import dice, near, noise

__all__ = ["exercise_1", "exercise_2", "exercise_3", "exercise_4"]


@exercise(
    "Exercise 1: three splits out of two folders",
    hints=(
        "Validation is taken from one of the two folders. Whatever is taken is no longer there.",
        "The folder train has 100 songs, and musdb.VALIDATION lists 14 of them. test stays as it is.",
        "(100 - 14, 14, 50)",
    ),
)
def exercise_1(prediction):
    """Check the predicted numbers of songs to learn from, to choose with, and to test with."""
    known = {
        (100, 14, 50): "Then the 14 are learned from and chosen by at once: a leak.",
        (100, 0, 50): "Without validation nothing says when to stop. 14 songs are held out of train.",
        (86, 14, 64): "The 14 come out of train and do not go to test.",
        (100, 14, 36): "Nothing is taken from test: its 50 songs are the same in every paper.",
        (86, 50, 14): "The order is train, valid, test. The 50 of the folder test are for the test.",
        (136, 14, 0): "The folder test is not learned from.",
        (86, 14, 150): "The 150 are all songs together.",
        (90, 10, 50): "Not a tenth by chance: a list of names, the same in every paper.",
    }
    expect_sizes(prediction, (86, 14, 50), "train valid test", known)
    return "The list is one of names, so everybody holds out the same songs."


@exercise(
    "Exercise 2: who sounds when",
    hints=(
        "Cut N into pieces, take the mean of the squares over channels and samples, and compare with the loudest.",
        "pieces = sources.unfold(-1, samples, samples): (S, C, pieces, samples). The mixture is the sum over S.",
        "power = pieces.square().mean(dim=(1, 3)); loudest = pieces.sum(0).square().mean(dim=(0, 2)).max(); "
        "return power > loudest * 10 ** (floor / 10).",
    ),
)
def exercise_2(sounding):
    """Check a function (sources (S, C, N), samples, floor in dB) -> bool (S, pieces)."""
    for channels, samples, floor, seed in ((2, 50, -60.0, 1), (1, 40, -30.0, 2), (2, 25, -45.0, 3)):
        levels = torch.tensor([0.0, -20, floor + 4, floor - 6, 8, -200]) / 20
        levels = levels[torch.randperm(6, generator=dice(seed))]
        gains = torch.stack([torch.stack([levels.roll(k + 2 * c) for c in range(channels)]) for k in range(3)])
        sources = (noise(3, channels, 6, samples, seed=seed) * 10 ** gains[..., None]).flatten(-2)
        pieces = sources.unfold(-1, samples, samples)
        power, whole = pieces.square().mean(dim=(1, 3)), pieces.sum(0).square().mean(dim=(0, 2)).max()
        right = power > whole * 10 ** (floor / 10)
        given = expect_shape(call(sounding, sources, samples, floor), right.shape, "S N", "N counts pieces here.")
        _expect_sounding(given, right, power, pieces, floor)
    silent = call(sounding, torch.zeros(2, 1, 80), 40, -60.0)
    if expect_shape(silent, (2, 2), "S N").bool().any():
        raise CheckFailure("In a silent song something sounds.", "Is it > or >=?", "power > …", kind="silence")
    return "One floor for all stems, counted from the mixture: so a soft stem rests where nobody could hear it."


def _expect_sounding(given: Tensor, right: Tensor, power: Tensor, pieces: Tensor, floor: float) -> None:
    whole = pieces.sum(0).square().mean(dim=(0, 2))
    amplitude = power > whole.max() * 10 ** (floor / 20)
    known = {
        "It says who rests. Turn it round.": ~right,
        "A ratio of powers in dB is 10 ** (dB / 10). With 20 the floor is twice as high.": amplitude,
        "That takes the first channel alone. Average over C as well.": _first(pieces, floor),
        "The floor is absolute. It should count from the loudest piece of the mixture.": power > 10 ** (floor / 10),
        "Each piece is compared with its own mixture. Compare all with the loudest one.": power
        > whole * 10 ** (floor / 10),
        "The floor of 60 dB is fixed. Use `floor`.": power > whole.max() * 1e-6,
        "It says only whether something is there. Use the floor.": power > 0,
    }
    if given.bool().equal(right):
        return
    for what, wrong in known.items():
        if given.bool().equal(wrong) and not wrong.equal(right):
            raise CheckFailure(what, kind=what, known=True)
    s, piece = (given.bool() != right).nonzero()[0].tolist()
    said = f"Stem {s} in piece {piece} is {bool(right[s, piece])}, but {bool(given[s, piece])} came back."
    raise CheckFailure(said, kind="values")


def _first(pieces: Tensor, floor: float) -> Tensor:
    one = pieces[:, :1]
    return one.square().mean(dim=(1, 3)) > one.sum(0).square().mean(dim=(0, 2)).max() * 10 ** (floor / 10)


@exercise(
    "Exercise 3: turn a song down",
    hints=(
        "The peak of the mixture decides. One gain for all stems keeps their sum.",
        "peak = sources.sum(0).abs().max(). What is the gain if the peak is below 1?",
        "return sources / max(1.0, float(peak)).",
    ),
)
def exercise_3(turn_down):
    """Check a function sources (S, C, N) -> sources whose mixture peaks at 1 at most, unchanged where it does so."""
    for level, channels, sign in ((5.0, 2, 1), (4.0, 1, -1), (0.4, 2, 1), (0.0, 1, 1)):
        sources = noise(3, channels, 40, seed=channels) * 0.1
        sources[..., 7] = sign * torch.tensor([1.5, 1.2, 1.3])[:, None]  # here the mixture peaks
        sources[1, :, 9], sources[2, :, 11] = -2.0 * sign, -2.4 * sign  # and here two stems do
        sources[:, 1:] *= 0.6
        sources = sources * (near(level) if level > 1 else level) / sources.sum(0).abs().max()
        peak = sources.sum(0).abs().max().clamp_min(1e-12)
        own = sources.abs().amax(dim=(1, 2), keepdim=True).clamp_min(1e-12)
        top = sources.sum(0).amax().clamp_min(1e-12)
        known = {
            "The samples are cut off. Clipping is what this should avoid.": sources.clamp(-1, 1),
            "Each stem has a gain of its own, so the balance is another one.": sources / own.clamp_min(1),
            "Each stem is scaled to its own peak.": sources / own,
            "A soft song was made louder. Only turn down.": sources / peak,
            "The peak of the loudest stem decides, but the mixture is louder or softer.": sources
            / own.max().clamp_min(1),
            "A peak may be negative: take abs() first.": sources / top.clamp_min(1),
            "Each channel has a gain of its own, so the song moves to one side.": sources
            / sources.sum(0).abs().amax(dim=-1, keepdim=True).clamp_min(1),
            "The gain is that of the sum of all peaks. Add first, then look for the peak.": sources
            / sources.abs().amax(dim=(1, 2)).sum().clamp_min(1),
            "Nothing was changed.": sources,
        }
        right = sources / peak.clamp_min(1)
        known = {what: wrong for what, wrong in known.items() if not is_close(wrong, right)}
        expect_values(call(turn_down, sources), right, "S C N", known=known)
    return "The sum of the stems is the mixture still, and a file of 16 bits can hold it."


def _gain(stem: Tensor, other: Tensor) -> Tensor:
    return (stem * other).sum() / other.square().sum().clamp_min(1e-20)


@exercise(
    "Exercise 4: how loud is the leak?",
    hints=(
        "Where the stem rests, what is in it is g times the other source. Which g fits best?",
        "The best factor is the one of SI-SDR: an inner product by an energy. Mind what stands below.",
        "g = (stem * other).sum() / other.square().sum(); return 20 * log10(abs(g)), and -inf where g is 0.",
    ),
)
def exercise_4(leak_level):
    """Check a function (stem (C, N), other (C, N)) -> level of the leak in dB of the other source."""
    for gain, channels, seed in ((0.1, 2, 1), (-0.3, 1, 2), (0.02, 2, 3)):
        other = 0.2 * noise(channels, 200, seed=seed)
        if channels == 2:
            other[1] *= 0.3
        stem = near(abs(gain)) * math.copysign(1, gain) * other + 0.004 * noise(channels, 200, seed=seed + 9)
        right = _decibels(_gain(stem, other))
        known = {
            "g is an amplitude, so it is 20 times the logarithm.": right / 2,
            "The sign is wrong: a leak is softer than its source.": -right,
            "The energy of the stem stands below. It should be that of the other source.": _decibels(
                _gain(other, stem)
            ),
            "All that is in the stem counts here, its own noise too. Project it on the other source.": _decibels(
                (stem.square().sum() / other.square().sum()).sqrt()
            ),
            "That is the first channel alone.": _decibels(_gain(stem[:1], other[:1])),
            "That is the correlation. Divide by the energy of the other source.": _decibels(
                (stem * other).sum() / (stem.norm() * other.norm())
            ),
            "That is g itself. Make decibels of it.": _gain(stem, other).abs(),
            "The inner product is not divided by the energy.": _decibels((stem * other).sum()),
            "Means over the channels' levels are not the level of both.": torch.stack(
                [_decibels(_gain(s, o)) for s, o in zip(stem, other, strict=True)]
            ).mean(),
        }
        known = {what: wrong.reshape(1) for what, wrong in known.items() if not is_close(wrong, right, 1e-4)}
        given = torch.as_tensor(call(leak_level, stem, other)).double().reshape(-1)
        expect_values(given, right.double().reshape(1), "N", known={k: v.double() for k, v in known.items()})
    nothing = torch.as_tensor(call(leak_level, torch.zeros(1, 50), noise(1, 50))).double()
    if nothing.numel() != 1 or not torch.isneginf(nothing.reshape(())):
        what = f"Without a leak it is {nothing.tolist()}, but should be -inf."
        raise CheckFailure(what, "What is the logarithm of 0?", "torch.log10 gives -inf; math.log10 raises.", "none")
    return "A leak that is late needs a filter instead of a factor: `survey.bleed` fits one."


def _decibels(gain: Tensor) -> Tensor:
    return 20 * torch.as_tensor(gain).abs().log10()
