"""Checks for the lab on sound: a tone, an alias, levels, an explanation. Taught on: book/foundations/sound."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from sepbook.check import CheckFailure, call, exercise, expect_number, expect_shape, expect_values
from sepbook.check._inputs import near, noise


def _rms(x: Tensor) -> Tensor:
    return x.square().mean().sqrt()


@exercise(
    "Exercise 1: a tone made of numbers",
    hints=(
        "Sample n is taken at n / rate seconds. A sine makes frequency swings per second, and a swing is 2 pi.",
        "Make the sample numbers with torch.arange, divide by rate, and you have the times in seconds.",
        "n = torch.arange(round(seconds * rate)); amplitude * torch.sin(2 * torch.pi * frequency * n / rate), then "
        "[None] puts the channel axis in front.",
    ),
)
def exercise_1(tone):
    """Check a function (frequency, seconds, rate, amplitude) -> samples (C=1, N), a sine that begins at zero."""
    for frequency, seconds, rate, amplitude in ((near(400), 0.01, 8000, 0.5), (near(50, 1), 0.03, 2000, 0.2)):
        n = torch.arange(round(seconds * rate), dtype=torch.float64)
        turn = 2 * math.pi * frequency / rate * n
        expected = (amplitude * turn.sin())[None]
        known = {
            "n is a number of samples, not of seconds: divide it by the rate": (
                amplitude * (2 * math.pi * frequency * n).sin()
            )[None],
            "a swing is 2 pi, and here it is 1": (amplitude * (turn / (2 * math.pi)).sin())[None],
            "this is half the frequency: a swing is 2 pi, not pi": (amplitude * (turn / 2).sin())[None],
            "a cosine begins at its highest point. A sine begins at zero": (amplitude * turn.cos())[None],
            "the amplitude is not in it": turn.sin()[None],
            "it begins a sample late: the first sample has the number 0": (
                amplitude * (turn + 2 * math.pi * frequency / rate).sin()
            )[None],
            "it has 440 Hz, whatever frequency is asked for": (amplitude * (turn * 440 / frequency).sin())[None],
            "that is for a rate of 8000 samples per second, whatever rate is asked for": (
                amplitude * (turn * rate / 8000).sin()
            )[None],
            "there is one sample too few in a second: torch.linspace includes the end": (
                amplitude * (2 * math.pi * frequency * torch.linspace(0, seconds, len(n), dtype=torch.float64)).sin()
            )[None],
        }
        what = f"It is about {frequency:g} Hz for {seconds:g} s at {rate} samples per second."
        samples = call(tone, frequency, seconds, rate, amplitude)
        expect_shape(samples, expected.shape, "C N", f"{what} N is seconds times rate, and C is 1.")
        expect_values(samples, expected, "C N", known, what, tolerance=1e-3)
    return "That is all that sound is in a computer: a row of numbers, and how many of them make a second."


@exercise(
    "Exercise 2: where a tone comes out",
    hints=(
        "Half the rate is a mirror. How far is the tone from the rate itself?",
        "Draw the rate on a line of frequencies. The tone lies above the mirror: how far below the rate?",
        "A tone of f and a tone of rate - f give the same samples.",
    ),
)
def exercise_2(prediction):
    """Check the predicted frequency (Hz) of a tone of 11 000 Hz at 16 000 samples per second without a filter."""
    known = {
        11000: "Above half the rate, no frequency can be held. It comes out lower.",
        8000: "It is not stopped at half the rate. It is reflected there.",
        3000: "That is how far it lies above half the rate. Go as far *below* half the rate as it was above.",
        5500: "Half of the frequency has nothing to do with it: half of the *rate* is the mirror.",
        27000: "There is a copy up there, but nothing above half the rate can be heard. Where is the other one?",
        13000: "It is mirrored at the wrong place. The mirror is half the rate: 8000 Hz.",
        -5000: "The minus tells of the polarity, and not a frequency below zero. How many swings are heard per second?",
        0: "It does not vanish: numbers are written down, and they are those of a lower tone.",
    }
    expect_number(prediction, 5000, known)
    return "11 000 Hz and 5000 Hz lie equally far from half the rate. Their samples are the same, up to polarity."


@exercise(
    "Exercise 3: the level of three",
    hints=(
        "Do amplitudes add up here, or energies? The three have nothing in common.",
        "Energies of sounds that have nothing in common add up. How many times the energy of one is that of three?",
        "Three times the energy is 10 * log10(3) decibels more.",
    ),
)
def exercise_3(prediction):
    """Check the predicted level (dB) of the sum of three unrelated sounds of -20 dB each; 0.1 dB off is right."""
    known = {
        -60.0: "Levels do not add up. A sum that is softer than its parts would be strange.",
        -20.0: "Two more sounds bring energy with them.",
        20 * math.log10(3) - 20: "That is for three identical sounds, whose amplitudes add. These are unrelated.",
        10 * math.log10(2) - 20: "That is right for two of them. There are three.",
        10 * math.log10(3) + 20: "The sign is lost: -20 dB and a little more.",
        -20 - 10 * math.log10(3): "That is softer than one of them.",
        math.log(3) - 20: "That is the natural logarithm. Decibels are 10 times log10.",
        10 * math.log10(3): "That is how much more it is than one of them. Add it to the level of one.",
    }
    expected = 10 * math.log10(3) - 20
    expect_number(prediction, expected, known, tolerance=0.1 / abs(expected))
    return "Energies of unrelated sounds add: three of them are about 4.8 dB more than one."


def _mixed(voice: Tensor, band: Tensor, ratio: float, by: float = 20) -> Tensor:
    return 10 ** (ratio / by) * _rms(band) / _rms(voice) * voice + band


def _gained(voice: Tensor, band: Tensor, ratio: float, size: Callable) -> Tensor:
    return 10 ** (ratio / 20) * size(band) / size(voice) * voice + band


@exercise(
    "Exercise 4: mix at a ratio",
    hints=(
        "How far are the two apart already? The gain has to make up for what is missing.",
        "If the voice is 3 dB above the band already and 10 dB are wanted, how many are missing?",
        "gain = 10 ** ((ratio - (level(voice) - level(band))) / 20), then gain * voice + band.",
    ),
)
def exercise_4(mix_at):
    """Check a function (voice, band, ratio) -> mixture, all `(C, N)`: the voice `ratio` dB above the unchanged band."""
    balance = torch.tensor([[1.0], [0.4]])
    voice, band = 0.05 * balance * noise(2, 300, seed=1), 0.4 * balance.flip(0) * noise(2, 300, seed=2)
    for ratio in (6.0, 0.0, -15.0):
        right = _mixed(voice, band, ratio)
        known = {
            "the ratio was used as a gain, as if both had the same level before": 10 ** (ratio / 20) * voice + band,
            "ratio / 10 is for energies. Samples are amplitudes": _mixed(voice, band, ratio, 10),
            "the voice is as far below the band as it should be above": _mixed(voice, band, -ratio),
            "the band was changed. Change the voice": voice + _rms(voice) / _rms(band) * 10 ** (-ratio / 20) * band,
            "the levels are the wrong way round: voice minus band is what is there": (
                10 ** (ratio / 20) * _rms(voice) / _rms(band) * voice + band
            ),
            "the band is missing": right - band,
            "that is the gain of energies: take its root": _gained(voice, band, ratio, lambda x: x.square().sum()),
            "each channel got a gain of its own, and the balance of the channels is lost": _gained(
                voice, band, ratio, lambda x: x.norm(dim=1, keepdim=True)
            ),
            "the level was measured on the first channel alone": _gained(voice, band, ratio, lambda x: x[0].norm()),
            "both have the same level, whatever ratio is asked for": _mixed(voice, band, 0.0),
            "the mean of the sizes was compared. Levels compare the mean of the squares": _gained(
                voice, band, ratio, lambda x: x.abs().mean()
            ),
            "the polarity of the voice is the wrong way round": 2 * band - right,
            "the largest samples were compared. Levels compare the mean of the squares": (
                _gained(voice, band, ratio, lambda x: x.abs().max())
            ),
        }
        where = f"It is about a ratio of {ratio:g} dB, and a voice that is far softer than the band."
        expect_values(call(mix_at, voice, band, ratio), right, "C N", known, where, tolerance=1e-4)
    return "With this one function all training data of this book is made, and most test data of the world."


@exercise(
    "Exercise 5: explain it as you like",
    hints=(
        "The sum is prescribed, and so is the first source. What is left over for the others?",
        "After the first source, mixture - sound is left. Any way to share it among the others will do.",
        "rest = mixture - sound; torch.stack([sound] + [rest / (count - 1)] * (count - 1)).",
    ),
)
def exercise_5(explain):
    """Check a function (mixture, sound, count) -> sources `(S=count, C, N)` that begin with sound and add up."""
    mixture, sound = noise(2, 40, seed=3), noise(2, 40, seed=4)
    for count in (2, 4):
        where = "One row for each source: torch.stack puts them along a new first axis."
        sources = expect_shape(call(explain, mixture, sound, count), (count, *mixture.shape), "S C N", where)
        if not torch.allclose(sources[0].to(sound), sound, atol=1e-5):
            raise CheckFailure(
                "The first source is not the sound that was asked for.",
                _what_is_first(sources, mixture, sound),
                "Put the sound in it as it is, without any gain.",
                kind="first",
            )
        error = (sources.sum(0).to(mixture) - mixture).abs().max()
        if not error < 1e-4:
            raise CheckFailure(
                f"The {count} sources do not add up to the mixture: one sample is off by {float(error):.3g}.",
                _why_not(sources, mixture, sound),
                "All sources but the first must together be mixture - sound.",
                kind="sum",
            )
    return "Every mixture can be explained with any sound. That the parts add up proves nothing about them."


def _what_is_first(sources: Tensor, mixture: Tensor, sound: Tensor) -> str:
    """Say what stands in the place of the sound, where it is one of the usual mistakes."""
    first = sources[0].to(sound)
    if torch.allclose(sources[-1].to(sound), sound, atol=1e-5):
        return "It stands last. Put it first in the stack."
    if torch.allclose(first * len(sources), mixture, atol=1e-4):
        return "The sources are equal parts of the mixture, and none of them is the sound."
    gain = float((first * sound).sum() / sound.square().sum())
    if abs(gain) > 1e-6 and torch.allclose(first / gain, sound, atol=1e-4):
        return f"It is the sound with a gain of {gain:.3g}."
    return "Look at what stands first in the stack."


def _why_not(sources: Tensor, mixture: Tensor, sound: Tensor) -> str:
    """Say what the other sources are, where it is one of the usual mistakes."""
    others, rest = sources[1:].sum(0).to(mixture), mixture - sound
    if torch.allclose(others, mixture, atol=1e-4):
        return "The other sources are the whole mixture, and the sound comes on top of it."
    if torch.allclose(others, -rest, atol=1e-4):
        return "The others are sound - mixture: the polarity is the wrong way round."
    if len(sources) > 2 and torch.allclose(others, (len(sources) - 1) * rest, atol=1e-4):
        return "Each of the others is all that is left over. They have to share it."
    if torch.allclose(others * len(sources), (len(sources) - 1) * rest, atol=1e-4):
        return "What is left over was divided by count. There are count - 1 others to share it."
    if not others.any():
        return "All the others are silent. They have to hold what the sound leaves over."
    if torch.allclose(others, mixture + sound, atol=1e-4):
        return "The sound was added to the mixture. It has to be taken from it."
    return "Add up the sources that you return, and compare."
