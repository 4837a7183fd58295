"""Checks for the first lab: a mixture, a shape, a masked spectrogram, and a bug. Taught on: book/first_separation."""

import math

import torch

from sepbook.building_blocks.stft import ISTFT, STFT
from sepbook.check import call, exercise, expect_sizes, expect_values
from sepbook.check._inputs import about, noise
from sepbook.evaluation.metrics import si_sdr


@exercise(
    "Exercise 1: mix at a level",
    hints=(
        "Decibels of level are 20 times the logarithm of the factor, so the factor is 10 ** (gain_db / 20).",
        "6 dB should double the amplitude, nearly. Which power of ten is that?",
        "return rest + 10 ** (gain_db / 20) * vocals",
    ),
)
def exercise_1(mix):
    """Check a function (vocals, rest, gain_db) -> mixture, all `(C, N)`: the vocals louder by gain_db."""
    vocals, rest = noise(1, 60, seed=1), noise(1, 60, seed=2)
    for gain in (6.0, 0.0, -20.0):
        known = {
            "the vocals are missing": rest,
            "the rest is missing": 10 ** (gain / 20) * vocals,
            "the gain is not used": rest + vocals,
            "the vocals are twice as loud, whatever gain is asked for": rest + 2 * vocals,
            "the sign of the gain is the other way round": rest + 10 ** (-gain / 20) * vocals,
            "decibels are powers of ten, and exp gives powers of e": rest + math.exp(gain / 20) * vocals,
            "the gain was applied to the rest, not to the vocals": vocals + 10 ** (gain / 20) * rest,
            "both were made louder; only the vocals should be": 10 ** (gain / 20) * (vocals + rest),
            "that factor is for energies (10 dB per ten). Samples are amplitudes": rest + 10 ** (gain / 10) * vocals,
            "the decibels themselves were used as a factor": rest + gain * vocals,
        }
        where = f"It is about a gain of {gain:g} dB."
        expect_values(call(mix, vocals, rest, gain), rest + 10 ** (gain / 20) * vocals, "C N", known, where)
    return "Mixing is adding. Everything that makes separation hard follows from that."


@exercise(
    "Exercise 2: the shape of the masks",
    hints=(
        "One mask for each source and for each point of the spectrogram. 1024 samples give 513 bins.",
        "How many frames begin in 48000 samples when one begins every 256?",
        "N = 3 * 16000 = 48000 samples. A frame every 256 of them, and one at the very start: 1 + ceil(48000 / 256).",
    ),
)
def exercise_2(prediction):
    """Check the predicted (B, S, C, F, T) of the masks of 8 mono mixtures of three seconds."""
    known = {
        (8, 4, 1, 512, 189): "The network works on 512 bins, but the highest one gets a mask as well.",
        (8, 4, 1, 513, 188): "Nearly: there is a frame at the very first sample too, so add one.",
        (8, 4, 1, 1024, 189): "A real signal of 1024 samples has 513 different frequencies; the others mirror them.",
        (8, 1, 4, 513, 189): "Source comes before audio channel: B S C F T.",
        (8, 4, 1, 513, 48): "That is one frame for each window. The windows overlap: a frame begins every 256 samples.",
        (8, 4, 1, 513, 47): "That is one frame for each window. The windows overlap: a frame begins every 256 samples.",
        (8, 4, 2, 513, 189): "Mono is one channel.",
        (4, 8, 1, 513, 189): "The batch comes first: B S C F T.",
        (8, 4, 1, 189, 513): "Frequency comes before time: B S C F T.",
    }
    expect_sizes(prediction, (8, 4, 1, 513, 189), "B S C F T", known)
    return "A single mask has as many points as its spectrogram; four of them are what the network has to guess."


