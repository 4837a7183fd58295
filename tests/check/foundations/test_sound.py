"""The exercises of the lab on sound: each usual mistake is recognised, each right answer passes, however written."""

import math

import numpy as np
import torch

from tests.check.tables import *  # noqa: F403


def tone(frequency, seconds, rate, amplitude, wave=torch.sin, turn=2 * math.pi):
    n = torch.arange(round(seconds * rate), dtype=torch.float64)
    return (amplitude * wave(turn * frequency * n / rate))[None]


def tone_by_numpy(frequency, seconds, rate, amplitude):
    n = np.arange(int(round(seconds * rate)))
    return torch.from_numpy((amplitude * np.sin(2 * np.pi * frequency * n / rate)).astype("float32")).reshape(1, -1)


def level(x):
    return 10 * x.square().mean().log10()


def mix_at(voice, band, ratio):
    return 10 ** ((ratio - (level(voice) - level(band))) / 20) * voice + band


def mix_by_norms(voice, band, ratio):
    return band + voice / voice.norm() * band.norm() * 10 ** (ratio / 20)


def explain(mixture, sound, count):
    return torch.stack([sound] + [(mixture - sound) / (count - 1)] * (count - 1))


def explain_with_silence(mixture, sound, count):
    sources = torch.zeros(count, *mixture.shape)
    sources[0], sources[-1] = sound, mixture - sound
    return sources


def explain_by_loop(mixture, sound, count):
    sources = [sound]
    while len(sources) < count:
        left = mixture - sum(sources)
        sources.append(left if len(sources) == count - 1 else 0.3 * left)
    return torch.stack(sources)


def mixed(v, b, r, power=20, of=lambda x: x.norm(), sign=1):
    """Return an answer to exercise 4, with some of its usual mistakes."""
    return sign * 10 ** (r / power) * of(b) / of(v) * v + b


