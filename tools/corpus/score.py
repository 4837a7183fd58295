"""A whole song as notes: harmony, drums, bass, accompaniment and sung lines."""

from dataclasses import dataclass

from tools.corpus import accompaniment, melody, palette, rhythm
from tools.corpus.clock import Clock
from tools.corpus.plan import Plan
from tools.corpus.theory import Chord, progression


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
        part = "chorus" if section.name in ("chorus", "break") else "verse"
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
    lines = melody.lines(plan, chords, (low, top), count_syllables)
    sung = [line.span for line in lines]
    return Score(
        plan, clock, chords, rhythm.drums(plan, clock), rhythm.bass(plan, chords, clock),
        accompaniment.others(plan, chords, clock, sung), lines,
    )  # fmt: skip
