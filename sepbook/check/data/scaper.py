"""Checks of the lab on soundscapes: what is drawn, a place, a level, a record made into sound.

Taught on: book/data/scaper
"""

import math

import torch
from torch import Tensor

from sepbook.check import call, exercise, expect_number, expect_sizes, expect_values
from sepbook.check._compare import is_close
from sepbook.check._inputs import near, noise

__all__ = ["exercise_1", "exercise_2", "exercise_3", "exercise_4"]


@exercise(
    "Exercise 1: an event that is stretched",
    hints=(
        "What is cut out of the file is not yet stretched. What is heard must end with the soundscape.",
        "Heard are 4 · 1.5 seconds. Does that end in time, if it begins after three seconds of eight?",
        "(4, 6, 2): Scaper moves an event that would reach beyond the end.",
    ),
)
def exercise_1(prediction):
    """Check the predicted seconds that are cut out of the file, that are heard, and after which it begins."""
    known = {
        (4, 6, 3): "It would end after nine seconds, but the soundscape has eight.",
        (4, 4, 3): "A stretch above 1 makes it last longer.",
        (6, 6, 2): "The duration is cut from the file first, and stretched afterwards.",
        (6, 4, 3): "It is the other way round: cut first, then stretched.",
        (4, 5, 3): "An event that does not fit is not cut off: it begins earlier.",
        (4, 6, 8): "The last number is where it begins, not where it ends.",
        (4, 6, 0): "It is moved no further than it has to be.",
    }
    expect_sizes(prediction, (4, 6, 2), "cut heard start", known)
    return "So what stands in the plan is not always what comes out. The record tells you."


@exercise(
    "Exercise 2: a sound in its place",
    hints=(
        "Begin with silence (C, N) and write the piece into it. How many samples are `start` seconds?",
        "first = int(start * rate). What if the piece reaches beyond the end?",
        "out = torch.zeros(C, N); piece = piece[:, : N - first]; out[:, first : first + piece.shape[-1]] = piece.",
    ),
)
def exercise_2(place):
    """Check a function (piece (C, n), start in seconds, rate in Hz, length N) -> sound (C, N)."""
    cases = ((1, 20, 1.25, 40, 80), (2, 40, 1.5, 20, 50), (2, 15, 0.0, 30, 25), (1, 30, 0.4, 50, 80))
    for number, (channels, size, start, rate, length) in enumerate(cases):
        piece = noise(channels, size, seed=number)
        right = _placed(piece, int(start * rate), length)
        known = {
            "start counts seconds; multiply by the rate": _placed(piece, int(start), length),
            "the piece stands at the beginning, wherever it should start": _placed(piece, 0, length),
            "what is too long comes in again at the beginning": _placed(piece, 0, max(length, size)).roll(
                int(start * rate), -1
            )[:, :length],
            "the piece stands at the very end": _placed(piece[:, -length:], max(0, length - size), length),
            "of what is too long, the beginning is lost instead of the end": _placed(
                piece[:, max(0, int(start * rate) + size - length) :], int(start * rate), length
            ),
            "every channel is the first one": _placed(piece[:1].expand_as(piece), int(start * rate), length),
            "the piece is played backwards": _placed(piece.flip(-1), int(start * rate), length),
            "it is not cut off at the end": torch.nn.functional.pad(
                piece, (int(start * rate), max(0, length - size - int(start * rate)))
            ),
        }
        known = {what: wrong for what, wrong in known.items() if not is_close(wrong, right)}
        expect_values(call(place, piece, start, rate, length), right, "C N", known=known)
    return "Soundscapes are sums of such sounds, all of one length."


def _placed(piece: Tensor, first: int, length: int) -> Tensor:
    """A piece (C, n) in silence (C, length), from sample `first` on; what reaches beyond the end is cut off."""
    out = torch.zeros(piece.shape[0], length)
    piece = piece[:, : max(0, length - first)]
    out[:, first : first + piece.shape[-1]] = piece
    return out


