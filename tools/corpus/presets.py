"""Reads the tables of a SoundFont 2 file: what its presets are called and which recordings each one plays.

Needed for honest splits: two presets with different names often play the same recordings.
Source: SoundFont Technical Specification 2.01, chapter 7 (the "pdta" chunk).
"""

import functools
import struct
from pathlib import Path

from tools.corpus import samples
from tools.corpus.soundfont import SOUNDFONT

INSTRUMENT, KEY_RANGE, SAMPLE = 41, 43, 53  # generator numbers


@functools.cache
def tables(path=SOUNDFONT):
    """Records of the "pdta" chunk: {name: list of bytes}."""
    data = Path(path).read_bytes()
    sizes = {"phdr": 38, "pbag": 4, "pgen": 4, "inst": 22, "ibag": 4, "igen": 4, "shdr": 46}
    found = {}
    for name, size in sizes.items():
        at = data.rfind(name.encode())
        length = struct.unpack("<I", data[at + 4 : at + 8])[0]
        body = data[at + 8 : at + 8 + length]
        found[name] = [body[k : k + size] for k in range(0, length, size)]
    return found


def text(record):
    """The name at the head of a record."""
    return record[:20].split(b"\0")[0].decode("latin1")


@functools.cache
def preset_names():
    """{(bank, program): name}."""
    headers = ((struct.unpack("<HH", record[20:24]), text(record)) for record in tables()["phdr"][:-1])
    return {(bank, program): name for (program, bank), name in headers}


def zones(bags, generators, first, last):
    """The generators of each zone between two bags: a list of {generator: value}."""
    table = tables()
    listed = []
    for bag in range(first, last):
        start = struct.unpack("<H", table[bags][bag][:2])[0]
        stop = struct.unpack("<H", table[bags][bag + 1][:2])[0]
        listed.append(dict(struct.unpack("<HH", record) for record in table[generators][start:stop]))
    return listed


@functools.cache
def recordings(bank, program, key=None):
    """Names of the recordings that a preset plays, on one key or on all."""
    table, names = tables(), set()
    for index, header in enumerate(table["phdr"][:-1]):
        if struct.unpack("<HH", header[20:24]) != (program, bank):
            continue
        first, last = (struct.unpack("<H", table["phdr"][k][24:26])[0] for k in (index, index + 1))
        for zone in zones("pbag", "pgen", first, last):
            if INSTRUMENT in zone and sounds(zone, key):
                names |= instrument_recordings(zone[INSTRUMENT], key)
    return frozenset(names)


def instrument_recordings(index, key):
    """Names of the recordings of one instrument."""
    table = tables()
    first, last = (struct.unpack("<H", table["inst"][k][20:22])[0] for k in (index, index + 1))
    inside = (zone for zone in zones("ibag", "igen", first, last) if SAMPLE in zone and sounds(zone, key))
    return {text(table["shdr"][zone[SAMPLE]]) for zone in inside}


def sounds(zone, key):
    """Whether a zone sounds on a key."""
    low, high = zone.get(KEY_RANGE, 127 << 8) & 255, zone.get(KEY_RANGE, 127 << 8) >> 8
    return key is None or low <= key <= high


def shared_recordings(ours, theirs):
    """Pairs of presets from two lists of (bank, program) that play the same recordings."""
    return [(a, b) for a in ours for b in theirs if recordings(*a) & recordings(*b)]


def shared_strokes(ours, theirs, keys=(36, 38)):
    """Pairs of drum kits that share a recording on one of the keys (kick and snare), recorded kits on any."""
    return [(a, b, k) for a in ours for b in theirs for k in keys if strokes(a, k) & strokes(b, k)]


def strokes(kit, key):
    """Names of the recordings of a kit on a key; all of a kit of ``samples``."""
    return samples.files(kit) if kit in samples.KITS else recordings(128, kit, key)
