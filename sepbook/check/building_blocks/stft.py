"""Checks for the lab on the STFT inside a network: a shape, a system, a compression, a size, and a bug.

Taught on: book/building_blocks/stft
"""

from functools import partial

import torch
from torch import Tensor

from sepbook.building_blocks.stft import ISTFT, STFT
from sepbook.check import (
    CheckFailure,
    call,
    exercise,
    expect_finite_slope,
    expect_gradient,
    expect_number,
    expect_shape,
    expect_sizes,
    expect_values,
)
from sepbook.check._inputs import noise


@exercise(
    "Exercise 1: the shape of all masks",
    hints=(
        "F counts from 0 Hz to half the sample rate, both included. T has a frame at sample 0, and one for each hop "
        "that has begun.",
        "T first: how many hops of 128 begin in 32001 samples? Then one frame more, at sample 0.",
        "F = 512 // 2 + 1. T = 1 + ceil(32001 / 128): the last sample begins one hop more.",
    ),
)
def exercise_1(prediction):
    """Check the predicted (B, S, C, F, T): 6 stereo mixtures of 32001 samples, 3 sources, STFT(512, 128)."""
    known = {
        (6, 3, 2, 257, 251): "Nearly: 32000 samples are 250 whole hops. The one that is left begins another.",
        (6, 3, 2, 257, 250): "A frame stands at the very first sample, too; and the last sample begins a hop.",
        (6, 3, 2, 256, 252): "Half of 512 is 256, but both ends count: 0 Hz and half the sample rate.",
        (6, 3, 2, 512, 252): "The upper half of the bins of real sound mirrors the lower one and is left out.",
        (6, 3, 2, 252, 257): "Frequency comes before time: B S C F T.",
        (6, 2, 3, 257, 252): "The source comes before the audio channel: B S C F T.",
    }
    expect_sizes(prediction, (6, 3, 2, 257, 252), "B S C F T", known)
    return "Each source has a mask of its own for each channel of each mixture."