RIGHT = [
    (1, tone),
    (1, tone_by_numpy),
    (1, lambda f, s, r, a: np.array([[a * math.sin(2 * math.pi * f * n / r) for n in range(round(s * r))]])),
    (1, lambda f, s, r, a: a * torch.exp(2j * torch.pi * f * torch.arange(round(s * r)) / r).imag[None]),
    (2, 5000),
    (2, 5000.0),
    (2, np.int64(5000)),
    (2, abs(11000 - 16000)),
    (2, torch.tensor(5000)),
    (3, -15.23),
    (3, -15.2),
    (3, 10 * math.log10(3 * 10**-2)),
    (3, torch.tensor(-15.2288)),
    (3, np.float32(-15.2288)),
    (4, mix_at),
    (4, mix_by_norms),
    (4, mixed),
    (4, lambda v, b, r: mixed(v.numpy(), b.numpy(), r, of=np.linalg.norm)),
    (4, lambda v, b, r: mix_at(v.double(), b.double(), r)),
    (5, explain),
    (5, explain_with_silence),
    (5, explain_by_loop),
    (5, lambda m, s, k: explain(m.double(), s.double(), k)),
    (5, lambda m, s, k: explain(m, s, k).numpy()),
]
WRONG = [
    (1, lambda f, s, r, a: tone(f * r, s, r, a), "divide it by the rate"),
    (1, lambda f, s, r, a: tone(f, s, r, a, turn=1), "a swing is 2 pi, and here it is 1"),
    (1, lambda f, s, r, a: tone(f, s, r, a, turn=math.pi), "half the frequency"),
    (1, lambda f, s, r, a: tone(f, s, r, a, wave=torch.cos), "cosine begins at its highest"),
    (1, lambda f, s, r, a: tone(f, s, r, 1), "the amplitude is not in it"),
    (1, lambda f, s, r, a: -tone(f, s, r, a), "The sign is the other way round"),
    (1, lambda f, s, r, a: tone(f, s, r, 3 * a), "3 times what it should be"),
    (1, lambda f, s, r, a: tone(f, s, r, a)[0], "1 axes"),
    (1, lambda f, s, r, a: tone(f, 1, r, a), "N is seconds times rate"),
    (
        1,
        lambda f, s, r, a: (a * torch.sin(2 * torch.pi * f * torch.linspace(0, s, round(s * r))))[None],
        "linspace includes the end",
    ),
    (1, lambda f, s, r, a: tone(f, s + 1 / r, r, a)[:, 1:], "the first sample has the number 0"),
    (1, lambda f, s, r, a: tone(440, s, r, a), "440 Hz, whatever frequency"),
    (1, lambda f, s, r, a: tone(f * r / 8000, s, r, a), "a rate of 8000"),
    (2, 11000, "comes out lower"),
    (2, 8000, "reflected"),
    (2, 3000, "how far it lies above"),
    (2, 0, "does not vanish"),
    (2, 5500, "half of the *rate* is the mirror"),
    (2, 27000, "There is a copy up there"),
    (2, -5000, "polarity, and not a frequency below zero"),
    (2, 13000, "mirrored at the wrong place"),
    (2, "5000", "Take the quotation marks away"),
    (3, -60, "Levels do not add"),
    (3, -10.46, "identical sounds"),
    (3, -17, "There are three"),
    (3, -20, "bring energy"),
    (3, 4.77, "Add it to the level of one"),
    (3, 24.77, "The sign is lost"),
    (3, -24.77, "softer than one of them"),
    (3, -18.9, "natural logarithm"),
    (4, lambda v, b, r: 10 ** (r / 20) * v + b, "as if both had the same level"),
    (4, lambda v, b, r: mix_at(v, b, -r), "as far below"),
    (4, lambda v, b, r: mix_by_norms(v, b, 2 * r), "ratio / 10 is for energies"),
    (4, lambda v, b, r: mix_at(b, v, -r), "The band was changed".lower()),
    (4, lambda v, b, r: mix_at(v, b, r) - b, "the band is missing"),
    (4, lambda v, b, r: mixed(v, b, r, of=lambda x: x.abs().max()), "largest samples"),
    (4, lambda v, b, r: mixed(v, b, r, of=lambda x: x.square().sum()), "gain of energies: take its root"),
    (4, lambda v, b, r: mixed(v, b, r, of=lambda x: x.norm(dim=1, keepdim=True)), "each channel got a gain of its own"),
    (4, lambda v, b, r: mixed(v, b, r, of=lambda x: x[0].norm()), "first channel alone"),
    (4, lambda v, b, r: mixed(v, b, 0), "same level, whatever ratio"),
    (4, lambda v, b, r: mixed(v, b, r, of=lambda x: x.abs().mean()), "mean of the sizes"),
    (4, lambda v, b, r: mixed(v, b, r, sign=-1), "the polarity of the voice"),
    (5, lambda m, s, k: torch.stack([s] + [m / (k - 1)] * (k - 1)), "comes on top"),
    (5, lambda m, s, k: torch.stack([s] + [(s - m) / (k - 1)] * (k - 1)), "polarity"),
    (5, lambda m, s, k: torch.stack([s] + [m - s] * (k - 1)), "have to share"),
    (5, lambda m, s, k: torch.stack([s] + [(m - s) / k] * (k - 1)), "divided by count"),
    (5, lambda m, s, k: torch.stack([s] + [0 * m] * (k - 1)), "All the others are silent"),
    (5, lambda m, s, k: torch.stack([s] + [(m + s) / (k - 1)] * (k - 1)), "The sound was added to the mixture"),
    (5, lambda m, s, k: explain(m, s, k).flip(0), "stands last"),
    (5, lambda m, s, k: torch.stack([m / k] * k), "equal parts of the mixture"),
    (5, lambda m, s, k: torch.stack([s / k] + [(m - s / k) / (k - 1)] * (k - 1)), "a gain of 0.5"),
    (5, lambda m, s, k: explain(m, s, 2)[: k - 1], "but should have"),
    (5, lambda m, s, k: torch.cat([s, m - s]), "2 axes"),
]
