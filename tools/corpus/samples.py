"""Recorded strokes of free licence, played as drum kits: single hits from Debian's package ``sonic-pi-samples``.

All are CC0 by their authors on freesound.org, as Debian's copyright file of the package says, with their numbers there.
``CREDITS`` is what the licences of the corpus print. Each kit belongs to one split: no file occurs in two.
"""

import functools
import os
from pathlib import Path

import numpy as np
import soundfile
import soxr

from tools.corpus.grooves import LANES, TOMS

FOLDER = Path(os.environ.get("SEPBOOK_SAMPLES", "/usr/share/sonic-pi/samples"))
PACKAGE = "sonic-pi-samples"
SAMPLE_RATE = 16000
BANK = 129  # of kits in this file, where the sound font's drums have 128
LICENCE = "CC0 1.0"

# kit -> lane or tom -> (file, dB); soft strokes of a lane take the second file where there is one
KITS = {
    201: {
        "name": "Acoustic kit, recorded by menegass",
        "kick": ("drum_bass_hard", 0, "drum_bass_soft"), "snare": ("drum_snare_hard", -3, "drum_snare_soft"),
        "stick": ("drum_snare_soft", -2), "clap": ("drum_snare_hard", -5), "hat": ("drum_cymbal_closed", -7),
        "pedal": ("drum_cymbal_pedal", -6), "open": ("drum_cymbal_open", -10), "ride": ("drum_cymbal_soft", -7),
        "crash": ("drum_splash_hard", -7, "drum_splash_soft"), "shaker": ("drum_cymbal_pedal", -10),
        "tambourine": ("drum_cymbal_closed", -9), "cowbell": ("drum_cowbell", -10),
        "conga": ("drum_tom_hi_soft", -2), "low_conga": ("drum_tom_mid_soft", -2),
        "toms": ("drum_tom_hi_hard", "drum_tom_hi_hard", "drum_tom_mid_hard", "drum_tom_mid_hard", "drum_tom_lo_hard"),
    },
    202: {
        "name": "Electric kit, by looppool",
        "kick": ("elec_hollow_kick", 0, "elec_soft_kick"), "snare": ("elec_snare", -4, "elec_hi_snare"),
        "stick": ("elec_wood", -2), "clap": ("elec_filt_snare", -6), "hat": ("elec_triangle", -10),
        "pedal": ("elec_tick", -6), "open": ("elec_cymbal", -10), "ride": ("elec_triangle", -9),
        "crash": ("elec_cymbal", -6), "shaker": ("elec_tick", -10), "tambourine": ("elec_triangle", -11),
        "cowbell": ("elec_ping", -6), "conga": ("elec_pop", -4), "low_conga": ("elec_flip", -3),
        "toms": ("elec_fuzz_tom", "elec_fuzz_tom", "elec_mid_snare", "elec_lo_snare", "elec_lo_snare"),
    },
    203: {
        "name": "Club kit, of single hits by several authors",
        "kick": ("bd_haus", 0, "bd_pure"), "snare": ("sn_dub", -4, "sn_dolf"), "stick": ("perc_snap2", -5),
        "clap": ("perc_snap", -5), "hat": ("elec_twip", -12), "pedal": ("elec_twip", -14), "open": ("elec_cymbal", -11),
        "ride": ("perc_till", -9), "crash": ("perc_till", -5), "shaker": ("elec_twip", -14),
        "tambourine": ("perc_snap", -10), "cowbell": ("elec_beep", -12), "conga": ("elec_bong", -8),
        "low_conga": ("elec_bell", -8), "toms": ("bd_fat", "bd_fat", "bd_sone", "bd_zome", "bd_boom"),
    },
    204: {
        "name": "Tabla, recorded by dio_333",
        "kick": ("tabla_ghe1", 0, "tabla_ghe8"), "snare": ("tabla_na", -2, "tabla_na_s"), "stick": ("tabla_re", -3),
        "clap": ("tabla_dhec", -3), "hat": ("tabla_te1", -8, "tabla_te_ne"), "pedal": ("tabla_te_ne", -8),
        "open": ("tabla_te2", -8), "ride": ("tabla_te_m", -8), "crash": ("tabla_tas1", -4), "shaker": ("tabla_ke2", -8),
        "tambourine": ("tabla_te2", -8), "cowbell": ("tabla_na_o", -8), "conga": ("tabla_tun1", -6),
        "low_conga": ("tabla_ghe4", -4),
        "toms": ("tabla_tun1", "tabla_tun2", "tabla_tun3", "tabla_ghe2", "tabla_ghe3"),
    },
}  # fmt: skip
SPLITS = {"train": (202, 203, 204), "valid": (), "test": (201,)}

