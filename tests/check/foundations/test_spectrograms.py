"""The exercises of the lab on spectrograms: right answers pass, usual mistakes are recognised, nothing raises."""

import numpy as np
import torch
from torch.nn import functional

from sepbook.building_blocks.stft import STFT
from tests.check.tables import *  # noqa: F403


def by_loop(samples, n_fft, hop):
    """An STFT with a loop, written in another way than the check's own."""
    window, columns = torch.hann_window(n_fft), []
    frames = 1 - (-len(samples) // hop)
    padded = torch.zeros(n_fft + hop * (frames - 1))
    padded[n_fft // 2 : n_fft // 2 + len(samples)] = samples
    for t in range(frames):
        columns.append(torch.fft.rfft(padded[t * hop : t * hop + n_fft] * window))
    return torch.stack(columns, dim=1)


def stft(n_window=torch.hann_window, pad="constant", flip=False, tail=True):
    """Return an answer to exercise 2, with some of its usual mistakes."""

    def answer(samples, n_fft, hop):
        side = n_fft // 2
        x = functional.pad(samples[None], (side, side + (-len(samples) % hop if tail else 0)), mode=pad)[0]
        bins = torch.fft.rfft(x.unfold(0, n_fft, hop) * n_window(n_fft))
        return bins if flip else bins.T

    return answer


def inverse(step=None, power=2, divide=True, start=None):
    """Return an answer to exercise 3, with some of its bugs."""

    def answer(bins, n_fft, hop, length):
        window, apart = torch.hann_window(n_fft), step or hop
        pieces = torch.fft.irfft(bins.T, n_fft) * window
        total, weight = torch.zeros(2, n_fft + n_fft * len(pieces))
        for t, piece in enumerate(pieces):
            here = slice(t * apart, t * apart + n_fft)
            total[here] = total[here] + piece
            weight[here] = weight[here] + window**power
        begin = n_fft // 2 if start is None else start
        return (total / weight.clamp_min(1e-8) if divide else total)[begin : begin + length]

    return answer


def by_a_table(samples, n_fft, hop):
    """The DFT as a matrix: right, and rounded otherwise than the fast one."""
    n, f = torch.arange(n_fft), torch.arange(n_fft // 2 + 1)
    table = torch.exp(-2j * torch.pi * f[:, None] * n / n_fft)
    side = n_fft // 2
    frames = functional.pad(samples, (side, side + -len(samples) % hop)).unfold(0, n_fft, hop)
    return table @ (frames * torch.hann_window(n_fft)).T.to(table.dtype)


def by_istft(bins, n_fft, hop, length):
    return torch.istft(bins, n_fft, hop, window=torch.hann_window(n_fft), length=length)


RIGHT = [
    (1, (1025, 95)),
    (1, STFT(2048, 512)(torch.zeros(1, 1, 48000)).shape[2:]),
    (2, stft()),
    (2, by_loop),
    (3, inverse()),
    (3, by_istft),
    (4, lambda bins, other: torch.polar(bins.abs(), other.angle())),
    (4, lambda bins, other: bins.abs() * torch.exp(1j * torch.atan2(other.imag, other.real))),
    (4, lambda bins, other: np.abs(bins.numpy()) * np.exp(1j * np.angle(other.numpy()))),
    (2, by_a_table),
    (4, lambda bins, other: bins.abs() * torch.exp(1j * other.angle())),
]
WRONG = [
    (1, (1024, 95), "0 Hz is a bin"),
    (1, (1025, 94), "round up"),
    (1, (1025, 90), "Without a border"),
    (1, (95, 1025), "Frequency comes before time"),
    (2, stft(torch.ones), "the window is missing"),
    (2, stft(lambda n: torch.hann_window(n, periodic=False)), "symmetric window"),
    (2, stft(pad="reflect"), "mirrored instead of filled"),
    (2, stft(flip=True), "but should have"),
    (2, lambda x, n_fft, hop: by_loop(x, n_fft, hop).abs(), "only the magnitudes"),
    (2, lambda x, n_fft, hop: by_loop(x, n_fft, n_fft // 2), "but should have"),
    (3, inverse(step=32, power=1), "half a window apart, and the window is not squared"),
    (3, inverse(step=32), "still lie half a window apart"),
    (3, inverse(power=1), "counts it once"),
    (3, inverse(divide=False), "division by the summed windows"),
    (3, inverse(start=0), "border was not cut off"),
    (4, lambda bins, other: bins * other / other.abs(), "directions were added"),
    (4, lambda bins, other: torch.polar(other.abs(), bins.angle()), "exchanged"),
    (4, lambda bins, other: bins.abs() * other.angle(), "no complex number"),
    (4, lambda bins, other: other, "unchanged"),
    (4, lambda bins, other: bins.abs() * other / other.abs(), "the result is NaN"),
    (4, lambda bins, other: bins.abs() * other / other.abs().clamp(min=1e-9), "the length of `bins` is lost"),
    (4, lambda bins, other: torch.polar(bins.abs(), -other.angle()), "the sign of the angle"),
]


def test_shapes_that_the_hints_name_are_those_of_the_transforms():
    """Without a border 90 windows fit; with one frame per window there would be 24."""
    samples = torch.zeros(48000)
    assert len(samples.unfold(0, 2048, 512)) == 90
    assert len(samples.unfold(0, 2048, 2048)) + 1 == 24
