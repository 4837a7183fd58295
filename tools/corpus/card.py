"""The data card: everything that is known about the corpus in numbers, measured on the files that ship."""

import json
from pathlib import Path

import numpy as np
import soundfile

from tools.corpus import baselines
from tools.corpus.baselines import STEMS
from tools.corpus.mastering import active_level
from tools.corpus.writing import write_json

SPLITS = ("train", "valid", "test")
BANDS = (63, 125, 250, 500, 1000, 2000, 4000)  # centres of octaves, Hz


def load(folder):
    """Stems {name: (N,) float64} of a song."""
    return {name: soundfile.read(folder / f"{name}.ogg", dtype="float64")[0] for name in STEMS}


def write_card(root):
    """Measure the corpus under ``root`` and write card.json."""
    root = Path(root)
    songs = {split: {p.name: load(p) for p in sorted((root / "songs" / split).iterdir())} for split in SPLITS}
    scores = {
        split: {name: read(root / "songs" / split / name / "score.json") for name in songs[split]} for split in SPLITS
    }
    card = {
        "name": "sepbook built-in corpus",
        "sample_rate": 16000,
        "channels": 1,
        "sources": list(STEMS),
        "size_mb": round(sum(p.stat().st_size for p in root.rglob("*") if p.is_file()) / 1e6, 2),
        "splits": {split: describe_split(songs[split], scores[split]) for split in SPLITS},
        "talkers": describe_talkers(root),
        "levels_db": over_songs(songs, lambda x: active_level(x)),
        "spectra_db": {name: octaves([s[name] for s in songs["train"].values()]) for name in STEMS},
        "peak_of_sum": round(
            max(float(np.abs(sum(s.values())).max()) for part in songs.values() for s in part.values()), 3
        ),
        "largest_offset": max(
            float(abs(x.mean())) for part in songs.values() for s in part.values() for x in s.values()
        ),
        "baselines": measure_baselines(songs),
    }
    write_json(root / "card.json", card)
    for name, row in card["baselines"].items():
        print(f"{name:45s}", {key: round(value, 2) for key, value in row.items()})
    print(
        f"{card['size_mb']} MB; vocals silent in",
        card["splits"]["train"]["vocals_silent_seconds"],
        "of seconds (train)",
    )


def read(path):
    """A JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def over_songs(songs, measure):
    """Mean and spread of a measure per stem over all songs."""
    table = {}
    for name in STEMS:
        values = [measure(s[name]) for part in songs.values() for s in part.values()]
        table[name] = {"mean": round(float(np.mean(values)), 2), "deviation": round(float(np.std(values)), 2)}
    return table


def silent_seconds(samples, threshold_db=-40.0):
    """Fraction of whole seconds whose level lies ``threshold_db`` below the active level, or lower."""
    seconds = samples[: len(samples) // 16000 * 16000].reshape(-1, 16000)
    power = 10 * np.log10((seconds**2).mean(axis=1) + 1e-12)
    return float((power < active_level(samples) + threshold_db).mean())


def describe_split(songs, scores):
    """Counts, seconds and variety of the songs of a split."""
    silent = {name: round(silent_seconds(s["vocals"]), 3) for name, s in songs.items()}
    quiet = [1 - np.mean(score["vocal_activity"]) for score in scores.values()]
    programs = {tuple(p) for score in scores.values() for stem in ("bass", "other") for p in score["programs"][stem]}
    return {
        "songs": len(songs),
        "seconds": round(sum(len(s["vocals"]) for s in songs.values()) / 16000, 3),
        "vocals_silent_seconds": round(float(np.mean(list(silent.values()))), 3),
        "vocals_silent_seconds_range": [min(silent.values()), max(silent.values())],
        "vocals_inactive_frames": round(float(np.mean(quiet)), 3),
        "vocals_inactive_frames_range": [round(min(quiet), 3), round(max(quiet), 3)],
        "tempi": [min(s["tempo"] for s in scores.values()), max(s["tempo"] for s in scores.values())],
        "keys": len({(s["key"], s["mode"]) for s in scores.values()}),
        "modes": sorted({s["mode"] for s in scores.values()}),
        "styles": sorted({s["style"] for s in scores.values()}),
        "drum_kits": sorted({s["instruments"]["drums"][0] for s in scores.values()}),
        "programs": len(programs),
        "singers": sorted({s["singer"] for s in scores.values()}),
        "voices": sorted({s["voice"] for s in scores.values()}),
        "notes": sum(len(rows) for s in scores.values() for rows in s["notes"].values()),
    }


def describe_talkers(root):
    """Counts, seconds and voices of the talkers of each split."""
    rows, table = read(root / "talkers" / "talkers.json"), {}
    for split in SPLITS:
        part = [row for row in rows if row["split"] == split]
        lengths = [soundfile.info(root / row["path"]).frames / 16000 for row in part]
        table[split] = {
            "identities": len({row["name"] for row in part}),
            "utterances": len(part),
            "seconds": round(sum(lengths), 1),
            "shortest": round(min(lengths), 2),
            "longest": round(max(lengths), 2),
            "voices": sorted({row["voice"] for row in part}),
        }
    return table


def octaves(signals):
    """Mean level in dB of octave bands."""
    power = np.mean([(np.abs(baselines.spectrogram(x)) ** 2).mean(axis=1) for x in signals], axis=0)
    frequencies = np.fft.rfftfreq(1024, 1 / 16000)
    table = {}
    for centre in BANDS:
        band = power[(frequencies >= centre / 2**0.5) & (frequencies < centre * 2**0.5)]
        table[str(centre)] = round(float(10 * np.log10(band.sum() + 1e-12)), 1)
    return table


def measure_baselines(songs):
    """Mean SI-SDR improvement in dB of each baseline, per stem and in the mean, on test and on training songs."""
    plain, split = baselines.fit(songs["train"].values())
    methods = {
        "static_equaliser": lambda sources, mixture: baselines.equaliser(plain),
        "harmonic_percussive_and_equaliser": lambda sources, mixture: baselines.split_then_equaliser(plain, mixture),
        "harmonic_percussive_two_equalisers": lambda sources, mixture: baselines.two_equalisers(split, mixture),
        "ideal_ratio_mask": lambda sources, mixture: baselines.ideal_masks(sources),
        "ideal_binary_mask": lambda sources, mixture: baselines.ideal_masks(sources, binary=True),
    }
    table = {}
    for name, masks in methods.items():
        for part in ("test", "train"):
            rows = []
            for sources in songs[part].values():
                mixture = sum(sources.values())
                rows.append(baselines.improvements(masks(sources, mixture), mixture, sources))
            means = {stem: round(float(np.mean([row[stem] for row in rows])), 2) for stem in STEMS}
            table[f"{name}_{part}"] = means | {"mean": round(float(np.mean(list(means.values()))), 2)}
    return table
