"""The same mixtures by Scaper and by `data/mixing`: same songs, places, gains, rate and duration; pairs, one thread.

Scaper opens its files for every mixture. `data/mixing` is measured twice: with decoded stems in memory, as it is used,
and opening its files each time as well. First pitch and tempo are off in both; then they are on in both, with
`data/varying` on top of `data/mixing`. What they cost Scaper is measured too, and what a tone, strokes and stems sound
like after a change by each.
"""

import tempfile
import warnings
from pathlib import Path

import torch

from sepbook import audio, compat
from sepbook.data import jams, scaper
from sepbook.data.corpus import songs
from sepbook.data.folder import StemFolder
from sepbook.data.mixing import Mixtures
from sepbook.data.varying import Varied, changed
from tools.bench._changes import measured
from tools.bench._measure import PAIRS, compare, threads

SECONDS, SONGS, REFERENCE, ITEMS = 3.0, 6, -25.0, 4
CHANGES = {"plain": {}, "pitch": {"pitch_shift": 2.0}, "tempo": {"time_stretch": 1.1}}
CHANGES["both"] = CHANGES["pitch"] | CHANGES["tempo"]


def arranged(folder: Path) -> tuple[Path, Path]:
    """Write some songs as a folder of stems and as one of labels, both .wav."""
    tracks = [track for track in songs("train") if all(stem.any() for stem in track.sources())][:SONGS]
    for track in tracks:
        for name, samples in zip(track.stem_names, track.sources(), strict=True):
            audio.save(folder / "stems" / "train" / track.name / f"{name}.wav", samples, track.sample_rate)
    return folder / "stems", scaper.lay_out(tracks, folder / "labels")


def events_of(data: Mixtures, labels: Path, index: int, changes: dict) -> list[jams.Event]:
    """Return an item of `data` as events: the gains as SNRs, measured beforehand."""
    library, found = compat.scaper(), []
    for name, (number, start), gain in zip(data.source_names, *data.draw(index), strict=True):
        track, place = data.tracks[number], (start + 0.25) / data.sample_rate  # not to be rounded down
        piece = track.sources([name], start, data.samples)[0].double().numpy().T
        own = library.audio.get_integrated_lufs(piece, data.sample_rate) - REFERENCE
        snr = own + 20 * float(torch.tensor(gain).log10())
        path = labels / name / f"{track.name}.wav"
        found.append(jams.Event(name, "foreground", 0.0, SECONDS, path, place, SECONDS, snr, **changes))
    return found


def by_scaper(events: list[jams.Event], labels: Path, rate: int, quick: bool = False) -> torch.Tensor:
    """Return the sources (S, C, N) of events."""
    maker = compat.scaper().Scaper(SECONDS, str(labels), str(labels), random_state=0)
    maker.sr, maker.ref_db, maker.fade_in_len, maker.fade_out_len = rate, REFERENCE, 0, 0
    for e in events:
        values = (e.source_time, e.start, e.source_seconds, e.snr, e.pitch_shift, e.time_stretch)
        values = [None if value is None else ("const", value) for value in values]
        maker.add_event(("const", e.label), ("const", str(e.source_file)), *values)
    parts = maker.generate(quick_pitch_time=quick, disable_instantiation_warnings=True)[3]
    return torch.stack([jams.samples(part) for part in parts])


def sounds(tracks, folder: Path, rate: int) -> dict:
    """Return what changes of pitch and tempo do to sound, by Scaper and by `data/varying`."""
    N = round(SECONDS * rate)
    stems = [stem for track in tracks for stem in track.sources(None, 5 * rate, 2 * N) if stem.any()]

    def theirs(x, semitones, stretch):
        path = audio.save(folder / "x" / "x.wav", x, rate)
        changes = {"pitch_shift": semitones or None, "time_stretch": stretch}
        event = jams.Event("x", "foreground", 0.0, SECONDS, path, 0.0, SECONDS / stretch, 0.0, **changes)
        return by_scaper([event], folder, rate)[0]

    def ours(x, semitones, stretch):
        return changed(x, semitones, stretch, rate, N)

    return {
        f"{who}_{name}": value
        for who, change in {"scaper": theirs, "varying": ours}.items()
        for name, value in measured(change, stems, rate, N).items()
    }


@threads(1)
def run() -> dict:
    warnings.filterwarnings("ignore", module="scaper")
    with tempfile.TemporaryDirectory() as folder:
        stems, labels = arranged(Path(folder))
        data = Mixtures(StemFolder(stems, "train"), SECONDS, flip=False)
        opening = Mixtures(StemFolder(stems, "train", cache=False), SECONDS, flip=False)
        planned = {kind: [events_of(data, labels, i, c) for i in range(ITEMS)] for kind, c in CHANGES.items()}

        def scapes(kind, quick=False):
            return [by_scaper(events, labels, data.sample_rate, quick) for events in planned[kind]]

        same = max(float((data[i]["sources"] - x).abs().max()) for i, x in enumerate(scapes("plain")))
        assert same < 1e-5, f"the two make different mixtures: {same}"
        found = {"largest_difference": same, **sounds(data.tracks, Path(folder), data.sample_rate)}
        changes = {name: (value, value) for name, value in CHANGES["both"].items()}
        rivals = {"memory": ("plain", data), "files": ("plain", opening)}
        rivals |= {f"{name}_both": ("both", Varied(items, **changes)) for name, (_, items) in rivals.items()}
        for name, (kind, items) in rivals.items():
            times = compare(lambda k=kind: scapes(k), lambda items=items: [items[i] for i in range(ITEMS)])
            found |= {f"scaper_over_mixing_from_{name}": times["ratio"]}
            found |= {f"mixing_from_{name}_seconds_per_item": times["theirs_seconds"] / ITEMS}
            found |= {f"scaper_{kind}_seconds_per_item": times["ours_seconds"] / ITEMS}
        for kind in ("pitch", "tempo", "both"):
            found[f"{kind}_over_plain"] = compare(lambda k=kind: scapes(k), lambda: scapes("plain"))["ratio"]
        found["quick_over_plain"] = compare(lambda: scapes("both", quick=True), lambda: scapes("plain"))["ratio"]
    return found | {"seconds": SECONDS, "items": ITEMS, "pairs": PAIRS, "threads": 1, "limit": 10}
