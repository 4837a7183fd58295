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


RIGHT = [
    (1, tone),
    (1, tone_by_numpy),
    (2, 5000),
    (2, 5000.0),
    (3, -15.23),
    (3, -15.2),
    (4, mix_at),
    (4, mix_by_norms),
    (5, explain),
    (5, explain_with_silence),
]
WRONG = [
    (1, lambda f, s, r, a: tone(f * r, s, r, a), "divide it by the rate"),
    (1, lambda f, s, r, a: tone(f, s, r, a, turn=1), "a swing is 2 pi, and here it is 1"),
    (1, lambda f, s, r, a: tone(f, s, r, a, turn=math.pi), "half the frequency"),
    (1, lambda f, s, r, a: tone(f, s, r, a, wave=torch.cos), "cosine begins at its highest"),
    (1, lambda f, s, r, a: tone(f, s, r, 1), "the amplitude is not in it"),
    (1, lambda f, s, r, a: tone(f, s, r, a)[0], "1 axes"),
    (1, lambda f, s, r, a: tone(f, 1, r, a), "N is seconds times rate"),
    (
        1,
        lambda f, s, r, a: (a * torch.sin(2 * torch.pi * f * torch.linspace(0, s, round(s * r))))[None],
        "linspace includes the end",
    ),
    (2, 11000, "comes out lower"),
    (2, 8000, "reflected"),
    (2, 3000, "how far it lies above"),
    (2, 0, "does not vanish"),
    (3, -60, "Levels do not add"),
    (3, -10.46, "identical sounds"),
    (3, -17, "There are three"),
    (3, -20, "bring energy"),
    (4, lambda v, b, r: 10 ** (r / 20) * v + b, "as if both had the same level"),
    (4, lambda v, b, r: mix_at(v, b, -r), "as far below"),
    (4, lambda v, b, r: mix_by_norms(v, b, 2 * r), "ratio / 10 is for energies"),
    (4, lambda v, b, r: mix_at(b, v, -r), "The band was changed".lower()),
    (4, lambda v, b, r: mix_at(v, b, r) - b, "the band is missing"),
    (4, lambda v, b, r: v / v.abs().max() * b.abs().max() * 10 ** (r / 20) + b, "largest samples"),
    (5, lambda m, s, k: torch.stack([s] + [m / (k - 1)] * (k - 1)), "comes on top"),
    (5, lambda m, s, k: torch.stack([s] + [(s - m) / (k - 1)] * (k - 1)), "polarity"),
    (5, lambda m, s, k: torch.stack([s] + [m - s] * (k - 1)), "have to share"),
    (5, lambda m, s, k: explain(m, s, k).flip(0), "first source is not"),
    (5, lambda m, s, k: explain(m, s, 2)[: k - 1], "but should have"),
    (5, lambda m, s, k: torch.cat([s, m - s]), "axes"),
    (2, "5000", "Take the quotation marks away"),
]
