"""What the tests of the losses on spectrograms share: magnitudes, bins, and the losses in NumPy."""

import numpy as np
import pytest
import torch
from hypothesis import settings

from sepbook.losses import spectrogram
from sepbook.losses.spectrogram import l1, log_magnitude, mse, multi_resolution

MAGNITUDES = {"l1": l1, "mse": mse, "log": log_magnitude, "convergence": spectrogram.spectral_convergence}
EVERY = {**MAGNITUDES, "multi": multi_resolution}
on_magnitudes = pytest.mark.parametrize("loss", MAGNITUDES.values(), ids=MAGNITUDES)
every = pytest.mark.parametrize("name", EVERY)
shown = settings(max_examples=20, deadline=None)


def pair(seed, name="l1", B=2, dtype=torch.float64):
    """Estimates and sources: magnitudes `(B, S=2, C=2, F=5, T=7)`, or waveforms `(B, S=2, C=1, N=700)` for "multi"."""
    random = torch.Generator().manual_seed(seed)
    shape = (B, 2, 1, 700) if name == "multi" else (B, 2, 2, 5, 7)
    sources, noise = (torch.randn(shape, generator=random, dtype=torch.float64).to(dtype) for _ in range(2))
    estimates = sources + 0.3 * noise
    return (estimates, sources) if name == "multi" else (estimates.abs(), sources.abs())


def bins(seed, B=2, S=3, silent_mixture=False):
    """A mixture `(B, C, F, T)` and its sources `(B, S, C, F, T)`, complex; one bin of the mixture cancels exactly."""
    random = torch.Generator().manual_seed(seed)
    sources = torch.randn(B, S, 2, 5, 7, generator=random, dtype=torch.complex128)
    if silent_mixture:
        sources[0, :, 0, 1, 2] = torch.tensor([1 + 1j, -1j, -1], dtype=torch.complex128)
    return sources.sum(1), sources


def numpy_magnitudes(x, n_fft, hop):
    """Transform `(N,)` float64 without torch: |STFT| `(F, T)`, zeros around, frames at 0, hop, 2 hop, …"""
    x = np.pad(x, (n_fft // 2, n_fft // 2 + -len(x) % hop))
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    frames = [x[i : i + n_fft] * window for i in range(0, len(x) - n_fft + 1, hop)]
    return np.abs(np.fft.rfft(frames)).T


def numpy_loss(name, e, s, floor=spectrogram.FLOOR):
    """Compute a loss of one item `(S, …)` in NumPy."""
    if name == "multi":
        values = []
        for n_fft, hop in spectrogram.RESOLUTIONS:
            a, b = (np.stack([numpy_magnitudes(each[0], n_fft, hop) for each in x]) for x in (e, s))
            logs = np.mean(np.abs(np.log(a + floor) - np.log(b + floor)))
            values.append(logs + numpy_loss("convergence", a, b))
        return np.mean(values)
    if name == "log":
        return np.mean(np.abs(20 * np.log10((e + floor) / (s + floor))))
    if name == "convergence":
        ratios = [np.linalg.norm(a - b) / (np.linalg.norm(b) + floor * b.size**0.5) for a, b in zip(e, s, strict=True)]
        return np.mean(ratios)
    return np.mean(np.abs(e - s) ** (1 if name == "l1" else 2))
