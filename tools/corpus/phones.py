"""Phones with their times, and the syllables that they make. Every engine uses these names: ARPAbet, lower case."""

from dataclasses import dataclass

PAUSE = "pau"
SPEECH = "speech"  # a stretch of speech whose phones nobody has named: such a speaker talks, and cannot sing
VOWELS = frozenset("aa ae ah ao aw ax axr ay eh er ey ih ix iy ow oy uh uw".split())
SONORANTS = frozenset("m n ng l r w y em en el".split())
OBSTRUENTS = frozenset("b ch d dh dx f g hh hv jh k p s sh t th v z zh".split())
CLUSTERS = frozenset(
    (
        "p r/b r/t r/d r/k r/g r/f r/th r/sh r/p l/b l/k l/g l/f l/s l/s p/s t/s k/s m/s n/"
        "s w/t w/k w/d w/hh w/p y/k y/m y/f y/b y"
    ).split("/")
)


@dataclass(frozen=True)
class Phone:
    """One phone: its ARPAbet name and where it lies, in seconds."""

    name: str
    start: float
    end: float


def from_ends(ends):
    """Phones of (name, end in seconds): each begins where the one before it ends."""
    starts = [0.0, *(end for _, end in ends)]
    return tuple(Phone(name, start, end) for (name, end), start in zip(ends, starts, strict=False))


def from_frames(names, counts, seconds):
    """Phones of names and frame counts (T,), each frame ``seconds`` long. Neighbouring pauses become one.

    A part without a frame is left out: nobody hears it.
    """
    if len(names) != len(counts):
        raise ValueError(f"{len(names)} phones and {len(counts)} frame counts: expected one count per phone")
    made, at = [], 0
    for name, count in zip(names, counts, strict=True):
        start, at = at, at + int(count)
        if made and name == PAUSE and made[-1].name == PAUSE:
            made[-1] = Phone(PAUSE, made[-1].start, at * seconds)
        elif count:
            made.append(Phone(name, start * seconds, at * seconds))
    return tuple(made)


def spoken(phones):
    """The phones without the pauses."""
    return [phone for phone in phones if phone.name != PAUSE]


def syllables(phones):
    """Group phones (without pauses) into (onset, vowel, coda): between vowels the longest legal onset wins."""
    sounds = spoken(phones)
    nuclei = [k for k, phone in enumerate(sounds) if phone.name in VOWELS]
    cuts = [0]
    for before, after in zip(nuclei, nuclei[1:], strict=False):
        between = after - before - 1
        take = min(between, 1)
        if between >= 2 and f"{sounds[after - 2].name} {sounds[after - 1].name}" in CLUSTERS:
            take = 2
        if take == 1 and sounds[after - 1].name == "ng":
            take = 0
        cuts.append(after - take)
    cuts.append(len(sounds))
    groups = []
    for nucleus, start, end in zip(nuclei, cuts, cuts[1:], strict=False):
        groups.append((tuple(sounds[start:nucleus]), sounds[nucleus], tuple(sounds[nucleus + 1 : end])))
    return groups
