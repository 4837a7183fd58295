import math

import numpy as np
import torch
from torch.nn.functional import pad

from tests.check.tables import *  # noqa: F403


def place(piece, start, rate, length):
    first = int(start * rate)
    out = torch.zeros(piece.shape[0], length)
    piece = piece[:, : length - first]
    out[:, first : first + piece.shape[-1]] = piece
    return out


def place_by_padding(piece, start, rate, length):
    first = int(start * rate)
    return pad(piece, (first, max(0, length - first - piece.shape[-1])))[:, :length]


def place_by_loop(piece, start, rate, length):
    out = np.zeros((len(piece), length))
    for c, row in enumerate(piece.tolist()):
        for n, value in enumerate(row):
            if int(start * rate) + n < length:
                out[c, int(start * rate) + n] = value
    return out


def place_by_index(piece, start, rate, length):
    n = torch.arange(length) - round(start * rate)
    inside = (n >= 0) & (n < piece.shape[-1])
    return piece.double()[:, n.clamp(0, piece.shape[-1] - 1)] * inside


def rolled(piece, start, rate, length):
    whole = pad(piece, (0, max(0, length - piece.shape[-1])))
    return whole.roll(int(start * rate), -1)[:, :length]


def at_the_end(piece, start, rate, length):
    return pad(piece[:, -length:], (max(0, length - piece.shape[-1]), 0))


def end_kept(piece, start, rate, length):
    lost = max(0, int(start * rate) + piece.shape[-1] - length)
    return place(piece[:, lost:], start, rate, length)


def one_channel(piece, start, rate, length):
    return place(piece[:1].expand_as(piece), start, rate, length)


def uncut(piece, start, rate, length):
    first = int(start * rate)
    return pad(piece, (first, max(0, length - first - piece.shape[-1])))


def gain(loudness, reference, snr):
    return 10 ** ((reference + snr - loudness) / 20)


def times(event, rate):
    first = int(event["source_time"] * rate)
    return first, first + int(event["source_seconds"] * rate)


def rebuild(events, sounds, rate, length, change=lambda event: event):
    sources = []
    for event in map(change, events):
        first, last = times(event, rate)
        piece = sounds[event["file"]][:, first:last] * event["gain"]
        sources.append(place(piece, event["start"], rate, length))
    return torch.stack(sources)


def rebuild_numpy(events, sounds, rate, length):
    out = np.zeros((len(events), len(next(iter(sounds.values()))), length))
    for source, event in zip(out, events, strict=True):
        first, last = times(event, rate)
        piece = sounds[event["file"]].numpy()[:, first:last]
        at = int(event["start"] * rate)
        piece = piece[:, : length - at]
        source[:, at : at + piece.shape[1]] = event["gain"] * piece
    return out


def rebuild_double(events, sounds, rate, length):
    return rebuild(events, {name: sound.double() for name, sound in sounds.items()}, rate, length).double()


def rebuild_gain_last(events, sounds, rate, length):
    plain = rebuild(events, sounds, rate, length, lambda event: {**event, "gain": 1.0})
    return plain * torch.tensor([event["gain"] for event in events])[:, None, None]


def with_all(**values):
    return lambda e, s, r, n: rebuild(e, s, r, n, lambda event: {**event, **values})


def swapped(event):
    return {**event, "source_time": event["start"], "start": event["source_time"]}


def decibels(event):
    return {**event, "gain": 10 ** (event["gain"] / 20)}


RIGHT = [
    (1, (4, 6, 2)),
    (1, [4, 6, 2]),
    (1, torch.tensor([4, 6, 2])),
    (1, np.array([4.0, 6, 2])),
    (2, place),
    (2, place_by_padding),
    (2, place_by_loop),
    (2, place_by_index),
    (3, gain),
    (3, lambda a, b, c: torch.tensor(10.0) ** ((b + c - a) / 20)),
    (3, lambda a, b, c: np.power(10, (b - a) / 20) * np.power(10, c / 20)),
    (3, lambda a, b, c: math.exp(math.log(10) * (b + c - a) / 20)),
    (4, rebuild),
    (4, rebuild_numpy),
    (4, rebuild_double),
    (4, rebuild_gain_last),
]
WRONG = [
    (1, (4, 6, 3), "after nine seconds"),
    (1, (4, 4, 3), "last longer"),
    (1, (6, 6, 2), "and stretched afterwards"),
    (1, (6, 4, 3), "the other way round"),
    (1, (4, 5, 3), "not cut off"),
    (1, (4, 6, 8), "not where it ends"),
    (1, (4, 6, 0), "no further than"),
    (1, (4, 6), "2 sizes"),
    (2, lambda p, s, r, n: place(p, s, 1, n), "multiply by the rate"),
    (2, lambda p, s, r, n: place(p, 0, r, n), "wherever it should start"),
    (2, rolled, "comes in again"),
    (2, at_the_end, "at the very end"),
    (2, end_kept, "beginning is lost"),
    (2, one_channel, "every channel is the first"),
    (2, lambda p, s, r, n: place(p.flip(-1), s, r, n), "backwards"),
    (2, uncut, "not cut off at the end"),
    (2, lambda p, s, r, n: place(p, s, r, n)[0], "1 axes"),
    (3, lambda a, b, c: 10 ** ((b + c - a) / 10), "factor of power"),
    (3, lambda a, b, c: 10 ** ((a - b - c) / 20), "wrong way round"),
    (3, lambda a, b, c: 10 ** ((b + c + a) / 20), "must be subtracted"),
    (3, lambda a, b, c: 10 ** ((b - a) / 20), "The SNR is missing"),
    (3, lambda a, b, c: 10 ** ((c - a) / 20), "not from zero"),
    (3, lambda a, b, c: 10 ** ((b + c) / 20), "That loudness is missing"),
    (3, lambda a, b, c: 10 ** (c / 20), "at the reference already"),
    (3, lambda a, b, c: 10 ** ((b - c - a) / 20), "higher SNR"),
    (3, lambda a, b, c: b + c - a, "Those are decibels"),
    (3, lambda a, b, c: math.exp((b + c - a) / 20), "and not of e"),
    (4, with_all(source_time=0), "from the beginning of its file"),
    (4, with_all(start=0), "starts at once"),
    (4, with_all(gain=1), "gain is missing"),
    (4, lambda e, s, r, n: rebuild(e, s, r, n, decibels), "no decibels"),
    (4, with_all(source_seconds=99), "goes on to its end"),
    (4, lambda e, s, r, n: rebuild(e, s, r, n, swapped), "start does"),
    (4, lambda e, s, r, n: rebuild(sorted(e, key=lambda x: x["start"]), s, r, n), "sorted by their start"),
    (4, lambda e, s, r, n: rebuild(e, s, r, n).sum(0), "the mixture"),
    (4, lambda e, s, r, n: rebuild(e, dict.fromkeys(s, s[e[0]["file"]]), r, n), "from the first file"),
    (4, lambda e, s, r, n: list(rebuild(e, s, r, n)), "torch tensor"),
]
