"""Scales, chords and progressions: the harmony of a song, in beats and MIDI pitches."""

from dataclasses import dataclass

NOTE_NAMES = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")

SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
}

# Degrees 1..7 of the scale; "5+" is the fifth degree with a raised third (a dominant in minor).
PROGRESSIONS = {
    "major": ("1 5 6 4", "1 6 4 5", "4 1 5 6", "1 4 2 5", "6 4 1 5", "1 3 4 5", "2 5 1 6", "1 4 1 5", "4 5 3 6"),
    "minor": ("1 6 3 7", "1 4 7 3", "1 7 6 7", "1 4 1 5+", "6 7 1 1", "1 6 4 5+", "4 1 5+ 1", "1 3 7 4"),
    "dorian": ("1 4 1 4", "1 3 4 1", "1 7 4 1", "1 2 4 7", "1 5 4 4", "4 1 3 7"),
    "mixolydian": ("1 7 4 1", "1 5 4 1", "1 4 7 4", "4 1 7 1", "1 2 7 4", "1 7 1 4"),
    "lydian": ("1 2 1 2", "1 2 7 5", "6 2 1 1", "1 5 2 6", "1 3 2 2"),
}


@dataclass(frozen=True)
class Chord:
    """A chord that sounds from beat ``start`` for ``beats`` beats; ``classes`` are pitch classes, root first."""

    start: float
    beats: float
    root: int
    classes: tuple


def scale_classes(tonic, mode):
    """Pitch classes of a scale, from the tonic up."""
    return tuple((tonic + step) % 12 for step in SCALES[mode])


def chord_classes(tonic, mode, degree, size=3):
    """Pitch classes of the chord on a degree such as ``"4"`` or ``"5+"``: stacked thirds of the scale."""
    scale = scale_classes(tonic, mode)
    first = int(degree[0]) - 1
    classes = [scale[(first + 2 * k) % 7] for k in range(size)]
    if degree.endswith("+"):
        classes[1] = (classes[0] + 4) % 12
    return tuple(classes)


def progression(rng, tonic, mode, first_bar, bars, beats_per_bar, halves=False, sevenths=0.3, pattern=None):
    """Chords for ``bars`` bars; two a bar when ``halves``. Returns the chords and the pattern used."""
    pattern = pattern or str(rng.choice(PROGRESSIONS[mode]))
    degrees = pattern.split()
    length = beats_per_bar / 2 if halves else float(beats_per_bar)
    chords = []
    for k in range(int(round(bars * beats_per_bar / length))):
        size = 4 if rng.random() < sevenths else 3
        classes = chord_classes(tonic, mode, degrees[k % len(degrees)], size)
        chords.append(Chord(first_bar * beats_per_bar + k * length, length, classes[0], classes))
    return chords, pattern


def nearest(pitch_class, target):
    """MIDI pitch of the given class that lies nearest to ``target``."""
    return round((target - pitch_class) / 12) * 12 + pitch_class


def voicing(chord, centre, previous=None, voices=4):
    """Pitches of a chord around ``centre``, moving as little as possible from the ``previous`` voicing."""
    classes = list(chord.classes) if voices >= 3 else [chord.classes[0], chord.classes[1]]
    middle = sum(previous) / len(previous) if previous else centre
    middle = 0.7 * middle + 0.3 * centre
    pitches = sorted({nearest(c, middle) for c in classes})
    while len(pitches) < voices:  # octaves of the lowest notes that have none yet
        pitches = sorted({*pitches, next(p + 12 for p in pitches if p + 12 not in pitches)})
    return pitches[:voices]


def chord_at(chords, beat):
    """The chord that sounds at ``beat`` (the last one when the song is over)."""
    for chord in chords:
        if chord.start <= beat + 1e-6 < chord.start + chord.beats:
            return chord
    return chords[-1]


def snap(pitch, classes):
    """The pitch of one of ``classes`` that lies nearest to ``pitch`` (the lower one on a tie)."""
    return min((nearest(c, pitch) for c in classes), key=lambda p: (abs(p - pitch), p))
