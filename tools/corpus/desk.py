"""The mixing desk of a song: how loud each stem is, in which room it sounds, and what its tone is like."""

from dataclasses import dataclass

from tools.corpus import rooms

STEMS = ("vocals", "drums", "bass", "other")
WIDEST = 6.0  # dB that a stem may be above or below its usual level
APART = 9.0  # dB between the loudest and the softest stem against the usual, at most
SENDS = {"vocals": 0.0, "drums": -1.0, "bass": -6.0, "other": 0.0}  # dB of the room that each stem gets
DRY = 0.2  # part of the songs without a room


@dataclass(frozen=True)
class Desk:
    """All settings of one song."""

    levels: dict  # {stem: dB against its usual level}
    room_seconds: float  # to fall by 60 dB; 0 is dry
    room_db: float  # energy of the room against the dry sound
    box: tuple  # metres
    sends: dict  # {stem: dB against room_db}
    low_cut: float  # Hz, of ``other``
    loudness: float  # dB, root mean square of the mixture
    bass_drive: float  # dB into a soft clipper; 0 is clean
    guitar_drive: float


def desk(rng):
    """Draw the settings of a song."""
    seconds = 0.0 if rng.random() < DRY else round(float(rng.uniform(0.15, 1.2)), 2)
    return Desk(
        levels=levels(rng),
        room_seconds=seconds,
        room_db=round(float(rng.triangular(-30, -10, -8)), 1),
        box=tuple(round(float(x), 2) for x in rooms.box(rng, seconds)),
        sends={stem: round(SENDS[stem] + float(rng.uniform(-4, 4)), 1) for stem in STEMS},
        low_cut=round(float(rng.uniform(35, 80) if rng.random() < 0.8 else rng.uniform(100, 150)), 1),
        loudness=round(float(rng.uniform(-17.0, -14.5)), 2),
        bass_drive=round(float(rng.uniform(6, 18)), 1) if rng.random() < 0.3 else 0.0,
        guitar_drive=round(float(rng.uniform(15, 30)), 1) if rng.random() < 0.5 else 0.0,
    )


def levels(rng):
    """{stem: dB against its usual level}, redrawn where two stems would lie too far apart."""
    while True:
        drawn = {stem: round(float(min(WIDEST, max(-WIDEST, rng.normal(0, 3.5)))), 2) for stem in STEMS}
        if max(drawn.values()) - min(drawn.values()) <= APART:
            return drawn
