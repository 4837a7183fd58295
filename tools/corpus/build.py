"""Renders all songs, talkers and noise with several processes, and checks a sample of them."""

import json
import multiprocessing
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path

from tools.corpus import noise, palette, presets, song, talkers, voice, writing
from tools.corpus import plan as plans
from tools.corpus.licenses import write_licenses

SPLITS = ("train", "valid", "test")


def build_song(job):
    """Render and write one song. Returns what was written."""
    root, split, index = job
    plan = plans.plan(split, index)
    stems, score = song.render(plan)
    return writing.write_song(root, plan, stems, score)


def build_talker(job):
    """Render and write all utterances of one talker. Returns what was written, and rows for talkers.json."""
    root, split, index = job
    talker = talkers.talkers(split)[index]
    written, rows = {}, []
    for k, text in enumerate(talkers.texts(split, index)):
        path = Path("talkers") / split / talker.name / f"{k}.ogg"
        written[path.as_posix()] = writing.write_audio(Path(root) / path, talkers.say(talker, text), "talker")
        rows.append({"path": path.as_posix(), **asdict(talker), "text": text})
    return written, rows


def build_noise(job):
    """Render and write one sound of noise. Returns what was written, and its row for noise.json."""
    root, split, kind, number = job
    samples, row = noise.make(split, kind, number, lambda name, text: voice.speak(name, text)[0])
    return {row["path"]: writing.write_audio(Path(root) / row["path"], samples, "noise")}, row


def refuse_leaks():
    """Raise ValueError when a test song could play a recording that training knows."""
    programs = {s: sorted({p for row in palette.ROLES[s].values() for p in row} | {*palette.BASSES[s]}) for s in SPLITS}
    leaks = presets.shared_recordings(programs["test"], programs["train"] + programs["valid"])
    leaks += presets.shared_strokes(palette.KITS["test"], palette.KITS["train"])
    if leaks:
        raise ValueError(
            f"test and training share recordings of the sound font: {leaks}; change tools/corpus/palette.py"
        )


def build(root, jobs):
    """Render everything with ``jobs`` processes."""
    refuse_leaks()
    started = time.time()
    songs = [(root, plan.split, plan.seed % 1000) for plan in plans.plans()]
    people = [(root, split, k) for split in talkers.PARTS for k in range(talkers.COUNTS[split])]
    sounds = [(root, *job) for job in noise.jobs()]
    written, rows, noises = {}, [], []
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        for done, files in enumerate(pool.map(build_song, songs), 1):
            written |= files
            print(f"\rsongs {done}/{len(songs)}", end="", flush=True)
        print()
        for done, (files, more) in enumerate(pool.map(build_talker, people), 1):
            written |= files
            rows += more
            print(f"\rtalkers {done}/{len(people)}", end="", flush=True)
        print()
        for done, (files, row) in enumerate(pool.map(build_noise, sounds), 1):
            written |= files
            noises.append(row)
            print(f"\rnoise {done}/{len(sounds)}", end="", flush=True)
    remove_strangers(root, written)
    writing.write_json(root / "talkers" / "talkers.json", rows)
    writing.write_json(root / "noise" / "noise.json", noises)
    writing.write_checksums(root, written)
    write_licenses(root)
    print(f"\nrendered {len(written)} files in {time.time() - started:.0f} s")


def remove_strangers(root, written):
    """Delete sound files that no longer belong to the corpus."""
    for path in root.rglob("*.ogg"):
        if path.relative_to(root).as_posix() not in written:
            path.unlink()
            print(f"removed {path.relative_to(root)}")


def check(root):
    """Render one song and one talker anew and compare them with checksums.json. Returns whether all is equal."""
    stored = json.loads((root / "checksums.json").read_text())
    with tempfile.TemporaryDirectory() as folder:
        fresh = build_song((Path(folder), "test", 0)) | build_talker((Path(folder), "test", 0))[0]
    wrong = [path for path, (digest, _) in fresh.items() if stored[path]["sha256"] != digest]
    for path in fresh:
        print("different" if path in wrong else "identical", path)
    return not wrong
