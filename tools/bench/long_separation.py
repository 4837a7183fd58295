"""Does an hour of sound take more memory than six minutes? The whole command line, with the small U-Net."""

import tempfile
from pathlib import Path

import torch

from sepbook import audio
from sepbook.data.corpus import songs
from tools.bench._measure import child
from tools.bench.separation import CODE

MINUTES = (6, 60)


def write_song(path: Path, minutes: int) -> None:
    """Write a stereo song at 44.1 kHz, minute by minute: the test songs, again and again."""
    mixtures = torch.cat([track.mixture() for track in songs("test")], dim=1)[:, : 60 * 16000]  # (1, N)
    minute = audio.remix(audio.resample(mixtures, 16000, 44100), 2) * 0.7  # (C, N)
    with audio.Writer(path, 44100, 2) as song:
        for _ in range(minutes):
            song.write(minute)


def run() -> dict:
    found = {"threads": 2}
    for minutes in MINUTES:
        with tempfile.TemporaryDirectory() as folder:
            song = Path(folder) / "song.flac"
            write_song(song, minutes)
            words = ["separate", str(song), "--system", "unet", "--format", "flac", "-q", "-o", f"{folder}/stems"]
            used = child(CODE, 2, *words)
        found |= {f"minutes_{minutes}_{key}": value for key, value in used.items()}
    return {**found, "limit_mb": 1500}
