"""Drum grooves as strings: one character a step, a digit for how hard. The rest of the band follows them.

A groove has 16 steps (four beats of four), or 12 for three beats of four ("waltz") or four beats of three ("twelve").
"""

from dataclasses import dataclass, field

LANES = {
    "kick": 36,
    "snare": 38,
    "stick": 37,
    "hat": 42,
    "open": 46,
    "pedal": 44,
    "ride": 51,
    "crash": 49,
    "clap": 39,
    "shaker": 82,
    "tambourine": 54,
    "cowbell": 56,
    "conga": 63,
    "low_conga": 64,
}
TOMS = (50, 48, 47, 45, 43)


@dataclass(frozen=True)
class Groove:
    """Lanes of a drum pattern and what suits it: tempo, swing, bass and comping patterns."""

    tempo: tuple  # lowest and highest, beats per minute
    lanes: dict  # lane name -> tuple of alternative step strings
    bass: tuple  # names in bass.PATTERNS
    comp: tuple  # names in accompaniment.RHYTHMS
    beats: int = 4  # beats a bar
    swing: tuple = (0.5, 0.5)  # where the second half of the swung unit falls
    swing_unit: float = 1.0  # beats
    extras: dict = field(default_factory=dict)  # percussion for the chorus


GROOVES = {
    "pop": Groove(
        (98, 126),
        {
            "kick": ("9.....6.9.......", "9.......9.7....."),
            "snare": ("....9.......9...",),
            "hat": ("8.5.8.5.8.5.8.5.",),
        },
        ("kick", "eighths", "tresillo"),
        ("pushes", "eighths", "quarters"),
        extras={"tambourine": "....7.......7..."},
    ),
    "rock": Groove(
        (112, 148),
        {
            "kick": ("9.....9.9.......", "9...... 9.9....".replace(" ", "."), "9.9.....9.9....."),
            "snare": ("....9.......9...",),
            "hat": ("9.7.9.7.9.7.9.7.",),
        },
        ("eighths", "kick"),
        ("eighths", "pushes"),
        extras={"crash": "8..............."},
    ),
    "ballad": Groove(
        (70, 86),
        {
            "kick": ("9.........6.....", "9......5..7....."),
            "snare": ("....7.......8...",),
            "hat": ("6.4.6.4.6.4.6.4.", "6454645464546454"),
        },
        ("long", "kick"),
        ("quarters", "charleston", "whole"),
        extras={"ride": "7.4.6.4.7.4.6.4."},
    ),
    "funk": Groove(
        (92, 112),
        {
            "kick": ("9..7..6...9..7..", "9.7....7..9....."),
            "snare": ("....9..3.3..9..3", "....9..3....9.33"),
            "hat": ("8565856585658565",),
            "open": ("..............6.",),
        },
        ("funk", "kick"),
        ("scratch", "offbeats", "pushes"),
        swing=(0.5, 0.56),
        swing_unit=0.5,
    ),
    "disco": Groove(
        (112, 128),
        {
            "kick": ("9...9...9...9...",),
            "snare": ("....8.......8...",),
            "open": ("..8...8...8...8.",),
            "hat": ("7.......7.......", "7..67..67..67..6"),
        },
        ("octaves", "funk"),
        ("offbeats", "pushes", "scratch"),
        extras={"clap": "....7.......7..."},
    ),
    "shuffle": Groove(
        (92, 124),
        {
            "kick": ("9.....7.9.......", "9.......9.....6."),
            "snare": ("....9.......9...", "....9.....3.9..."),
            "hat": ("8.5.8.5.8.5.8.5.",),
        },
        ("walk", "eighths"),
        ("offbeats", "charleston", "eighths"),
        swing=(0.62, 0.67),
        extras={"ride": "8.5.8.5.8.5.8.5."},
    ),
    "jazz": Groove(
        (104, 148),
        {
            "ride": ("8...7.5.8...7.5.",),
            "pedal": ("....7.......7...",),
            "kick": ("5...4...5...4...", "5.....5....4...."),
            "snare": ("......3........4", "..4.......4.....", "................"),
        },
        ("walk",),
        ("charleston", "offbeats", "whole"),
        swing=(0.62, 0.67),
    ),
    "bossa": Groove(
        (108, 138),
        {
            "kick": ("8..58..58..58..5",),
            "stick": ("8..7..8...7..8..", "8..7..8...8..7.."),
            "hat": ("6.5.6.5.6.5.6.5.",),
        },
        ("bossa", "tresillo"),
        ("bossa", "charleston"),
        extras={"shaker": "6565656565656565"},
    ),
    "one_drop": Groove(
        (70, 88),
        {
            "kick": ("........9.......", "........9.....5."),
            "stick": ("........8.......",),
            "hat": ("5.7.5.7.5.7.5.7.", "5.7.5.745.7.5.74"),
        },
        ("dub", "long"),
        ("offbeats",),
        swing=(0.54, 0.62),
        swing_unit=0.5,
        extras={"low_conga": "....5.66....5.6."},
    ),
    "hip_hop": Groove(
        (82, 98),
        {
            "kick": ("9..7......9.....", "9.....7..79....."),
            "snare": ("....9.......9...", "....9..3....9..."),
            "hat": ("8.6.8.6.8.668.6.", "8.6.8.6.8.6.8.66"),
        },
        ("dub", "kick", "long"),
        ("charleston", "quarters", "whole"),
        swing=(0.55, 0.62),
        swing_unit=0.5,
    ),
    "breakbeat": Groove(
        (120, 148),
        {
            "kick": ("9.9.......99....", "9.9.......8....."),
            "snare": ("....9..5.5..9..5", "....9..4.4..9..."),
            "ride": ("8.6.8.6.8.6.8.6.",),
        },
        ("tresillo", "kick"),
        ("whole", "pushes", "charleston"),
        extras={"shaker": "5353535353535353"},
    ),
    "soul": Groove(
        (104, 132),
        {
            "kick": ("9.....7.9.7.....", "9..7....9..7...."),
            "snare": ("8...8...8...8...", "....9.......9..."),
            "hat": ("7.5.7.5.7.5.7.5.",),
        },
        ("tresillo", "kick", "walk"),
        ("quarters", "offbeats", "pushes"),
        extras={"tambourine": "..6.7.6...6.7.6."},
    ),
    "waltz": Groove(
        (92, 144),
        {
            "kick": ("9...........", "9.......4..."),
            "snare": ("....6...6...", "........7..."),
            "ride": ("7...6.4.6...", "7...6...6.4."),
        },
        ("waltz", "walk"),
        ("waltz", "quarters3"),
        beats=3,
        swing=(0.5, 0.6),
    ),
    "twelve": Groove(
        (70, 86),
        {"kick": ("9.....7.....", "9....67....."), "snare": ("...9.....9..",), "hat": ("856857856857", "8.68.68.68.6")},
        ("long", "twelve"),
        ("triplets", "quarters12"),
        extras={"tambourine": "...6.....6.."},
    ),
}


def steps(pattern, beats):
    """(beat within the bar, strength 0..1) of each stroke of a step string."""
    unit = beats / len(pattern)
    return [(k * unit, int(mark) / 9) for k, mark in enumerate(pattern) if mark != "."]
