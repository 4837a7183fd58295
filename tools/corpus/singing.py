"""A spoken line becomes a sung line: vowels are stretched over notes, consonants keep their speed."""

from dataclasses import dataclass

import numpy as np

from tools.corpus import voice as voices
from tools.corpus.clock import Note
from tools.corpus.phones import SONORANTS, VOWELS

FRAME = voices.FRAME_SECONDS
LONGEST_ONSET = 0.15  # seconds of consonants before the beat
LONGEST_CODA = 0.12
BRIGHTER = 1.5  # dB per octave: a sung vowel is brighter than a spoken one
VIBRATO = 1.5  # a generous vibrato for everybody
CLEAN = 1.6  # exponent on the aperiodicity of sung vowels: less noise than in speech
LOUDEST_NOISE = 0.2  # power of an unvoiced consonant, against a typical vowel


@dataclass(frozen=True)
class Singer:
    """An identity: a speaker's voice with another mouth and another way of holding a note."""

    voice: str
    scale: float  # formants move by this factor
    tilt: float  # dB per octave
    low: int  # range, MIDI pitch
    top: int
    vibrato: float  # cents
    breath: float  # 0..1, added noise


@dataclass(frozen=True)
class Sung:
    """A sung line: samples (N,) at 16 kHz from ``start`` seconds on; f0 and active (T,) at 200 frames/s; its notes."""

    start: float
    samples: np.ndarray
    f0: np.ndarray
    active: np.ndarray
    notes: tuple


def sing(singer, line, clock, rng):
    """Sing one ``melody.Line``."""
    speech = voices.analyse(singer.voice, line.text, voices.STRETCH)
    groups = voices.sung_syllables(singer.voice, line.text)
    times = [(clock.seconds(beat), clock.seconds(beat + length)) for beat, length, _, _ in line.notes]
    pieces = timeline(groups, times)
    begin = round(pieces[0][0] / FRAME) * FRAME
    count = int(round((pieces[-1][1] - begin) / FRAME))
    grid = begin + FRAME * np.arange(count)
    source, voiced = trace(pieces, grid, speech)
    pitch = intonation(singer, line, times, grid, rng)
    strength = np.interp(grid, [a for a, _ in times], [s for *_, s in line.notes])
    samples = utter(singer, speech, source, np.where(voiced, pitch, 0.0), strength, rng)
    notes = tuple(
        Note(round(a, 4), round(b, 4), p, int(40 + 80 * s))
        for (a, b), (_, _, p, s) in zip(times, line.notes, strict=True)
    )
    return Sung(begin, samples, np.where(voiced, pitch, 0.0), source >= 0, notes)


def timeline(groups, times):
    """Where each phone sounds: (start, end, source start, source end, phone). Vowels begin on the note."""
    pieces = []
    for k, ((onset, vowel, coda), (start, end)) in enumerate(zip(groups, times, strict=True)):
        following = times[k + 1][0] if k + 1 < len(times) else None
        next_onset = min(LONGEST_ONSET, total(groups[k + 1][0])) if following is not None else 0.0
        if (
            following is not None and following - end < 0.08
        ):  # no rest between: the vowel lasts until the next consonant
            end = following - next_onset
        end = max(end, start + 0.07)
        coda_seconds = min(LONGEST_CODA, total(coda), 0.45 * (end - start))
        pieces += squeeze(onset, start - min(LONGEST_ONSET, total(onset)), start)
        pieces.append((start, end - coda_seconds, vowel.start, vowel.end, vowel))
        pieces += squeeze(coda, end - coda_seconds, end)
    return in_order(pieces)


def total(phones):
    """Seconds that the phones take in speech, said briskly."""
    return sum(phone.end - phone.start for phone in phones) * 0.85


def squeeze(phones, start, end):
    """Fit phones between two times, each in proportion to its natural length."""
    length = sum(phone.end - phone.start for phone in phones)
    pieces, at = [], start
    for phone in phones:
        until = at + (end - start) * (phone.end - phone.start) / length
        pieces.append((at, until, phone.start, phone.end, phone))
        at = until
    return pieces


def in_order(pieces):
    """Let no phone begin before the one before it has ended."""
    ordered = []
    for start, end, *rest in pieces:
        start = max(start, ordered[-1][1]) if ordered else start
        ordered.append((start, max(end, start + FRAME), *rest))
    return ordered


def trace(pieces, grid, speech):
    """Source frame and voicing of every frame of the grid; source -1 where nobody sings."""
    source, voiced = np.full(len(grid), -1.0), np.zeros(len(grid), bool)
    spoken = speech.f0 > 0
    for start, end, first, last, phone in pieces:
        inside = (grid >= start - 1e-9) & (grid < end - 1e-9)
        if not inside.any():
            continue
        place = (grid[inside] - start) / (end - start)
        if phone.name in VOWELS:
            first, last = voiced_part(spoken, first, last)
            place = hold(place, (end - start) / (last - first))
        source[inside] = np.clip((first + place * (last - first)) / FRAME, 0, len(spoken) - 1)
        if phone.name in VOWELS or phone.name in SONORANTS:
            voiced[inside] = True
        else:
            voiced[inside] = spoken[source[inside].astype(int)]
    return source, voiced


