"""Spectrograms on the fly against spectrograms stored on disk: excerpts per second, bytes, and share of a step.

Excerpts of three seconds, four stems and their mixture, at random places; one thread. The stored files have been
written a moment before, so they are read from memory: the best case for the disk. What the transform itself costs
against plain `torch.stft`, forward and backward, is measured in `tools/bench/filterbank.py`.
"""

import tempfile
from pathlib import Path

import numpy as np
import torch

from sepbook.architectures import create
from sepbook.building_blocks.stft import STFT
from sepbook.data.corpus import songs
from sepbook.losses import spectrogram
from tools.bench._measure import compare, threads

N_FFT, HOP, FRAMES, SONGS, BATCH, PAIRS = 1024, 256, 188, 4, 8, 31


def sounds() -> list[torch.Tensor]:
    """Return stems and mixture `(S + 1, C, N)` of some songs."""
    found = [track.sources() for track in songs("train")[:SONGS]]
    return [torch.cat([stems, stems.sum(0, keepdim=True)]) for stems in found]


def transformed(samples: torch.Tensor, places: np.random.Generator, stft: STFT) -> torch.Tensor:
    start = int(places.integers(samples.shape[-1] // HOP - FRAMES)) * HOP
    return stft(samples[..., start : start + (FRAMES - 1) * HOP]).abs()  # (S + 1, C, F, T)


def read(stored: np.ndarray, places: np.random.Generator) -> torch.Tensor:
    start = int(places.integers(stored.shape[-1] - FRAMES))
    return torch.from_numpy(stored[..., start : start + FRAMES].astype(np.float32))


def excerpts(folder: Path) -> dict:
    """Interleave batches made on the fly and read from disk, stored as 32 and as 16 bits."""
    stft, clips, found = STFT(N_FFT, HOP), sounds(), {}
    for bits, kind in ((32, np.float32), (16, np.float16)):
        files = [folder / f"{bits}_{i}.npy" for i in range(len(clips))]
        for file, samples in zip(files, clips, strict=True):
            np.save(file, stft(samples).abs().numpy().astype(kind))
        stored = [np.load(file, mmap_mode="r") for file in files]
        ours, theirs = np.random.default_rng(0), np.random.default_rng(0)
        times = compare(
            lambda ours=ours: [transformed(clips[i % SONGS], ours, stft) for i in range(BATCH)],
            lambda theirs=theirs, stored=stored: [read(stored[i % SONGS], theirs) for i in range(BATCH)],
            PAIRS,
        )
        found |= {
            f"stored_{bits}_bit_megabytes": sum(file.stat().st_size for file in files) / 1e6,
            f"on_the_fly_to_read_{bits}_bit_ratio": times["ratio"],
            f"read_{bits}_bit_excerpts_per_second": BATCH / times["theirs_seconds"],
            "on_the_fly_excerpts_per_second": BATCH / times["ours_seconds"],
        }
    found["samples_16_bit_megabytes"] = sum(2 * samples.numel() for samples in clips) / 1e6
    return found


def step() -> dict:
    """Interleave one step of the small U-Net with and without its transforms."""
    torch.manual_seed(0)
    system = create("unet", "small").train()
    sources = 0.1 * torch.randn(2, 4, 1, (FRAMES - 1) * HOP)
    mixture = sources.sum(1)
    stored = {"magnitude": system.stft(mixture).abs()}
    stored["target"] = system.stft(sources.flatten(1, 2)).abs().unflatten(1, sources.shape[1:3])

    def precomputed():
        system.zero_grad()
        masks = system.masks(stored["magnitude"])
        spectrogram.l1(system.masking(stored["magnitude"], masks), stored["target"]).backward()

    def on_the_fly():
        system.zero_grad()
        system.loss(mixture, sources)["loss"].backward()

    times = compare(on_the_fly, precomputed, 15)
    return {"step_on_the_fly_to_precomputed_ratio": times["ratio"], "step_seconds": times["ours_seconds"]}


@threads(1)
def run() -> dict:
    with tempfile.TemporaryDirectory() as folder:
        found = excerpts(Path(folder)) | step()
    return found | {"frames": FRAMES, "songs": SONGS, "batch": BATCH, "pairs": PAIRS, "threads": 1}
