"""How many seconds of mixture does the data pipeline make per second, on one core, once the songs are decoded?

And against what cannot be done without: a warm item against copying its samples from where they lie, a cold one against
decoding its files. Pairs in turn, processor time.
"""

import time
from statistics import median

import torch

from sepbook import audio
from sepbook.data.corpus import songs
from sepbook.data.mixing import Mixtures
from tools.bench._measure import threads

ROUNDS, ITEMS, SECONDS = 9, 200, 3.0


def ratio(one, other, pairs: int) -> float:
    """Return the median of the times of `one` over those of `other`, each called with the number of its pair."""

    def seconds(function, k):
        start = time.process_time()
        function(k)
        return time.process_time() - start

    return median(seconds(one, k) / seconds(other, k) for k in range(pairs))


def against_copying(data) -> float:
    """Return the cost of a hundred warm items over that of copying their samples, each from its own place."""
    S, C, N = data[0]["sources"].shape
    decoded = [[track.sources([name])[0] for name in data.source_names] for track in data.tracks]

    def copies(k):
        for i in range(100 * k, 100 * k + 100):
            places, _ = data.draw(i)
            out = torch.empty(S, C, N)
            for stem, s, (track, start) in zip(out, range(S), places, strict=True):
                stem.copy_(decoded[track][s][:, start : start + N])

    return ratio(lambda k: [data[i] for i in range(100 * k, 100 * k + 100)], copies, ROUNDS)


def against_decoding() -> float:
    """Return the cost of an item whose song nobody has read yet over that of decoding the song's files."""

    def cold(k):
        Mixtures([songs("train")[k]], SECONDS, incoherent=0.0)[0]

    def decode(k):
        for path in songs("train")[k].paths.values():
            audio.load(path)

    return ratio(cold, decode, ROUNDS)


@threads(1)
def run() -> dict:
    data = Mixtures(songs("train"), seconds=SECONDS, length=ITEMS)
    start = time.perf_counter()
    for i in range(300):
        data[i]  # decodes every stem once
    decoding = time.perf_counter() - start
    wall, cpu = [], []
    for turn in range(ROUNDS):
        w, c = time.perf_counter(), time.process_time()
        for i in range(ITEMS):
            data[turn * ITEMS + i]
        wall.append(ITEMS * SECONDS / (time.perf_counter() - w))
        cpu.append(ITEMS * SECONDS / (time.process_time() - c))
    return {
        "seconds_per_second": median(wall),
        "seconds_per_cpu_second": median(cpu),
        "first_pass_seconds": decoding,
        "warm_item_over_copying": against_copying(data),
        "cold_item_over_decoding": against_decoding(),
        "threads": 1,
        "rounds": ROUNDS,
        "limit": 200,
    }
