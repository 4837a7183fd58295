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


def inverse(step=None, power=2, divide=True, start=None, again=True):
    """Return an answer to exercise 3, with some of its bugs."""

    def answer(bins, n_fft, hop, length):
        window, apart = torch.hann_window(n_fft), step or hop
        pieces = torch.fft.irfft(bins.T, n_fft) * (window if again else 1)
        total, weight = torch.zeros(2, n_fft + n_fft * len(pieces))
        for t, piece in enumerate(pieces):
            here = slice(t * apart, t * apart + n_fft)
            total[here] = total[here] + piece
            weight[here] = weight[here] + window**power
        begin = n_fft // 2 if start is None else start
        return (total / weight.clamp_min(1e-8) if divide else total)[begin : begin + length]

    return answer


def by_torch(samples, n_fft, hop):
    samples = functional.pad(samples, (0, -len(samples) % hop))
    window = torch.hann_window(n_fft)
    return torch.stft(samples, n_fft, hop, window=window, pad_mode="constant", return_complex=True).numpy()


def by_a_table(samples, n_fft, hop):
    """The DFT as a matrix: right, and rounded otherwise than the fast one."""
    n, f = torch.arange(n_fft), torch.arange(n_fft // 2 + 1)
    table = torch.exp(-2j * torch.pi * f[:, None] * n / n_fft)
    side = n_fft // 2
    frames = functional.pad(samples, (side, side + -len(samples) % hop)).unfold(0, n_fft, hop)
    return table @ (frames * torch.hann_window(n_fft)).T.to(table.dtype)


def by_istft(bins, n_fft, hop, length):
    return torch.istft(bins, n_fft, hop, window=torch.hann_window(n_fft), length=length)


def by_numpy(bins, n_fft, hop, length):
    window = np.hanning(n_fft + 1)[:-1]  # periodic
    pieces = np.fft.irfft(bins.numpy().T, n_fft) * window
    total, weight = np.zeros((2, n_fft + hop * len(pieces)))
    for t, piece in enumerate(pieces):
        total[t * hop : t * hop + n_fft] += piece
        weight[t * hop : t * hop + n_fft] += window**2
    return (total / np.maximum(weight, 1e-8))[n_fft // 2 : n_fft // 2 + length]


def by_fold(bins, n_fft, hop, length):
    window = torch.hann_window(n_fft)[:, None]
    pieces = torch.fft.irfft(bins, n_fft, dim=0) * window
    size = (1, n_fft + hop * (pieces.shape[1] - 1))
    total, weight = (
        functional.fold(x[None], size, (1, n_fft), stride=(1, hop)).flatten()
        for x in (pieces, window.square().expand_as(pieces))
    )
    return (total / weight.clamp_min(1e-8))[n_fft // 2 : n_fft // 2 + length]


RIGHT = [
    (1, (1025, 95)),
    (1, STFT(2048, 512)(torch.zeros(1, 1, 48000)).shape[2:]),
    (1, [1025.0, 95]),
    (1, np.array([1025, 95])),
    (2, stft()),
    (2, by_loop),
    (2, lambda x, n_fft, hop: by_loop(x.double(), n_fft, hop)),
    (2, by_torch),
    (3, inverse()),
    (3, by_istft),
    (3, by_numpy),
    (3, lambda bins, n_fft, hop, length: inverse()(bins.to(torch.complex128), n_fft, hop, length)),
    (3, lambda bins, n_fft, hop, length: by_fold(bins, n_fft, hop, length)),
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
    (1, (2048, 95), "the others mirror them"),
    (1, (1025, 24), "one frame for each window"),
    (1, (1025, 93), "Round up, not down"),
    (1, (257, 95), "the hop is not the window"),
    (1, (1025, 32), "That is one second"),
    (1, (1, 1025, 95), "There are 3 sizes, but 2 axes"),
    (2, stft(torch.ones), "the window is missing"),
    (2, stft(lambda n: torch.hann_window(n, periodic=False)), "symmetric window"),
    (2, stft(pad="reflect"), "mirrored instead of filled"),
    (2, stft(flip=True), "but should have"),
    (2, lambda x, n_fft, hop: by_loop(x, n_fft, hop).abs(), "only the magnitudes"),
    (2, lambda x, n_fft, hop: by_loop(x, n_fft, n_fft // 2), "but should have"),
    (2, stft(lambda n: torch.hann_window(n).square()), "applied twice"),
    (2, stft(torch.hamming_window), "Hamming window"),
    (2, lambda x, n_fft, hop: stft()(x, n_fft, hop).conj(), "complex conjugate"),
    (2, lambda x, n_fft, hop: stft()(x, n_fft, hop) / n_fft, "divided by n_fft"),
    (2, lambda x, n_fft, hop: stft()(x, n_fft, hop).abs().square(), "these are the powers"),
    (
        2,
        lambda x, n_fft, hop: stft()(functional.pad(x, (n_fft // 2, 0)), n_fft, hop)[:, : 1 - (-len(x) // hop)],
        "half a window late",
    ),
    (2, lambda x, n_fft, hop: stft()(x, n_fft, hop).real, "only the real parts"),
    (2, lambda x, n_fft, hop: stft()(x, n_fft, hop).flip(0), "The order along F (frequency bin) is reversed"),
    (3, inverse(power=0), "number of pieces that overlap"),
    (3, inverse(power=4), "more often than needed"),
    (3, lambda *given: -inverse()(*given), "The sign is the other way round"),
    (3, inverse(again=False), "without the window"),
    (3, lambda bins, n_fft, hop, length: inverse()(bins.abs() + 0j, n_fft, hop, length), "phases were not used"),
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
