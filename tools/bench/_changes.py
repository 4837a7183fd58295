"""What a change of pitch and tempo does to sound, whoever makes it: a tone, strokes, and the stems of songs.

`change(x, semitones, stretch)` takes x (C, N) and returns as many samples as were asked for, at any level.
"""

from collections.abc import Callable

import torch
from torch import Tensor

SEMITONES, STRETCH, HERTZ, NEAR = 2.0, 1.1, 440.0, 30.0  # NEAR: Hz around the tone that count as the tone
N_FFT, HOP, AUDIBLE = 1024, 256, 60.0  # AUDIBLE: dB below the loudest bin of a stem


def measured(change: Callable, stems: list[Tensor], rate: int, samples: int) -> dict:
    """Return how far a tone, strokes and stems are from what they should be after a change."""
    time = torch.arange(2 * samples) / rate
    tone = change(0.1 * torch.sin(2 * torch.pi * HERTZ * time)[None], SEMITONES, STRETCH)[0]
    return {
        **of_tone(tone, HERTZ * 2 ** (SEMITONES / 12), rate),
        "strokes_off_ms": of_strokes(change, rate, samples),
        "spectrum_off_db": float(torch.stack([of_stem(change, stem) for stem in stems]).mean()),
    }


def of_tone(x: Tensor, hertz: float, rate: int) -> dict:
    """Return by how many cents a tone (N,) is off, and how much softer what is beside it is, in dB."""
    middle = x[len(x) // 8 : -len(x) // 8].double()
    power = torch.fft.rfft(middle * torch.hann_window(len(middle)).double()).abs().square()
    bins = torch.arange(len(power)) * rate / len(middle)
    near = (bins - hertz).abs() < NEAR
    heard = (power * bins)[near].sum() / power[near].sum()
    beside = 10 * (power[~near].sum() / power[near].sum()).log10()
    return {"tone_off_cents": abs(float(1200 * (heard / hertz).log2())), "beside_the_tone_db": float(beside)}


def of_strokes(change: Callable, rate: int, samples: int) -> float:
    """Return by how many ms strokes come too early or too late after a change of tempo alone: the mean size."""
    x, generator = 1e-4 * torch.ones(2 * samples), torch.Generator().manual_seed(0)
    every, long = round(0.37 * rate), round(0.02 * rate)
    for at in range(every, len(x) - long, every):
        x[at : at + long] = 0.2 * torch.randn(long, generator=generator) * torch.linspace(1, 0, long)
    y = change(x[None], 0.0, STRETCH)[0].square()
    off = []
    for k in range(1, int(samples / STRETCH / every)):
        expected = round(k * every * STRETCH)
        around = y[expected - every // 2 : expected + every // 2]
        onset = int((around > 0.05 * around.max()).nonzero()[0]) - every // 2
        off.append(abs(onset) / rate * 1000)
    return sum(off) / len(off)


def of_stem(change: Callable, x: Tensor) -> Tensor:
    """Return by how many dB the spectra of a slower stem differ from those that it had at these places: the RMS."""
    y = change(x, 0.0, STRETCH).sum(0)
    window = torch.hann_window(N_FFT)
    place = torch.arange((len(y) - N_FFT) // HOP) * HOP
    after = torch.fft.rfft(y.unfold(0, N_FFT, HOP)[: len(place)] * window).abs()  # (T, F)
    centre = (place + N_FFT / 2) / STRETCH - N_FFT / 2
    index = centre.round().long().clamp(min=0)[:, None] + torch.arange(N_FFT)
    before = torch.fft.rfft(x.sum(0)[index] * window).abs()
    before = before * (after.square().sum() / before.square().sum()).sqrt()
    heard = before > before.max() * 10 ** (-AUDIBLE / 20)
    return (20 * (after / before)[heard].clamp_min(1e-6).log10()).square().mean().sqrt()
