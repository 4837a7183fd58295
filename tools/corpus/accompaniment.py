"""The stem ``other``: chords in rhythm, broken chords, long chords and a second melody."""

from tools.corpus.grooves import steps
from tools.corpus.palette import DISTORTED, LOUD_AND_LONG, STRUMMED
from tools.corpus.rhythm import LEVEL
from tools.corpus.theory import chord_at, nearest, scale_classes, snap, voicing

# name -> (steps, how much of the gap to the next stroke sounds)
RHYTHMS = {
    "whole": ("9...............", 0.97),
    "quarters": ("9...6...8...6...", 0.85),
    "eighths": ("9.5.7.5.8.5.7.5.", 0.8),
    "pushes": ("9.....7...8...6.", 0.75),
    "offbeats": ("..8...8...8...8.", 0.45),
    "charleston": ("9.....8.........", 0.7),
    "scratch": ("..7..5.8...7.5..", 0.4),
    "bossa": ("8..7...8..7...7.", 0.6),
    "waltz": ("....7...7...", 0.6),
    "quarters3": ("8...6...6...", 0.85),
    "triplets": ("857657857657", 0.85),
    "quarters12": ("9..6..8..6..", 0.9),
}
ARPEGGIOS = ((0, 1, 2, 3, 2, 1), (0, 2, 1, 2), (0, 1, 2, 3), (3, 2, 1, 0), (0, 2, 3, 1, 2))


def others(plan, chords, clock, lines):
    """((bank, program), role, notes) per instrument of ``other``. ``lines``: what is sung."""
    parts, sung = [], [line.span for line in lines]
    for role, program in plan.others:
        notes = ROLE_WRITERS[role](plan, chords, clock, program, sung)
        if role == "comp" and plan.arrangement.left_hand:
            notes += left_hand(plan, chords, clock, program)
        parts.append((program, role, notes + (last_chord(plan, clock, program, role) if plan.ends else [])))
    if plan.arrangement.doubles is not None and lines:
        program = next((program for role, program in plan.others if role in ("counter", "arp")), plan.others[-1][1])
        parts.append((program, "double", double(plan, clock, lines)))
    return parts


def left_hand(plan, chords, clock, program):
    """Low notes below the chords: root and fifth or octave, held; guitars and pianos reach down to 80 Hz and less."""
    rng = plan.rng("left hand")
    lowest = 40 if program in STRUMMED else int(rng.choice([31, 33, 36, 40]))
    wide = rng.random() < 0.5
    notes = []
    for chord in chords[:-1]:
        root = nearest(chord.root, lowest + 6)
        above = root + (12 if wide or len(chord.classes) < 3 else (chord.classes[2] - chord.root) % 12)
        for pitch in (root, above):
            notes.append(clock.note(rng, chord.start, chord.beats * 0.95, pitch, 0.8))
    return notes


def double(plan, clock, lines):
    """An instrument that plays the sung melody too, a little late and less strictly."""
    rng, shift = plan.rng("double"), plan.arrangement.doubles
    every = rng.random() < 0.6  # or only every other line
    return [
        clock.note(rng, beat, length * 0.95, pitch + shift, 0.6 * strength + 0.15, 0.015)
        for k, line in enumerate(lines)
        if every or k % 2
        for beat, length, pitch, strength in line.notes
    ]


def last_chord(plan, clock, program, role):
    """The chord that ends the song, held until the end."""
    rng, beat = plan.rng(f"last {role}"), plan.bars * plan.groove.beats
    classes = [plan.tonic, chord_third(plan), (plan.tonic + 7) % 12]
    if role in ("counter", "arp"):
        classes = classes[:1] if role == "counter" else classes[1:]
    return [clock.note(rng, beat + 0.02 * k, 16, nearest(c, 65 + 4 * k), 0.6) for k, c in enumerate(classes)]


def chord_third(plan):
    """Pitch class of the third degree of the song's scale."""
    return scale_classes(plan.tonic, plan.mode)[2]


def bars_of(section):
    """Bar numbers of a section."""
    return range(section.first_bar, section.first_bar + section.bars)


