"""The scores of many songs: fair means, how sure they are, and a table to read.

A mean over songs is one number; an interval says how much another handful of songs could move it. Both are
taken over songs, never over sources or seconds: the sources of one song share its mixture, so their scores
are not independent.

This file holds plain numbers and needs no torch.

Taught on: book/evaluation/metrics
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from math import isnan, nan

from sepbook.evaluation.intervals import student

MEASURES = ("improvement", "si_sdr")


@dataclass(frozen=True)
class TrackScores:
    """The scores of one song, in dB for each source; NaN where the source is silent and no score exists.

    Taught on: book/evaluation/metrics
    """

    name: str
    seconds: float
    si_sdr: dict[str, float]
    improvement: dict[str, float]  # si_sdr minus that of the untouched mixture; NaN also if that is perfect
    sample_rate: int | None = None  # in Hz, of what was compared

    def __post_init__(self):
        for measure in MEASURES:  # where a score was read from JSON, which has no NaN
            values = getattr(self, measure)
            object.__setattr__(self, measure, {k: nan if v is None else v for k, v in values.items()})

    def mean(self, measure: str = "improvement") -> float:
        """Average the sources that sound; NaN if none does."""
        return _mean(list(getattr(self, measure).values()))


@dataclass
class Scores:
    """The scores of a system over songs. Print it, or ask for `mean()`, `interval()`, `as_dict()`.

    `measure` is "improvement" (over the untouched mixture) or "si_sdr", both in dB. `source` is a name from
    `source_names`; None stands for all: each song's mean over its sounding sources, then the mean over songs.
    A silent source has no score. It is left out of every mean and counted in `silent`.

    Taught on: book/evaluation/metrics
    """

    source_names: tuple[str, ...]
    tracks: list[TrackScores] = field(default_factory=list)
    title: str = ""

    def mean(self, measure: str = "improvement", source: str | None = None) -> float:
        """Average over songs, in dB; NaN if no song has a score."""
        return _mean(self.values(measure, source))

    def interval(self, measure: str = "improvement", source: str | None = None, level: float = 0.95):
        """Bound the mean of songs like these: `(low, high)` in dB, by Student's t over songs.

        NaN on both sides with fewer than two scored songs, from which no spread can be told.
        """
        values = [v for v in self.values(measure, source) if not isnan(v)]
        if len(values) < 2:
            return nan, nan
        mean, half = _mean(values), float(student(values, level))
        return mean - half, mean + half

    def values(self, measure: str = "improvement", source: str | None = None) -> list[float]:
        """List one value for each song, in dB, NaN where there is none."""
        self._know(measure, source)
        if source is None:
            return [track.mean(measure) for track in self.tracks]
        return [getattr(track, measure)[source] for track in self.tracks]

    def per_source(self, measure: str = "improvement") -> dict[str, float]:
        """Average over songs for each source, in dB."""
        return {name: self.mean(measure, name) for name in self.source_names}

    @property
    def sample_rates(self) -> list[int]:
        """List the rates in Hz at which songs were scored, each once."""
        return sorted({track.sample_rate for track in self.tracks if track.sample_rate})

    @property
    def silent(self) -> int:
        """Count the sources, over all songs, that are silent and left out."""
        return sum(map(self._silent, self.source_names))

    def as_dict(self) -> dict:
        """Give everything as plain dicts, lists and numbers that JSON can hold; None where no score exists."""
        return {
            "title": self.title,
            "sample_rates": self.sample_rates,
            "unit": "dB",
            "source_names": list(self.source_names),
            "tracks": len(self.tracks),
            "silent": self.silent,
            **{measure: self._summary(measure) for measure in MEASURES},
            "per_track": [
                {"name": t.name, "seconds": t.seconds, **{m: _plain(getattr(t, m)) for m in MEASURES}}
                for t in self.tracks
            ],
        }

    def __str__(self) -> str:
        """Draw the table as text."""
        head, *rows = self._rows()
        widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
        lines = [_line(row, widths) for row in (head, *rows)]
        lines.insert(1, "-" * len(lines[0]))
        return "\n".join([*filter(None, [self._caption()]), *lines, self._note()])

    def _repr_html_(self) -> str:
        """Draw the table as HTML for a notebook."""
        head, *rows = self._rows()
        top = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
        body = "".join(
            f'<tr><th scope="row">{escape(r[0])}</th>' + "".join(f"<td>{escape(c)}</td>" for c in r[1:]) + "</tr>"
            for r in rows
        )
        caption = escape(". ".join(filter(None, [self._caption(), self._note()])))
        return f"<table><caption>{caption}</caption><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"

    def _rows(self) -> list[list[str]]:
        """Fill the cells of the table: a head, a row for each source, a row for all."""
        rows = [["source", "SI-SDR dB", "improvement dB", "95 % interval", "songs"]]
        for source in (*self.source_names, None):
            low, high = self.interval("improvement", source)
            counted = sum(not isnan(v) for v in self.values("improvement", source))
            rows.append(
                [
                    source or "mean",
                    _show(self.mean("si_sdr", source)),
                    _show(self.mean("improvement", source)),
                    "-" if isnan(low) else f"{low:.2f} to {high:.2f}",
                    f"{counted} of {len(self.tracks)}",
                ]
            )
        return rows

    def _caption(self) -> str:
        """Say what was scored, and at which rate."""
        rates = " and ".join(f"{rate} Hz" for rate in self.sample_rates)
        return ", ".join(filter(None, [self.title, rates and f"at {rates}"]))

    def _note(self) -> str:
        """Say what is compared, which question the interval answers, and what was left out."""
        said = (
            "Improvement is over the untouched mixture. The interval asks about other songs, not about other trainings."
        )
        return f"{said} Left out: {self.silent} silent source(s)." if self.silent else said

    def _summary(self, measure: str) -> dict:
        """Gather mean, interval and counts of one measure for `as_dict`."""
        whole = {"mean": _none(self.mean(measure)), "interval": [_none(x) for x in self.interval(measure)]}
        whole["sources"] = {
            name: {
                "mean": _none(self.mean(measure, name)),
                "interval": [_none(x) for x in self.interval(measure, name)],
                "silent": self._silent(name),
            }
            for name in self.source_names
        }
        return whole

    def _silent(self, source: str) -> int:
        """Count the songs in which this source has no score."""
        return sum(isnan(v) for v in self.values("si_sdr", source))

    def _know(self, measure: str, source: str | None) -> None:
        """Refuse a measure or a source that does not exist."""
        if measure not in MEASURES:
            raise ValueError(f"there is no measure '{measure}'. Choose one of: {', '.join(MEASURES)}.")
        if source is not None and source not in self.source_names:
            raise ValueError(f"there is no source '{source}'. Choose one of: {', '.join(self.source_names)}.")


def _mean(values: list[float]) -> float:
    """Average what is a number; NaN if nothing is."""
    numbers = [v for v in values if not isnan(v)]
    return sum(numbers) / len(numbers) if numbers else nan


def _line(row: list[str], widths: list[int]) -> str:
    """Write a row: the first cell to the left, numbers to the right."""
    cells = [row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))]
    return "  ".join(cells)


def _show(value: float) -> str:
    """Write a value in dB for the table."""
    return "-" if isnan(value) else f"{value:.2f}"


def _none(value: float) -> float | None:
    """Give None for NaN, which JSON does not know."""
    return None if isnan(value) else value


def _plain(values: dict[str, float]) -> dict[str, float | None]:
    """Give the dict with None for NaN."""
    return {name: _none(value) for name, value in values.items()}
