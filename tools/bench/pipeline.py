"""How many seconds of mixture does the data pipeline make per second, on one core, once the songs are decoded?"""

import time
from statistics import median

from sepbook.data.corpus import songs
from sepbook.data.mixing import Mixtures
from tools.bench._measure import threads

ROUNDS, ITEMS, SECONDS = 9, 200, 3.0


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
        "threads": 1,
        "rounds": ROUNDS,
        "limit": 200,
    }
