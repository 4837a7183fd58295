"""FluidSynth: notes in, samples out."""

import os

import numpy as np
import soxr

SOUNDFONT = os.environ.get("SEPBOOK_SOUNDFONT", "/usr/share/sounds/sf2/FluidR3_GM.sf2")
RENDER_RATE = 48000
SAMPLE_RATE = 16000


def synthesizer():
    """A fresh synthesizer: no note of an earlier part may ring into the next. Effects are off: rooms come later."""
    import fluidsynth  # here: it looks for its library as soon as it is imported, and plans need no sound

    if not os.path.exists(SOUNDFONT):
        raise FileNotFoundError(f"{SOUNDFONT} is missing: apt install fluid-soundfont-gm, or set SEPBOOK_SOUNDFONT")
    synth = fluidsynth.Synth(samplerate=float(RENDER_RATE), gain=0.35)
    for effect in ("reverb", "chorus"):
        synth.setting(f"synth.{effect}.active", 0)
    synth.setting("synth.polyphony", 256)
    synth.setting("synth.dynamic-sample-loading", 1)  # reads one preset instead of 148 MB
    return synth, synth.sfload(SOUNDFONT)


def render(notes, bank, program, seconds, tuning=0.0, tail=0.0):
    """Play notes on one preset. Returns mono samples (N,) at 16 kHz, ``seconds + tail`` long. Drums: bank 128."""
    if not notes:  # the synthesizer would add the noise of its rounding
        return np.zeros(int(round((seconds + tail) * SAMPLE_RATE)))
    synth, font = synthesizer()
    channel = 9 if bank == 128 else 0
    synth.program_select(channel, font, bank, program)
    synth.pitch_bend(channel, int(round(tuning / 2 * 8191)))
    total = int(round((seconds + tail) * RENDER_RATE))
    blocks, done = [], 0
    for at, is_on, pitch, velocity in events(notes, bank == 128):
        frame = min(total, int(round(at * RENDER_RATE)))
        if frame > done:
            blocks.append(synth.get_samples(frame - done))
            done = frame
        if is_on:
            synth.noteon(channel, pitch, velocity)
        else:
            synth.noteoff(channel, pitch)
    blocks.append(synth.get_samples(total - done))
    synth.delete()
    stereo = np.concatenate(blocks).reshape(-1, 2).astype(np.float64) / 32768
    return soxr.resample(stereo.mean(axis=1), RENDER_RATE, SAMPLE_RATE, quality="VHQ")


def events(notes, percussive):
    """(time, on?, pitch, velocity) in order; a note ends before the next of its pitch begins."""
    listed = []
    for note in notes:
        listed.append((note.start, 1, note.pitch, note.velocity))
        if not percussive:
            listed.append((note.end, 0, note.pitch, 0))
    return sorted(listed)