@exercise(
    "Exercise 3: from loudness to a factor",
    hints=(
        "How many decibels are missing from what it is to what it should be? A factor of samples is wanted.",
        "It should be reference + snr. What it lacks is reference + snr - loudness.",
        "return 10 ** ((reference + snr - loudness) / 20).",
    ),
)
def exercise_3(gain):
    """Check a function (loudness, reference, snr), all in decibels -> factor for the samples."""
    for loudness, reference, snr, seed in ((24, 40, 12, 1), (31, 22, -5, 2), (35, 28, 3, 3), (20, 36, -3, 4)):
        loudness, reference, snr = -near(loudness, seed), -near(reference, seed + 9), float(snr)
        right = 10 ** ((reference + snr - loudness) / 20)
        known = {
            10 ** ((reference + snr - loudness) / 10): "That is a factor of power. For samples divide by 20.",
            10 ** ((loudness - reference - snr) / 20): "It is the wrong way round: what is too soft becomes softer.",
            10 ** ((reference + snr + loudness) / 20): "The loudness that it has must be subtracted.",
            10 ** ((reference - loudness) / 20): "The SNR is missing: everything would be as loud as the reference.",
            10 ** ((snr - loudness) / 20): "The SNR counts from the reference, and not from zero.",
            10 ** ((reference + snr) / 20): "How loud is it already? That loudness is missing.",
            10 ** (snr / 20): "That is right for a piece that is at the reference already.",
            10 ** ((reference - snr - loudness) / 20): "A higher SNR makes it louder.",
            reference + snr - loudness: "Those are decibels. Make a factor of them.",
            math.exp((reference + snr - loudness) / 20): "Decibels count in powers of 10, and not of e.",
        }
        known = {wrong: what for wrong, what in known.items() if abs(wrong - right) > 1e-5 * right}
        expect_number(call(gain, loudness, reference, snr), right, known, tolerance=1e-5)
    return "An SNR is a difference of loudness, so nothing is said of how loud the file was."


@exercise(
    "Exercise 4: sound from a record",
    hints=(
        "One source for each event: cut it out of its file, make it louder, put it in its place.",
        "samples = sounds[event['file']]; from source_time on take source_seconds, both times the rate.",
        "piece = sounds[file][:, first : first + count] * gain, with first = int(source_time * rate) and count = "
        "int(source_seconds * rate); then torch.stack of place(piece, start, rate, length).",
    ),
)
def exercise_4(rebuild):
    """Check a function (events, sounds, rate in Hz, length N) -> sources (S, C, N), one for each event."""
    for rate, length, channels, seed in ((40, 120, 1, 0), (20, 60, 2, 1), (30, 75, 1, 2)):
        sounds = {f"{word}{seed}": noise(channels, 5 * rate, seed=9 * seed + k) for k, word in enumerate(("a", "b"))}
        names = [name for name in sounds for _ in range(2)][:3]
        times = ((0.5, 1.0, 1.5), (1.5, 0.5, 0.0), (2.0, 2.0, 1.0 + seed / 4))
        events = [
            {"file": name, "source_time": at, "source_seconds": long, "start": start, "gain": 0.5 + k}
            for k, (name, (at, long, start)) in enumerate(zip(names, times, strict=True))
        ]
        right = _rebuilt(events, sounds, rate, length)
        known = {
            "every event is cut from the beginning of its file": _rebuilt(events, sounds, rate, length, source_time=0),
            "every event starts at once": _rebuilt(events, sounds, rate, length, start=0),
            "the gain is missing": _rebuilt(events, sounds, rate, length, gain=1),
            "the gain is a factor already, and no decibels": _rebuilt(events, sounds, rate, length, decibels=True),
            "the file goes on to its end; only source_seconds of it are wanted": _rebuilt(
                events, sounds, rate, length, source_seconds=99
            ),
            "source_time says where the event is heard; start does": _rebuilt(events, sounds, rate, length, swap=True),
            "the sources are sorted by their start; keep the order of the record": _rebuilt(
                sorted(events, key=lambda event: event["start"]), sounds, rate, length
            ),
            "that is their sum, the mixture": right.sum(0),
            "every event comes from the first file": _rebuilt(events, sounds, rate, length, file=names[0]),
        }
        known = {what: wrong for what, wrong in known.items() if not is_close(wrong, right)}
        expect_values(call(rebuild, events, sounds, rate, length), right, "S C N", known=known)
    return "That is what `jams.replay` does, and Scaper changes pitch and tempo besides."


def _rebuilt(events, sounds, rate: int, length: int, swap=False, decibels=False, **instead) -> Tensor:
    """The sources of a record (S, C, N); `instead` puts one value in the place of those of all events."""
    sources = []
    for event in events:
        event = {**event, **instead}
        if swap:
            event["source_time"], event["start"] = event["start"], event["source_time"]
        first, count = (int(event[key] * rate) for key in ("source_time", "source_seconds"))
        gain = 10 ** (event["gain"] / 20) if decibels else event["gain"]
        piece = gain * sounds[event["file"]][:, first : first + count]
        sources.append(_placed(piece, int(event["start"] * rate), length))
    return torch.stack(sources)
