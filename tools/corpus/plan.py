"""The plan of a song: tempo, key, form, instruments, singer and words, all drawn from one seed."""

import zlib
from dataclasses import dataclass

import numpy as np

from tools.corpus import palette
from tools.corpus.desk import Desk, desk
from tools.corpus.form import FORMS, form, resting_bars
from tools.corpus.grooves import GROOVES
from tools.corpus.lyrics import LYRICS, slug
from tools.corpus.theory import NOTE_NAMES, SCALES

SECONDS = 20.0
STYLES = tuple(GROOVES)
MODES = ("major", "minor", "mixolydian", "dorian", "major", "minor", "lydian")


LAST_CHORD = 1.3  # seconds or more that the last chord has
FORM_TURN = ("song", "at once", "late", "song", "solo", "outro", "breakdown", "a cappella", "at once", "ending")
MISSING = ("drums", "other", "bass", "vocals")  # whose turn it is to be absent, in one song of eight
ABSENT = {"train": (8, 5), "valid": (8, 7), "test": (6, 3)}  # every how many songs, and which of them
SPLITS = ("train", "valid", "test")


@dataclass(frozen=True)
class Arrangement:
    """How the band plays: pitches around which it lies, how full its chords are, what doubles the voice."""

    bass_centre: int  # MIDI pitch
    comp_centre: int
    pad_centre: int
    voices: int  # of a chord
    left_hand: bool  # low notes below the chords
    doubles: int | None  # semitones from the sung melody at which an instrument plays it too; None: nobody does


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
    form: str
    sections: tuple
    ends: bool  # on a last chord
    missing: str | None  # the stem that the song lacks
    rests: dict  # {stem of the band: bars in which it is silent}
    arrangement: Arrangement
    desk: Desk
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
        return self.sections[-1].end

    @property
    def bar_seconds(self):
        """Length of a bar."""
        return self.groove.beats * 60 / self.tempo

    @property
    def key(self):
        """Name of the tonic."""
        return NOTE_NAMES[self.tonic]

    def rng(self, purpose):
        """A random generator for one purpose: parts can change without disturbing each other."""
        return np.random.default_rng([self.seed, zlib.crc32(purpose.encode())])


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


def arrangement(rng):
    """Draw how the band plays."""
    return Arrangement(
        bass_centre=int(rng.choice([34, 36, 36, 38, 41, 45])),
        comp_centre=int(rng.choice([52, 57, 60, 62, 65])),
        pad_centre=int(rng.choice([52, 57, 62, 67])),
        voices=int(rng.choice([3, 4, 5, 5])),
        left_hand=bool(rng.random() < 0.8),
        doubles=int(rng.choice([0, 0, 0, -12, 12])) if rng.random() < 0.65 else None,
    )


def absent(split, index):
    """The stem that song ``index`` of a split lacks, or None. Test songs keep their voice."""
    every, which = ABSENT[split]
    stems = MISSING if split == "train" else MISSING[:3]
    return stems[index // every % len(stems)] if index % every == which else None


def plan(split, index):
    """The plan of song ``index`` of a split. Styles, keys, forms and instruments rotate, so that all get their turn."""
    title, *lyric = LYRICS[split][index]
    return planned(split, index, 1000 * SPLITS.index(split) + index, title, tuple(lyric))


def planned(split, index, seed, title, lyric):
    """A plan from its seed: what rotates goes by ``index``."""
    rng = np.random.default_rng([seed, 7])
    offset = {"train": 0, "valid": 2, "test": 5}[split]
    turn = 5 if split == "train" else 3
    style = STYLES[(turn * index + offset) % len(STYLES)]
    groove = GROOVES[style]
    tempo = round(float(rng.uniform(*groove.tempo)), 1)
    swing = float(rng.uniform(*groove.swing))
    bar_seconds = groove.beats * 60 / tempo
    kits, singers, basses = list(palette.KITS[split]), list(palette.SINGERS[split]), palette.BASSES[split]
    missing, kind = absent(split, index), FORM_TURN[(index + index // len(FORM_TURN) + offset) % len(FORM_TURN)]
    whole = int((SECONDS - 0.1) / bar_seconds)  # bars that fit if nothing follows them
    ends = bool(rng.random() < 0.6 or SECONDS - whole * bar_seconds > LAST_CHORD)
    bars = int((SECONDS - LAST_CHORD) / bar_seconds) if ends else whole
    sections = form(np.random.default_rng([seed, 8]), kind, bars, bar_seconds, line_bars(bar_seconds), missing)
    return Plan(
        name=slug(title), title=title, split=split, seed=seed, style=style, tempo=tempo,
        tonic=(7 * index + 2 * offset) % 12, mode=MODES[(index + offset) % len(MODES)],
        swing=swing, form=kind, sections=sections, ends=ends, missing=missing,
        rests=resting_bars(np.random.default_rng([seed, 9]), sections, missing),
        arrangement=arrangement(np.random.default_rng([seed, 10])), desk=desk(np.random.default_rng([seed, 11])),
        kit=kits[index % len(kits)], drum_tuning=round(float(rng.uniform(-2, 2)), 2),
        bass=basses[index % len(basses)], others=band(rng, split, index),
        singer=singers[index % len(singers)], lyric=lyric,
    )  # fmt: skip


def plans(splits=SPLITS):
    """All plans of the corpus."""
    return [plan(split, index) for split in splits for index in range(len(LYRICS[split]))]


assert set(MODES) <= set(SCALES) and set(FORM_TURN) <= set(FORMS)
