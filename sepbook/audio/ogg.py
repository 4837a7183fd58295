"""Where the sound lies in an Ogg file: its pages, sorted by the streams that they belong to.

An Ogg file is a row of pages, each with the number of its stream. A radio's recording holds one stream after the
other (a chain), a video several at once. Decoders read the first of a chain and stop. The last page of a stream is
marked as the end; a recorder that was switched off does not write it.
"""

from functools import lru_cache
from typing import NamedTuple

from sepbook.audio.spans import Part, Window, merge

CODECS = {b"\x01vorbis": 0, b"OpusHead": 48_000, b"\x7fFLAC": 0, b"Speex   ": 0}  # how a stream of sound begins
TOLERATED = 0.1  # seconds that may be missing


class Page(NamedTuple):
    """The head of a page: `flags` (2 first, 4 last), `granule` (samples up to its end), `serial`, and its `size`."""

    flags: int
    granule: int
    serial: int
    size: int
    body: int


def page(data):
    """The Page whose head these bytes are; None where they are none."""
    if data[:4] != b"OggS" or len(data) < 27 or len(data) < 27 + data[26]:
        return None
    body = 27 + data[26]
    granule = int.from_bytes(data[6:14], "little", signed=True)
    return Page(data[5], granule, int.from_bytes(data[14:18], "little"), body + sum(data[27:body]), body)


class Stream:
    """The pages of one stream of sound."""

    def __init__(self, codec, rate):
        self.codec, self.rate, self.ranges, self.granule, self.ended = codec, rate, [], 0, False
        self._last = (0, 0)

    def add(self, at, found):
        """Take one more page."""
        merge(self.ranges, at, at + found.size)
        self._last = at, at + found.size
        self.granule = max(self.granule, found.granule)
        self.ended = self.ended or bool(found.flags & 4)

    def part(self, window):
        """The Part of the file that holds this stream alone; a stream without an end gets one."""
        if self.ended:
            return Part(b"", tuple(self.ranges))
        start, end = self._last
        ranges = (*self.ranges[:-1], (self.ranges[-1][0], start))
        return Part(b"", ranges, last=as_last(window.at(start, end - start)))


class Walk:
    """The streams of sound in an Ogg file: `parts`, `notes`, `plain`, and `lost` seconds, as in an MP3."""

    def __init__(self, file, size):
        self._window, self._size = Window(file, size), size
        self.notes, self.plain, self.lost, self.cut = [], True, 0.0, False
        self._links, self._others, at = [], 0, 0  # a link: the streams that run at the same time, by their number
        while at < size:
            found = page(self._window.at(at, 282))
            at = self._skip(at) if found is None else self._take(at, found)
        self._judge()

    def _take(self, at, found):
        if at + found.size > self._size:
            self._cut_off(found)
            return self._size
        if found.flags & 2:
            self._begin(at, found)
        stream = self._links[-1].get(found.serial) if self._links else None
        if stream is None:
            self._others += 1
        else:
            stream.add(at, found)
        return at + found.size

    def _begin(self, at, found):
        """A stream begins: beside others that have only begun, or as the next link of the chain."""
        if not self._links or any(s.granule > 0 for s in self._links[-1].values()):
            self._links.append({})
        start = self._window.at(at + found.body, 48)
        codec = next((name for name in CODECS if start.startswith(name)), None)
        if codec:
            self._links[-1][found.serial] = Stream(codec, CODECS[codec] or _rate(codec, start))

    def _cut_off(self, found):
        stream = self._links[-1].get(found.serial) if self._links else None
        self.cut, self.plain = True, False
        if stream is None:
            return
        if not stream.rate or found.granule < 0 or stream.granule <= 0:
            self.lost = float("inf")  # nobody knows how much
        else:
            self.lost = (found.granule - stream.granule) / stream.rate

    def _skip(self, at):
        end = at + 1
        while end < self._size and self._window.at(end, 4) != b"OggS":
            end = self._window.find(ord("O"), end + 1)
        self.plain = False
        if self._window.at(at, 4) == b"OggS":  # a page whose head is cut off at the end of the file
            self.cut = True
        elif self._window.holds_more_than_zeros(at, end):
            self.notes.append(f"{end - at} bytes are no pages of Ogg and were skipped")
        return end

    def _judge(self):
        self._links = [link for link in self._links if link]
        chosen = [next(iter(link.values())) for link in self._links]
        self.parts = [stream.part(self._window) for stream in chosen]
        several = sum(len(link) > 1 for link in self._links)
        self.plain = self.plain and len(chosen) == 1 and not several and not self._others
        if len(chosen) > 1:
            self.notes.append(f"it holds {len(chosen)} streams, which are read one after the other")
        if several:
            self.notes.append("it holds several sounds at the same time, of which the first is read")
        if chosen and self.cut and self.lost <= TOLERATED:
            self.notes.append(f"its last page is cut off, so the last {self.lost:.3f} s are left out")
        elif chosen and not self.cut and not chosen[-1].ended:
            self.plain = False
            self.notes.append("it has no last page: the recording was broken off, or the file was cut there")


def as_last(data):
    """A page marked as the last of its stream, with the checksum that fits."""
    data = bytearray(data)
    data[5] |= 4
    data[22:26] = bytes(4)
    data[22:26] = checksum(data).to_bytes(4, "little")
    return bytes(data)


@lru_cache(maxsize=1)
def _table():
    """What each value of a byte does to the checksum: the polynomial 04C11DB7, highest bit first."""
    table = []
    for value in range(256):
        register = value << 24
        for _ in range(8):
            register = (register << 1 ^ 0x04C1_1DB7 if register >> 31 else register << 1) & 0xFFFF_FFFF
        table.append(register)
    return table


def checksum(data):
    """The checksum of a page whose own four bytes for it are 0."""
    table, register = _table(), 0
    for byte in data:
        register = (register << 8 & 0xFFFF_FFFF) ^ table[register >> 24 ^ byte]
    return register


def _rate(codec, start):
    """Samples per second (Hz) from the first bytes of a stream."""
    place = {b"\x01vorbis": 12, b"Speex   ": 36}.get(codec)
    if place is not None:
        return int.from_bytes(start[place : place + 4], "little")
    return int.from_bytes(start[27:30], "big") >> 4  # FLAC: 13 bytes of Ogg, 4 of the block, 10 of sizes, then 20 bits
