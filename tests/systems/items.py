"""Items for any system, made in place."""

import math

import torch


class Synthetic:
    """Endless items for any system: each source is a tone with noise in a band of its own."""

    endless = True

    def __init__(self, system, items=16, samples=8000, seed=0):
        self.source_names, self.sample_rate, self.channels = system.source_names, system.sample_rate, system.channels
        self.items, self.samples, self.seed = items, samples, seed

    def __len__(self):
        return self.items

    def __getitem__(self, i):
        generator = torch.Generator().manual_seed(self.seed * 10_000 + i)
        time = torch.arange(self.samples) / self.sample_rate
        sources = []
        for s in range(len(self.source_names)):
            frequency = 200 * 2**s * (1 + 0.2 * torch.rand(1, generator=generator))
            tone = torch.sin(2 * math.pi * frequency * time + 6 * torch.rand(1, generator=generator))
            noise = torch.randn(self.channels, self.samples, generator=generator)
            sources.append(0.2 * tone + 0.01 * noise)
        sources = torch.stack(sources)  # (S, C, N)
        frames = self.samples * 100 // self.sample_rate
        activity = (torch.rand(frames, generator=generator) > 0.3).float()
        f0 = torch.full((frames,), 200.0)
        return {"mixture": sources.sum(0), "sources": sources, "vocal_activity": activity, "f0": f0}


def batch(system, B=2, samples=8000, seed=0):
    """One collated batch for a system."""
    return torch.utils.data.default_collate([Synthetic(system, samples=samples, seed=seed)[i] for i in range(B)])
