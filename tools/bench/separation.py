"""How long, and with how much memory, does the command line separate a three-minute song?"""

import tempfile
from pathlib import Path

import torch

from sepbook import audio
from sepbook.data.corpus import songs
from tools.bench._measure import child, medians

MINUTES, RUNS = 3, 3
CODE = "import sys; from sepbook.cli import main; sys.argv = ['sepbook', *sys.argv[1:]]; main()"


def three_minutes(path: Path) -> None:
    """Write a stereo song at 44.1 kHz: the test songs end to end."""
    mixtures = [track.mixture() for track in songs("test")]  # (1, N) each
    whole = torch.cat(mixtures * 2, dim=1)[:, : MINUTES * 60 * 16000]
    audio.save(path, audio.remix(audio.resample(whole, 16000, 44100), 2) * 0.7, 44100)


def run() -> dict:
    with tempfile.TemporaryDirectory() as folder:
        song = Path(folder) / "song.wav"
        three_minutes(song)
        runs = []
        for turn in range(RUNS):
            out = Path(folder) / f"stems_{turn}"
            runs.append(child(CODE, 2, "separate", str(song), "--system", "unet", "-o", str(out)))
    return {"minutes": MINUTES, "runs": RUNS, "threads": 2, **medians(runs), "limit_seconds": 20, "limit_mb": 1500}
