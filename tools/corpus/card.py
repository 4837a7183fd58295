"""The data card: everything that is known about the corpus in numbers, measured on the files that ship."""

import json
from pathlib import Path

import numpy as np
import soundfile

from tools.corpus import baselines, measure
from tools.corpus.baselines import STEMS, sounds
from tools.corpus.mastering import active_level
from tools.corpus.speakers import MORE, SPEAKERS
from tools.corpus.writing import write_json

SPLITS = ("train", "valid", "test")
FIRST = Path(__file__).parent / "first_edition.json"  # the same figures of the edition before this one
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
        "edition": 2 if (root / "noise").is_dir() else 1,
        "sample_rate": 16000,
        "channels": 1,
        "sources": list(STEMS),
        "size_mb": round(sum(p.stat().st_size for p in root.rglob("*") if p.is_file()) / 1e6, 2),
        "splits": {split: describe_split(songs[split], scores[split]) for split in SPLITS},
        "talkers": describe_talkers(root),
        "voices": describe_voices(root, scores),
        "noise": describe_noise(root),
        "levels_db": over_songs(songs, lambda x: active_level(x)),
        "spectra_db": {name: octaves([s[name] for s in songs["train"].values()]) for name in STEMS},
        "peak_of_sum": round(
            max(float(np.abs(sum(s.values())).max()) for part in songs.values() for s in part.values()), 3
        ),
        "largest_offset": max(
            float(abs(x.mean())) for part in songs.values() for s in part.values() for x in s.values()
        ),
        **measured(songs, scores),
        "first_edition": read(FIRST),
    }
    write_json(root / "card.json", card)
    for name, row in card["baselines"].items():
        print(f"{name:45s}", {key: round(value, 2) for key, value in row.items()})
    print(f"{card['size_mb']} MB")


def measured(songs, scores):
    """What both editions are compared by: how much the songs differ, who is heard, and how hard they are."""
    pairs = {split: [(stems, scores[split][name]) for name, stems in songs[split].items()] for split in SPLITS}
    table = baselines.measure(songs)
    return {
        "music": {"all": measure.measure(sum(pairs.values(), [])), "test": measure.measure(pairs["test"])},
        "baselines": table,
        "gap_seen_unseen": baselines.gaps(table),
    }


def read(path):
    """A JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def over_songs(songs, how):
    """Mean and spread of a measure per stem over all songs in which it sounds."""
    table = {}
    for name in STEMS:
        values = [how(s[name]) for part in songs.values() for s in part.values() if sounds(s[name])]
        table[name] = {"mean": round(float(np.mean(values)), 2), "deviation": round(float(np.std(values)), 2)}
    return table


def silent_seconds(samples, threshold_db=-40.0):
    """Fraction of whole seconds whose level lies ``threshold_db`` below the active level, or lower."""
    seconds = samples[: len(samples) // 16000 * 16000].reshape(-1, 16000)
    power = 10 * np.log10((seconds**2).mean(axis=1) + 1e-12)
    return float((power < active_level(samples) + threshold_db).mean())


def describe_split(songs, scores):
    """Counts, seconds and variety of the songs of a split."""
    silent = {name: round(silent_seconds(s["vocals"]), 3) for name, s in songs.items() if sounds(s["vocals"])}
    quiet = [1 - np.mean(scores[name]["vocal_activity"]) for name in silent]
    programs = {tuple(p) for score in scores.values() for stem in ("bass", "other") for p in score["programs"][stem]}
    return {
        "songs": len(songs),
        "songs_without": {stem: sum(not sounds(s[stem]) for s in songs.values()) for stem in STEMS},
        "seconds": round(sum(len(s["vocals"]) for s in songs.values()) / 16000, 3),
        "vocals_silent_seconds": round(float(np.mean(list(silent.values()))), 3),
        "vocals_silent_seconds_range": [min(silent.values()), max(silent.values())],
        "vocals_inactive_frames": round(float(np.mean(quiet)), 3),
        "vocals_inactive_frames_range": [round(min(quiet), 3), round(max(quiet), 3)],
        "tempi": [min(s["tempo"] for s in scores.values()), max(s["tempo"] for s in scores.values())],
        "keys": len({(s["key"], s["mode"]) for s in scores.values()}),
        "modes": sorted({s["mode"] for s in scores.values()}),
        "styles": sorted({s["style"] for s in scores.values()}),
        "drum_kits": sorted({kit for s in scores.values() for kit in s["instruments"]["drums"]}),
        "programs": len(programs),
        "singers": sorted({s["singer"] for s in scores.values() if s["singer"]}),
        "voices": sorted({s["voice"] for s in scores.values() if s["voice"]}),
        "notes": sum(len(rows) for s in scores.values() for rows in s["notes"].values()),
    }


def describe_talkers(root):
    """Counts, seconds and voices of the talkers of each split, and of those that training may have more."""
    rows, table = read(root / "talkers" / "talkers.json"), {}
    for split in (*SPLITS, MORE):
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


def describe_voices(root, scores):
    """Of each split the base voices that are heard in it, with source and licence, and whether they sing and talk."""
    rows, table = read(root / "talkers" / "talkers.json"), {}
    for split in (*SPLITS, MORE):
        sing = {score["voice"] for score in scores.get(split, {}).values() if score["voice"]}
        talk = {row["voice"] for row in rows if row["split"] == split}
        table[split] = {
            name: {
                "source": SPEAKERS[name].source,
                "licence": SPEAKERS[name].licence,
                "f0": SPEAKERS[name].f0,
                "sings": name in sing,
                "talks": name in talk,
            }
            for name in sorted(sing | talk)
        }
    return table


def describe_noise(root):
    """Of each split the number of sounds and the seconds by kind, and where each sound is from; empty without noise."""
    if not (root / "noise").is_dir():
        return {}
    rows, table = read(root / "noise" / "noise.json"), {}
    for split in SPLITS:
        part = [row for row in rows if row["split"] == split]
        kinds = sorted({row["kind"] for row in part})
        table[split] = {
            "sounds": {kind: sum(row["kind"] == kind for row in part) for kind in kinds},
            "seconds": round(sum(row["seconds"] for row in part), 1),
            "voices": sorted({voice for row in part for voice in row.get("voices", [])}),
            "sources": sorted({f"{row['source']} ({row['licence']})" for row in part}),
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
