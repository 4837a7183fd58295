"""From beats to seconds: tempo, swing and the small errors of hands."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Note:
    """A note in seconds, with MIDI pitch and velocity 1..127."""

    start: float
    end: float
    pitch: int
    velocity: int


class Clock:
    """Turns beats into seconds. ``swing`` 0.5 is straight, 0.67 a triplet feel, on units of ``unit`` beats."""

    def __init__(self, tempo, swing=0.5, unit=1.0):
        """Tempo in beats per minute."""
        self.beat_seconds = 60 / tempo
        self.swing, self.unit = swing, unit

    def seconds(self, beat):
        """Time of a beat, swung."""
        whole, part = divmod(beat / self.unit, 1.0)
        part = part / 0.5 * self.swing if part < 0.5 else self.swing + (part - 0.5) / 0.5 * (1 - self.swing)
        return (whole + part) * self.unit * self.beat_seconds

    def note(self, rng, beat, beats, pitch, strength, loose=0.006):
        """A played note: ``strength`` 0..1 becomes a velocity; timing errs by ``loose`` seconds."""
        start = max(0.0, self.seconds(beat) + float(rng.normal(0, loose)))
        end = max(start + 0.04, self.seconds(beat + beats) - 0.01)
        velocity = int(min(127, max(12, round(30 + 88 * strength + rng.normal(0, 4)))))
        return Note(round(start, 4), round(end, 4), int(pitch), velocity)
