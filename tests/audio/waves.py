"""Sounds for the tests of files."""

import torch

RATES = (8000, 16000, 22050, 44100, 48000, 192000)


def noise(channels, length, level=0.1):
    return level * torch.randn(channels, length, generator=torch.Generator().manual_seed(length))


def tone(rate, seconds=1.0, hertz=220.0, channels=1):
    time = torch.arange(round(rate * seconds), dtype=torch.float64) / rate
    return (0.3 * torch.sin(2 * torch.pi * hertz * time)).float().repeat(channels, 1)
