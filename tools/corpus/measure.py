"""How much do the songs of a folder differ? ``python -m tools.corpus.measure FOLDER`` prints it, for music as for ours.

Levels are in dB. A *share* is the power of a stem against that of the whole song. A second is silent where its level
lies 40 dB or more below the level at which the stem sounds.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import scipy.signal
import soundfile

from tools.corpus.baselines import STEMS, spectrogram
from tools.corpus.mastering import SAMPLE_RATE, active_level, level

WINDOW = 2 * SAMPLE_RATE  # of levels within a song
LOW = 140.0  # Hz
SPLITS = ("train", "valid", "test")


def load(root):
    """[(stems {name: (N,)}, score)] of all songs below a folder, in the order of their names."""
    found = []
    for path in sorted(Path(root).rglob("score.json")):
        stems = {name: soundfile.read(path.parent / f"{name}.ogg", dtype="float64")[0] for name in STEMS}
        found.append((stems, json.loads(path.read_text(encoding="utf-8"))))
    return found


def measure(songs):
    """All properties of songs [(stems, score)]: numbers, or {stem or property: number}."""
    return {
        "songs": len(songs),
        "share_deviation_between_songs_db": spread([shares(stems) for stems, _ in songs], np.std),
        "share_range_between_songs_db": spread([shares(stems) for stems, _ in songs], np.ptp),
        "level_deviation_within_songs_db": over_stems([levels_within(stems) for stems, _ in songs]),
        "silent_seconds": over_stems([silent_seconds(stems) for stems, _ in songs]),
        "vocals_silent_seconds": summary([silent_seconds(s)["vocals"] for s, _ in songs if s["vocals"].any()]),
        "songs_that_lack_a_stem": sum(not all(x.any() for x in stems.values()) for stems, _ in songs),
        "first_vocal_second": summary([x for _, score in songs if (x := first_vocal(score)) is not None]),
        "room_seconds": summary([score.get("room", {}).get("seconds", np.nan) for _, score in songs]),
        "fall_of_20_db_seconds": summary([fall(stems["drums"]) for stems, _ in songs if stems["drums"].any()]),
        "sung_hz": summary([x for _, score in songs if (x := sung_hz(score)) is not None]),
        "other_below_140_hz_db": summary([below(s["other"]) for s, _ in songs if s["other"].any()]),
        "other_below_140_hz_songs": sum(below(s["other"]) > -20 for s, _ in songs if s["other"].any()),
        "energy_with_one_stem_above_90_percent": summary([alone(stems) for stems, _ in songs]),
        "crest_db": summary([crest(sum(stems.values())) for stems, _ in songs]),
        "loudness": summary([loudness(sum(stems.values())) for stems, _ in songs]),
        "peak_of_sum": summary([float(np.abs(sum(stems.values())).max()) for stems, _ in songs]),
        "clipped_samples": int(sum((np.abs(x) >= 0.9999).sum() for stems, _ in songs for x in stems.values())),
    }


def summary(values):
    """Mean, lowest and highest of numbers; those that are not known (NaN) do not count."""
    known = [float(x) for x in values if np.isfinite(x)]
    if not known:
        return {"mean": None, "lowest": None, "highest": None}
    return {"mean": round(float(np.mean(known)), 3), "lowest": round(min(known), 3), "highest": round(max(known), 3)}


def spread(rows, how):
    """One number per stem for how a measure differs between songs; a song without the stem does not count."""
    return {s: round(float(how([row[s] for row in rows if np.isfinite(row[s])] or [0.0])), 2) for s in STEMS}


def over_stems(rows):
    """Mean per stem over the songs that have the number."""
    columns = {stem: [row[stem] for row in rows if np.isfinite(row[stem])] for stem in STEMS}
    return {stem: round(float(np.mean(x)), 3) if x else None for stem, x in columns.items()}


def shares(stems):
    """Power of each stem against that of the song, dB; minus infinity where it is silent."""
    total = level(sum(stems.values()))
    return {name: level(x) - total for name, x in stems.items()}


def levels_within(stems):
    """Deviation of the level of each stem over the windows of 2 s in which it sounds, dB."""
    found = {}
    for name, x in stems.items():
        power = 10 * np.log10((x[: len(x) // WINDOW * WINDOW].reshape(-1, WINDOW) ** 2).mean(axis=1) + 1e-12)
        heard = power[power > active_level(x) - 25]
        found[name] = float(np.std(heard)) if x.any() and len(heard) > 1 else np.nan
    return found


def silent_seconds(stems):
    """Part of the seconds of each stem that are silent: 1 where it never sounds."""
    found = {}
    for name, x in stems.items():
        seconds = x[: len(x) // SAMPLE_RATE * SAMPLE_RATE].reshape(-1, SAMPLE_RATE)
        power = 10 * np.log10((seconds**2).mean(axis=1) + 1e-12)
        found[name] = float((power < active_level(x) - 40).mean()) if x.any() else 1.0
    return found


def first_vocal(score):
    """Second at which somebody sings first; None where nobody does."""
    active = np.flatnonzero(score["vocal_activity"])
    return float(active[0]) / 100 if len(active) else None


def sung_hz(score):
    """Median fundamental frequency of the voice; None where nobody sings."""
    f0 = np.array(score["f0"], dtype=float)
    return float(np.median(f0[f0 > 0])) if (f0 > 0).any() else None


def fall(samples, block=160, drop=20.0):
    """Median time in which the level falls by 20 dB after the strokes of a stem: long where the room is long."""
    power = 10 * np.log10((samples[: len(samples) // block * block].reshape(-1, block) ** 2).mean(axis=1) + 1e-9)
    peaks, _ = scipy.signal.find_peaks(power, height=power.max() - 12, distance=10)
    times = []
    for peak in peaks:
        lower = np.flatnonzero(power[peak:] < power[peak] - drop)
        if len(lower):
            times.append(lower[0] * block / SAMPLE_RATE)
    return float(np.median(times)) if times else np.nan


def below(samples, corner=LOW):
    """Energy below a frequency against all of it, dB."""
    power = np.abs(np.fft.rfft(samples)) ** 2
    low = power[np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE) < corner]
    return float(10 * np.log10(low.sum() / power.sum() + 1e-12))


def alone(stems):
    """Part of the energy that lies in bins in which one stem has over 90 % of it (STFT of 1024 samples)."""
    power = np.stack([np.abs(spectrogram(stems[name])) ** 2 for name in STEMS])
    total = power.sum(axis=0)
    return float(total[power.max(axis=0) > 0.9 * total].sum() / (total.sum() + 1e-12))


def crest(samples):
    """Peak against root mean square, dB."""
    return float(20 * np.log10(np.abs(samples).max() + 1e-12) - level(samples))


def loudness(samples):
    """Loudness in LUFS where pyloudnorm is there, else the level in dB."""
    try:
        import pyloudnorm
    except ImportError:
        return level(samples)
    return float(pyloudnorm.Meter(SAMPLE_RATE).integrated_loudness(samples))


def jump(samples):
    """The largest step between two samples against the peak: a click shows as a large one."""
    return float(np.abs(np.diff(samples)).max() / (np.abs(samples).max() + 1e-12))


def main():
    """Print the measures of a folder of songs, those of each split and of all."""
    parser = argparse.ArgumentParser(prog="python -m tools.corpus.measure", description=__doc__)
    parser.add_argument("folder", type=Path, help="songs: folders with four .ogg stems and score.json")
    songs = load(parser.parse_args().folder)
    tables = {"all": measure(songs)}
    for split in SPLITS:
        part = [(stems, score) for stems, score in songs if score["split"] == split]
        if part:
            tables[split] = measure(part)
    print(json.dumps(tables, indent=1))


if __name__ == "__main__":
    main()
