"""How sure are we? Intervals over seeds, songs and voices, and when a difference counts as shown.

A mean of scores would be another one after other trainings, and another one on other songs. So there are two
intervals by Student's t: one over the means of the seeds, one over the means of the songs. Both doubts together are
longer than each, and not as long as their sum. They add like the sides of a right angle, since luck in training and
luck with songs have nothing to do with each other:

    half width² = (half width over seeds)² + (half width over songs)²

The chance of a score by itself, which is neither the seed's nor the song's, is in both sides. So the interval is on the
safe side: it holds the truth at least as often as it says, with any number of seeds and songs (Banerjee 1960,
Sankhyā 22).
Songs by one voice share its luck. To ask about other voices, the mean of each voice takes the place of the songs.

This file holds plain numbers and needs no torch.

Taught on: book/foundations/hearing
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt

import numpy as np

ENOUGH = 5  # seeds, below which nothing counts as shown: three agree in sign by chance in one of four cases
SHOWN, UNSHOWN = "a difference", "no difference shown here"


@dataclass(frozen=True)
class Interval:
    """A mean in dB, what bounds it, and which question that answers. Print it, or ask for `sentence` and `question`.

    Taught on: book/foundations/hearing
    """

    mean: float
    low: float  # without end where one score tells no spread
    high: float
    seeds: int
    songs: int  # that have a score
    voices: int  # 0: not asked
    agree: int  # seeds whose mean has the sign of the whole
    left_out: int = 0  # songs without a score, since the reference is silent
    units: str = "songs"

    @property
    def doubts(self) -> list[str]:
        """Say what keeps a difference from being shown; nothing if it is."""
        few = f"{_count(self.seeds, 'seed')}, {ENOUGH} are needed"
        split = f"{self.agree} of {self.seeds} seeds agree in sign"
        tests = {few: self.seeds < ENOUGH, "0 lies inside": self.low <= 0 <= self.high, split: self.agree < self.seeds}
        return [doubt for doubt, holds in tests.items() if holds]

    @property
    def shown(self) -> bool:
        """Tell whether there are enough seeds, all agree in sign, and the interval leaves out zero."""
        return not self.doubts

    @property
    def verdict(self) -> str:
        """Return "a difference" or "no difference shown here"."""
        return SHOWN if self.shown else UNSHOWN

    def sentence(self, ours: str, theirs: str) -> str:
        """Say who is ahead, or that no difference is shown and why, with the numbers."""
        if self.shown:
            first, second = (ours, theirs) if self.mean > 0 else (theirs, ours)
            low, high = sorted((abs(self.low), abs(self.high)))
            return f"{first} is ahead of {second} by {abs(self.mean):.2f} dB ({low:.2f} to {high:.2f})"
        return f"{ours} against {theirs}: {UNSHOWN}, {self} [{'; '.join(self.doubts)}]"

    def question(self) -> str:
        """Say which question the interval answers, and of what it cannot speak."""
        asked = ["other trainings"] * (self.seeds > 1) + [f"other {self.units}"] * (self.songs > 1)
        silent = ["other trainings"] * (self.seeds < 2) + [f"other {self.units}"] * (self.songs < 2)
        whose = {0: " like these", 1: " by the same voice"}.get(self.voices, " by other voices")
        if self.voices == 1:
            silent.append("other voices")
        answers = f"What would {' and '.join(asked)}{whose if self.songs > 1 else ''} give?" if asked else ""
        cannot = f"It cannot speak of {' or '.join(silent)}." if silent else ""
        freedom = f"({self.voices} voices: {_count(self.voices - 1, 'degree')} of freedom.)" if self.voices > 1 else ""
        return " ".join(filter(None, (answers, cannot, freedom)))

    def as_dict(self) -> dict:
        """Give everything as plain values that JSON can hold; None for a bound without end."""
        bounds = {edge: None if abs(getattr(self, edge)) == inf else getattr(self, edge) for edge in ("low", "high")}
        counts = {name: getattr(self, name) for name in ("seeds", "songs", "voices", "agree", "left_out")}
        return {"mean": self.mean, **bounds, **counts, "shown": self.shown, "verdict": self.verdict}

    def __str__(self) -> str:
        """Write mean and bounds."""
        return f"{self.mean:+z.2f} dB, from {self.low:+z.2f} to {self.high:+z.2f}"


def interval(scores, voices=None, level: float = 0.95, units: str = "songs") -> Interval:
    """Bound the mean of `scores`, or of differences of scores, in dB: one row for each seed, in it one for each song.

    Rows may be lists, or dicts by song; all of them by seed too. None and NaN stand for a song without a score (its
    reference is silent): it is left out and counted. `voices` names who sings each song, in their order or by song;
    each voice then counts alike, and a song without one (None) stands for itself. `units` is what songs are called.
    Raises ValueError where seeds have not scored the same songs, where there is no score at all, and for words.

    Taught on: book/foundations/hearing
    """
    table, names = _table(scores, units)  # (seed, song)
    who = _who(voices, names, table.shape[1], units)
    there = ~np.isnan(table).any(0)
    table, who = table[:, there], None if who is None else [v for v, here in zip(who, there, strict=True) if here]
    singers = 0 if who is None else len({v for v in who if v is not None})
    mean, half = bounds(table if singers < 2 else by_voice(table, who), level)
    agree = int((np.sign(table.mean(1)) == np.sign(mean)).sum()) if mean else 0
    left_out = int((~there).sum())
    return Interval(mean, mean - half, mean + half, *table.shape, singers, agree, left_out, units)


def compare(ours, theirs, voices=None, level: float = 0.95, units: str = "songs") -> Interval:
    """Bound the mean of ours - theirs, seed by seed and song by song; see `interval`.

    Taught on: book/foundations/hearing
    """
    (first, names), (second, others) = _table(ours, units), _table(theirs, units)
    if first.shape != second.shape or names != others:
        sizes = " and ".join(f"{_count(len(x), 'seed')} on {x.shape[1]} {units}" for x in (first, second))
        raise ValueError(f"only runs with the same seeds on the same {units} can be compared; these have {sizes}.")
    return interval(first - second, _who(voices, names, first.shape[1], units), level, units)


def bounds(table, level: float = 0.95):
    """Return mean and half width of scores `(…, seed, song)`: the sides of seeds and of songs, at a right angle.

    A side of length one (one seed, one song) is left out: it tells no spread. With no side the width has no end.

    Taught on: book/foundations/hearing
    """
    table, square, sides = np.asarray(table, dtype=float), 0.0, 0
    for axis in (-1, -2):
        means = table.mean(axis)  # (…, seed), then (…, song)
        if means.shape[-1] > 1:
            square, sides = square + student(means, level) ** 2, sides + 1
    mean = table.mean((-2, -1))
    return (mean, np.sqrt(square)) if table.ndim > 2 else (float(mean), sqrt(square) if sides else inf)


def student(values, level: float = 0.95):
    """Return the half width of Student's interval of the mean of values `(…, N)`, in their unit; N is two at least.

    Taught on: book/foundations/hearing
    """
    from scipy.special import stdtrit

    values = np.asarray(values, dtype=float)
    count = values.shape[-1]
    return stdtrit(count - 1, (1 + level) / 2) * values.std(-1, ddof=1) / sqrt(count)


def by_voice(table, voices):
    """Average the songs of each voice: `(…, seed, song) -> (…, seed, voice)`; None is a voice of its own each time.

    Taught on: book/foundations/hearing
    """
    labels = [("song", i) if voice is None else ("voice", voice) for i, voice in enumerate(voices)]
    table, columns = np.asarray(table, dtype=float), {}
    for i, label in enumerate(labels):
        columns.setdefault(label, []).append(i)
    return np.stack([table[..., places].mean(-1) for places in columns.values()], -1)


def _table(scores, units: str) -> tuple[np.ndarray, list | None]:
    """Return scores as an array (seed, song), and the names of the songs where they are known."""
    rows = [_plain(row) for row in (scores.values() if isinstance(scores, dict) else _plain(scores))]
    names = list(rows[0]) if rows and isinstance(rows[0], dict) else None
    if names is not None:
        if any(not isinstance(row, dict) or set(row) != set(names) for row in rows):
            raise ValueError(f"every seed must have scored the same {units}: {', '.join(map(str, names))}.")
        rows = [[row[name] for name in names] for row in rows]
    if any(not isinstance(row, list | tuple) or any(isinstance(value, list | tuple) for value in row) for row in rows):
        raise ValueError(f"scores have one row for each seed, with one number for each of the {units}.")
    if len(sizes := sorted({len(row) for row in rows})) != 1:
        found = f"rows of {' and '.join(map(str, sizes))}" if rows else "no row"
        raise ValueError(f"scores have one row for each seed, all with the same {units}; here: {found}.")
    if any(isinstance(value, str) for row in rows for value in row):
        raise ValueError("scores are numbers in dB, not words; None stands for a score that does not exist.")
    table = np.array([[np.nan if value is None else float(value) for value in row] for row in rows])
    _scored(table, names, units)
    return table, names


def _plain(values):
    """Return an array or tensor as lists; anything else as it is."""
    return values.tolist() if hasattr(values, "tolist") else values


def _scored(table: np.ndarray, names: list | None, units: str) -> None:
    """Refuse a table without a score, an endless one, and a song that has a score with some seeds only."""
    if np.isnan(table).all():
        raise ValueError(f"none of the {table.shape[1]} {units} has a score: every reference is silent.")
    missing = np.isnan(table)
    odd = np.flatnonzero((missing.any(0) & ~missing.all(0)) | np.isinf(table).any(0))
    if len(odd):
        name = names[odd[0]] if names else f"number {odd[0]} of the {units}"
        raise ValueError(
            f"{name} has no finite score with some of the seeds. Silence is the same with all: look there."
        )


def _who(voices, names: list | None, count: int, units: str) -> list | None:
    """Return the voice of each song."""
    if voices is None:
        return None
    if isinstance(voices, dict):
        if names is None or set(voices) < set(names):
            raise ValueError(f"voices by name need scores by name, of the same {units}.")
        return [voices[name] for name in names]
    if isinstance(voices, str) or len(voices) != count:
        raise ValueError(f"voices names one voice for each of the {count} {units}; here: {voices!r}.")
    return list(voices)


def _count(number: int, name: str) -> str:
    """Write a number with its noun."""
    return f"{number} {name}{'s' * (number != 1)}"
