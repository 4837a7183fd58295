"""Drums and bass: grooves with fills, and bass lines that follow them."""

from tools.corpus.grooves import LANES, TOMS, steps
from tools.corpus.theory import chord_at, nearest

LEVEL = {"intro": 0.8, "verse": 0.88, "break": 0.84, "solo": 0.92, "chorus": 1.0, "outro": 0.85}


def drums(plan, clock):
    """Notes of the drum kit: a groove per section, a crash to open it, a fill to leave it."""
    rng, groove = plan.rng("drums"), plan.groove
    chosen = {lane: str(rng.choice(options)) for lane, options in groove.lanes.items()}
    silent_start = rng.random() < 0.3
    notes = []
    for section in plan.sections:
        lanes = dict(chosen)
        if section.name == "chorus":
            lanes |= groove.extras
        for bar in range(section.first_bar, section.first_bar + section.bars):
            last = bar == section.first_bar + section.bars - 1
            if section.name == "intro" and silent_start and not last:
                continue
            fill = float(rng.choice([1.0, 1.5, 2.0])) if last and groove.beats == 4 else (1.0 if last else 0.0)
            notes += bar_of_drums(rng, clock, lanes, groove.beats, bar, LEVEL[section.name], fill)
            if bar == section.first_bar and bar > 0 and section.name in ("chorus", "break", "solo"):
                notes.append(clock.note(rng, bar * groove.beats, 2, LANES["crash"], 0.65))
    end = plan.bars * groove.beats
    if not plan.ends:
        return notes
    return notes + [clock.note(rng, end, 3, LANES[lane], 0.75) for lane in ("kick", "crash")]


def bar_of_drums(rng, clock, lanes, beats, bar, level, fill):
    """One bar; its last ``fill`` beats belong to snare and toms."""
    notes = []
    for lane, pattern in lanes.items():
        for beat, strength in steps(pattern, beats):
            if beat >= beats - fill and lane not in ("kick", "pedal"):
                continue
            if strength < 0.6 and rng.random() < 0.06:
                continue
            notes.append(
                clock.note(
                    rng, bar * beats + beat, 0.25, LANES[lane], strength * level * float(rng.uniform(0.93, 1.04)), 0.005
                )
            )
    return notes + drum_fill(rng, clock, (bar + 1) * beats - fill, fill, level)


