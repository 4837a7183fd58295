"""More songs for training than those that ship: ``python -m tools.corpus more --songs 200 --out FOLDER``.

Song k is the same in every folder: its plan, and with it all that is drawn, depends on k alone. Instruments, drums and
singers are those of the training songs; the words are their lines in another order.
"""

import functools
import importlib.util
import json
import multiprocessing
import os
import shutil
import subprocess
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np

from tools.corpus import palette, samples, soundfont, writing
from tools.corpus.lyrics import LYRICS
from tools.corpus.plan import planned

FIRST_SEED = 100_000  # far above those of the songs that ship
FLITE = frozenset("slt awb kal16 rms kal".split())
STEMS = ("vocals", "drums", "bass", "other")


def words(index):
    """A title and four lines: verse and chorus of two training songs, the title of a third."""
    rng = np.random.default_rng([FIRST_SEED + index, 3])
    title, verse, chorus = (LYRICS["train"][k] for k in rng.choice(len(LYRICS["train"]), 3, replace=False))
    return title[0], (*verse[1:3], *chorus[3:5])


def plan(index):
    """The plan of song ``index`` of those beyond the corpus. What is not installed is replaced: see `missing`."""
    title, lyric = words(index)
    drawn = planned("train", index, FIRST_SEED + index, title, lyric)
    rng = np.random.default_rng([FIRST_SEED + index, 4])
    singers, kits = usable_singers(), usable_kits()
    singer = drawn.singer if drawn.singer in singers else singers[int(rng.integers(len(singers)))]
    kit = drawn.kit if drawn.kit in kits else kits[int(rng.integers(len(kits)))]
    return replace(drawn, name=f"song_{index:05d}", singer=singer, kit=kit)


def usable_singers():
    """Training singers whose voice can be had here: those of flite, and others where their engine is installed."""
    return [name for name, singer in palette.SINGERS["train"].items() if can_speak(singer[0])]


@functools.cache
def can_speak(name):
    """Whether a voice can be had here: it is asked for a word, unless it is one of flite's."""
    if name in FLITE:
        return True
    from tools.corpus import voice

    try:
        return bool(voice.count_syllables(name, "hello"))
    except (OSError, ValueError, RuntimeError, ImportError, subprocess.CalledProcessError):
        return False


def usable_kits():
    """Training kits that can be played here."""
    return [kit for kit in palette.KITS["train"] if kit not in samples.KITS or samples.available()]


def missing():
    """Sentences on what these songs have to do without; a RuntimeError for what no song can do without."""
    needed = {
        "fluid-soundfont-gm": Path(soundfont.SOUNDFONT).exists(),
        "flite": shutil.which("flite"),
        "pyfluidsynth": importlib.util.find_spec("fluidsynth"),
        "pyworld": importlib.util.find_spec("pyworld"),
    }
    if absent := [name for name, there in needed.items() if not there]:
        names = ", ".join(absent)
        raise RuntimeError(f"songs need {names}: run bash tools/setup.sh apt corpus, and pip install '.[render]'")
    said = []
    if len(usable_singers()) < len(palette.SINGERS["train"]):
        said.append(f"{len(usable_singers())} of {len(palette.SINGERS['train'])} training singers: engines are missing")
    if not samples.available():
        said.append(f"no recorded drums: apt install {samples.PACKAGE}")
    return said


def done(folder):
    """Whether a song is there and whole: the score is written last."""
    return (folder / "score.json").is_file() and all((folder / f"{stem}.ogg").is_file() for stem in STEMS)


def render_one(job):
    """Render one song into its folder; a half-written one never has the folder's name."""
    from tools.corpus import song

    root, index = job
    drawn = plan(index)
    half = Path(root) / f".{drawn.name}.{os.getpid()}"
    stems, score = song.render(drawn)
    written = writing.write_song(half, drawn, stems, score)
    made, target = half / Path(next(iter(written))).parent, Path(root) / "train" / drawn.name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(target, ignore_errors=True)
    os.replace(made, target)
    shutil.rmtree(half)
    return drawn.name


def render(root, songs, jobs=2, say=print):
    """Render songs 0 … ``songs`` - 1 that are not yet in ``root``/train. Returns the number of those rendered."""
    for sentence in missing():
        say(f"note: {sentence}")
    root = Path(root)
    for half in root.glob(".song_*"):  # of a run that was stopped
        shutil.rmtree(half, ignore_errors=True)
    todo = [(root, k) for k in range(songs) if not done(root / "train" / f"song_{k:05d}")]
    say(f"{songs - len(todo)} of {songs} songs are there already in {root}")
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        for count, name in enumerate(pool.map(render_one, todo), 1):
            say(f"{name} ({count} of {len(todo)})")
    (root / "songs.json").write_text(json.dumps({"songs": songs, "first_seed": FIRST_SEED}) + "\n")
    return len(todo)
