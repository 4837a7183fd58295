"""The form of a song: which parts follow each other, who rests in them, and how loud each of them is."""

from dataclasses import dataclass

SUNG = ("verse", "chorus")
BAND = ("drums", "bass", "other")

# name -> parts. A part is a name and the seconds it takes, lowest and highest; sung parts share what remains.
FORMS = {
    "song": (("intro", 1.8, 3.4), ("verse",), ("break", 0.0, 2.6), ("chorus",)),
    "at once": (("verse",), ("break", 2.0, 4.0), ("chorus",)),
    "late": (("intro", 4.5, 8.5), ("verse",), ("chorus",)),
    "solo": (("verse",), ("solo", 3.5, 7.0), ("chorus",)),
    "outro": (("intro", 0.0, 2.5), ("verse",), ("chorus",), ("outro", 3.0, 6.0)),
    "a cappella": (("verse", 2.5, 4.0), ("verse",), ("break", 0.0, 2.2), ("chorus",)),
    "breakdown": (("intro", 1.8, 4.5), ("chorus",), ("verse",), ("chorus",)),
    "ending": (("intro", 6.5, 10.5), ("chorus",)),
}
# How likely each stem of the band rests through a part.
RESTS = {
    "intro": {"drums": 0.35, "bass": 0.35, "other": 0.1},
    "verse": {"drums": 0.1, "bass": 0.1, "other": 0.08},
    "break": {"drums": 0.3, "bass": 0.3, "other": 0.2},
    "solo": {"drums": 0.1, "bass": 0.1, "other": 0.0},
    "chorus": {"drums": 0.02, "bass": 0.03, "other": 0.03},
    "outro": {"drums": 0.2, "bass": 0.2, "other": 0.1},
}
STOP = 0.4  # how likely a stem of the band leaves out one more bar somewhere
LOUDNESS = {"intro": -2.5, "verse": -2.0, "break": -2.0, "solo": 0.0, "chorus": 2.0, "outro": -1.5}  # dB
WIDEST = 6.0  # dB: no part changes a stem by more


@dataclass(frozen=True)
class Section:
    """A part of the form: bars count from 0; ``rests`` are stems that are silent in it, ``gains`` {stem: dB}."""

    name: str
    first_bar: int
    bars: int
    rests: tuple = ()
    gains: tuple = ()  # of (stem, dB)

    @property
    def end(self):
        """The bar after the last."""
        return self.first_bar + self.bars


def form(rng, kind, bars, bar_seconds, line, missing=None):
    """Sections of a song of ``bars`` bars. ``line``: bars of a line of the lyric; ``missing``: an absent stem."""
    sections, first = [], 0
    for place, (name, length) in enumerate(lengths(rng, kind, bars, bar_seconds, line)):
        alone = kind == "a cappella" and place == 0 or kind == "breakdown" and name == "verse"
        rests = tuple(BAND) if alone and kind == "a cappella" else ("drums", "bass") if alone else resting(rng, name)
        sections.append(Section(name, first, length, somebody(rests, name, missing)))
        first += length
    depth = rng.uniform(0.2, 1.5)
    return tuple(with_gains(rng, section, depth) for section in sections)


def lengths(rng, kind, bars, bar_seconds, line):
    """(name, bars) of each part: whole lines for what is sung, the last sung part takes what is left."""
    fixed = [[p[0], round(rng.uniform(*p[1:]) / bar_seconds) if p[1:] else None] for p in FORMS[kind]]
    sung = [part for part in fixed if part[1] is None]
    left = bars - sum(length for _, length in fixed if length)
    while left < line * len(sung):  # slow songs: the long part gives way
        longest = max((part for part in fixed if part[1]), key=lambda part: part[1], default=None)
        if longest is None:
            break
        longest[1] -= 1
        left += 1
    for k, part in enumerate(sung):
        share = max(1, round(left / (len(sung) - k) / line)) * line
        part[1] = left if k == len(sung) - 1 else min(share, left)
        left -= part[1]
    return [(name, length) for name, length in fixed if length > 0]


def resting(rng, name):
    """Stems of the band that are silent through a part."""
    return tuple(stem for stem in BAND if rng.random() < RESTS[name][stem])


def somebody(rests, name, missing):
    """Rests that leave somebody to play: where nobody would sing, ``other`` (or else the drums) goes on."""
    if name in SUNG and missing != "vocals":
        return rests
    sounding = [stem for stem in BAND if stem not in rests and stem != missing]
    back = "drums" if missing == "other" else "other"
    return rests if sounding else tuple(stem for stem in rests if stem != back)


def with_gains(rng, section, depth):
    """The section with the level of each stem: that of its name, more or less, and some of the stem's own."""
    gains = []
    for stem in ("vocals", *BAND):
        gain = depth * LOUDNESS[section.name] + rng.uniform(-3.0, 3.0)
        gains.append((stem, round(float(min(WIDEST, max(-WIDEST, gain))), 2)))
    return Section(section.name, section.first_bar, section.bars, section.rests, tuple(gains))


def resting_bars(rng, sections, missing=None):
    """{stem: bars in which it rests}: the parts it leaves out, and a single bar here and there."""
    bars = {stem: {bar for s in sections if stem in s.rests for bar in range(s.first_bar, s.end)} for stem in BAND}
    for stem in BAND:
        long = [s for s in sections if s.bars >= 3 and stem not in s.rests]
        if long and rng.random() < STOP:
            bar = long[int(rng.integers(len(long)))].end - 1
            others = [x for x in BAND if x not in (stem, missing)]
            if any(bar not in bars[x] for x in others):
                bars[stem].add(bar)
    return {stem: tuple(sorted(found)) for stem, found in bars.items()}
