"""More songs for training than those that ship: ``python -m tools.corpus more --songs 200 --out FOLDER``.

Song k is the same in every folder: its plan, and with it all that is drawn, depends on k alone. Instruments, drums and
singers are those of the training songs; the words are their lines in another order. The songs that ship are added, so
that the folder takes the place of the corpus wherever data are asked for. With ``--seed`` the songs are others, and
with ``--split test`` they have the instruments, singers and words of the test songs: so a teacher renders songs for an
exam that nobody has heard, and that no training song comes near. Nothing is added to those.
"""

import functools
import importlib.util
import json
import multiprocessing
import os
import shutil
import subprocess
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from tools.corpus import palette, samples, soundfont, writing
from tools.corpus.lyrics import LYRICS
from tools.corpus.plan import planned

FIRST_SEED = 100_000  # far above those of the songs that ship
SEEDED, SONGS_OF_A_SEED = 10_000_000, 10_000  # where the songs of ``--seed`` begin, and how many each may have
FLITE = frozenset("slt awb kal16 rms kal".split())
STEMS = ("vocals", "drums", "bass", "other")
CORPUS = Path(__file__).parents[2] / "sepbook" / "assets" / "corpus" / "songs"


@dataclass(frozen=True)
class Which:
    """Which songs: those that everybody can render (no seed), or those of a seed; for training or like a test's."""

    seed: int | None = None
    split: str = "train"

    def song_seed(self, index):
        """The seed of song ``index``."""
        return FIRST_SEED + index if self.seed is None else SEEDED + SONGS_OF_A_SEED * self.seed + index

    def turn(self, index):
        """Whose turn it is among styles, keys and instruments; with a seed, the round begins somewhere else."""
        start = 0 if self.seed is None else int(np.random.default_rng([self.song_seed(0), 5]).integers(1000))
        return start + index


EVERYBODYS = Which()


def words(index, which=EVERYBODYS):
    """A title and four lines: verse and chorus of two songs of the split, the title of a third."""
    rng, lyrics = np.random.default_rng([which.song_seed(index), 3]), LYRICS[which.split]
    title, verse, chorus = (lyrics[k] for k in rng.choice(len(lyrics), 3, replace=False))
    return title[0], (*verse[1:3], *chorus[3:5])


def plan(index, which=EVERYBODYS):
    """The plan of song ``index`` of those beyond the corpus. What is not installed is replaced: see `missing`."""
    title, lyric = words(index, which)
    drawn = planned(which.split, which.turn(index), which.song_seed(index), title, lyric)
    rng = np.random.default_rng([which.song_seed(index), 4])
    singers, kits = usable_singers(which.split), usable_kits(which.split)
    singer = drawn.singer if drawn.singer in singers else singers[int(rng.integers(len(singers)))]
    kit = drawn.kit if drawn.kit in kits else kits[int(rng.integers(len(kits)))]
    return replace(drawn, name=f"song_{index:05d}", singer=singer, kit=kit)


def usable_singers(split="train"):
    """Singers of a split whose voice can be had here: those of flite, and others where their engine is installed."""
    return [name for name, singer in palette.SINGERS[split].items() if can_speak(singer[0])]


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


def usable_kits(split="train"):
    """Kits of a split that can be played here."""
    return [kit for kit in palette.KITS[split] if kit not in samples.KITS or samples.available()]


def missing(split="train"):
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
    if len(usable_singers(split)) < len(palette.SINGERS[split]):
        said.append(
            f"{len(usable_singers(split))} of {len(palette.SINGERS[split])} {split} singers: engines are missing"
        )
    if not samples.available():
        said.append(f"no recorded drums: apt install {samples.PACKAGE}")
    return said


def done(folder):
    """Whether a song is there and whole: the score is written last."""
    return (folder / "score.json").is_file() and all((folder / f"{stem}.ogg").is_file() for stem in STEMS)


def render_one(job):
    """Render one song into its folder; a half-written one never has the folder's name."""
    from tools.corpus import song

    root, index, which = job
    drawn = plan(index, which)
    half = Path(root) / f".{drawn.name}.{os.getpid()}"
    stems, score = song.render(drawn)
    written = writing.write_song(half, drawn, stems, score)
    made, target = half / Path(next(iter(written))).parent, Path(root) / which.split / drawn.name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(target, ignore_errors=True)
    os.replace(made, target)
    shutil.rmtree(half)
    return drawn.name


def add_the_corpus(root):
    """Copy the songs that ship into the folder, all three splits: it can be trained, chosen and tested on as it is."""
    for song in sorted(CORPUS.glob("*/*/score.json")):
        target = Path(root) / song.parent.relative_to(CORPUS)
        if not done(target):
            shutil.copytree(song.parent, target, dirs_exist_ok=True)


def render(root, songs, jobs=2, say=print, which=EVERYBODYS):
    """Render songs 0 … ``songs`` - 1 that are not yet in ``root``/split. Returns the number of those rendered.

    Raises ValueError for a folder that holds other songs.
    """
    for sentence in missing(which.split):
        say(f"note: {sentence}")
    root = Path(root)
    sign(root, songs, which)
    for half in root.glob(".song_*"):  # of a run that was stopped
        shutil.rmtree(half, ignore_errors=True)
    todo = [(root, k, which) for k in range(songs) if not done(root / which.split / f"song_{k:05d}")]
    say(f"{songs - len(todo)} of {songs} songs are there already in {root}")
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        for count, name in enumerate(pool.map(render_one, todo), 1):
            say(f"{name} ({count} of {len(todo)})")
    if which == EVERYBODYS:
        add_the_corpus(root)
    return len(todo)


def sign(root, songs, which):
    """Write which songs a folder holds; ValueError where it holds others: their names would be the same."""
    if songs > SONGS_OF_A_SEED and which.seed is not None:
        raise ValueError(f"a seed has at most {SONGS_OF_A_SEED} songs; {songs} were asked for")
    about, file = {"songs": songs, "first_seed": which.song_seed(0), **asdict(which)}, root / "songs.json"
    held = json.loads(file.read_text()) if file.is_file() else about
    if held["first_seed"] != about["first_seed"] or held.get("split", "train") != which.split:
        raise ValueError(f"{root} holds songs of another seed or split; choose another folder for these")
    root.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(about) + "\n")
