"""One song from its plan: stems as samples and the score that goes with them."""

import numpy as np

from tools.corpus import mastering, palette, samples, soundfont, voice
from tools.corpus.plan import SECONDS
from tools.corpus.score import compose, rest_spans
from tools.corpus.singing import Singer, sing

SAMPLE_RATE = soundfont.SAMPLE_RATE
FRAMES = int(SECONDS * 100)  # of f0 and vocal activity
ROLE_LEVELS = {"comp": 0.0, "pad": -5.0, "arp": -2.0, "counter": -1.5, "double": -1.0}  # dB within ``other``


def render(plan):
    """Stems {name: (N,) float64} and score (dict) of a song."""
    dry, score = perform(plan)
    return mastering.master(dry, plan.rng("master"), plan.desk, gains(plan)), score


def gains(plan):
    """{stem: [(second, dB)]}: how loud each part of the form is."""
    return {
        stem: [(s.first_bar * plan.bar_seconds, dict(s.gains)[stem]) for s in plan.sections] for stem in mastering.STEMS
    }


def perform(plan):
    """Dry stems {name: (N,) float64} and score (dict) of a song."""
    singer = Singer(*palette.SINGERS[plan.split][plan.singer])
    score = compose(plan, lambda text: voice.count_syllables(singer.voice, text))
    sung = [sing(singer, line, score.clock, plan.rng(f"sing {k}")) for k, line in enumerate(score.lines)]
    dry = {
        "vocals": place(sung),
        "drums": render_drums(plan, score.drums),
        "bass": soundfont.render(score.bass, *plan.bass, SECONDS),
        "other": render_others(plan, score.others),
    }
    return dry, describe(plan, score, sung)


def render_drums(plan, notes):
    """The drums, on a kit of the sound font or of recorded strokes."""
    if plan.kit in samples.KITS:
        return samples.render(notes, plan.kit, SECONDS, plan.drum_tuning)
    return soundfont.render(notes, 128, plan.kit, SECONDS, plan.drum_tuning)


def render_others(plan, parts):
    """Mix the instruments of ``other`` by their role; the guitar of some songs is distorted."""
    mix = np.zeros(int(SECONDS * SAMPLE_RATE))
    for program, role, notes in parts:
        sound = soundfont.render(notes, *program, SECONDS)
        if role == "comp" and program in palette.STRUMMED:
            sound = mastering.drive(sound, plan.desk.guitar_drive)
        mix += mastering.to_level(sound, -20 + ROLE_LEVELS[role])
    return mix


def place(sung):
    """Put the sung lines where they belong. Returns (N,)."""
    samples = np.zeros(int(SECONDS * SAMPLE_RATE))
    for line in sung:
        first = max(0, int(round(line.start * SAMPLE_RATE)))
        part = line.samples[max(0, -int(round(line.start * SAMPLE_RATE))) :][: len(samples) - first]
        samples[first : first + len(part)] += part
    return samples


def describe(plan, score, sung):
    """The score as it is stored beside the stems."""
    f0, activity = labels(sung)
    there = [stem for stem in mastering.STEMS if stem != plan.missing]
    bank = samples.BANK if plan.kit in samples.KITS else 128
    programs = {
        "drums": [[bank, plan.kit]] if "drums" in there else [],
        "bass": [list(plan.bass)] if "bass" in there else [],
        "other": [list(program) for program, _, _ in score.others],
    }
    instruments = {
        "drums": [palette.KITS[plan.split][plan.kit]] if "drums" in there else [],
        "bass": named(programs["bass"]),
        "other": named(programs["other"]),
    }
    return {
        "title": plan.title,
        "split": plan.split,
        "style": plan.style,
        "tempo": plan.tempo,
        "beats_per_bar": plan.groove.beats,
        "key": plan.key,
        "mode": plan.mode,
        "swing": round(plan.swing, 3),
        "singer": plan.singer if "vocals" in there else None,
        "voice": palette.SINGERS[plan.split][plan.singer][0] if "vocals" in there else None,
        "drum_kit": plan.kit if "drums" in there else None,
        "drum_tuning": plan.drum_tuning,
        "instruments": instruments,
        "programs": programs,
        "roles": [role for _, role, _ in score.others],
        "sections": [[s.name, round(score.clock.seconds(s.first_bar * plan.groove.beats), 3)] for s in plan.sections],
        "lyric": [line.text for line in score.lines],
        "notes": {
            "vocals": rows([note for line in sung for note in line.notes]),
            "drums": rows(score.drums),
            "bass": rows(score.bass),
            "other": rows([note for _, _, notes in score.others for note in notes]),
        },
        "form": plan.form,
        "missing": plan.missing,
        "section_rests": [list(s.rests) for s in plan.sections],
        "rests": {stem: [[round(a, 3), round(b, 3)] for a, b in rest_spans(plan, stem)] for stem in mastering.STEMS},
        "section_levels": [dict(s.gains) for s in plan.sections],
        "levels": {stem: plan.desk.levels[stem] for stem in there},
        "room": {
            "seconds": plan.desk.room_seconds,
            "wet_db": {
                s: round(plan.desk.room_db + x, 1) if plan.desk.room_seconds else None
                for s, x in plan.desk.sends.items()
            },
        },
        "frames_per_second": 100,
        "vocal_activity": activity,
        "f0": f0,
    }


def rows(notes):
    """Notes as [onset, offset, pitch, velocity], in order of time and within the song."""
    inside = sorted((n for n in notes if n.start < SECONDS), key=lambda n: (n.start, n.pitch))
    return [[round(n.start, 3), round(min(n.end, SECONDS), 3), n.pitch, n.velocity] for n in inside]


def named(programs):
    """Names of (bank, program) pairs: what the sound font calls them."""
    from tools.corpus.presets import preset_names

    return [preset_names()[tuple(program)] for program in programs]


def labels(sung):
    """f0 in Hz and vocal activity, ``FRAMES`` values each, 100 a second."""
    f0, activity = np.zeros(FRAMES), np.zeros(FRAMES, int)
    for line in sung:
        first = max(0, int(round(line.start * 100)))
        offset = int(round(line.start * 200)) - 2 * first  # what lies before the song is left out
        for values, target in ((line.f0, f0), (line.active, activity)):
            part = values[max(0, -offset) :: 2][: FRAMES - first]
            target[first : first + len(part)] = part
    return [round(float(x), 1) if x else 0 for x in f0], [int(x) for x in activity]
