"""One song from its plan: stems as samples and the score that goes with them."""

import numpy as np

from tools.corpus import mastering, palette, soundfont, voice
from tools.corpus.plan import SECONDS
from tools.corpus.score import compose
from tools.corpus.singing import Singer, sing

SAMPLE_RATE = soundfont.SAMPLE_RATE
FRAMES = int(SECONDS * 100)  # of f0 and vocal activity
ROLE_LEVELS = {"comp": 0.0, "pad": -11.0, "arp": -2.0, "counter": -1.5}  # dB within ``other``


def render(plan):
    """Stems {name: (N,) float64} and score (dict) of a song."""
    dry, score = perform(plan)
    return mastering.master(dry, plan.rng("master")), score


def perform(plan):
    """Dry stems {name: (N,) float64} and score (dict) of a song."""
    singer = Singer(*palette.SINGERS[plan.split][plan.singer])
    score = compose(plan, lambda text: voice.count_syllables(singer.voice, text))
    sung = [sing(singer, line, score.clock, plan.rng(f"sing {k}")) for k, line in enumerate(score.lines)]
    dry = {
        "vocals": place(sung),
        "drums": soundfont.render(score.drums, 128, plan.kit, SECONDS, plan.drum_tuning),
        "bass": soundfont.render(score.bass, *plan.bass, SECONDS),
        "other": render_others(score.others),
    }
    return dry, describe(plan, score, sung)


def render_others(parts):
    """Mix the instruments of ``other`` by their role."""
    mix = np.zeros(int(SECONDS * SAMPLE_RATE))
    for program, role, notes in parts:
        mix += mastering.to_level(soundfont.render(notes, *program, SECONDS), -20 + ROLE_LEVELS[role])
    return mix


def place(sung):
    """Put the sung lines where they belong. Returns (N,)."""
    samples = np.zeros(int(SECONDS * SAMPLE_RATE))
    for line in sung:
        first = max(0, int(round(line.start * SAMPLE_RATE)))
        part = line.samples[: len(samples) - first]
        samples[first : first + len(part)] += part
    return samples


def describe(plan, score, sung):
    """The score as it is stored beside the stems."""
    f0, activity = labels(sung)
    names = {
        "drums": [palette.KITS[plan.split][plan.kit]],
        "bass": [list(plan.bass)],
        "other": [list(p) for p, _, _ in score.others],
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
        "singer": plan.singer,
        "voice": palette.SINGERS[plan.split][plan.singer][0],
        "drum_kit": plan.kit,
        "drum_tuning": plan.drum_tuning,
        "instruments": {"drums": names["drums"], "bass": named(names["bass"]), "other": named(names["other"])},
        "programs": {"drums": [[128, plan.kit]], "bass": names["bass"], "other": names["other"]},
        "roles": [role for _, role, _ in score.others],
        "sections": [[s.name, round(score.clock.seconds(s.first_bar * plan.groove.beats), 3)] for s in plan.sections],
        "lyric": [line.text for line in score.lines],
        "notes": {
            "vocals": rows([note for line in sung for note in line.notes]),
            "drums": rows(score.drums),
            "bass": rows(score.bass),
            "other": rows([note for _, _, notes in score.others for note in notes]),
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
        first = int(round(line.start * 100))
        offset = int(round(line.start * 200)) - 2 * first
        for values, target in ((line.f0, f0), (line.active, activity)):
            part = values[max(0, -offset) :: 2][: FRAMES - first]
            target[first : first + len(part)] = part
    return [round(float(x), 1) if x else 0 for x in f0], [int(x) for x in activity]