# author on freesound.org -> (year, files)
CREDITS = {
    "menegass": (2010, "drum_bass_hard drum_bass_soft drum_cymbal_closed drum_cymbal_open drum_cymbal_pedal "
                 "drum_cymbal_soft drum_snare_hard drum_snare_soft drum_splash_hard drum_splash_soft drum_tom_hi_hard "
                 "drum_tom_hi_soft drum_tom_lo_hard drum_tom_mid_hard drum_tom_mid_soft"),
    "Neotone": (2009, "drum_cowbell"),
    "looppool": (2005, "elec_beep elec_bell elec_bong elec_cymbal elec_filt_snare elec_flip elec_fuzz_tom "
                 "elec_hi_snare elec_hollow_kick elec_lo_snare elec_mid_snare elec_ping elec_pop elec_snare "
                 "elec_soft_kick elec_tick elec_triangle elec_twip elec_wood"),
    "Rodrigo The Mad": (2011, "bd_haus"),
    "EKVelika": (2013, "bd_pure"),
    "cubix": (2011, "bd_fat"),
    "soneproject": (2014, "bd_sone"),
    "Dolfeus": (2008, "bd_zome sn_dolf"),
    "Snapper4298": (2012, "bd_boom"),
    "Adriak909": (2013, "sn_dub"),
    "SoundCollectah": (2010, "perc_snap"),
    "Peram": (2012, "perc_snap2"),
    "Zott820": (2013, "perc_till"),
    "dio_333": (2011, "tabla_dhec tabla_ghe1 tabla_ghe2 tabla_ghe3 tabla_ghe4 tabla_ghe8 tabla_ke2 tabla_na tabla_na_o "
                "tabla_na_s tabla_re tabla_tas1 tabla_te1 tabla_te2 tabla_te_m tabla_te_ne tabla_tun1 tabla_tun2 "
                "tabla_tun3"),
}  # fmt: skip


def available():
    """Whether the recordings are installed."""
    return FOLDER.is_dir()


def files(kit):
    """Names of the recordings that a kit plays."""
    names = set(KITS[kit]["toms"])
    for lane in LANES:
        names |= {x for x in KITS[kit][lane] if isinstance(x, str)}
    return frozenset(names)


def stroke(kit, pitch, velocity):
    """(file, dB) of a stroke; soft ones take the softer recording."""
    if pitch in TOMS:
        return KITS[kit]["toms"][TOMS.index(pitch)], -2.0
    lane = next((name for name, key in LANES.items() if key == pitch), "snare")
    name, decibels, *soft = KITS[kit][lane]
    return (soft[0] if soft and velocity < 85 else name), decibels


@functools.cache
def recording(name, tuning=0.0):
    """A recording (N,) at 16 kHz of peak 1, ``tuning`` semitones higher (and shorter)."""
    if not available():
        raise FileNotFoundError(f"{FOLDER} is missing: apt install {PACKAGE}, or set SEPBOOK_SAMPLES")
    samples, rate = soundfile.read(FOLDER / f"{name}.flac", always_2d=True)
    mono = samples.mean(axis=1)
    sound = soxr.resample(mono, rate * 2 ** (tuning / 12), SAMPLE_RATE, quality="VHQ")
    sound = sound * np.minimum(1.0, np.arange(len(sound), 0, -1) / 160)  # no click where a recording breaks off
    return sound / np.abs(sound).max()


def render(notes, kit, seconds, tuning=0.0):
    """Play the notes of a drum kit. Returns (N,) at 16 kHz. A closed hi-hat ends an open one."""
    mix = np.zeros(int(round(seconds * SAMPLE_RATE)))
    for note in notes:
        name, decibels = stroke(kit, note.pitch, note.velocity)
        sound = recording(name, tuning)
        if note.pitch == LANES["open"]:
            sound = choked(sound, note.start, notes)
        first = int(round(note.start * SAMPLE_RATE))
        part = sound[: max(0, len(mix) - first)]
        mix[first : first + len(part)] += part * (note.velocity / 127) ** 2 * 10 ** (decibels / 20)
    return mix


def choked(sound, start, notes):
    """The sound of an open hi-hat until the next stroke on it, faded over 10 ms."""
    closing = [n.start for n in notes if n.start > start + 0.02 and n.pitch in (LANES["hat"], LANES["pedal"])]
    count = int((min(closing, default=np.inf) - start) * SAMPLE_RATE) if closing else len(sound)
    part = sound[:count].copy()
    ramp = min(160, len(part))
    part[len(part) - ramp :] *= np.linspace(1, 0, ramp)
    return part
