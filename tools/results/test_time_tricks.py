"""What do an overlap and averaged shifts gain at test time? Shipped systems on the test songs, in short chunks.

Nothing is trained. Each way is compared with plain chunks, song by song; there is one set of weights of each system, so
the intervals are over songs (their singers) alone. Writes results/evaluation/test_time_tricks.json.
"""

import json

import torch

from sepbook.data.corpus import songs
from sepbook.evaluation.metrics import si_sdr_improvement
from sepbook.evaluation.separation import separate
from sepbook.training import checkpoint
from tools.results._common import clocks, paired, singers, write

CHUNK, SHIFTS = 5.0, 4  # seconds of a chunk, so that a song of the corpus has joins; runs whose mean is taken
WAYS = {
    "plain": {"overlap": 0.0},
    "overlap": {"overlap": 0.25},
    "triangle": {"overlap": 0.25, "fade": "triangle"},
    "shifts": {"overlap": 0.0, "shifts": SHIFTS},
}


def run() -> None:
    tracks, voices = songs("test"), singers()
    content = {"chunk_seconds": CHUNK, "shifts": SHIFTS, "voices": voices}
    with clocks() as time:
        for system in (checkpoint.shipped("unet"), checkpoint.shipped("demucs")):
            content[system.name] = measured(system, tracks, voices)
    write("evaluation/test_time_tricks", {**content, **time})


def measured(system, tracks, voices) -> dict:
    """Score a system in each way: a gain for each song, and what each way has over plain chunks."""
    gains = {way: [gain(system, track, **options) for track in tracks] for way, options in WAYS.items()}
    found = {"weights": weights(system.name), "gains": gains}
    for way in list(WAYS)[1:]:
        found[f"{way}_over_plain"] = paired([gains[way]], [gains["plain"]], voices)
        print(f"{system.name} {way}: {found[f'{way}_over_plain']}", flush=True)
    return found


def gain(system, track, **options) -> float | None:
    """Return the improvement of a song in dB, the mean over its sources; silent ones are left out."""
    sources, mixture = track.sources(system.source_names), track.mixture()  # (S, C, N), (C, N)
    estimates = separate(system, mixture, track.sample_rate, CHUNK, **options)
    gained = si_sdr_improvement(estimates, sources, mixture)  # (S,)
    return None if gained.isnan().all() else torch.nanmean(gained).item()


def weights(name: str) -> str:
    """Return the hash of a system's shipped weights: other weights, other gains."""
    rows = json.loads((checkpoint.WEIGHTS / "manifest.json").read_text(encoding="utf-8"))["weights"]
    return next(row["sha256"] for row in rows if (row.get("system"), row.get("preset")) == (name, "small"))[:12]