def voiced_part(spoken, first, last):
    """Where a vowel from ``first`` to ``last`` seconds is voiced: a neighbour's hiss at its ends must not be held."""
    begin, end = int(first / FRAME), max(int(last / FRAME), int(first / FRAME) + 1)
    frames = begin + np.flatnonzero(spoken[begin:end])
    if len(frames) < 0.4 * (end - begin):
        return first, last
    return max(first, frames[0] * FRAME), min(last, (frames[-1] + 1) * FRAME)


def hold(place, stretch):
    """Begin and end of a vowel at natural speed, its middle held."""
    if stretch <= 1.3:
        return place
    edge = 0.35 / stretch
    return np.interp(place, [0, edge, 1 - edge, 1], [0, 0.35, 0.65, 1])


def intonation(singer, line, times, grid, rng):
    """Pitch in Hz on the grid: notes joined by short glides, vibrato on long ones, a slow drift."""
    cents = np.full(len(grid), 100.0 * line.notes[0][2])
    for (start, _), (*_, pitch, _) in zip(times[1:], line.notes[1:], strict=True):
        step = 100.0 * pitch - cents[-1]
        glide = np.clip((grid - (start - 0.07)) / 0.12, 0, 1)
        cents += step * (3 * glide**2 - 2 * glide**3)
    cents -= 70 * np.exp(-np.maximum(grid - grid[0], 0) / 0.06)  # the voice slides into its first note
    rate, phase = rng.uniform(4.9, 6.1), rng.uniform(0, 2 * np.pi)
    depth = np.zeros(len(grid))
    for start, end in times:
        if end - start > 0.24:
            grow = np.clip((grid - start - 0.1) / 0.2, 0, 1) * np.clip((end - grid) / 0.05, 0, 1)
            depth = np.maximum(depth, grow * (grid < end))
    cents += VIBRATO * singer.vibrato * depth * np.sin(2 * np.pi * rate * grid + phase)
    noise = np.convolve(
        rng.standard_normal(len(grid) + 80), np.hanning(81) / np.sqrt((np.hanning(81) ** 2).sum()), "valid"
    )
    cents += 7 * noise[: len(grid)]
    return 440 * 2 ** ((cents - 6900) / 1200)


def utter(singer, speech, source, f0, strength, rng):
    """Synthesise the frames, even out the loudness of the phones, and silence the rests."""
    low = np.clip(np.floor(source).astype(int), 0, len(speech.envelope) - 1)
    high = np.minimum(low + 1, len(speech.envelope) - 1)
    part = np.clip(source - low, 0, 1)[:, None]
    envelope = np.exp((1 - part) * np.log(speech.envelope[low] + 1e-16) + part * np.log(speech.envelope[high] + 1e-16))
    aperiodicity = (1 - part) * speech.aperiodicity[low] + part * speech.aperiodicity[high]
    aperiodicity = np.where(f0[:, None] > 0, aperiodicity**CLEAN, aperiodicity)
    aperiodicity = np.clip(aperiodicity + 0.5 * singer.breath * (1 - aperiodicity), 1e-6, 1.0)
    envelope = voices.reshape(voices.microphone(envelope, singer.voice), singer.scale, singer.tilt + BRIGHTER)
    power = envelope.mean(axis=1, keepdims=True)
    typical = np.median(power[f0 > 0])
    sounding = (source >= 0)[:, None]
    level = (typical / np.maximum(power, 0.02 * typical)) ** np.where(f0[:, None] > 0, 0.55, 0.2)
    noisy = np.where(f0[:, None] > 0, 1 - (1 - LOUDEST_NOISE) * hiss(envelope), LOUDEST_NOISE)  # or they stick out
    level = np.minimum(level, noisy * typical / power)
    envelope = envelope * level * (0.4 + strength[:, None]) ** 2
    envelope = np.where(sounding, envelope, 1e-12) / typical
    samples = voices.synthesise(f0, envelope, aperiodicity)
    gate = smooth_gate(source >= 0, len(samples))
    return samples * gate


def hiss(envelope):
    """How much of a sibilant each frame (T, 1) of an envelope (T, F) is, 0 to 1: by the power above 3.5 kHz."""
    above = int(3500 / (voices.SAMPLE_RATE / 2) * envelope.shape[1])
    share = envelope[:, above:].sum(axis=1, keepdims=True) / envelope.sum(axis=1, keepdims=True)
    return np.clip((share - 0.25) / 0.3, 0, 1)


def smooth_gate(sounding, count):
    """1 where somebody sings, 0 in rests, with ramps of 15 ms."""
    gate = np.repeat(sounding.astype(float), int(FRAME * voices.SAMPLE_RATE))
    gate = np.pad(gate, (0, max(0, count - len(gate))))[:count]
    window = np.hanning(241)
    return np.minimum(gate, np.convolve(gate, window / window.sum(), "same"))