def comp(plan, chords, clock, program, sung):
    """Chords in a rhythm; guitars are strummed."""
    rng, beats = plan.rng("comp"), plan.groove.beats
    quiet, loud = (RHYTHMS[str(rng.choice(plan.groove.comp))] for _ in range(2))
    soft = 0.75 if program in LOUD_AND_LONG else 1.0
    spread = 0.012 if program in STRUMMED else 0.0
    voices = 2 if program in DISTORTED or plan.desk.guitar_drive and program in STRUMMED else plan.arrangement.voices
    notes, previous = [], None
    for section in plan.sections:
        pattern, length = loud if section.name == "chorus" else quiet
        strokes = steps(pattern, beats)
        for bar in bars_of(section):
            for (beat, strength), following in zip(strokes, [*strokes[1:], (beats, 0)], strict=True):
                at = bar * beats + beat
                chord = chord_at(chords, at + 0.3)
                until = min(
                    following[0] - beat, chord.start + chord.beats - at if chord.start <= at else following[0] - beat
                )
                previous = voicing(chord, plan.arrangement.comp_centre, previous, voices)
                level = strength * soft * LEVEL[section.name] * 0.8
                for k, pitch in enumerate(previous if rng.random() < 0.5 else previous[::-1] if spread else previous):
                    note = clock.note(rng, at, max(0.1, until * length * 0.8), pitch, level)
                    notes.append(type(note)(note.start + k * spread, note.end + k * spread, note.pitch, note.velocity))
    return notes


def arp(plan, chords, clock, program, sung):
    """Broken chords, from the start or from the second part on."""
    rng, beats = plan.rng("arp"), plan.groove.beats
    order = ARPEGGIOS[int(rng.integers(len(ARPEGGIOS)))]
    unit = 1 / 3 if plan.style == "twelve" else (0.25 if plan.tempo < 92 and rng.random() < 0.6 else 0.5)
    begin = int(rng.choice([0, plan.sections[0].end]))
    notes, previous = [], None
    for section in plan.sections:
        for bar in bars_of(section):
            if bar < begin:
                continue
            for k in range(int(round(beats / unit))):
                at = bar * beats + k * unit
                previous = voicing(chord_at(chords, at), 74, previous, 4)
                pitch = previous[order[k % len(order)] % len(previous)]
                level = (0.62 if k * unit % 1 == 0 else 0.5) * LEVEL[section.name]
                if rng.random() > 0.05:
                    notes.append(clock.note(rng, at, unit * 1.1, pitch, level))
    return notes


def pad(plan, chords, clock, program, sung):
    """Long chords, joined smoothly; in some songs only in the last part."""
    rng = plan.rng("pad")
    only_chorus = rng.random() < 0.3
    soft = 0.65 if program in LOUD_AND_LONG else 0.8
    first = plan.sections[-1].first_bar * plan.groove.beats if only_chorus else 0
    notes, previous = [], None
    for chord in chords:
        previous = voicing(chord, plan.arrangement.pad_centre, previous, max(3, plan.arrangement.voices - 1))
        if chord.start >= first:
            level = soft * (0.85 if chord.start < plan.sections[-1].first_bar * plan.groove.beats else 1.0)
            notes += [clock.note(rng, chord.start, chord.beats * 1.02, pitch, level * 0.7) for pitch in previous]
    return notes


def counter(plan, chords, clock, program, sung):
    """A second melody: it leads where nobody sings and answers softly at the ends of lines."""
    rng, beats = plan.rng("counter"), plan.groove.beats
    scale = scale_classes(plan.tonic, plan.mode)
    rhythm = [float(x) for x in rng.choice([0.5, 1.0, 1.5, 0.5, 1.0], size=5)]
    steps_up = [int(x) for x in rng.choice([-2, -1, 1, 2, -1, 1, 3], size=7)]
    notes, pitch, k = [], 72, 0
    for start, end, level in free_spans(plan, sung, beats):
        at = start
        pitch = snap(72 + int(rng.integers(-3, 4)), chord_at(chords, at).classes)
        while at < end - 0.25:
            length = min(rhythm[k % len(rhythm)], end - at)
            notes.append(clock.note(rng, at, length * 0.85, pitch, level, 0.01))
            at += length
            target = min(84, max(62, pitch + 2 * steps_up[k % len(steps_up)]))
            strong = abs(at - round(at)) < 1e-6
            pitch = snap(target, chord_at(chords, at).classes if strong else scale)
            k += 1
    return notes


def free_spans(plan, sung, beats):
    """Spans in beats without voice that are long enough for an answer, and how loud it may be."""
    edges = [0.0] + [x for span in sung for x in span] + [plan.bars * beats]
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        start = float(int(start * 2 + 0.999)) / 2
        if end - start >= 1.5:
            yield start, end - 0.25, 0.75 if end - start > beats else 0.6


ROLE_WRITERS = {"comp": comp, "arp": arp, "pad": pad, "counter": counter}
