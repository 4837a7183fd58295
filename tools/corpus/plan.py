"""The plan of a song: tempo, key, form, instruments, singer and words, all drawn from one seed."""

import math
import zlib
from dataclasses import dataclass

import numpy as np

from tools.corpus import palette
from tools.corpus.grooves import GROOVES
from tools.corpus.lyrics import LYRICS, slug
from tools.corpus.theory import NOTE_NAMES, SCALES

SECONDS = 20.0
STYLES = tuple(GROOVES)
MODES = ("major", "minor", "mixolydian", "dorian", "major", "minor", "lydian")


@dataclass(frozen=True)
class Section:
    """A part of the form: ``name`` is intro, verse, break or chorus; bars count from 0."""

    name: str
    first_bar: int
    bars: int


@dataclass(frozen=True)
class Plan:
    """Everything that is decided before a note is written."""

    name: str
    title: str
    split: str
    seed: int
    style: str
    tempo: float
    tonic: int
    mode: str
    swing: float
    sections: tuple
    kit: int
    drum_tuning: float  # semitones
    bass: tuple
    others: tuple  # (role, (bank, program)), the first is the comping instrument
    singer: str
    lyric: tuple

    @property
    def groove(self):
        """The drum groove of the song's style."""
        return GROOVES[self.style]

    @property
    def bars(self):
        """Number of bars before the final chord."""
        return self.sections[-1].first_bar + self.sections[-1].bars

    @property
    def key(self):
        """Name of the tonic."""
        return NOTE_NAMES[self.tonic]

    def rng(self, purpose):
        """A random generator for one purpose: parts can change without disturbing each other."""
        return np.random.default_rng([self.seed, zlib.crc32(purpose.encode())])


def form(rng, bar_seconds):
    """Sections that leave 1.3 s or more for the last chord and 15 to 40 % without singing."""
    bars = int((SECONDS - 1.3) / bar_seconds)
    intro = math.ceil(rng.uniform(2.3, 2.9) / bar_seconds)
    gap = 1 if bars >= 8 and intro * bar_seconds < 3.9 and rng.random() < 0.7 else 0
    sung = bars - intro - gap
    line = line_bars(bar_seconds)
    verse = max(line, round(sung / 2 / line) * line)
    parts = [("intro", intro), ("verse", verse), ("break", gap), ("chorus", sung - verse)]
    sections, first = [], 0
    for name, length in parts:
        if length > 0:
            sections.append(Section(name, first, length))
            first += length
    return tuple(sections)


def line_bars(bar_seconds):
    """Bars that one line of the lyric takes: about three and a half seconds."""
    return max(1, round(3.3 / bar_seconds))


def band(rng, split, index):
    """Two to four instruments for ``other``: one comps, the rest hold, break or answer its chords."""
    roles = palette.ROLES[split]
    second = ("arp", "counter", "pad")[index % 3]
    third = ("counter", "arp", "counter")[index % 3]
    turn = {"comp": index, second: index // 3}
    if rng.random() < 0.6:
        turn[third] = int(rng.integers(len(roles[third])))
    if rng.random() < 0.2:
        turn.setdefault("pad", int(rng.integers(len(roles["pad"]))))
    others = [(role, roles[role][k % len(roles[role])]) for role, k in turn.items()]
    kept, programs = [], set()
    for role, program in others:
        if program not in programs:
            kept.append((role, program))
            programs.add(program)
    return tuple(kept)


def plan(split, index):
    """The plan of song ``index`` of a split. Styles, keys and instruments rotate, so that all get their turn."""
    seed = 1000 * ("train", "valid", "test").index(split) + index
    rng = np.random.default_rng([seed, 7])
    offset = {"train": 0, "valid": 2, "test": 5}[split]
    title, *lyric = LYRICS[split][index]
    style = (
        STYLES[(5 * index + offset) % len(STYLES)] if split == "train" else STYLES[(3 * index + offset) % len(STYLES)]
    )
    groove = GROOVES[style]
    tempo = round(float(rng.uniform(*groove.tempo)), 1)
    kits, singers = list(palette.KITS[split]), list(palette.SINGERS[split])
    basses = palette.BASSES[split]
    return Plan(
        name=slug(title), title=title, split=split, seed=seed, style=style, tempo=tempo,
        tonic=(7 * index + 2 * offset) % 12, mode=MODES[(index + offset) % len(MODES)],
        swing=float(rng.uniform(*groove.swing)), sections=form(rng, groove.beats * 60 / tempo),
        kit=kits[index % len(kits)], drum_tuning=round(float(rng.uniform(-2, 2)), 2),
        bass=basses[index % len(basses)], others=band(rng, split, index),
        singer=singers[index % len(singers)], lyric=tuple(lyric),
    )  # fmt: skip


def plans(splits=("train", "valid", "test")):
    """All plans of the corpus."""
    return [plan(split, index) for split in splits for index in range(len(LYRICS[split]))]


assert set(MODES) <= set(SCALES)
