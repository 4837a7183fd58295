"""How much more data helps: more songs, more mixtures of the same songs, and changes of pitch and tempo besides.

`SmallSystem`, four stems, equal steps, five seeds. Four ways to draw items from few, some and all training songs:
excerpts as they are; `data/mixing` (incoherent, gains, signs); soundscapes by Scaper without, and with changes of pitch
and tempo. How far these go is chosen on the validation songs. Each seed has weights, items, soundscapes (SCAPES of
them) and a choice of training songs of its own: its few songs are among its some. Scores are those of the test songs,
paired by seed and song. Writes results/data/more_data.json; each run is kept, so that what was interrupted goes on
where it was.
"""

import tempfile
from pathlib import Path

import torch
from torch import nn

from sepbook.data import scaper
from sepbook.data.corpus import SOURCES
from sepbook.data.folder import StemFolder
from sepbook.data.mixing import Mixtures
from sepbook.evaluation.metrics import evaluate
from tools.results import _common, _edition, _queue
from tools.results._common import clocks, mean_score, paired, singers, write
from tools.results._small_runs import Held, SmallSystem, batch_of, cosine, held

STEPS, BATCH, SECONDS, RATE = 500, 8, 1.0, 2e-3
SEEDS, SIZES = (0, 1, 2, 3, 4), (3, 6, 12, 26)  # songs
SCAPES, SCAPE_SECONDS = 150, 3.0
TRIED = (1.0, 3.0)  # semitones up and down; the tempo changes by as much as that would change a record's
MIXED = {"incoherent": 0.5, "snr": ("uniform", -5, 5), "levels": "own", "seconds": SCAPE_SECONDS}
AS_IT_IS = {"incoherent": 0.0, "gain_db": (0.0, 0.0), "flip": False}
WAYS = ("as it is", "mixing", "scaper", "pitch and tempo")


def complete(split: str) -> list[Held]:
    """Return the songs that have all stems: what Scaper can draw a coherent item from."""
    return [song for song in held(split) if song.data.flatten(1).any(1).all()]


def some(songs: list[Held], count: int, seed: int) -> list[Held]:
    """Return a seed's choice of so many songs; with more of them it keeps those that it had."""
    order = torch.randperm(len(songs), generator=torch.Generator().manual_seed(seed))
    return [songs[i] for i in order[:count].tolist()]


def plan_of(semitones: float) -> scaper.Plan:
    """Return a plan with changes of pitch and tempo of at most so many semitones; none for 0."""
    if not semitones:
        return scaper.Plan(**MIXED)
    factor = 2 ** (semitones / 12)
    tempo = ("uniform", 1 / factor, factor)
    return scaper.Plan(**MIXED, pitch_shift=("uniform", -semitones, semitones), time_stretch=tempo)


def items(way: str, songs: list[Held], seed: int, semitones: float, folder: Path) -> Mixtures:
    """Return what a run trains on."""
    if way == "as it is":
        return Mixtures(songs, SECONDS, seed=seed, **AS_IT_IS)
    if way == "mixing":
        return Mixtures(songs, SECONDS, seed=seed)
    foreground = scaper.lay_out(songs, folder / "foreground", SOURCES)
    plan = plan_of(semitones if way == "pitch and tempo" else 0)
    made = scaper.generate(foreground, folder / "made", count=SCAPES, plan=plan, seed=seed, progress=False)
    return Mixtures([Held(track) for track in StemFolder(made, "train")], SECONDS, seed=seed, **AS_IT_IS)


def trained(way: str, songs: list[Held], seed: int, semitones: float = 0.0) -> SmallSystem:
    """Train a network of this seed."""
    torch.manual_seed(seed)
    system = SmallSystem()
    optimizer = torch.optim.Adam(system.parameters(), RATE)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, cosine(STEPS))
    with tempfile.TemporaryDirectory() as folder:
        data = items(way, songs, seed, semitones, Path(folder))
    for step in range(STEPS):
        loss = system.loss(**batch_of(data, step, BATCH))["loss"]
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(system.parameters(), 5.0)
        optimizer.step()
        schedule.step()
    return system.eval()


def once(arm: str, seed: int, work) -> list[float]:
    """Return the scores of a run, those of before where it is done; a trial keeps nothing."""
    if _common.RESULTS != _edition.ROOT / "results":
        return work()
    job = _queue.Job("more_data_" + arm.replace(" ", "_"), _edition.of_module("tools.results.more_data"), seed=seed)
    return _queue.do(job, lambda folder: {"scores": work()})["scores"]


def scored(way: str, songs: list[Held], size: int, tracks: list[Held], semitones: float, arm: str) -> list[list[float]]:
    """Return the improvements (seed, song) on tracks of a way to draw items from so many songs."""

    def work(seed):
        system = trained(way, some(songs, size, seed), seed, semitones)
        values = evaluate(system, tracks, progress=False).values()
        return [None if value != value else value for value in values]

    rows = [once(arm, seed, lambda seed=seed: work(seed)) for seed in SEEDS]
    print(f"{arm}: {mean_score(rows):.2f} dB", flush=True)
    return rows


def chosen(songs: list[Held]) -> dict:
    """Choose the changes of pitch and tempo by the validation songs, with some songs to learn from."""
    valid = held("valid")
    tried = {s: mean_score(scored("pitch and tempo", songs, SIZES[1], valid, s, f"choice {s}")) for s in TRIED}
    return {"semitones": max(tried, key=tried.get), "valid": {str(s): score for s, score in tried.items()}}


def run() -> None:
    songs, test = complete("train"), held("test")
    content = {"steps": STEPS, "batch": BATCH, "seconds": SECONDS, "seeds": list(SEEDS), "scapes": SCAPES}
    content |= {"voices": singers(), "sizes": [min(size, len(songs)) for size in SIZES], "ways": {}, "against": {}}
    with clocks() as spent:
        content["choice"] = chosen(songs)
        for way in WAYS:
            far = content["choice"]["semitones"]
            rows = {size: scored(way, songs, size, test, far, f"{way} {size}") for size in SIZES}
            content["ways"][way] = {
                "improvement_db": [mean_score(each) for each in rows.values()],
                "scores": list(rows.values()),
            }
        plain = content["ways"]["as it is"]["scores"]
        for way in WAYS[1:]:
            ours = content["ways"][way]["scores"]
            content["against"][way] = [paired(a, b, singers()) for a, b in zip(ours, plain, strict=True)]
        content["more_songs"] = {
            way: paired(found["scores"][-1], found["scores"][0], singers()) for way, found in content["ways"].items()
        }
    write("data/more_data", {**content, **spent})


if __name__ == "__main__":
    run()