def drum_fill(rng, clock, start, length, level):
    """A run over the toms (or on the snare) that grows towards the next bar."""
    if length == 0:
        return []
    grid = float(rng.choice([0.25, 0.5, 1 / 3])) if length <= 1.5 else 0.5
    count = int(round(length / grid))
    on_snare = rng.random() < 0.35
    notes = []
    for k in range(count):
        if rng.random() < 0.15 and k:
            continue
        pitch = LANES["snare"] if on_snare or k == 0 else TOMS[min(len(TOMS) - 1, k * len(TOMS) // count)]
        notes.append(clock.note(rng, start + k * grid, grid, pitch, level * (0.6 + 0.35 * k / count)))
    return notes


def bass(plan, chords, clock):
    """Notes of the bass: one pattern for the verse, another for the chorus, rests in some intros."""
    rng, groove = plan.rng("bass"), plan.groove
    kick = steps(str(plan.rng("drums").choice(groove.lanes["kick"])), groove.beats)
    quiet = str(rng.choice(groove.bass))
    loud = str(rng.choice(groove.bass))
    rests = rng.random() < 0.35
    notes = []
    for section in plan.sections:
        if section.name == "intro" and rests:
            continue
        name = loud if section.name == "chorus" else quiet
        for bar in range(section.first_bar, section.first_bar + section.bars):
            for beat, length, tone, strength in PATTERNS[name](rng, groove.beats, kick):
                at = bar * groove.beats + beat
                pitch = bass_pitch(chords, at, tone, rng, plan.arrangement.bass_centre)
                level = strength * LEVEL[section.name] * float(rng.uniform(0.95, 1.03))
                notes.append(clock.note(rng, at, length * 0.8, pitch, level, 0.005))
    if not plan.ends:
        return notes
    final = nearest(plan.tonic, 34)
    return notes + [clock.note(rng, plan.bars * groove.beats, 16, final if final >= 28 else final + 12, 0.85)]


def bass_pitch(chords, beat, tone, rng, centre=36):
    """Pitch of a chord tone (0 root, 1 third, 2 fifth, 8 octave) or of "approach", a step from the next root."""
    chord = chord_at(chords, beat)
    root = nearest(chord.root, centre)
    root += 12 if root < 28 else 0
    if tone == "approach":
        target = nearest(chord_at(chords, chord.start + chord.beats).root, root)
        target += 12 if target < 29 else 0
        return target + int(rng.choice([-2, -1, 1, 2]))
    return root + 12 if tone == 8 else root + (chord.classes[int(tone)] - chord.root) % 12


def on_kick(rng, beats, kick):
    """Root with every kick stroke, and a lead-in to the next chord."""
    hits = [beat for beat, strength in kick if strength > 0.4]
    hits = hits if hits and hits[0] == 0 else [0.0, *hits]
    ends = [*hits[1:], beats]
    line = [
        (a, min(b - a, 1.5) * 0.9, 0 if k == 0 else int(rng.choice([0, 0, 2])), 0.85)
        for k, (a, b) in enumerate(zip(hits, ends, strict=True))
    ]
    return line + ([(beats - 0.5, 0.45, "approach", 0.7)] if hits[-1] < beats - 1 else [])


def walk(rng, beats, kick):
    """A note on every beat: root, chord tones, approach."""
    middle = [(k, 0.92, int(rng.choice([0, 1, 2, 8])), 0.75) for k in range(1, beats - 1)]
    return [(0, 0.95, 0, 0.85), *middle, (beats - 1, 0.9, "approach", 0.78)]


def fixed(*notes):
    """A pattern that never changes: (beat, length, tone, strength)."""
    return lambda rng, beats, kick: notes


def repeated(unit, tones):
    """The same tones over and over, one every ``unit`` beats."""
    return lambda rng, beats, kick: [
        (k * unit, unit * 0.85, tones[k % len(tones)], 0.85 if k % 4 == 0 else 0.7) for k in range(int(beats / unit))
    ]


PATTERNS = {
    "kick": on_kick,
    "walk": walk,
    "eighths": repeated(0.5, (0, 0, 0, 0, 0, 0, 0, 2)),
    "octaves": repeated(0.5, (0, 8)),
    "tresillo": fixed((0, 1.4, 0, 0.9), (1.5, 1.4, 2, 0.8), (3, 0.5, 8, 0.8), (3.5, 0.45, "approach", 0.7)),
    "long": fixed((0, 2.8, 0, 0.85), (3, 0.9, 2, 0.7)),
    "funk": fixed(
        (0, 0.7, 0, 0.95),
        (0.75, 0.35, 0, 0.6),
        (1.5, 0.9, 2, 0.8),
        (2.5, 0.7, 0, 0.85),
        (3.25, 0.25, 8, 0.65),
        (3.5, 0.5, "approach", 0.75),
    ),
    "bossa": fixed((0, 1.3, 0, 0.85), (1.5, 0.45, 2, 0.7), (2, 1.3, 2, 0.8), (3.5, 0.45, "approach", 0.7)),
    "dub": fixed((0, 0.9, 0, 0.85), (1.5, 0.4, 0, 0.7), (2, 0.9, 2, 0.85), (3, 0.4, 1, 0.7), (3.5, 0.45, 0, 0.75)),
    "waltz": fixed((0, 1.8, 0, 0.85), (2, 0.9, 2, 0.65)),
    "twelve": fixed((0, 1.2, 0, 0.9), (4 / 3, 0.6, 0, 0.65), (2, 1.2, 2, 0.8), (10 / 3, 0.6, "approach", 0.7)),
}
