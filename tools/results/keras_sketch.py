"""Fine-tune the shipped U-Net on a few songs that sound otherwise: the last layer, all layers, or from scratch.

The songs are the four validation songs, played more slowly, in a room, through an old tape, with another balance: the
first half of each is to learn from, the second half to measure on. What the network could do before is measured on
the test songs, as they are and with the same sound. Writes results/architectures/keras_sketch.json.
"""

import copy

import torch
from torch import nn

from sepbook import audio
from sepbook.architectures import create
from sepbook.data.corpus import SAMPLE_RATE, SOURCES, songs
from sepbook.data.mixing import Mixtures
from sepbook.evaluation.metrics import evaluate
from sepbook.training import checkpoint
from tools.results._common import clocks, mean_score, singers, write
from tools.results._small_runs import Held, batch_of

STEPS, BATCH, SECONDS = 100, 4, 2.0
SEEDS = (0, 1, 2, 3, 4)
RATES = {"last_layer": 3e-3, "drifting": 3e-3, "all_layers": 1e-3, "from_scratch": 3e-3}


def rerecord(stems, rate):
    """Let stems (S, C, N) sound otherwise: slower and lower, in a room, on tape."""
    stems = audio.resample(stems, 2, 3)  # slower, and seven semitones lower
    N = stems.shape[-1]
    time = torch.arange(round(0.4 * rate)) / rate
    noise = torch.randn(len(time), generator=torch.Generator().manual_seed(7))
    echo = noise * torch.exp(-time / 0.06)
    room = 0.7 * echo / echo.norm()
    room[0] += 1  # what arrives without a detour
    frequency = torch.fft.rfftfreq(2 * N, 1 / rate)
    tape = 1 / (1 + (frequency / 2500) ** 4)  # little is left above 4 kHz
    filtered = torch.fft.rfft(stems, 2 * N) * torch.fft.rfft(room, 2 * N) * tape
    gains = 10 ** (torch.tensor([-4.0, 3.0, 0.0, -2.0]) / 20)  # vocals, drums, bass, other
    return gains[:, None, None] * torch.fft.irfft(filtered, 2 * N)[..., :N]


def rerecorded(split, part=None):
    """Return the re-recorded songs of a split, or the first or second half of each."""
    found = []
    for song in songs(split):
        stems = rerecord(song.sources(SOURCES), SAMPLE_RATE)
        half = stems.shape[-1] // 2
        places = {None: slice(None), "first": slice(half), "second": slice(half, None)}[part]
        found.append(Held(song, stems[..., places]))
    return found


def freeze_all_but_last(system):
    """Let only the last transposed convolution learn."""
    system.requires_grad_(False)
    system.network.decoder[-1].requires_grad_(True)


def fine_tune(system, data, steps, rate, statistics=True):
    """Train what requires a gradient; `statistics` lets batch norm go on averaging."""
    system.train(statistics)
    weights = [p for p in system.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(weights, rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for step in range(steps):
        loss = system.loss(**batch_of(data, step, BATCH))["loss"]
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(weights, 5.0)
        optimizer.step()
        schedule.step()
    return system.eval()


def prepare(way, seed, shipped):
    torch.manual_seed(seed)
    if way == "from_scratch":
        return create("unet", "small"), True
    system = copy.deepcopy(shipped)
    if way in ("last_layer", "drifting"):
        freeze_all_but_last(system)
    return system, way != "last_layer"


def measure(system, sets):
    """Return the improvement of each song of each set."""
    return {name: evaluate(system, tracks, progress=False).values() for name, tracks in sets.items()}


def run() -> None:
    learn = rerecorded("valid", "first")
    sets = {"own": rerecorded("valid", "second"), "others": rerecorded("test"), "before": songs("test")}
    shipped = checkpoint.shipped("unet")
    content = {"steps": STEPS, "batch": BATCH, "seconds": SECONDS, "rates": RATES, "seeds": list(SEEDS)}
    content["minutes"] = sum(track.seconds for track in learn) / 60
    before = measure(shipped, sets)
    content["shipped"] = {name: mean_score([scores]) for name, scores in before.items()}
    content["before"] = before  # what each song had
    content["voices"] = {"own": singers("valid"), "others": singers(), "before": singers()}
    print("shipped", content["shipped"], flush=True)
    for way, rate in RATES.items():
        rows, spent = [], []
        for seed in SEEDS:
            data = Mixtures(learn, SECONDS, STEPS * BATCH, incoherent=0.5, gain_db=(-3.0, 3.0), seed=seed)
            system, statistics = prepare(way, seed, shipped)
            learning = sum(p.numel() for p in system.parameters() if p.requires_grad)
            with clocks() as time:
                fine_tune(system, data, STEPS, rate, statistics)
            rows.append(measure(system, sets))
            spent.append(time["cpu_seconds"])
            print(way, seed, rows[-1], time, flush=True)
        content[way] = {"parameters": learning, "cpu_seconds": sum(spent)}
        for name in sets:
            scores = [row[name] for row in rows]  # (seed, song)
            mean = mean_score(scores)
            content[way][name] = {"mean": mean, "change": mean - content["shipped"][name], "scores": scores}
    write("architectures/keras_sketch", content)