@exercise(
    "Exercise 2: from samples to samples",
    hints=(
        "Four steps: bins = stft(mixture), masks from their magnitudes, masks times the *complex* bins, and back.",
        "Print the shapes: bins (B, C, F, T), masks (B, S, C, F, T). Where does bins need an axis?",
        "return istft(network(bins.abs()) * bins[:, None], mixture.shape[-1])",
    ),
)
def exercise_2(separate):
    """Check a function (mixture (B, C, N), network, stft, istft) -> estimates (B, S, C, N), with its gradient."""
    for seed, (B, C, N, n_fft, hop) in enumerate(((2, 1, 333, 64, 16), (1, 2, 401, 32, 24))):
        stft, istft = STFT(n_fft, hop), ISTFT(n_fft, hop)
        mixture = noise(B, C, N, seed=seed)
        weights = noise(3, 1, n_fft // 2 + 1, 1, seed=9).requires_grad_()

        def network(magnitude, weights=weights):
            if magnitude.is_complex():
                raise CheckFailure(
                    "The network was given complex bins.",
                    "It works on magnitudes `(B, C, F, T)`.",
                    "network(bins.abs())",
                    kind="complex",
                )
            return torch.sigmoid(weights + torch.log1p(magnitude)[:, None])  # (B, S, C, F, T)

        bins = stft(mixture)
        masks = network(bins.abs())
        known = {
            "the masks meet the magnitudes, so that the phase is lost": istft(masks * bins.abs()[:, None] + 0j, N),
            "the inverse masks are used: what to remove, not what to keep": istft((1 - masks) * bins[:, None], N),
            "the masks are used without the mixture": istft(masks + 0j, N),
            "the masks are added to the bins": istft(masks + bins[:, None], N),
            "the masks are used twice: they are squared": istft(masks**2 * bins[:, None], N),
            "the bins are conjugated: every phase has the other sign": istft(masks * bins.conj()[:, None], N),
            "only the real part of the bins is there": istft(masks * bins.real[:, None] + 0j, N),
            "the network was given the power; it works on magnitudes": istft(
                network(bins.abs().square()) * bins[:, None], N
            ),
            "the masks were divided by their sum; the network's own are wanted": istft(
                masks / masks.sum(1, keepdim=True) * bins[:, None], N
            ),
        }
        where = f"It is about a mixture ({B}, {C}, {N}), a window of {n_fft} and a hop of {hop} samples."
        how = "istft(…, mixture.shape[-1]) gives exactly as many samples as there were."
        estimates = call(separate, mixture, network, stft, istft)
        expect_shape(estimates, (B, 3, C, N), "B S C N", where, how)
        expect_values(estimates, istft(masks * bins[:, None], N), "B S C N", known, where, tolerance=1e-4)
        expect_gradient(estimates, weights)
    return "A loss on these samples trains the network through the inverse transform."


def _compressed(bins: Tensor, exponent: float, floor: float) -> Tensor:
    return (bins.abs() + floor) ** exponent - floor**exponent


@exercise(
    "Exercise 3: compress, also silence",
    hints=(
        "Add the floor to the magnitude before the power is taken, and take off what silence would become.",
        "What is (0 + floor) ** exponent? Silence should become 0.",
        "return (bins.abs() + floor) ** exponent - floor ** exponent",
    ),
)
def exercise_3(compress):
    """Check a function (bins (B, C, F, T) complex, exponent, floor): (|bins| + floor)^p - floor^p, finite slopes."""
    bins = torch.polar(noise(2, 1, 5, 4).abs(), noise(2, 1, 5, 4, seed=1))
    bins[..., 0] = 0
    for exponent, floor in ((0.3, 1e-3), (0.5, 1e-2)):
        x = bins.clone().requires_grad_()
        known = {
            "the floor is added after the power": (bins.abs() ** exponent + floor),
            "the floor is missing": bins.abs() ** exponent,
            "silence does not become 0: take floor ** exponent off": (bins.abs() + floor) ** exponent,
            "the floor is added to the energy: |bins|² + floor, then the root": (
                (bins.abs() ** 2 + floor) ** (exponent / 2) - floor ** (exponent / 2)
            ),
            "the power is taken of the energy |bins|², not of the magnitude |bins|": (
                (bins.abs() ** 2 + floor) ** exponent - floor**exponent
            ),
            "the root is the wrong way round: 1 / exponent": (bins.abs() + floor) ** (1 / exponent)
            - floor ** (1 / exponent),
            "the floor itself is taken off, not floor ** exponent": (bins.abs() + floor) ** exponent - floor,
            "the floor is a lower limit here; it is added": bins.abs().clamp_min(floor) ** exponent - floor**exponent,
        }
        small = call(compress, x, exponent, floor)
        where = f"It is about an exponent of {exponent} and a floor of {floor}."
        expect_values(small, _compressed(bins, exponent, floor), "B C F T", known, where)
        expect_finite_slope(
            small,
            x,
            "A square root has no slope at 0. Is the magnitude written as sqrt(re² + im²), or with ** 0.5?",
            "bins.abs() of the complex bins has the slope 0 there.",
            "is NaN or infinite where a bin is zero",
        )
        expect_gradient(small, x)
    return "The slope at silence is exponent * floor ** (exponent - 1): large, but a number."


@exercise(
    "Exercise 4: how large on disk?",
    hints=(
        "Bins per frame times frames per second times bytes per number, and then all seconds of all sounds.",
        "One second of one sound: 1025 bins times 44100 / 512 frames. Then bytes, then seconds and sounds.",
        "1025 bins · 44100 / 512 frames per second · 2 bytes · 36000 s · 5 sounds, in units of 10⁹ bytes.",
    ),
)
def exercise_4(gigabytes):
    """Check the predicted size of stored magnitudes: ten hours, five sounds, STFT(2048, 512), 44100 Hz, float16."""
    samples = 44100 * 2 * 36000 * 5 / 1e9
    exact = samples * 1025 / 512
    known = {
        exact / 5: "That is one sound. There are four stems and the mixture.",
        2 * exact: "That is with four bytes per number, or with 2048 bins; these are 1025 bins of 16 bits.",
        4 * exact: "That is with eight bytes per number: complex bins. These are magnitudes of 16 bits.",
        samples: "That is the samples, or one byte per number. Every 512 samples become 1025 numbers of two bytes.",
        exact * 60: "Ten hours are 36000 seconds.",
        exact / 60: "Ten hours are 36000 seconds, not 600.",
        0.8 * exact: "These are the four stems. The mixture is stored as well.",
        exact / 10: "That is one hour.",
        exact * 1e9 / 2**30: "That is in GiB, units of 2³⁰ bytes. A gigabyte is 10⁹ bytes.",
        exact * 1e3: "That is in megabytes.",
        exact * 1e9: "That is in bytes.",
        8 * exact: "16 bits are two bytes.",
    }
    expect_number(gigabytes, exact, known, tolerance=0.03)
    return f"{exact:.1f} GB, twice as much as the samples in 16 bits: 1025 numbers for every 512 samples."


def _repaired(
    magnitude, phase, rounds, stft, istft, N, size=lambda wanted, bins: wanted, turn=lambda bins: bins.angle()
) -> Tensor:
    """Griffin and Lim's rounds `(B, C, N)`; with another `size` or `turn`, the usual ways to get them wrong."""
    sound = istft(torch.polar(magnitude, phase), N)
    for _ in range(rounds):
        bins = stft(sound)
        sound = istft(torch.polar(size(magnitude, bins), turn(bins)), N)
    return sound


@exercise(
    "Exercise 5: find the bugs",
    hints=(
        "Compare with the words: keep the *directions* of what comes out, and restore the *wanted* magnitudes.",
        "Which line throws the wanted magnitudes away, and what length does the inverse give when nobody names one?",
        "There are two: torch.polar(magnitude, …) instead of bins.abs(), and the sound's length N instead of "
        "(T - 1) * hop.",
    ),
)
def exercise_5(griffin_lim):
    """Check a function (magnitude (B, C, F, T), phase, rounds, stft, istft, N) -> samples (B, C, N)."""
    stft, istft = STFT(64, 16), ISTFT(64, 16)
    for B, C, N, rounds in ((1, 1, 300, 4), (3, 2, 320, 2)):
        magnitude = stft(noise(B, C, N)).abs()
        phase = 3 * noise(*magnitude.shape, seed=2)

        repaired = partial(_repaired, magnitude, phase, rounds, stft, istft, N)
        known = {
            "the rounds do nothing: the wanted magnitudes are never restored, or the first phases are kept": repaired(
                size=lambda wanted, bins: bins.abs()
            ),
            "there is one round too few": _repaired(magnitude, phase, rounds - 1, stft, istft, N),
            "there is one round too many": _repaired(magnitude, phase, rounds + 1, stft, istft, N),
            "the first phases are not those that were given, but 0": _repaired(
                magnitude, 0 * phase, rounds, stft, istft, N
            ),
            "the phases are turned round: the angle has the other sign": repaired(turn=lambda bins: -bins.angle()),
            "wanted magnitudes and those of the result are averaged; only the wanted ones count": repaired(
                size=lambda wanted, bins: (wanted + bins.abs()) / 2
            ),
        }
        where = f"It is about a sound ({B}, {C}, {N}) and {rounds} rounds."
        how = "The last frame reaches beyond the sound: ask the inverse for N samples, not for T times the hop."
        sound = call(griffin_lim, magnitude, phase, rounds, stft, istft, N)
        expect_shape(sound, (B, C, N), "B C N", where, how)
        expect_values(sound, repaired(), "B C N", known, where, tolerance=1e-3)
    return "Each round comes nearer to the wanted magnitudes, or stays where it is."