@exercise(
    "Exercise 3: from masks to sound",
    hints=(
        "The spectrogram has no source axis yet. bins[:, None] puts one there, so that it meets each of the masks.",
        "Multiply first, with the new axis; then print the shape of what you hand to istft.",
        "return istft(bins[:, None] * masks, length)",
    ),
)
def exercise_3(apply_masks):
    """Check a function (bins (B, C, F, T), masks (B, S, C, F, T), istft, length) -> estimates (B, S, C, N)."""
    for seed, (B, C, N, n_fft) in enumerate(((2, 2, 250, 64), (3, 1, 180, 32))):
        stft, istft = STFT(n_fft, n_fft // 4), ISTFT(n_fft, n_fft // 4)
        bins = stft(noise(B, C, N, seed=3 + seed))
        masks = torch.softmax(noise(B, 3, *bins.shape[1:], seed=40 + seed), dim=1)
        expected = istft(bins[:, None] * masks, N)
        flat = torch.polar(bins.abs()[:, None] * masks, torch.zeros_like(masks))
        known = {
            "the phase is lost: the masks were multiplied with the magnitudes alone": istft(flat, N),
            "the masks were squared": istft(bins[:, None] * masks**2, N),
            "the masks were added instead of multiplied": istft(bins[:, None] + masks, N),
            "the inverse mask was used: what to remove, not what to keep": istft(bins[:, None] * (1 - masks), N),
            "each channel has a mask of its own, and here all have their mean": istft(
                bins[:, None] * masks.mean(2, keepdim=True), N
            ),
            "the mask of the first channel was used for all channels": istft(bins[:, None] * masks[:, :, :1], N),
            "no mask was used: each estimate is the mixture": istft(bins[:, None].expand_as(masks), N),
            "each point was given whole to the largest mask": istft(
                bins[:, None] * (masks == masks.amax(1, keepdim=True)), N
            ),
        }
        estimates = call(apply_masks, bins, masks, istft, N)
        where = about(("B C F T", bins.shape), ("B S C F T", masks.shape)).rstrip(".") + f" and {N} samples."
        expect_values(estimates, expected, "B S C N", known, where, tolerance=1e-4)
    return "That one line is what every mask-based system in this book ends with."


@exercise(
    "Exercise 4: find the bug",
    hints=(
        "What does it return when an estimate is perfect, so that it is much better than the mixture?",
        "Put numbers in: the estimate has 10 dB, the mixture 0 dB. What should come out, and what does?",
        "Improvement is what the estimate has more than the mixture: si_sdr(estimates, …) - si_sdr(mixture, …).",
    ),
)
def exercise_4(improvement):
    """Check a function (estimates (S, C, N), sources (S, C, N), mixture (C, N)) -> improvement (S,) in dB."""
    sources = noise(3, 1, 400, seed=5)
    mixture = sources.sum(0) + 0.5 * noise(1, 400, seed=7)  # a recording holds noise that is no source
    error = torch.tensor([0.2, 0.3, 4.0])[:, None, None]  # the last estimate is worse than the mixture
    estimates = sources + error * noise(3, 1, 400, seed=6)
    untouched = mixture.expand_as(sources)
    own, before = si_sdr(estimates, sources), si_sdr(untouched, sources)
    expected = own - before
    known = {
        "the mixture's score minus the estimate's: the sign is wrong": -expected,
        "this is the estimate's own score, without the comparison": own,
        "this is the mixture's own score": before,
        "the mixture that is handed in was not used, and it is more than the sum of the sources": own
        - si_sdr(sources.sum(0).expand_as(sources), sources),
        "the size is right, but it may be negative: an estimate can be worse than the mixture": expected.abs(),
        "it is cut at 0 dB. An estimate can be worse than the mixture, and should be told so": expected.clamp(min=0),
        "that is the mean over the sources. One number for each is wanted": expected.mean().expand(3),
        "the estimate was compared with the mixture as if it were the source": own - si_sdr(estimates, untouched),
        "scores are logarithms. Decibels are subtracted, not divided": own / before,
    }
    expect_values(call(improvement, estimates, sources, mixture), expected, "S", known, tolerance=1e-3)
    return "A wrong sign here was printed in a published tutorial for months. Score the obvious cases first."
