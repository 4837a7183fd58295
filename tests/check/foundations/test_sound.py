"""The exercises of the lab on sound: each usual mistake is recognised, each right answer passes, however written."""

import math

import numpy as np
import pytest
import torch

from sepbook.check.foundations import sound as check


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
    ("exercise_1", tone),
    ("exercise_1", tone_by_numpy),
    ("exercise_2", 5000),
    ("exercise_2", 5000.0),
    ("exercise_3", -15.23),
    ("exercise_3", -15.2),
    ("exercise_4", mix_at),
    ("exercise_4", mix_by_norms),
    ("exercise_5", explain),
    ("exercise_5", explain_with_silence),
]
WRONG = [
    ("exercise_1", lambda f, s, r, a: tone(f * r, s, r, a), "divide it by the rate"),
    ("exercise_1", lambda f, s, r, a: tone(f, s, r, a, turn=1), "a swing is 2 pi, and here it is 1"),
    ("exercise_1", lambda f, s, r, a: tone(f, s, r, a, turn=math.pi), "half the frequency"),
    ("exercise_1", lambda f, s, r, a: tone(f, s, r, a, wave=torch.cos), "cosine begins at its highest"),
    ("exercise_1", lambda f, s, r, a: tone(f, s, r, 1), "the amplitude is not in it"),
    ("exercise_1", lambda f, s, r, a: tone(f, s, r, a)[0], "1 axes"),
    ("exercise_1", lambda f, s, r, a: tone(f, 1, r, a), "N is seconds times rate"),
    (
        "exercise_1",
        lambda f, s, r, a: (a * torch.sin(2 * torch.pi * f * torch.linspace(0, s, round(s * r))))[None],
        "linspace includes the end",
    ),
    ("exercise_2", 11000, "comes out lower"),
    ("exercise_2", 8000, "reflected"),
    ("exercise_2", 3000, "how far it lies above"),
    ("exercise_2", 0, "does not vanish"),
    ("exercise_3", -60, "Levels do not add"),
    ("exercise_3", -10.46, "identical sounds"),
    ("exercise_3", -17, "There are three"),
    ("exercise_3", -20, "bring energy"),
    ("exercise_4", lambda v, b, r: 10 ** (r / 20) * v + b, "as if both had the same level"),
    ("exercise_4", lambda v, b, r: mix_at(v, b, -r), "as far below"),
    ("exercise_4", lambda v, b, r: mix_by_norms(v, b, 2 * r), "ratio / 10 is for energies"),
    ("exercise_4", lambda v, b, r: mix_at(b, v, -r), "The band was changed".lower()),
    ("exercise_4", lambda v, b, r: mix_at(v, b, r) - b, "the band is missing"),
    ("exercise_4", lambda v, b, r: v / v.abs().max() * b.abs().max() * 10 ** (r / 20) + b, "largest samples"),
    ("exercise_5", lambda m, s, k: torch.stack([s] + [m / (k - 1)] * (k - 1)), "comes on top"),
    ("exercise_5", lambda m, s, k: torch.stack([s] + [(s - m) / (k - 1)] * (k - 1)), "polarity"),
    ("exercise_5", lambda m, s, k: torch.stack([s] + [m - s] * (k - 1)), "have to share"),
    ("exercise_5", lambda m, s, k: explain(m, s, k).flip(0), "first source is not"),
    ("exercise_5", lambda m, s, k: explain(m, s, 2)[: k - 1], "but should have"),
    ("exercise_5", lambda m, s, k: torch.cat([s, m - s]), "axes"),
]


@pytest.mark.parametrize(("name", "answer"), RIGHT)
def test_right_answers_turn_green(hear, name, answer):
    text = hear(getattr(check, name), answer)
    assert text.startswith("✔"), text


@pytest.mark.parametrize(("name", "answer", "hint"), WRONG)
def test_wrong_answers_get_their_own_hint(hear, name, answer, hint):
    text = hear(getattr(check, name), answer, times=3)
    assert "✔" not in text
    assert hint in text, text


@pytest.mark.parametrize(
    "answer", [None, ..., "text", torch.zeros(2), lambda: None, lambda *a: a[0], lambda *a: None, lambda *a: "x"]
)
@pytest.mark.parametrize("name", [f"exercise_{i}" for i in range(1, 6)])
def test_nonsense_never_raises(hear, name, answer):
    text = hear(getattr(check, name), answer)
    assert text and "✔" not in text
