"""A whole song as notes: harmony, drums, bass, accompaniment and sung lines."""

from dataclasses import dataclass, replace

from tools.corpus import accompaniment, melody, palette, rhythm
from tools.corpus.clock import Clock
from tools.corpus.plan import SECONDS, Plan
from tools.corpus.theory import Chord, progression

EARLY = 0.03  # seconds by which a hand may come before the bar


@dataclass(frozen=True)
class Score:
    """What is played: ``drums`` and ``bass`` are notes, ``others`` (program, role, notes), ``lines`` sung lines."""

    plan: Plan
    clock: Clock
    chords: tuple
    drums: list
    bass: list
    others: list
    lines: list


def harmony(plan):
    """Chords of the whole song: one progression for the verse, another for the chorus."""
    rng, beats = plan.rng("harmony"), plan.groove.beats
    halves = beats == 4 and 60 / plan.tempo * beats > 2.4
    sevenths = 0.8 if plan.style in ("jazz", "bossa", "soul") else 0.25
    patterns, chords = {}, []
    for section in plan.sections:
        part = "chorus" if section.name in ("chorus", "break", "outro") else "verse"
        options = dict(halves=halves, sevenths=sevenths, pattern=patterns.get(part))
        more, patterns[part] = progression(
            rng, plan.tonic, plan.mode, section.first_bar, section.bars, beats, **options
        )
        chords += more
    tonic = (plan.tonic, accompaniment.chord_third(plan), (plan.tonic + 7) % 12)
    return (*chords, Chord(plan.bars * beats, 16.0, plan.tonic, tonic))


def compose(plan, count_syllables):
    """Write every part of a song. ``count_syllables(text)`` counts the vowels that the singer's voice will make."""
    clock = Clock(plan.tempo, plan.swing, plan.groove.swing_unit)
    chords = harmony(plan)
    low, top = palette.SINGERS[plan.split][plan.singer][3:5]
    lines = [] if plan.missing == "vocals" else melody.lines(plan, chords, (low, top), count_syllables)
    others = accompaniment.others(plan, chords, clock, lines)
    return Score(
        plan, clock, chords,
        drums=keep(plan, "drums", rhythm.drums(plan, clock)),
        bass=keep(plan, "bass", rhythm.bass(plan, chords, clock)),
        others=[(program, role, kept) for program, role, notes in others if (kept := keep(plan, "other", notes))],
        lines=lines,
    )  # fmt: skip


def keep(plan, stem, notes):
    """The notes of a stem without those of the bars in which it rests; what sounds into such a bar ends there."""
    if plan.missing == stem:
        return []
    for first, last in rest_spans(plan, stem):
        notes = [n if n.start >= first else replace(n, end=min(n.end, first)) for n in notes]
        notes = [n for n in notes if not first <= n.start < last]
    return [n for n in notes if n.end - n.start > 0.02]


def rest_spans(plan, stem):
    """[(start, end)] in seconds of the bars in which a stem of the band rests; the whole song where it is missing."""
    if plan.missing == stem:
        return [(0.0, SECONDS)]
    spans = []
    for bar in plan.rests.get(stem, ()):
        start, end = round(bar * plan.bar_seconds, 4), round((bar + 1) * plan.bar_seconds, 4)
        if spans and abs(spans[-1][1] - start) < 1e-3:
            start = spans.pop()[0]
        spans.append((start, end))
    return [(max(0.0, start - EARLY), end - EARLY) for start, end in spans]
