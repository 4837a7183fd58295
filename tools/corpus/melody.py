"""The sung melody: a rhythm and a pitch for each syllable of the lyric."""

from dataclasses import dataclass

from tools.corpus.form import SUNG
from tools.corpus.plan import line_bars
from tools.corpus.theory import chord_at, scale_classes, snap

CONTOURS = {
    "arch": (0.2, 0.6, 1.0, 0.7, 0.2),
    "falling": (0.9, 0.8, 0.5, 0.3, 0.1),
    "rising": (0.1, 0.3, 0.5, 0.8, 0.9),
    "wave": (0.4, 0.8, 0.3, 0.7, 0.3),
    "valley": (0.7, 0.3, 0.1, 0.4, 0.8),
}


@dataclass(frozen=True)
class Line:
    """One sung line: its words and one (beat, beats, pitch, strength) per syllable."""

    text: str
    notes: tuple

    @property
    def span(self):
        """First and last beat that sounds."""
        return self.notes[0][0], self.notes[-1][0] + self.notes[-1][1]


def lines(plan, chords, singer_range, count_syllables):
    """All lines of the song. ``count_syllables(text)`` says how many notes a line needs."""
    rng, beats = plan.rng("melody"), plan.groove.beats
    length = line_bars(beats * 60 / plan.tempo)
    contours = [str(x) for x in rng.permutation(list(CONTOURS))]
    written, last = [], [s for s in plan.sections if s.name in SUNG][-1]
    for section in plan.sections:
        if section.name not in SUNG:
            continue
        words = plan.lyric[:2] if section.name == "verse" else plan.lyric[2:]
        count = max(1, round(section.bars / length))
        for k in range(count):
            first = section.first_bar + k * length
            bars = min(length, section.first_bar + section.bars - first)
            if bars <= 0:
                continue
            text = words[k % len(words)]
            contour = CONTOURS[contours[(2 if section.name == "chorus" else 0) + k % 2]]
            final = k == count - 1 and section is last
            rhythm = line_rhythm(
                plan,
                plan.rng(f"rhythm {section.name} {k % 2}"),
                count_syllables(text),
                first * beats,
                bars * beats,
                final,
            )
            pitches = line_pitches(rng, plan, chords, rhythm, contour, singer_range, section.name == "chorus", final)
            written.append(Line(text, tuple((b, d, p, s) for (b, d, s), p in zip(rhythm, pitches, strict=True))))
    return written


def line_rhythm(plan, rng, count, start, beats, final):
    """(beat, beats, strength) of each syllable: strong places first, never closer than a mouth can move."""
    beat_seconds = 60 / plan.tempo
    rest = min(0.3 * beats, max(0.5, 0.55 / beat_seconds))
    units = (1 / 3,) if plan.style == "twelve" else (0.5, 0.25) if plan.tempo < 118 else (1.0, 0.5)
    lead = 0.0 if rng.random() < 0.6 and start > 0 else 0.5  # a consonant comes before its beat: not before the song
    for unit in units:
        places = [k * unit for k in range(int((beats - rest - lead) / unit))]
        chosen = pick(rng, places, count, max(unit, 0.17 / beat_seconds))
        if len(chosen) == count:
            break
    else:
        width = (beats - rest) / count
        chosen = [k * width for k in range(count)]
    onsets = [start + lead + place for place in chosen]
    ends = [*onsets[1:], start + beats - rest * 0.6 + (beats * 0.3 if final else 0)]
    notes = []
    for a, b in zip(onsets, ends, strict=True):
        strength = 0.85 if (a - start) % 1 == 0 else 0.7
        notes.append((a, min(b - a, 2.0 / beat_seconds), strength))
    return notes


def pick(rng, places, count, gap):
    """``count`` of ``places``, by metrical weight and luck, at least ``gap`` apart."""
    weight = {p: (1.2 if p % 2 == 0 else 0.9 if p % 1 == 0 else 0.5 if p % 0.5 == 0 else 0.1) for p in places}
    order = sorted(places, key=lambda p: -(weight[p] + float(rng.uniform(0, 0.9))))
    chosen = []
    for place in order:
        if len(chosen) < count and all(abs(place - other) >= gap - 1e-6 for other in chosen):
            chosen.append(place)
    return sorted(chosen)


def line_pitches(rng, plan, chords, rhythm, contour, singer_range, high, final):
    """Pitches along a contour: chord tones on the beat, scale tones between, leaps of a sixth at most."""
    low, top = singer_range
    low, top = (low + 4, top) if high else (low, top - 4)
    scale = scale_classes(plan.tonic, plan.mode)
    pitches = []
    for k, (beat, length, _) in enumerate(rhythm):
        place = k / max(1, len(rhythm) - 1) * (len(contour) - 1)
        before, after = contour[int(place)], contour[min(len(contour) - 1, int(place) + 1)]
        height = before + (after - before) * (place % 1)
        target = low + height * (top - low) + float(rng.normal(0, 1.2))
        if pitches:
            target = min(pitches[-1] + 8, max(pitches[-1] - 8, 0.5 * target + 0.5 * pitches[-1]))
        chord = chord_at(chords, beat)
        strong = beat % 1 == 0 or length >= 1 or k == len(rhythm) - 1
        classes = chord.classes[:3] if strong else tuple(set(scale) - clash(chord, scale))
        if final and k == len(rhythm) - 1:
            classes, target = (plan.tonic,), 0.7 * pitches[-1] + 0.3 * target
        if pitches[-2:] == [snap(target, classes)] * 2:  # a third time would be dull
            classes = tuple(c for c in scale if c != pitches[-1] % 12) if not strong else classes
            target += 3 if height > 0.5 else -3
        pitches.append(min(top + 2, max(low - 2, snap(target, classes))))
        if pitches[-1] % 12 not in classes:
            pitches[-1] = snap(pitches[-1], classes)
    return pitches


def clash(chord, scale):
    """Scale tones a semitone below a raised chord tone: they would rub against it."""
    return {(c - 1) % 12 for c in chord.classes if c not in scale} & set(scale)
